package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// treatmentRecord is what the ledger commits to when a session begins: of whom
// only with the row's salt, and of the calls only by the nonce's hash.
type treatmentRecord struct {
	ID          ward.TreatmentID     `json:"id"`
	At          time.Time            `json:"at"`
	By          ward.UserID          `json:"by"`
	Institution ward.InstitutionID   `json:"institution"`
	Place       ward.PlaceID         `json:"place"`
	Insured     string               `json:"insured"` // SHA-256 of salt, "insured", id
	Kind        ward.TreatmentKind   `json:"kind"`
	Station     string               `json:"station"`
	Tablet      ward.TabletID        `json:"tablet"`
	Policy      ward.TreatmentPolicy `json:"policy"`
	Answer      ward.Match           `json:"answer"`
	Commitment  string               `json:"commitment"`
}

// storedTreatment is a row.
type storedTreatment struct {
	ward.TreatmentSession
	salt   []byte
	proven int // 1: the patient's face was told there
}

func (v *storedTreatment) record() treatmentRecord {
	return treatmentRecord{v.ID, v.At, v.By, v.InstitutionID, v.PlaceID, salted(v.salt, "insured", []byte(v.InsuredID)), v.Kind, v.Station, v.TabletID, v.Policy, v.Answer, v.Nonce.Commitment()}
}

// AddTreatment draws the nonce of a session, stores the session with its first
// event and seals both (kind "treatment") before anything is answered. The face
// of first decides its Answer: with no_match it is over at once. picture is the
// photo's bytes or the id of the sighting, and is not kept. Whose face
// was told at another session that runs is a ward.Conflict "treatment.elsewhere".
func (s *Store) AddTreatment(ctx context.Context, by ward.User, session ward.TreatmentSession, face ward.TreatmentFace, picture []byte) (ward.TreatmentSession, error) {
	v := storedTreatment{TreatmentSession: session, salt: make([]byte, 32)}
	_, _ = rand.Read(v.salt) // never fails
	_, _ = rand.Read(v.Nonce[:])
	v.By, v.At, v.Answer, v.Ended = by.ID, at(us(session.At)), face.Answer, time.Time{}
	if v.Answer == ward.MatchNo {
		v.Ended = v.At
	}
	v.Commitment = v.Nonce.Commitment()
	face.Picture, face.Seen = salted(v.salt, "picture", picture), at(us(face.Seen))
	policy, err := json.Marshal(v.Policy)
	if err != nil {
		return session, err
	}
	err = s.change(ctx, "begin treatment "+string(v.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes sessions one at a time
			return err
		}
		if err := t.checkTreatment(ctx, v.TreatmentSession); err != nil {
			return err
		}
		var err error
		if v.Leaf, err = t.sealRecord(ctx, KindTreatment, string(v.ID), v.record()); err != nil {
			return err
		}
		if _, err = t.ExecContext(ctx, `INSERT INTO treatment (`+treatmentFields+`, last_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			v.ID, v.InstitutionID, v.PlaceID, v.InsuredID, v.Kind, v.Station, v.TabletID, string(policy), v.By, us(v.At), us(v.Ended), v.Answer,
			hex.EncodeToString(v.Nonce[:]), hex.EncodeToString(v.salt), v.Leaf, flag(v.Answer == ward.MatchYes), us(v.At.Add(v.Policy.Longest()))); err != nil {
			return err
		}
		_, err = t.addTreatmentEvent(ctx, by, v.ID, ward.TreatmentEvent{N: 1, Kind: ward.TreatmentBegun, At: v.At, By: by.ID, Face: &face})
		return err
	})
	return v.TreatmentSession, err
}

// checkTreatment refuses a tablet that is not the institution's, and who is elsewhere.
func (t *tx) checkTreatment(ctx context.Context, v ward.TreatmentSession) error {
	if v.TabletID != "" {
		d, err := t.tablet(ctx, v.TabletID)
		if err == nil && (d.InstitutionID != v.InstitutionID || !d.Revoked.IsZero()) {
			err = unknownTablet(orNoRows(nil))
		}
		if err != nil {
			return err
		}
	}
	if v.Answer != ward.MatchYes {
		return nil
	}
	return t.onlyTreatment(ctx, v, v.At)
}

// onlyTreatment refuses that the patient was found at v while another session runs.
func (t *tx) onlyTreatment(ctx context.Context, v ward.TreatmentSession, now time.Time) error {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM treatment WHERE insured_id = $1 AND id <> $2 AND ended_us = 0 AND last_us > $3 AND proven = 1`, v.InsuredID, v.ID, us(now)).Scan(&n)
	if err != nil || n == 0 {
		return err
	}
	return &ward.Error{Kind: ward.Conflict, Code: "treatment.elsewhere", ZH: "该参保人另有一次治疗正在进行，请先结束那一次。", EN: "Another session of this person is running; end that one first."}
}

func (t *tx) addTreatmentEvent(ctx context.Context, by ward.User, id ward.TreatmentID, e ward.TreatmentEvent) (ward.TreatmentEvent, error) {
	e.Leaf = 0
	body, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	if e.Leaf, err = t.sealRecord(ctx, KindTreatment, fmt.Sprintf("%s/%d", id, e.N), json.RawMessage(body)); err != nil {
		return e, err
	}
	if e.Face != nil && by.ID != "" {
		if _, err := t.custody(ctx, ward.Custody{Actor: by.ID, Role: by.Role, Action: ward.ActionIdentify, Object: fmt.Sprintf("treatment/%s/%d", id, e.N)}); err != nil {
			return e, err
		}
	}
	_, err = t.ExecContext(ctx, `INSERT INTO treatment_event (treatment_id, n, event, leaf) VALUES ($1, $2, $3, $4)`, id, e.N, string(body), e.Leaf)
	return e, err
}

// StepTreatment adds the event that step makes of a session and of what
// happened in it, and seals it (kind "treatment"). Steps of all sessions are
// one at a time. N, At, By and Leaf are assigned here: At is now, but never
// before the last event. An event without a Kind is none. A session ends with
// ward.TreatmentEnded, which reveals its nonce. picture as in AddTreatment.
func (s *Store) StepTreatment(ctx context.Context, by ward.User, id ward.TreatmentID, now time.Time, picture []byte,
	step func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (ward.TreatmentEvent, error),
) (v ward.TreatmentSession, events []ward.TreatmentEvent, err error) {
	err = s.change(ctx, "step of treatment "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		v, events, err = t.stepTreatment(ctx, by, id, now, picture, step)
		return err
	})
	return v, events, err
}

