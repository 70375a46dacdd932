package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"wardwatch/ward"
)

// dutyEndRecord is what the ledger commits to of an early end.
type dutyEndRecord struct {
	Duty    ward.DutyID `json:"duty"`
	At      time.Time   `json:"at"`
	By      ward.UserID `json:"by"`
	Reason  string      `json:"reason"`
	Score   float64     `json:"score"`
	Picture string      `json:"picture"` // SHA-256 of salt, "picture" and the photo, or the sighting's id; empty: no face
}

type storedDutyEnd struct {
	ward.DutyEnd
	salt    string // hex
	picture string
}

func (v storedDutyEnd) record() dutyEndRecord {
	return dutyEndRecord{v.DutyID, v.At, v.By, v.Reason, float64(v.Score), v.picture}
}

// dutyOver is when a row's window ends, or was ended.
const dutyOver = `CASE WHEN ended_us > 0 THEN ended_us ELSE until_us END`

// EndDuty ends, and seals (kind "duty_end"), every window of a physician at the
// institution of one start that is open now. e.Reason and e.Score are the
// caller's; picture is what a face was told from, empty for none, and is not
// kept. No open window is a ward.Conflict "duty.over".
func (s *Store) EndDuty(ctx context.Context, by ward.User, d ward.Duty, e ward.DutyEnd, picture []byte) (ward.DutyEnd, error) {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	end := storedDutyEnd{DutyEnd: e, salt: hex.EncodeToString(salt)}
	if len(picture) > 0 {
		end.picture = salted(salt, "picture", picture)
	}
	end.By = by.ID
	err := s.change(ctx, "end duty "+string(d.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // starts and ends are one at a time
			return err
		}
		end.At = at(us(time.Now()))
		rows, err := t.QueryContext(ctx, dutyColumns+` WHERE physician_id = $1 AND institution_id = $2 AND ended_us = 0 AND until_us > $3 AND at_us <= $3 ORDER BY id`, d.PhysicianID, d.InstitutionID, us(end.At))
		if err != nil {
			return err
		}
		open, err := collect(rows, scanDuty)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return &ward.Error{Kind: ward.Conflict, Code: "duty.over", ZH: "该医师在本机构没有有效的在岗时段。", EN: "No window of this physician is open here."}
		}
		for _, o := range open {
			end.DutyID = o.ID
			if err := t.addDutyEnd(ctx, by, &end); err != nil {
				return err
			}
		}
		return nil
	})
	return end.DutyEnd, err
}

func (t *tx) addDutyEnd(ctx context.Context, by ward.User, v *storedDutyEnd) error {
	var err error
	if v.Leaf, err = t.sealRecord(ctx, KindDutyEnd, string(v.DutyID), v.record()); err != nil {
		return err
	}
	if v.picture != "" {
		if _, err := t.custody(ctx, ward.Custody{Actor: by.ID, Role: by.Role, Action: ward.ActionIdentify, Object: "duty_end/" + string(v.DutyID)}); err != nil {
			return err
		}
	}
	if _, err = t.ExecContext(ctx, `INSERT INTO duty_end (duty_id, at_us, actor, reason, score, salt, picture, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.DutyID, us(v.At), v.By, v.Reason, float64(v.Score), v.salt, v.picture, v.Leaf); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `UPDATE duty SET ended_us = $2 WHERE id = $1`, v.DutyID, us(v.At))
	return err
}

const dutyEndColumns = `SELECT duty_id, at_us, actor, reason, score, salt, picture, leaf FROM duty_end`

func scanDutyEnd(r row) (v storedDutyEnd, err error) {
	var when int64
	var score float64
	err = r.Scan(&v.DutyID, &when, &v.By, &v.Reason, &score, &v.salt, &v.picture, &v.Leaf)
	v.At, v.Score = at(when), float32(score)
	return v, err
}

// DutyEnd returns how a start's window was ended early, or ward.NotFound.
func (s *Store) DutyEnd(ctx context.Context, id ward.DutyID) (ward.DutyEnd, error) {
	v, err := scanDutyEnd(s.read.QueryRowContext(ctx, dutyEndColumns+` WHERE duty_id = $1`, id))
	if err != nil {
		return v.DutyEnd, fmt.Errorf("read end of duty %s: %w", id, missing(err, "duty.not_ended", "没有提前结束。", "It was not ended early."))
	}
	return v.DutyEnd, nil
}

// dutyEndRows compares every early end with what was sealed, and with its start.
func (f *fsck) dutyEndRows(ctx context.Context) error {
	id := func(v storedDutyEnd) string { return string(v.DutyID) }
	return each(ctx, f, "list ends of duties", dutyEndColumns+` WHERE duty_id > $1 ORDER BY duty_id LIMIT $2`, scanDutyEnd, id, func(v storedDutyEnd) error {
		return f.agree(ctx, "duty_end", string(v.DutyID), KindDutyEnd, string(v.DutyID), v.Leaf, v.record())
	})
}

// dutyEnded says whether a start's end is the one that its row of duty_end says.
func (f *fsck) dutyEnded(ctx context.Context, v storedDuty) error {
	e, err := f.s.DutyEnd(ctx, v.ID)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	if !e.At.Equal(v.Ended) {
		f.bad("duty/"+string(v.ID), "上岗的提前结束与封存的记录不一致。", "The start's early end differs from what was sealed")
	}
	return nil
}
