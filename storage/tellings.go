package storage

import (
	"context"
	"time"

	"wardwatch/ward"
)

// Ring is a visit that a tablet is to ring for.
type Ring struct {
	VisitID   ward.VisitID `json:"visit_id"`
	Bed       string       `json:"bed"`
	Deadline  time.Time    `json:"deadline"`
	Delivered bool         `json:"-"` // this tablet acknowledged it
	New       bool         `json:"-"` // it is told of it only now
}

// Rings lists the visits that a tablet is to ring for, and notes of those
// that it was not told of yet that it now is: an event of the visit each.
// None rings for a patient who was discharged: somebody else may lie there.
// A tablet of a whole ward stands in for tablets of beds that are lost.
func (s *Store) Rings(ctx context.Context, v ward.Tablet, now time.Time) ([]Ring, error) {
	rings, err := listed(ctx, s, "rings of tablet "+string(v.ID), func(r row) (Ring, error) {
		var o Ring
		var deadline, told, delivered int64
		err := r.Scan(&o.VisitID, &o.Bed, &deadline, &told, &delivered)
		o.Deadline, o.New, o.Delivered = at(deadline), told == 0, delivered > 0
		return o, err
	}, `SELECT v.id, v.bed, v.deadline_us, COALESCE(x.told_us, 0), COALESCE(x.delivered_us, 0)
		FROM visit v LEFT JOIN visit_told x ON x.visit_id = v.id AND x.way = 'tablet' AND x.tablet_id = $1
		WHERE v.institution_id = $2 AND v.ward = $3 AND v.state = 'ordered' AND v.purpose = 'visit' AND v.deadline_us > $5
			AND NOT EXISTS (SELECT 1 FROM admission a WHERE a.id = v.admission_id AND a.to_us > 0 AND a.to_us <= $5)
			AND (v.bed = $4 OR $4 = '' AND NOT EXISTS (SELECT 1 FROM tablet o WHERE o.institution_id = v.institution_id AND o.ward = v.ward AND o.bed = v.bed
				AND o.secret_hash IS NOT NULL AND o.seen_us > $6))
		ORDER BY v.deadline_us, v.id LIMIT 200`, v.ID, v.InstitutionID, v.Ward, v.Bed, us(now), us(now.Add(-ward.TabletLost)))
	if err != nil {
		return nil, err
	}
	for _, r := range rings {
		if !r.New {
			continue
		}
		if _, err := s.Tell(ctx, ward.Telling{VisitID: r.VisitID, Way: ward.ByTablet, TabletID: v.ID}); err != nil {
			return nil, err
		}
	}
	return rings, nil
}

// Tell notes that a bedside was told of a visit that nobody has opened, once
// for each way and tablet; told is false when it was noted before, or the
// visit has gone on since.
func (s *Store) Tell(ctx context.Context, w ward.Telling) (told bool, err error) {
	err = s.change(ctx, "tell of visit "+string(w.VisitID), func(t *tx) error {
		told, err = t.ordered(ctx, w.VisitID)
		if err != nil || !told {
			return err
		}
		told, err = t.affects(ctx, `INSERT INTO visit_told (visit_id, way, tablet_id, told_by, told_us, delivered_us, opened_us) VALUES ($1, $2, $3, $4, $5, 0, 0)
			ON CONFLICT (visit_id, way, tablet_id) DO NOTHING`, w.VisitID, w.Way, w.TabletID, w.By, us(t.now))
		if err != nil || !told {
			return err
		}
		return t.addVisitEvent(ctx, w.VisitID, "told", t.now, tellingBody(w))
	})
	return told, err
}

func tellingBody(w ward.Telling) map[string]any {
	body := map[string]any{"way": w.Way}
	if w.TabletID != "" {
		body["tablet"] = w.TabletID
	}
	if w.By != "" {
		body["by"] = w.By
	}
	return body
}

// ordered locks a visit's row and says whether nobody has opened it.
func (t *tx) ordered(ctx context.Context, id ward.VisitID) (bool, error) {
	return t.affects(ctx, `UPDATE visit SET leaf = leaf WHERE id = $1 AND state = 'ordered'`, id)
}

