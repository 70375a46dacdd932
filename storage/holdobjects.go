package storage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

// holdsApart is how far apart stretches may lie that one query asks for: to read
// the recordings between them costs less than to ask once more.
const holdsApart = 30 * time.Minute

// countObjects counts the objects that a case holds. A case may hold ten
// thousand stretches, and its page asks for this.
func (s *Store) countObjects(ctx context.Context, id ward.CaseID, c *CaseHolds) error {
	type object struct {
		key         string
		first, last int64
	}
	what, seen := "count objects of case "+string(id), map[string]bool{}
	count := func(holds []ward.Hold, query string, args ...any) error {
		_, err := listed(ctx, s, what, func(r row) (struct{}, error) {
			var o object
			var state HoldState
			var why string
			err := r.Scan(&o.key, &o.first, &o.last, &state, &why)
			if !seen[o.key] && (holds == nil || touched(holds, o.first, o.last)) {
				seen[o.key] = true
				c.Objects.add(state, why, 1)
			}
			return struct{}{}, err
		}, query, args...)
		return err
	}
	const columns = `SELECT held_key, first_us, last_us, o.state, o.why FROM `
	for _, near := range nearHolds(joinedHolds(c.Holds)) {
		whole := near[0]
		whole.To = near[len(near)-1].To
		if err := count(near, columns+`(`+spansUnder+`) u JOIN object_hold o ON o.object_key = u.held_key`, underArgs(whole)...); err != nil {
			return err
		}
	}
	return count(nil, columns+`(SELECT ref AS held_key, 0 AS first_us, 0 AS last_us FROM evidence WHERE case_id = $1 AND kind IN ('snapshot', 'file') AND release_id = '') e
		JOIN object_hold o ON o.object_key = e.held_key`, id)
}

// touched says whether one of holds, which follow each other, has any of [first, last] in microseconds.
func touched(holds []ward.Hold, first, last int64) bool {
	i, _ := slices.BinarySearchFunc(holds, first, func(h ward.Hold, first int64) int { return cmp.Compare(us(h.To), first) })
	return i < len(holds) && us(holds[i].From) <= last
}

// joinedHolds are the stretches of the holds in force, by source and time;
// those that touch each other as one, which touches the same objects.
func joinedHolds(holds []ward.Hold) []ward.Hold {
	var all []ward.Hold
	for _, h := range holds {
		if h.Release == "" {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b ward.Hold) int {
		return cmp.Or(cmp.Compare(a.Source.Kind, b.Source.Kind), cmp.Compare(a.Source.ID, b.Source.ID), a.From.Compare(b.From))
	})
	joined := all[:0]
	for _, h := range all {
		if n := len(joined); n > 0 && joined[n-1].Source == h.Source && !h.From.After(joined[n-1].To) {
			if h.To.After(joined[n-1].To) {
				joined[n-1].To = h.To
			}
			continue
		}
		joined = append(joined, h)
	}
	return joined
}

// nearHolds parts holds, which are joined, where a gap is too long for one query.
func nearHolds(holds []ward.Hold) (parts [][]ward.Hold) {
	begin := 0
	for i := 1; i <= len(holds); i++ {
		if i == len(holds) || holds[i].Source != holds[i-1].Source || holds[i].From.Sub(holds[i-1].To) > holdsApart {
			parts = append(parts, holds[begin:i])
			begin = i
		}
	}
	return parts
}
