package storage

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

// What a case holds is counted with few queries, and the same as with one for each hold.
func TestObjectsOfManyHoldsAreCountedOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { countHeld(t, filepath.Join(t.TempDir(), "catalogue.db")) })
	t.Run("postgres", func(t *testing.T) { countHeld(t, testserver.Postgres(t)) })
}

func countHeld(t *testing.T, database string) {
	ctx := t.Context()
	s, err := Migrate(ctx, Options{Database: database, Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := s.write.ExecContext(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	minutes := func(n int64) time.Time { return at(n * time.Minute.Microseconds()) }
	states := []HoldState{HoldWanted, HoldPlaced, HoldEnding}
	for i := range int64(300) {
		source, from := fmt.Sprint("cam-", i%3), i/3*10
		if i > 200 {
			from += 200 // a long gap
		}
		to, key := from+[]int64{1, 10, 10, 25}[r.IntN(4)], fmt.Sprint("v1/", i)
		run(`INSERT INTO segment (id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us, codec, bytes, sha256, object_key, state, repaired, leaf)
			VALUES ($1, 'camera', $2, 'h1', $3, $4, $5, 1, 'server', 0, 'h264', 1, $6, $7, 'archived', 0, 0)`, fmt.Sprint("g", i), source, i, us(minutes(from)), us(minutes(to)), []byte{1}, key)
		if r.IntN(5) > 0 {
			run(`INSERT INTO object_hold (object_key, state, gen, since_us, done_us, retry_us, why) VALUES ($1, $2, 1, 0, 0, 0, '')`, key, states[r.IntN(3)])
		}
	}
	var holds []ward.Hold
	for i := range 120 {
		from := r.Int64N(1300)
		h := ward.Hold{ID: ward.HoldID(fmt.Sprint("h", i)), Source: ward.Source{Kind: ward.FromCamera, ID: fmt.Sprint("cam-", r.IntN(3))}, From: minutes(from), To: minutes(from + r.Int64N(12))}
		if i%10 == 0 {
			h.Release = "r"
		}
		holds = append(holds, h)
	}
	for n := range len(holds) {
		var c CaseHolds
		c.Holds = holds[:n]
		if err := s.countObjects(ctx, "c", &c); err != nil {
			t.Fatal(err)
		}
		var want HoldCount
		seen := map[string]bool{}
		for _, h := range holds[:n] {
			if h.Release != "" {
				continue
			}
			all, err := listed(ctx, s, "", scanObjectHold, objectHoldColumns+` WHERE object_key IN (`+objectsUnder+`)`, underArgs(h)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range all {
				if !seen[o.Key] {
					seen[o.Key] = true
					want.add(o.State, o.Why, 1)
				}
			}
		}
		if c.Objects != want {
			t.Fatalf("%d holds: %+v, want %+v", n, c.Objects, want)
		}
	}
}
