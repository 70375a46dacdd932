package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// KindDraw is the kind of every step of a draw, by draw/seq.
const KindDraw = sealed.KindDraw

// NewDraw is a draw to be committed.
type NewDraw struct {
	InstitutionID ward.InstitutionID
	Source        ward.DrawSource
	By            ward.UserID
	// Previous must be the institution's last draw of that day, when there is one.
	Previous ward.DrawID
	// Secret is kept sealed until the draw ends; Salts is the key of the salts.
	Secret, Salts [32]byte
	// Plan, when set, is the active plan whose start at Due the draw is for.
	Plan ward.PlanID
	Due  time.Time
	// Record makes what is sealed. d has its ID, Day, Number and Committed; previous
	// is the draw before, nil for the first of the day. due becomes d.Due.
	Record func(d ward.Draw, previous *ward.Draw) (record any, due time.Time, err error)
}

// CommitDraw stores a draw and seals its commitment (kind "draw") in one
// transaction. ward.Conflict "draw.open" while another of the institution is
// open, "draw.previous" when it does not name the last one of that day.
func (s *Store) CommitDraw(ctx context.Context, n NewDraw) (ward.Draw, error) {
	var d ward.Draw
	err := s.change(ctx, "commit draw", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // draws are made one at a time
			return err
		}
		d = ward.Draw{
			ID: ward.NewID[ward.DrawID](t.now), InstitutionID: n.InstitutionID, Day: ward.ChinaDay(t.now), Number: 1, State: ward.DrawCommitted,
			Source: n.Source, By: n.By, Committed: t.now.UTC(),
		}
		previous, err := t.lastDraw(ctx, n.InstitutionID, d.Day)
		if err != nil {
			return err
		}
		if previous != nil {
			d.Number, d.Previous = previous.Number+1, previous.ID
		}
		if d.Previous != n.Previous {
			return &ward.Error{
				Kind: ward.Conflict, Code: "draw.previous",
				ZH: "该机构今日已抽取过；再次抽取须指明上一次抽取并说明理由，请刷新后重试。", EN: "This institution was drawn from today; name that draw and say why it is repeated. Reload and try again.",
			}
		}
		record, due, err := n.Record(d, previous)
		if err != nil {
			return err
		}
		d.Due = due
		if err := t.commitDraw(ctx, &d, n, record); err != nil || n.Plan == "" {
			return err
		}
		return t.drawnFor(ctx, n.Plan, n.Due, d.ID)
	})
	d.Committed, d.Due = at(us(d.Committed)), at(us(d.Due))
	return d, err
}

func (t *tx) commitDraw(ctx context.Context, d *ward.Draw, n NewDraw, record any) error {
	var one int
	err := t.QueryRowContext(ctx, `SELECT 1 FROM draw WHERE institution_id = $1 AND state = 'committed'`, d.InstitutionID).Scan(&one)
	if err == nil {
		return &ward.Error{Kind: ward.Conflict, Code: "draw.open", ZH: "该机构有一次抽取尚未出结果，请等待或先作废。", EN: "A draw of this institution still waits for its seed; wait for it or abandon it."}
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if d.Leaf, d.Commitment, err = t.sealStep(ctx, d.ID, 1, ward.StepCommit, record); err != nil {
		return err
	}
	secret := t.s.seal.seal(append(n.Secret[:], n.Salts[:]...), "draw.secret."+string(d.ID))
	_, err = t.ExecContext(ctx, `INSERT INTO draw (id, institution_id, day, number, state, source, drawn_by, previous, committed_us, due_us, commitment, round_id, secret, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, $13)`,
		d.ID, d.InstitutionID, d.Day, d.Number, d.State, d.Source, d.By, d.Previous, us(d.Committed), us(d.Due), d.Commitment, secret, d.Leaf)
	return err
}

// lastDraw is the institution's last draw of a day, nil when there is none.
func (t *tx) lastDraw(ctx context.Context, inst ward.InstitutionID, day string) (*ward.Draw, error) {
	d, err := scanDraw(t.QueryRowContext(ctx, drawColumns+` WHERE institution_id = $1 AND day = $2 ORDER BY number DESC LIMIT 1`, inst, day))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is no error
	}
	return &d, err
}

// sealStep seals one step and stores its row; it returns the leaf and the
// SHA-256 of the sealed bytes.
func (t *tx) sealStep(ctx context.Context, id ward.DrawID, seq int64, kind ward.DrawStepKind, record any) (leaf int64, sum string, err error) {
	ref := fmt.Sprintf("%s/%d", id, seq)
	if leaf, err = t.sealRecord(ctx, KindDraw, ref, record); err != nil {
		return 0, "", err
	}
	sealed, _, err := latestSealed(ctx, t.Tx, KindDraw, ref)
	if err != nil {
		return 0, "", err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO draw_step (draw_id, seq, kind, at_us, leaf) VALUES ($1, $2, $3, $4, $5)`, id, seq, kind, us(t.now), leaf)
	return leaf, hexOf(sealed.Sum()), err
}

// DrawChange is the next step of a draw.
type DrawChange struct {
	ID   ward.DrawID
	Kind ward.DrawStepKind
	// Record makes what is sealed, from the draw as it stands and the steps
	// before, the moment and the step's number.
	Record func(d ward.Draw, steps []SealedStep, now time.Time) (any, error)
}

// StepDraw takes the next step of a draw and seals it. ward.Conflict
// "draw.state" when the draw's state does not allow it (somebody was faster).
func (s *Store) StepDraw(ctx context.Context, c DrawChange) (ward.Draw, error) {
	var d ward.Draw
	err := s.change(ctx, string(c.Kind)+" draw "+string(c.ID), func(t *tx) (err error) {
		d, err = t.stepDraw(ctx, c, "")
		return err
	})
	return d, err
}

func (t *tx) stepDraw(ctx context.Context, c DrawChange, round ward.RoundID) (ward.Draw, error) {
	if err := t.lockLedger(ctx); err != nil {
		return ward.Draw{}, err
	}
	d, err := scanDraw(t.QueryRowContext(ctx, drawColumns+` WHERE id = $1`, c.ID))
	if err != nil {
		return d, drawUnknown(err)
	}
	if !c.Kind.Follows(d.State) {
		return d, &ward.Error{Kind: ward.Conflict, Code: "draw.state", ZH: "该抽取的当前状态不允许此操作，请刷新。", EN: "The draw's state does not allow this; reload."}
	}
	steps, err := drawSteps(ctx, t.Tx, c.ID)
	if err != nil {
		return d, err
	}
	record, err := c.Record(d, steps, t.now.UTC())
	if err != nil {
		return d, err
	}
	if _, _, err = t.sealStep(ctx, d.ID, int64(len(steps))+1, c.Kind, record); err != nil {
		return d, err
	}
	d.State, d.RoundID = c.Kind.After(), round
	_, err = t.ExecContext(ctx, `UPDATE draw SET state = $2, round_id = $3 WHERE id = $1`, d.ID, d.State, d.RoundID)
	return d, err
}

func drawUnknown(err error) error {
	return missing(err, "draw.unknown", "没有这次抽取，请检查编号。", "No such draw; check its id.")
}
