package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// blindRecord is what the ledger commits to when a blind period is found and
// when it ends. It holds no personal data, but the hashes of the pictures.
type blindRecord struct {
	Period      ward.BlindID       `json:"period"`
	Camera      ward.CameraID      `json:"camera"`
	Place       ward.PlaceID       `json:"place"`
	Institution ward.InstitutionID `json:"institution"`
	Cause       ward.BlindCause    `json:"cause"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to,omitzero"`
	Found       time.Time          `json:"found"`
	EndedBy     ward.UserID        `json:"ended_by,omitempty"`
	Outage      ward.OutageID      `json:"outage,omitempty"`
	Before      string             `json:"before_sha256,omitempty"`
	At          string             `json:"at_sha256,omitempty"`
	After       string             `json:"after_sha256,omitempty"`
}

func recordOfBlind(b ward.BlindPeriod) blindRecord {
	sum := func(p ward.BlindPicture) string {
		if p.Sighting == "" {
			return ""
		}
		return hexOf(p.SHA256)
	}
	return blindRecord{
		Period: b.ID, Camera: b.CameraID, Place: b.PlaceID, Institution: b.InstitutionID, Cause: b.Cause, From: b.From, To: b.To, Found: b.Found,
		EndedBy: b.EndedBy, Outage: b.OutageID, Before: sum(b.Before), At: sum(b.At), After: sum(b.After),
	}
}

// OpenBlind stores a blind period that lasts and seals it (kind "blind").
// Settlements at its place that were judged by what the camera showed since
// are judged again. One whose id is stored already, or a second one with the
// same cause at a camera while the first lasts, changes nothing. When it has
// lasted unreported for long enough by now, its alert is raised with it; else
// SeenBlind or CloseBlind do so.
func (s *Store) OpenBlind(ctx context.Context, b ward.BlindPeriod) error {
	if b.ID == "" || b.From.IsZero() {
		return fmt.Errorf("open blind period %q of %s", b.ID, b.CameraID)
	}
	return s.change(ctx, "open blind period of "+string(b.CameraID), func(t *tx) error {
		if err := t.lockJudging(ctx); err != nil { // settlements are judged again
			return err
		}
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var known int
		err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM blind_period WHERE id = $1 OR to_us = 0 AND camera_id = $2 AND cause = $3`, b.ID, b.CameraID, b.Cause).Scan(&known)
		if err != nil || known > 0 {
			return err
		}
		b.From, b.To, b.Found, b.Seen = at(us(b.From)), time.Time{}, at(us(t.now)), at(us(t.now))
		acc, rule, err := t.account(ctx, &b)
		if err != nil {
			return err
		}
		if b.Leaf, err = t.sealRecord(ctx, KindBlind, string(b.ID), recordOfBlind(b)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO blind_period (id, camera_id, place_id, institution_id, cause, from_us, to_us, found_us, seen_us, ended_by,
				before_id, before_sha, at_id, at_sha, after_id, leaf, outage_id, due_us) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7, '', $8, $9, $10, $11, '', $12, $13, $14)`,
			b.ID, b.CameraID, b.PlaceID, b.InstitutionID, b.Cause, us(b.From), us(t.now), b.Before.Sighting, b.Before.SHA256[:], b.At.Sighting, b.At.SHA256[:], b.Leaf, b.OutageID, us(b.Due))
		if err != nil {
			return err
		}
		if err := t.accuse(ctx, b, acc, rule); err != nil || !b.Cause.Sightless() {
			return err
		}
		_, err = t.ExecContext(ctx, again+`place_id = $1 AND at_us BETWEEN $2 AND $3`, b.PlaceID, us(b.From.Add(-MaxOffset)), us(t.now.Add(MaxOffset)))
		return err
	})
}

