package storage

import (
	"context"
	"fmt"
	"slices"
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
	Filled        time.Duration // of Gap: what the device gave of it afterwards
	// Causes are the gaps' lengths. Their sum may be more than Gap, since
	// damage was noted inside a segment that was evicted later.
	Causes map[ward.Cause]time.Duration
}

// covering is a camera whose days are counted, and what it has of them.
type covering struct {
	id      ward.CameraID
	inst    ward.InstitutionID
	created int64 // microseconds since 1970
	spans   []covers
}

// covers is a stretch of a run, or of a gap with its cause.
type covers struct {
	from, to int64
	cause    ward.Cause
	given    bool // by the device, afterwards
}

// Coverage says for every one of the cameras that is of the institutions (nil:
// all) and every day in Asia/Shanghai from the one of from until the one before
// to, how much was recorded, up to now. Days before a camera was added are left
// out. It reads runs and gaps: some rows a camera and day.
func (s *Store) Coverage(ctx context.Context, insts []ward.InstitutionID, cameras []ward.CameraID, from, to, now time.Time) ([]Covered, error) {
	first, last := us(dayOf(from)), min(us(dayOf(to)), us(now))
	if len(cameras) == 0 || first >= last {
		return []Covered{}, nil
	}
	all, err := s.covering(ctx, insts, cameras)
	if err != nil {
		return nil, err
	}
	if err := s.addSpans(ctx, all, first, last); err != nil {
		return nil, err
	}
	days := []Covered{}
	for _, c := range all {
		byDay := c.byDay(first, last)
		for day := first; day < last; day += runDay {
			if begin, end := max(day, c.created), min(day+runDay, last); begin < end {
				days = append(days, c.count(day, begin, end, byDay[(day-first)/runDay]))
			}
		}
	}
	return days, nil
}

// covering returns those of the cameras that are of the institutions, by id.
func (s *Store) covering(ctx context.Context, insts []ward.InstitutionID, cameras []ward.CameraID) ([]*covering, error) {
	where, args := scope(insts, nil)
	marks, args := marksOf(cameras, args)
	all, err := listed(ctx, s, "read coverage", func(r row) (*covering, error) {
		var c covering
		return &c, r.Scan(&c.id, &c.inst, &c.created)
	}, `SELECT id, institution_id, created_us FROM camera`+where+` AND id IN (`+marks+`)`, args...)
	slices.SortFunc(all, func(a, b *covering) int { return strings.Compare(string(a.id), string(b.id)) })
	return all, err
}

// marksOf adds ids to args and returns what stands for them in a query.
func marksOf(ids []ward.CameraID, args []any) (string, []any) {
	marks := make([]string, len(ids))
	for i, id := range ids {
		args = append(args, id)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return strings.Join(marks, ", "), args
}

// addSpans reads what touches [first, last) and is of the cameras'
// institutions: a camera's id may have been used elsewhere before.
func (s *Store) addSpans(ctx context.Context, all []*covering, first, last int64) error {
	by := map[ward.CameraID]*covering{}
	var ids []ward.CameraID
	for _, c := range all {
		by[c.id] = c
		ids = append(ids, c.id)
	}
	if len(ids) == 0 {
		return nil
	}
	marks, args := marksOf(ids, []any{first, last, first - runDay - longestSegment.Microseconds()})
	_, err := listed(ctx, s, "read coverage", func(r row) (none struct{}, err error) {
		var id ward.CameraID
		var inst ward.InstitutionID
		var origin ward.Origin
		var v covers
		if err = r.Scan(&id, &inst, &origin, &v.cause, &v.from, &v.to); err != nil || by[id].inst != inst {
			return none, err
		}
		if v.given = origin == ward.FromDevice; v.cause != "" && v.to == 0 {
			v.to = last
		}
		by[id].spans = append(by[id].spans, v)
		return none, nil
	}, `SELECT source_id, institution_id, origin, '', from_us, to_us FROM segment_run
			WHERE source_kind = 'camera' AND source_id IN (`+marks+`) AND from_us >= $3 AND from_us < $2 AND to_us > $1
		UNION ALL SELECT source_id, institution_id, '', cause, from_us, to_us FROM gap
			WHERE source_kind = 'camera' AND source_id IN (`+marks+`) AND to_us > $1 AND from_us < $2
		UNION ALL SELECT source_id, institution_id, '', cause, from_us, to_us FROM gap
			WHERE source_kind = 'camera' AND source_id IN (`+marks+`) AND to_us = 0 AND from_us < $2`, args...)
	return err
}

// byDay returns for each day of [first, last) what touches it.
func (c *covering) byDay(first, last int64) [][]covers {
	days := make([][]covers, (last-first+runDay-1)/runDay)
	for _, v := range c.spans {
		for i := max(v.from-first, 0) / runDay; i < int64(len(days)) && first+i*runDay < v.to; i++ {
			days[i] = append(days[i], v)
		}
	}
	return days
}

// count counts what spans cover of [begin, end), which is of the day.
func (c *covering) count(day, begin, end int64, spans []covers) Covered {
	out := Covered{CameraID: c.id, InstitutionID: c.inst, Day: at(day).In(china), Expected: micros(end - begin), Causes: map[ward.Cause]time.Duration{}}
	type edge struct {
		at                int64
		segs, given, gaps int
	}
	var edges []edge
	for _, v := range spans {
		from, to := max(v.from, begin), min(v.to, end)
		if from >= to {
			continue
		}
		e := edge{at: from}
		switch {
		case v.cause != "":
			e.gaps = 1
			out.Causes[v.cause] += micros(to - from)
		case v.given:
			e.given = 1
		default:
			e.segs = 1
		}
		edges = append(edges, e, edge{to, -e.segs, -e.given, -e.gaps})
	}
	slices.SortFunc(edges, func(a, b edge) int { return int(a.at - b.at) })
	var now edge
	for _, e := range edges {
		length := micros(e.at - now.at)
		switch {
		case now.gaps > 0:
			out.Gap += length
			if now.given > 0 {
				out.Filled += length
			}
		case now.segs+now.given > 0:
			out.Recorded += length
		}
		now = edge{e.at, now.segs + e.segs, now.given + e.given, now.gaps + e.gaps}
	}
	out.Expected -= out.Causes[ward.CauseDisabled] + out.Causes[ward.CauseSchedule]
	return out
}

// dayOf is the beginning of t's day in China.
func dayOf(t time.Time) time.Time {
	y, m, d := t.In(china).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, china)
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
