package sweep

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"wardwatch/internal/demo"
	"wardwatch/ward"
)

const boardEvery = 500 * time.Millisecond

// board is an inspector who looks at the rounds all the time: their list, and one of them.
type board struct {
	inspector *demo.Client
	rounds    []ward.RoundID
	draw      *rand.Rand
	took      []time.Duration // of each answer
	failed    int
}

// watch looks until ctx ends.
func (b *board) watch(ctx context.Context) {
	tick := time.NewTicker(boardEvery)
	defer tick.Stop()
	for {
		for _, path := range []string{"/api/v1/rounds", "/api/v1/rounds/" + string(b.rounds[b.draw.IntN(len(b.rounds))])} {
			began := time.Now()
			err := b.inspector.Do(ctx, http.MethodGet, path, nil, nil)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				b.failed++
			}
			b.took = append(b.took, time.Since(began))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// quantile is of 0 to 1, by nearest rank; 0 when there is nothing.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
