package ingest

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestAClockThatIsSetWhileTheProcessIsDown stops the process for ten minutes,
// in which the clock is set: there is a gap of ten minutes, or an event that
// says why there is none.
func TestAClockThatIsSetWhileTheProcessIsDown(t *testing.T) {
	t.Parallel()
	const away = 10 * time.Minute
	for name, c := range map[string]struct {
		set     time.Duration
		boot    string // after the stop
		orderly bool
		want    time.Duration // the length of the gap
		cause   ward.Cause
		event   string
	}{
		"steady":               {0, "a", false, away, ward.CauseCrash, ""},
		"back":                 {-time.Hour, "a", false, away, ward.CauseCrash, "not running"},
		"back, stopped":        {-time.Hour, "a", true, away, ward.CauseRestart, "not running"},
		"forward":              {time.Hour, "a", false, away + time.Hour, ward.CauseCrash, "not running"},
		"forward, stopped":     {time.Hour, "a", true, away + time.Hour, ward.CauseRestart, "not running"},
		"back, started anew":   {-time.Hour, "b", false, 0, "", "cannot be computed"},
		"back, stopped, anew":  {-time.Hour, "b", true, 0, "", "cannot be computed"},
		"steady, started anew": {0, "b", true, away, ward.CauseRestart, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, store := t.Context(), teststore.SQLite(t)
			now := time.Now()
			src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
			old := func(ago time.Duration) time.Time { return now.Add(-ago - c.set).Round(0) } // by the clock as it was then
			life, _, _, err := store.BeginLife(ctx, storage.Reading{Wall: old(2 * away), Boot: "a", Up: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			_, err = store.CommitSegment(ctx, ward.Segment{ID: "s", Source: src, InstitutionID: "h-1", Start: old(2 * away), End: old(away), Life: life.ID})
			if err != nil {
				t.Fatal(err)
			}
			last := storage.Reading{Wall: old(away), Boot: "a", Up: time.Hour + away}
			if c.orderly {
				_, err = store.OpenGap(ctx, ward.Gap{Source: src, InstitutionID: "h-1", From: old(away), Cause: ward.CauseRestart})
				if err == nil {
					err = store.EndLife(ctx, life.ID, last)
				}
			} else {
				_, err = store.Beat(ctx, life.ID, last)
			}
			if err != nil {
				t.Fatal(err)
			}
			is, was, between, err := store.BeginLife(ctx, storage.Reading{Wall: now, Boot: c.boot, Up: time.Hour + 2*away})
			if err != nil {
				t.Fatal(err)
			}
			cov := &coverage{store: store, clerk: newClerk(slog.New(slog.DiscardHandler)), src: src, inst: "h-1"}
			if err := cov.resume(ctx, old(2*away), stayOf(is, was, between), ward.CauseConnecting); err != nil {
				t.Fatal(err)
			}
			cov.recorded(now.Add(time.Second))
			cov.clerk.drain(ctx)
			gaps, err := store.GapsBetween(ctx, src, now.Add(-5*time.Hour), now.Add(5*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			var told ward.Gap
			for _, g := range gaps {
				switch {
				case g.To.IsZero() || g.To.Sub(g.From) > 2*time.Hour:
					t.Errorf("%+v", g)
				case g.Cause == c.cause:
					told = g
				case g.Cause != ward.CauseConnecting:
					t.Errorf("another gap: %+v", g)
				}
			}
			if got := told.To.Sub(told.From); (got-c.want).Abs() > 50*time.Millisecond || c.want > 0 && told.To.Sub(now).Abs() > 50*time.Millisecond {
				t.Errorf("a gap of %s until %s before the start, want %s: %+v", got, now.Sub(told.To), c.want, gaps)
			}
			events, err := store.RecordingEvents(ctx, src, now.Add(-5*time.Hour), now.Add(5*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != min(len(c.event), 1) || len(events) == 1 && (events[0].Kind != ward.ClockJump || !strings.Contains(events[0].Detail, c.event)) {
				t.Errorf("events %+v, want %q", events, c.event)
			}
		})
	}
}
