package analytics

import (
	"testing"
	"time"

	"wardwatch/ward"
)

// What waits to be stored knows when it was seen by a clock that nobody sets:
// from its first picture on, whatever the wall clock says of later ones.
func TestChangesKnowWhenTheyWereSeen(t *testing.T) {
	t.Parallel()
	var w Watcher
	now := time.Now()
	change := func(from time.Time) Change {
		return Change{Sighting: ward.Sighting{ID: "s-1", From: from.Round(0), To: from.Round(0)}}
	}
	w.keep([]Change{change(now.Add(-10 * time.Second))}, now)
	if got := now.Sub(w.unsaved[0].Sighting.Seen); got != 10*time.Second {
		t.Errorf("it was seen %s ago", got)
	}
	w.keep([]Change{change(now.Add(-10 * time.Second))}, now.Add(time.Hour))
	if got := now.Sub(w.unsaved[0].Sighting.Seen); len(w.unsaved) != 1 || got != 10*time.Second {
		t.Errorf("an hour later: it was seen %s ago", got)
	}
	w.unsaved = nil
	w.keep([]Change{change(now.AddDate(-20, 0, 0))}, now) // the clock was set between two pictures
	if got := now.Sub(w.unsaved[0].Sighting.Seen); got != 0 {
		t.Errorf("after the clock was set it was seen %s ago", got)
	}
}