// affects runs a statement and says whether it touched a row.
func (t *tx) affects(ctx context.Context, text string, args ...any) (bool, error) {
	res, err := t.ExecContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Received notes a tablet's own receipt of a ring that it was told of;
// sound says whether it rings aloud. It is noted once; first says that it is now.
func (s *Store) Received(ctx context.Context, id ward.VisitID, tablet ward.TabletID, sound bool) (first bool, err error) {
	err = s.change(ctx, "receipt for visit "+string(id), func(t *tx) error {
		first, err = t.ordered(ctx, id)
		if err != nil || !first {
			return err
		}
		first, err = t.affects(ctx, `UPDATE visit_told SET delivered_us = $3 WHERE visit_id = $1 AND way = 'tablet' AND tablet_id = $2 AND delivered_us = 0`, id, tablet, us(t.now))
		if err != nil || !first {
			return err
		}
		return t.addVisitEvent(ctx, id, "delivered", t.now, map[string]any{"way": ward.ByTablet, "tablet": tablet, "aloud": sound})
	})
	return first, err
}

// fetched notes that the link of a visit was fetched, which is its receipt.
func (t *tx) fetched(ctx context.Context, id ward.VisitID, now time.Time) error {
	_, err := t.ExecContext(ctx, `INSERT INTO visit_told (visit_id, way, tablet_id, told_by, told_us, delivered_us, opened_us) VALUES ($1, 'link', '', '', 0, $2, $2)
		ON CONFLICT (visit_id, way, tablet_id) DO UPDATE SET delivered_us = $2, opened_us = $2`, id, us(now))
	if err != nil {
		return err
	}
	return t.addVisitEvent(ctx, id, "delivered", now, map[string]any{"way": ward.ByLink})
}

// OpenVisitOn is OpenVisit by a tablet that rings for the visit: without a
// link, until the deadline. A tablet that was restarted opens what it had
// opened again, until media came. ward.Conflict "visit.opened" when another was faster.
func (s *Store) OpenVisitOn(ctx context.Context, id ward.VisitID, v ward.Tablet, deviceHash []byte, now time.Time) (ward.Visit, error) {
	var out ward.Visit
	err := s.change(ctx, "open visit on a tablet", func(t *tx) error {
		ok, err := t.affects(ctx, `UPDATE visit SET device_hash = $1, opened_us = CASE WHEN state = 'ordered' THEN $2 ELSE opened_us END, state = CASE WHEN state = 'ordered' THEN 'opened' ELSE state END
			WHERE id = $3 AND deadline_us > $2 AND institution_id = $4 AND ward = $5 AND (bed = $6 OR $6 = '') AND (state = 'ordered'
				OR state IN ('opened', 'consented') AND EXISTS (SELECT 1 FROM visit_told x WHERE x.visit_id = $3 AND x.way = 'tablet' AND x.tablet_id = $7 AND x.opened_us > 0))`,
			deviceHash, us(now), id, v.InstitutionID, v.Ward, v.Bed, v.ID)
		if err != nil {
			return err
		}
		if !ok {
			return &ward.Error{Kind: ward.Conflict, Code: "visit.opened", ZH: "该查访已在别处打开、已结束或不在本平板的病区。", EN: "The visit was opened elsewhere, is over, or is not in this tablet's ward."}
		}
		_, err = t.ExecContext(ctx, `INSERT INTO visit_told (visit_id, way, tablet_id, told_by, told_us, delivered_us, opened_us) VALUES ($1, 'tablet', $2, '', $3, $3, $3)
			ON CONFLICT (visit_id, way, tablet_id) DO UPDATE SET opened_us = $3`, id, v.ID, us(now))
		if err != nil {
			return err
		}
		if err := t.addVisitEvent(ctx, id, "opened", now, map[string]any{"way": ward.ByTablet, "tablet": v.ID}); err != nil {
			return err
		}
		out, err = t.visit(ctx, id)
		return err
	})
	return out, err
}

// TabletVisit is the last visit that a tablet opened and that is not sealed;
// its id is empty when there is none.
func (s *Store) TabletVisit(ctx context.Context, id ward.TabletID) (ward.Visit, error) {
	all, err := s.visits(ctx, ` WHERE state <> 'sealed' AND id IN (SELECT x.visit_id FROM visit_told x WHERE x.tablet_id = $1 AND x.opened_us > 0) ORDER BY opened_us DESC LIMIT 1`, id)
	if err != nil || len(all) == 0 {
		return ward.Visit{}, err
	}
	return all[0], nil
}

// Tellings lists how the bedsides of a round were told, in order.
func (s *Store) Tellings(ctx context.Context, round ward.RoundID) ([]ward.Telling, error) {
	return listed(ctx, s, "tellings of round "+string(round), scanTelling, tellingColumns+` JOIN visit v ON v.id = x.visit_id WHERE v.round_id = $1 ORDER BY x.told_us, x.way, x.tablet_id`, round)
}

// TellingsOf lists how the bedside of one visit was told, in order.
func (s *Store) TellingsOf(ctx context.Context, id ward.VisitID) ([]ward.Telling, error) {
	return listed(ctx, s, "tellings of visit "+string(id), scanTelling, tellingColumns+` WHERE x.visit_id = $1 ORDER BY x.told_us, x.way, x.tablet_id`, id)
}

const tellingColumns = `SELECT x.visit_id, x.way, x.tablet_id, x.told_by, x.told_us, x.delivered_us, x.opened_us FROM visit_told x`

func scanTelling(r row) (ward.Telling, error) {
	var w ward.Telling
	var told, delivered, opened int64
	err := r.Scan(&w.VisitID, &w.Way, &w.TabletID, &w.By, &told, &delivered, &opened)
	w.Told, w.Delivered, w.Opened = at(told), at(delivered), at(opened)
	return w, err
}
