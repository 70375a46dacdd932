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
	what, id, key      string
	table, state, free string
	kept               any // the state of a row that is in no plan
}

func segmentOf(g PlannedSegment) doomed {
	return doomed{"segment", string(g.ID), g.Key, "segment", "state", notHeld, ward.Archived}
}

func pictureOf(v PlannedPicture) doomed {
	return doomed{"sighting", string(v.ID), v.Key, "sighting", "picture_state", freePicture, ""}
}

// beginRemoval marks that the objects of some are being removed, from when on
// no hold is placed over them and no alert shows them. free says, for each,
// whether that is so; nothing is changed of one that is held or shown already.
func (s *Store) beginRemoval(ctx context.Context, some []doomed) (free []bool, err error) {
	err = s.change(ctx, "begin to remove objects", func(t *tx) error {
		free = make([]bool, len(some))
		// Whoever places a hold or raises an alert has this lock.
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		for i, d := range some {
			res, err := t.ExecContext(ctx, `UPDATE `+d.table+` SET removing = 1 WHERE id = $1 AND `+d.state+` = 'deleting' AND (removing = 1 OR `+d.free+`)`, d.id)
			if err != nil {
				return fmt.Errorf("%s %s: %w", d.what, d.id, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			free[i] = n == 1
		}
		return nil
	})
	return free, err
}

// spare takes d out of its plan because it came under hold before its object
// was removed, which the caller has made sure of.
func (s *Store) spare(ctx context.Context, d doomed) error {
	return s.change(ctx, fmt.Sprintf("spare %s %s", d.what, d.id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
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

// pictureRemoving finds a sighting whose picture has the key $1 and is being
// removed.
const pictureRemoving = `SELECT 1 FROM sighting WHERE snapshot_key = $1 AND snapshot_key <> '' AND picture_state = 'deleting' AND removing = 1 LIMIT 1`

// removing is the error of holding or showing what is being removed, when
// query finds something.
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