// stepTreatment is StepTreatment under the ledger's lock.
func (t *tx) stepTreatment(ctx context.Context, by ward.User, id ward.TreatmentID, now time.Time, picture []byte,
	step func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (ward.TreatmentEvent, error),
) (v ward.TreatmentSession, events []ward.TreatmentEvent, err error) {
	stored, err := scanTreatment(t.QueryRowContext(ctx, treatmentColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, nil, unknownTreatment(err)
	}
	rows, err := t.QueryContext(ctx, treatmentEvents, id)
	if err != nil {
		return v, nil, err
	}
	if events, err = collect(rows, scanTreatmentEvent); err != nil {
		return v, nil, err
	}
	v = stored.TreatmentSession
	when := at(us(now))
	if n := len(events); n > 0 && events[n-1].At.After(when) {
		when = events[n-1].At
	}
	e, err := step(v, events, when)
	if err != nil || e.Kind == "" {
		return v, events, err
	}
	e.N, e.At, e.By = len(events)+1, when, by.ID
	if err := t.finishEvent(ctx, &stored, &e, picture); err != nil {
		return v, events, err
	}
	if e, err = t.addTreatmentEvent(ctx, by, id, e); err != nil {
		return v, events, err
	}
	return stored.TreatmentSession, append(events, e), nil
}

// finishEvent commits to the picture, notes that the patient was there if e
// says so, and ends the session if e does.
func (t *tx) finishEvent(ctx context.Context, v *storedTreatment, e *ward.TreatmentEvent, picture []byte) error {
	if e.Face != nil {
		f := *e.Face
		f.Picture, f.Seen = salted(v.salt, "picture", picture), at(us(f.Seen))
		e.Face = &f
		if f.Answer == ward.MatchYes {
			if err := t.onlyTreatment(ctx, v.TreatmentSession, e.At); err != nil {
				return err
			}
			if _, err := t.ExecContext(ctx, `UPDATE treatment SET proven = 1 WHERE id = $1`, v.ID); err != nil {
				return err
			}
		}
	}
	if e.Kind != ward.TreatmentEnded {
		return nil
	}
	v.Ended, e.Nonce = e.At, hex.EncodeToString(v.Nonce[:])
	_, err := t.ExecContext(ctx, `UPDATE treatment SET ended_us = $2 WHERE id = $1`, v.ID, us(v.Ended))
	return err
}
