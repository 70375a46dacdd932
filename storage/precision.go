package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// PrecisionFilter says of which alerts Precision is.
type PrecisionFilter struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	From, To     time.Time            // decided in [From, To)
	ByCamera     bool                 // apart for each camera
	Shadow       bool                 // also those of rules in shadow, apart
}

// Precision returns how precise each rule was, by rule and then camera, of
// which an alert was decided in time or waits. A decision that was appealed
// or reopened counts as it stands now.
func (s *Store) Precision(ctx context.Context, f PrecisionFilter) ([]ward.Precision, error) {
	where, args := scope(f.Institutions, nil)
	if !f.Shadow {
		where += ` AND shadow = 0`
	}
	camera := `''`
	if f.ByCamera {
		camera = `camera_id`
	}
	type key struct {
		rule   ward.Rule
		camera ward.CameraID
		shadow bool
	}
	of := map[key]*ward.Precision{}
	count := func(r row) (struct{}, error) {
		var k key
		var shadow, n int
		var state ward.AlertState
		var reason ward.DismissReason
		err := r.Scan(&k.rule, &k.camera, &shadow, &state, &reason, &n)
		if k.shadow = shadow != 0; of[k] == nil {
			of[k] = &ward.Precision{Rule: k.rule, CameraID: k.camera, Shadow: k.shadow}
		}
		of[k].Count(state, reason, n)
		return struct{}{}, err
	}
	from, to := fmt.Sprintf("$%d", len(args)+1), fmt.Sprintf("$%d", len(args)+2)
	args = append(args, us(f.From), us(f.To))
	_, err := listed(ctx, s, "count decisions on alerts", count, `SELECT rule, `+camera+`, shadow, state, reason_code, COUNT(*) FROM alert`+where+
		` AND (state IN ('new', 'taken', 'appealed') OR state IN ('confirmed', 'dismissed') AND decided_us >= `+from+` AND decided_us < `+to+`)
		GROUP BY 1, 2, 3, 4, 5`, args...)
	if err != nil {
		return nil, err
	}
	out := make([]ward.Precision, 0, len(of))
	for _, p := range of {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b ward.Precision) int {
		return cmp.Or(cmp.Compare(flag(a.Shadow), flag(b.Shadow)), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.CameraID, b.CameraID))
	})
	return out, nil
}
