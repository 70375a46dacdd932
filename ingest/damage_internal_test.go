package ingest

import (
	"log/slog"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"wardwatch/internal/testfs"
	"wardwatch/internal/teststore"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// What is damaged is known after a crash, though the damage was not over: the
// recording that is recovered does not look whole.
func TestACrashForgetsNoDamage(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	disk := testfs.NewPower(0)
	sp, err := spool.Open("", spool.Options{Reserve: -1, FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	src := ward.Source{Kind: ward.FromVisit, ID: "visit-1"}
	dice := rand.New(rand.NewPCG(5, 6))
	start := time.Now().Add(-time.Minute)
	s := NewStream(src, "h-1", tinyTracks())
	rec := &Recorder{Store: store, Spool: sp}
	done := make(chan error, 1)
	go func() { done <- rec.Run(t.Context(), s) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for s.Readers() == 0 {
		runtime.Gosched()
	}
	for _, u := range tinyUnits(8, start, dice) {
		switch u.DTS {
		case 60 * 3600, 160 * 3600: // a picture at 2.4 s, and one at 6.4 s, which is not told before the crash
			u.Lost = ward.CauseLoss
		}
		s.Write(u)
		taken(s)
		settled(s, rec, disk)
	}
	gaps := func() (damage []ward.Gap) {
		all, err := store.GapsBetween(t.Context(), src, start.Add(-time.Hour), start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range all {
			if g.Cause == ward.CauseLoss {
				damage = append(damage, g)
			}
		}
		return damage
	}
	for end := time.Now().Add(20 * time.Second); len(gaps()) < 2 && time.Now().Before(end); {
		runtime.Gosched()
	}
	cut, err := spool.Open("", spool.Options{Reserve: -1, FS: disk.After(dice)}) // the recorder still runs, and never told the end
	if err != nil {
		t.Fatal(err)
	}
	if done, err := Recover(t.Context(), store, cut, slog.New(slog.DiscardHandler)); err != nil || done.Repaired != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	g, err := store.LastSegment(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	damage := gaps()
	if len(damage) != 2 {
		t.Fatalf("damage %v, want two stretches", damage)
	}
	within := func(what string, got time.Time, want time.Duration) {
		t.Helper()
		if off := got.Sub(start.Add(want)); off.Abs() > 50*time.Millisecond {
			t.Errorf("%s at %s, want %s", what, got.Sub(start), want)
		}
	}
	within("the first begins", damage[0].From, 2360*time.Millisecond)
	within("the first ends", damage[0].To, 3*time.Second)
	within("the second begins", damage[1].From, 6360*time.Millisecond)
	if !damage[1].To.Equal(g.End) || !g.End.After(damage[1].From) {
		t.Errorf("the second ends at %s, the recording at %s", damage[1].To, g.End)
	}
}
