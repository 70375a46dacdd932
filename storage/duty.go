package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"wardwatch/ward"
)

// dutyRecord is what the ledger commits to of a start: of whom and of which
// picture only with the row's salt, and of the position only what it says.
type dutyRecord struct {
	ID          ward.DutyID         `json:"id"`
	At          time.Time           `json:"at"`
	By          ward.UserID         `json:"by"`
	Institution ward.InstitutionID  `json:"institution"`
	Place       ward.PlaceID        `json:"place"`
	Camera      ward.CameraID       `json:"camera"`
	Source      ward.IdentitySource `json:"source"`
	Seen        time.Time           `json:"seen"`
	Physician   string              `json:"physician"` // SHA-256 of salt, "physician", id
	Picture     string              `json:"picture"`   // SHA-256 of salt, "picture" and the photo, or the sighting's id
	Answer      ward.Match          `json:"answer"`
	Reason      ward.IdentityReason `json:"reason"`
	Score       float64             `json:"score"`
	Model       string              `json:"model"`
	Match       float64             `json:"match"`
	NoMatch     float64             `json:"no_match"`
	Position    ward.DutyPlace      `json:"position"`
	Outcome     ward.DutyOutcome    `json:"outcome"`
	Until       time.Time           `json:"until"`
	Policy      int                 `json:"policy"`
	Visit       ward.VisitID        `json:"visit,omitempty"` // whose verdict it follows from
}

// storedDuty is a row.
type storedDuty struct {
	ward.Duty
	salt    []byte
	picture string
}

func (v storedDuty) record() dutyRecord {
	return dutyRecord{
		v.ID, v.At, v.By, v.InstitutionID, v.PlaceID, v.CameraID, v.Source, v.Seen, salted(v.salt, "physician", []byte(v.PhysicianID)), v.picture,
		v.Answer, v.Reason, float64(v.Score), v.ModelID, float64(v.Thresholds.Match), float64(v.Thresholds.NoMatch), v.Position, v.Outcome, v.Until, v.Policy, v.VisitID,
	}
}

// AddDuty stores and seals (kind "duty") a start before it is answered, and
// notes in the custody chain who asked. Outcome is that of the face and the
// place; one that would put the physician on duty becomes DutyElsewhere while
// a window at another institution is open: of two at the same time exactly one
// is first. window counts from At, which is assigned here like Until and Leaf.
// picture is the photo's bytes, or the id of the sighting, and is not kept.
// Whoever is not registered there, or left, is ward.NotFound "physician.unknown".
func (s *Store) AddDuty(ctx context.Context, by ward.User, d ward.Duty, window time.Duration, picture []byte) (ward.Duty, error) {
	v := storedDuty{Duty: d, salt: make([]byte, 32)}
	_, _ = rand.Read(v.salt) // never fails
	v.picture, v.By = salted(v.salt, "picture", picture), by.ID
	err := s.change(ctx, "add duty "+string(d.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes starts one at a time
			return err
		}
		v.At = at(us(time.Now())) // the wait for the lock is no part of the window
		v.Outcome, v.Until = d.Outcome, v.At
		if v.Seen = at(us(d.Seen)); v.Seen.IsZero() {
			v.Seen = v.At
		}
		if err := t.placeDuty(ctx, &v.Duty, window); err != nil {
			return err
		}
		if _, err := t.custody(ctx, ward.Custody{Actor: by.ID, Role: by.Role, Action: ward.ActionIdentify, Object: "duty/" + string(v.ID)}); err != nil {
			return err
		}
		return t.insertDuty(ctx, &v)
	})
	return v.Duty, err
}

// placeDuty gives d its window, unless the physician is on duty elsewhere.
func (t *tx) placeDuty(ctx context.Context, d *ward.Duty, window time.Duration) error {
	var here, away int
	err := t.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM physician p JOIN physician_institution i ON i.physician_id = p.id WHERE p.id = $1 AND p.gone = 0 AND i.institution_id = $2),
		(SELECT COUNT(*) FROM duty WHERE physician_id = $1 AND institution_id <> $2 AND `+dutyOver+` > $3 AND outcome IN ('verified', 'unplaced'))`,
		d.PhysicianID, d.InstitutionID, us(d.At)).Scan(&here, &away)
	switch {
	case err != nil:
		return err
	case here == 0:
		return unknownPhysician(orNoRows(nil))
	case away > 0 && d.Outcome.Open():
		d.Outcome = ward.DutyElsewhere
	case d.Outcome.Open() || d.Outcome == ward.DutyUnsure:
		d.Until = d.At.Add(window)
	}
	return nil
}

func (t *tx) insertDuty(ctx context.Context, v *storedDuty) error {
	var err error
	if v.Leaf, err = t.sealRecord(ctx, KindDuty, string(v.ID), v.record()); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO duty (`+dutyFields+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		v.ID, us(v.At), v.By, v.InstitutionID, v.PlaceID, v.CameraID, v.PhysicianID, v.Source, us(v.Seen), v.Answer, v.Reason, float64(v.Score), v.ModelID,
		float64(v.Thresholds.Match), float64(v.Thresholds.NoMatch), v.Position, v.Outcome, us(v.Until), v.Policy, hex.EncodeToString(v.salt), v.picture, v.Leaf, v.VisitID)
	return err
}

