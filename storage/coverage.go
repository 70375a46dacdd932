package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

// Covered is how one day of one camera was recorded. A moment in a segment
// and in a gap is not recorded. What is neither was not accounted for: the
// part being recorded now, or a fault.
type Covered struct {
	CameraID      ward.CameraID
	InstitutionID ward.InstitutionID
	Day           time.Time     // its beginning, in Asia/Shanghai
	Expected      time.Duration // since the camera was added, until now; without what nobody wanted recorded (disabled, schedule)
	Recorded      time.Duration // within segments, whether or not retention has deleted them since
	Gap           time.Duration // within gaps
	// Causes are the gaps' lengths. Their sum may be more than Gap, since
	// damage was noted inside a segment that was evicted later.
	Causes map[ward.Cause]time.Duration
}

// coverageQuery cuts segments and gaps at the days' bounds and sweeps their
// edges: a running sum says how many segments and gaps cover what follows an
// edge. $1 and $2 are the first day's beginning and the last one's end, $3 is now.
const coverageQuery = `WITH RECURSIVE day (b) AS (
	SELECT CAST($1 AS BIGINT) UNION ALL SELECT b + 86400000000 FROM day WHERE b + 86400000000 < CAST($2 AS BIGINT)
), span AS (
	SELECT camera.id AS camera, camera.institution_id AS inst, day.b AS day,
		CASE WHEN camera.created_us > day.b THEN camera.created_us ELSE day.b END AS b,
		CASE WHEN day.b + 86400000000 > CAST($3 AS BIGINT) THEN CAST($3 AS BIGINT) ELSE day.b + 86400000000 END AS e,
		COALESCE((SELECT MAX(s.start_us) FROM segment s WHERE s.source_kind = 'camera' AND s.source_id = camera.id AND s.start_us <= day.b), day.b) AS since
	FROM camera CROSS JOIN day
	WHERE camera.created_us < day.b + 86400000000 AND day.b < CAST($3 AS BIGINT) AND %s
), part (camera, day, cause, b, e) AS (
	SELECT p.camera, p.day, '', CASE WHEN s.start_us > p.b THEN s.start_us ELSE p.b END, CASE WHEN s.end_us < p.e THEN s.end_us ELSE p.e END
	FROM span p JOIN segment s ON s.source_kind = 'camera' AND s.source_id = p.camera AND s.start_us >= p.since AND s.start_us < p.e
	WHERE s.end_us > p.b AND s.institution_id = p.inst
	UNION ALL
	SELECT p.camera, p.day, g.cause, CASE WHEN g.from_us > p.b THEN g.from_us ELSE p.b END, CASE WHEN g.to_us < p.e THEN g.to_us ELSE p.e END
	FROM span p JOIN gap g ON g.source_kind = 'camera' AND g.source_id = p.camera AND g.to_us > p.b AND g.from_us < p.e
	WHERE g.institution_id = p.inst
	UNION ALL
	SELECT p.camera, p.day, g.cause, CASE WHEN g.from_us > p.b THEN g.from_us ELSE p.b END, p.e
	FROM span p JOIN gap g ON g.source_kind = 'camera' AND g.source_id = p.camera AND g.to_us = 0 AND g.from_us < p.e
	WHERE g.institution_id = p.inst
), edge (camera, day, t, segs, gaps) AS (
	SELECT camera, day, b, CASE WHEN cause = '' THEN 1 ELSE 0 END, CASE WHEN cause = '' THEN 0 ELSE 1 END FROM part WHERE e > b
	UNION ALL
	SELECT camera, day, e, CASE WHEN cause = '' THEN -1 ELSE 0 END, CASE WHEN cause = '' THEN 0 ELSE -1 END FROM part WHERE e > b
), swept AS (
	SELECT camera, day, LEAD(t) OVER (PARTITION BY camera, day ORDER BY t) - t AS len,
		SUM(segs) OVER (PARTITION BY camera, day ORDER BY t) AS segs,
		SUM(gaps) OVER (PARTITION BY camera, day ORDER BY t) AS gaps
	FROM edge
)
SELECT camera, inst, day, '', e - b, 0 FROM span WHERE e > b
UNION ALL
SELECT camera, '', day, '', CAST(COALESCE(SUM(CASE WHEN gaps = 0 AND segs > 0 THEN len END), 0) AS BIGINT),
	CAST(COALESCE(SUM(CASE WHEN gaps > 0 THEN len END), 0) AS BIGINT) FROM swept GROUP BY camera, day
UNION ALL
SELECT camera, '', day, cause, CAST(SUM(e - b) AS BIGINT), 0 FROM part WHERE cause <> '' AND e > b GROUP BY camera, day, cause
ORDER BY 1, 3, 2 DESC, 4`

// Coverage says for every one of the cameras that is of the institutions (nil:
// all) and every day in Asia/Shanghai from the one of from until the one before
// to, how much was recorded, up to now. Days before a camera was added are left
// out. One query, which reads some 1,500 rows a camera and day: give it few.
func (s *Store) Coverage(ctx context.Context, insts []ward.InstitutionID, cameras []ward.CameraID, from, to, now time.Time) ([]Covered, error) {
	if len(cameras) == 0 || !dayOf(from).Before(dayOf(to)) {
		return []Covered{}, nil
	}
	where, args := scope(insts, []any{us(dayOf(from)), us(dayOf(to)), us(now)})
	marks := make([]string, len(cameras))
	for i, id := range cameras {
		args = append(args, id)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	where += ` AND camera.id IN (` + strings.Join(marks, ", ") + `)`
	type line struct {
		camera  ward.CameraID
		inst    ward.InstitutionID
		day     int64
		cause   ward.Cause
		one, of int64
	}
	lines, err := listed(ctx, s, "read coverage", func(r row) (line, error) {
		var l line
		return l, r.Scan(&l.camera, &l.inst, &l.day, &l.cause, &l.one, &l.of)
	}, fmt.Sprintf(coverageQuery, strings.TrimPrefix(where, ` WHERE `)), args...)
	if err != nil {
		return nil, err
	}
	all := []Covered{}
	for _, l := range lines {
		if l.inst != "" { // a camera's day begins
			all = append(all, Covered{
				CameraID: l.camera, InstitutionID: l.inst, Day: at(l.day).In(china), Expected: micros(l.one), Causes: map[ward.Cause]time.Duration{},
			})
			continue
		}
		c := &all[len(all)-1]
		if l.cause == "" {
			c.Recorded, c.Gap = micros(l.one), micros(l.of)
			continue
		}
		c.Causes[l.cause] = micros(l.one)
		if l.cause == ward.CauseDisabled || l.cause == ward.CauseSchedule {
			c.Expected -= micros(l.one)
		}
	}
	return all, nil
}

// dayOf is the beginning of t's day in China.
func dayOf(t time.Time) time.Time {
	y, m, d := t.In(china).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, china)
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
