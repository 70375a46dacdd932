package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// doomed is a planned row, of a recording or of a sighting's picture, and how
// the table names what retention does to it.
type doomed struct {
	what, id           string
	table, state, free string
	kept               any // the state of a row that is in no plan
}

func segmentOf(id ward.SegmentID) doomed {
	return doomed{"segment", string(id), "segment", "state", notHeld, ward.Archived}
}

func pictureOf(id ward.SightingID) doomed {
	return doomed{"sighting", string(id), "sighting", "picture_state", freePicture, ""}
}

// beginRemoval marks that the object of d is being removed, from when on no
// hold is placed over it. free is false, and nothing changed, when one is
// there already.
func (s *Store) beginRemoval(ctx context.Context, d doomed) (free bool, err error) {
	err = s.change(ctx, fmt.Sprintf("begin to remove %s %s", d.what, d.id), func(t *tx) error {
		// Whoever places a hold has this lock.
		if err := s.dialect.lockLedger(ctx, t.Tx); err != nil {
			return fmt.Errorf("lock ledger: %w", err)
		}
		res, err := t.ExecContext(ctx, `UPDATE `+d.table+` SET removing = 1 WHERE id = $1 AND `+d.state+` = 'deleting' AND (removing = 1 OR `+d.free+`)`, d.id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		free = n == 1
		return err
	})
	return free && err == nil, err
}

// spare takes d out of its plan because it came under hold before its object
// was removed, which the caller has made sure of.
func (s *Store) spare(ctx context.Context, d doomed) error {
	return s.change(ctx, fmt.Sprintf("spare %s %s", d.what, d.id), func(t *tx) error {
		var plan string
		err := t.QueryRowContext(ctx, `SELECT plan_id FROM `+d.table+` WHERE id = $1 AND `+d.state+` = 'deleting' AND removing = 0`, d.id).Scan(&plan)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE `+d.table+` SET `+d.state+` = $2, plan_id = '', retry_us = 0 WHERE id = $1`, d.id, d.kept); err != nil {
			return err
		}
		_, err = t.sealRecord(ctx, KindSpared, d.id, map[string]any{"plan": plan, d.what: d.id})
		return err
	})
}

// setAside leaves d alone until the time given. there says that its object is
// known to be there: then it may be held again.
func (s *Store) setAside(ctx context.Context, d doomed, until time.Time, there bool) error {
	return s.change(ctx, fmt.Sprintf("set %s %s aside", d.what, d.id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE `+d.table+` SET retry_us = $2, removing = CASE WHEN $3 = 1 THEN 0 ELSE removing END WHERE id = $1 AND `+d.state+` = 'deleting'`,
			d.id, us(until), flag(there))
		return err
	})
}

// Kept counts what is set aside because the store refused to delete it.
func (s *Store) Kept(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM segment WHERE state = 'deleting' AND retry_us > 0)
		+ (SELECT COUNT(*) FROM sighting WHERE picture_state = 'deleting' AND snapshot_key <> '' AND retry_us > 0)`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what is set aside: %w", err)
	}
	return n, nil
}

// removing is the error of holding what is being removed, when query finds
// something.
func (t *tx) removing(ctx context.Context, query string, args ...any) error {
	var one int
	err := t.QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what is being removed: %w", err)
	}
	return &ward.Error{
		Kind: ward.Conflict, Code: "hold.removing", ZH: "其中部分内容保留期限已到，正在删除，未作任何更改；请稍后重试，届时会显示仍在的内容。",
		EN: "Part of this is past its retention and being deleted right now, and nothing was changed; try again in a moment and see what is left.",
	}
}
