package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// A run is the segments of a source and an origin that begin on the same day
// (UTC) and follow each other without a hole: one ends in the microsecond in
// which the next one begins, as the recorder dates them. A camera that records
// has one run a day. What a run says never changes but for its end.

// runDay is what runs do not begin across, in microseconds.
const runDay = int64(24*time.Hour) / int64(time.Microsecond)

// longestSegment is how long a segment may be: ten times the hour that can be
// set, without a key frame. A run is that much longer than a day at most.
const longestSegment = 10 * time.Hour

// extend adds the segment g to the run that ends where it begins, or begins one.
func (t *tx) extend(ctx context.Context, g ward.Segment) error {
	const same = ` source_kind = $1 AND source_id = $2 AND institution_id = $3 AND origin = $4 AND to_us = $5 AND from_us >= $6 AND from_us <= $5`
	res, err := t.ExecContext(ctx, `UPDATE segment_run SET to_us = $7 WHERE`+same+` AND seq = (SELECT MAX(seq) FROM segment_run WHERE`+same+`)`,
		g.Source.Kind, g.Source.ID, g.InstitutionID, g.Origin, us(g.Start), us(g.Start)/runDay*runDay, us(g.End))
	if err != nil {
		return fmt.Errorf("extend run: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO segment_run (source_kind, source_id, from_us, seq, to_us, institution_id, origin) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		g.Source.Kind, g.Source.ID, us(g.Start), g.Seq, us(g.End), g.InstitutionID, g.Origin)
	if err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	return nil
}

// runsOfOld makes the runs of the segments from before there were any, if
// that was not done yet.
func (s *Store) runsOfOld(ctx context.Context) error {
	const group = `source_kind, source_id, institution_id, origin, start_us / 86400000000`
	return s.change(ctx, "make runs of segments", func(t *tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM segment_packing WHERE one = 2`)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM segment_run`); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO segment_run (source_kind, source_id, institution_id, origin, from_us, seq, to_us)
			SELECT source_kind, source_id, institution_id, origin, MIN(start_us), MIN(seq), MAX(end_us) FROM (
				SELECT source_kind, source_id, institution_id, origin, start_us, end_us, seq,
					SUM(fresh) OVER (PARTITION BY `+group+` ORDER BY start_us, seq ROWS UNBOUNDED PRECEDING) AS run FROM (
					SELECT source_kind, source_id, institution_id, origin, start_us, end_us, seq,
						CASE WHEN start_us = LAG(end_us) OVER (PARTITION BY `+group+` ORDER BY start_us, seq) THEN 0 ELSE 1 END AS fresh
					FROM segment) begun) counted
			GROUP BY `+group+`, run`)
		return err
	})
}

// strayRuns finds sources whose runs are not as long as their segments together.
func (f *fsck) strayRuns(ctx context.Context) error {
	names, err := listed(ctx, f.s, "compare runs", func(r row) (string, error) {
		var src ward.Source
		err := r.Scan(&src.Kind, &src.ID)
		return fmt.Sprintf("segment_run/%s/%s", src.Kind, src.ID), err
	}, `SELECT source_kind, source_id FROM (
			SELECT source_kind, source_id, institution_id, origin, end_us - start_us AS len FROM segment
			UNION ALL SELECT source_kind, source_id, institution_id, origin, from_us - to_us FROM segment_run) both_of
		GROUP BY source_kind, source_id, institution_id, origin HAVING SUM(len) <> 0 ORDER BY source_kind, source_id LIMIT 100`)
	for _, name := range names {
		f.bad(name, "录像时长汇总与录像记录不同。", "The runs differ from the segments that they sum up")
	}
	return err
}
