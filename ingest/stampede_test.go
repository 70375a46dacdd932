package ingest_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/teststore"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// gate counts the connections to a port, holds each for a while as a camera
// that is starting does, and closes it.
type gate struct {
	mu    sync.Mutex
	now   int
	most  int
	times []time.Time
}

func (g *gate) serve(t testing.TB, hold time.Duration) (addr string) {
	t.Helper()
	return accepting(t, func(c net.Conn) {
		g.mu.Lock()
		g.now++
		g.most = max(g.most, g.now)
		g.times = append(g.times, time.Now())
		g.mu.Unlock()
		<-time.After(hold)
		g.mu.Lock()
		g.now--
		g.mu.Unlock()
		_ = c.Close()
	})
}

// Two thousand cameras that all fail at once are tried a few at a time, and
// not in step.
func TestFlappingCamerasDoNotStampede(t *testing.T) {
	t.Parallel()
	const cameras, places = 2000, 64
	g := &gate{}
	addr := g.serve(t, 10*time.Millisecond)
	store := teststore.SQLite(t)
	addPlace(t, store)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range cameras {
		addCamera(t, store, camera(ward.CameraID(fmt.Sprintf("cam-%04d", i)), fmt.Sprintf("rtsp://%s/%d", addr, i)))
	}
	fleet := &ingest.Fleet{Store: store, Spool: sp, PerDevice: cameras, Stall: 5 * time.Second}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fleet.Run(ctx) }()
	count := func() int {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.times)
	}
	until(t, "every camera was tried twice", 90*time.Second, func() bool { return count() >= 2*cameras })
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	// Both lanes may be full: those that failed, and those never tried.
	if g.most > 2*places {
		t.Errorf("%d connections at a time, want at most %d", g.most, 2*places)
	}
	slices.SortFunc(g.times, func(a, b time.Time) int { return a.Compare(b) })
	busiest := 0
	for i, j := 0, 0; j < len(g.times); j++ {
		for g.times[j].Sub(g.times[i]) > 100*time.Millisecond {
			i++
		}
		busiest = max(busiest, j-i+1)
	}
	t.Logf("%d attempts in %s: at most %d at a time, at most %d in 100 ms", len(g.times), g.times[len(g.times)-1].Sub(g.times[0]), g.most, busiest)
	if limit := places + 100 + 2*places; busiest > limit { // a burst, 1,000 a second, and what waited in accept
		t.Errorf("%d attempts in 100 ms, want at most %d", busiest, limit)
	}
}