const dutyFields = `id, at_us, actor, institution_id, place_id, camera_id, physician_id, source, seen_us, answer, reason, score, model_id, match_from, no_match_below, position, outcome, until_us, policy, salt, picture, leaf, visit_id`

const dutyColumns = `SELECT ` + dutyFields + `, ended_us FROM duty`

func scanStoredDuty(r row) (storedDuty, error) {
	var v storedDuty
	var when, seen, until, ended int64
	var score, match, noMatch float64
	var salt string
	err := r.Scan(&v.ID, &when, &v.By, &v.InstitutionID, &v.PlaceID, &v.CameraID, &v.PhysicianID, &v.Source, &seen, &v.Answer, &v.Reason, &score, &v.ModelID, &match, &noMatch,
		&v.Position, &v.Outcome, &until, &v.Policy, &salt, &v.picture, &v.Leaf, &v.VisitID, &ended)
	if err != nil {
		return v, err
	}
	v.At, v.Seen, v.Until, v.Ended, v.Score = at(when), at(seen), at(until), at(ended), float32(score)
	v.Thresholds = ward.FaceThresholds{Match: float32(match), NoMatch: float32(noMatch)}
	v.salt, _ = hex.DecodeString(salt) // one that was changed commits to something else: fsck finds it
	return v, nil
}

func scanDuty(r row) (ward.Duty, error) {
	v, err := scanStoredDuty(r)
	return v.Duty, err
}

// Duty returns one start, or ward.NotFound.
func (s *Store) Duty(ctx context.Context, id ward.DutyID) (ward.Duty, error) {
	v, err := scanDuty(s.read.QueryRowContext(ctx, dutyColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read duty %s: %w", id, missing(err, "duty.unknown", "没有这次上岗核验。", "No such start of a shift."))
	}
	return v, nil
}

// Duties lists the starts at institutions (nil: all) before the one given (""
// begins the list), the newest first; 1 to 500, 0 means 50.
func (s *Store) Duties(ctx context.Context, insts []ward.InstitutionID, before ward.DutyID, limit int) ([]ward.Duty, error) {
	where, args := scope(insts, []any{before, pageSize(limit)})
	return listed(ctx, s, "list duties", scanDuty, dutyColumns+where+` AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2`, args...)
}

// OnDuty lists like Duties, but only who is on duty at now: of each physician the newest start.
func (s *Store) OnDuty(ctx context.Context, insts []ward.InstitutionID, now time.Time, before ward.DutyID, limit int) ([]ward.Duty, error) {
	const open = dutyOver + ` > $3 AND outcome IN ('verified', 'unplaced')`
	where, args := scope(insts, []any{before, pageSize(limit), us(now)})
	return listed(ctx, s, "list who is on duty", scanDuty, dutyColumns+where+` AND ($1 = '' OR id < $1) AND `+open+`
		AND id = (SELECT MAX(n.id) FROM (SELECT * FROM duty WHERE `+open+`) n WHERE n.physician_id = duty.physician_id) ORDER BY id DESC LIMIT $2`, args...)
}

// DutiesAt returns the starts of a physician whose window holds t.
func (s *Store) DutiesAt(ctx context.Context, id ward.PhysicianID, t time.Time) ([]ward.Duty, error) {
	return listed(ctx, s, "list duties at a moment", scanDuty, dutyColumns+` WHERE physician_id = $1 AND `+dutyOver+` > $2 AND at_us <= $2 ORDER BY id`, id, us(t))
}

// dutyRows compares every start with what was sealed.
func (f *fsck) dutyRows(ctx context.Context) error {
	id := func(v storedDuty) string { return string(v.ID) }
	return each(ctx, f, "list duties", dutyColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanStoredDuty, id, func(v storedDuty) error {
		if err := f.dutyEnded(ctx, v); err != nil {
			return err
		}
		return f.agree(ctx, "duty", string(v.ID), KindDuty, string(v.ID), v.Leaf, v.record())
	})
}