// SeenBlind notes that blind periods still lasted at seen, and returns those
// that are still open: somebody may have said that the camera is well as it
// is. One that has lasted unreported for long enough by then has its alert from
// then on.
func (s *Store) SeenBlind(ctx context.Context, seen time.Time, ids ...ward.BlindID) (open []ward.BlindID, err error) {
	err = s.change(ctx, fmt.Sprintf("note that %d blind periods last", len(ids)), func(t *tx) error {
		open = nil
		due := len(ids) > 1 // or two transactions could lock rows in another order
		err := eachOf(ctx, t.Tx, `SELECT due_us > 0 AND due_us <= $1 FROM blind_period WHERE to_us = 0 AND id IN `, padded(ids), []any{us(seen)}, func(r row) error {
			var now bool
			err := r.Scan(&now)
			due = due || now
			return err
		})
		if err == nil && due {
			err = t.lockLedger(ctx) // before the rows
		}
		if err != nil {
			return err
		}
		var over []ward.BlindPeriod
		for some := range slices.Chunk(ids, lookUpBatch) {
			args := []any{us(seen)}
			for _, id := range some {
				args = append(args, id)
			}
			rows, err := t.QueryContext(ctx, `UPDATE blind_period SET seen_us = $1 WHERE to_us = 0 AND id IN `+marksFrom(2, len(some))+` RETURNING `+blindFields, args...)
			if err != nil {
				return err
			}
			all, err := collect(rows, scanBlind)
			if err != nil {
				return err
			}
			for _, b := range all {
				open = append(open, b.ID)
				if t.locked && !b.Due.IsZero() && !b.Due.After(b.Seen) {
					over = append(over, b)
				}
			}
		}
		for _, b := range over {
			if err := t.reaccount(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	return open, err
}

// marksFrom is "($2, $3)" for n values from the second on.
func marksFrom(first, n int) string {
	marks := make([]string, n)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", first+i)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

// CloseBlind ends a blind period and seals it again; to before its beginning
// counts as then. after is the picture that shows that the camera sees again,
// by who said so; either may be empty. One that is closed already is left as it is.
func (s *Store) CloseBlind(ctx context.Context, id ward.BlindID, to time.Time, after ward.BlindPicture, by ward.UserID) error {
	return s.change(ctx, "close blind period "+string(id), func(t *tx) error { return t.closeBlind(ctx, id, to, after, by) })
}

func (t *tx) closeBlind(ctx context.Context, id ward.BlindID, to time.Time, after ward.BlindPicture, by ward.UserID) error {
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	b, err := scanBlind(t.QueryRowContext(ctx, blindColumns+` WHERE id = $1`, id))
	if err != nil {
		return blindMissing(err)
	}
	if !b.To.IsZero() {
		return nil
	}
	if b.To = at(us(to)); b.To.Before(b.From) {
		b.To = b.From
	}
	b.After, b.EndedBy = after, by
	acc, rule, err := t.account(ctx, &b)
	if err != nil {
		return err
	}
	if b.Leaf, err = t.sealRecord(ctx, KindBlind, string(id), recordOfBlind(b)); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `UPDATE blind_period SET to_us = $2, after_id = $3, after_sha = $4, ended_by = $5, leaf = $6, outage_id = $7, due_us = $8 WHERE id = $1`,
		id, us(b.To), b.After.Sighting, b.After.SHA256[:], by, b.Leaf, b.OutageID, us(b.Due))
	if err != nil {
		return err
	}
	return t.accuse(ctx, b, acc, rule)
}

// LearnAnew ends the blind periods of a camera that lasts by what its pictures
// show, and forgets what was learned of its scene: somebody says that it is
// well as it is now. It returns the periods that it ended.
func (s *Store) LearnAnew(ctx context.Context, camera ward.CameraID, by ward.UserID) (ended int, err error) {
	err = s.change(ctx, "learn the scene of "+string(camera)+" anew", func(t *tx) error {
		ended = 0
		rows, err := t.QueryContext(ctx, blindColumns+` WHERE camera_id = $1 AND to_us = 0`, camera)
		if err != nil {
			return err
		}
		all, err := collect(rows, scanBlind)
		if err != nil {
			return err
		}
		for _, b := range all {
			if !b.Cause.OfPicture() {
				continue
			}
			if err := t.closeBlind(ctx, b.ID, t.now, ward.BlindPicture{}, by); err != nil {
				return err
			}
			ended++
		}
		_, err = t.ExecContext(ctx, `DELETE FROM camera_scene WHERE camera_id = $1`, camera)
		return err
	})
	return ended, err
}

// SetScene stores what was learned of a camera's scene.
func (s *Store) SetScene(ctx context.Context, camera ward.CameraID, scene []byte) error {
	return s.change(ctx, "store the scene of "+string(camera), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO camera_scene (camera_id, scene, at_us) VALUES ($1, $2, $3)
			ON CONFLICT (camera_id) DO UPDATE SET scene = excluded.scene, at_us = excluded.at_us`, camera, string(scene), us(t.now))
		return err
	})
}

// Scene returns what was learned of a camera's scene; nil: nothing.
func (s *Store) Scene(ctx context.Context, camera ward.CameraID) ([]byte, error) {
	var scene string
	err := s.read.QueryRowContext(ctx, `SELECT scene FROM camera_scene WHERE camera_id = $1`, camera).Scan(&scene)
	if ward.KindOf(missing(err, "scene.unknown", "", "")) == ward.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the scene of %s: %w", camera, err)
	}
	return []byte(scene), nil
}

func blindMissing(err error) error {
	return missing(err, "blind.unknown", "没有这个盲区时段，请检查编号。", "No such blind period; check its id.")
}

const blindFields = `id, camera_id, place_id, institution_id, cause, from_us, to_us, found_us, seen_us, ended_by,
	before_id, before_sha, at_id, at_sha, after_id, after_sha, leaf, outage_id, due_us`

const blindColumns = `SELECT ` + blindFields + ` FROM blind_period`

func scanBlind(r row) (ward.BlindPeriod, error) {
	var b ward.BlindPeriod
	var from, to, found, seen, due int64
	var before, during, after []byte
	err := r.Scan(&b.ID, &b.CameraID, &b.PlaceID, &b.InstitutionID, &b.Cause, &from, &to, &found, &seen, &b.EndedBy,
		&b.Before.Sighting, &before, &b.At.Sighting, &during, &b.After.Sighting, &after, &b.Leaf, &b.OutageID, &due)
	b.From, b.To, b.Found, b.Seen, b.Due = at(from), at(to), at(found), at(seen), at(due)
	copy(b.Before.SHA256[:], before)
	copy(b.At.SHA256[:], during)
	copy(b.After.SHA256[:], after)
	return b, err
}
