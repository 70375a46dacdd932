package ingest

import (
	"sync"
	"time"

	"wardwatch/ward"
)

const (
	// openedFor is how long a growing playlist is known after it was asked for
	// last: players ask every few seconds.
	openedFor = 10 * time.Minute
	// openedMost bounds how many are known.
	openedMost = 10_000
)

// opened are the growing playlists that players have. Such a list may only be
// added to at its end (RFC 8216 §6.2.1), so what a device gives for a gap after
// somebody has begun to play is in the lists of those who begin later. The zero value is ready.
type opened struct {
	mu sync.Mutex // guards by
	by map[openedKey]openedList
}

// openedKey is what one is of.
type openedKey struct {
	inst     ward.InstitutionID
	src      ward.Source
	from, to int64
}

// openedList is what was known when it was asked for first: later rows have higher numbers.
type openedList struct {
	seq  int64
	used time.Time
}

// grown returns what of places a list shows that was asked for before, or is
// asked for from now on when it grows.
func (o *opened) grown(key openedKey, grows bool, places []place, now time.Time) []place {
	o.mu.Lock()
	defer o.mu.Unlock()
	list, known := o.by[key]
	if known = known && now.Sub(list.used) < openedFor; !known && !grows {
		return places
	}
	if !known {
		list.seq = 0
		for _, p := range places {
			if p.segment.ID != "" {
				list.seq = max(list.seq, p.segment.Seq)
			}
		}
	}
	list.used = now
	o.keep(key, list)
	shown := make([]place, 0, len(places))
	for _, p := range places {
		if !p.given() || p.segment.ID != "" && p.segment.Seq <= list.seq {
			shown = append(shown, p)
		}
	}
	return shown
}

// keep notes a list; called locked.
func (o *opened) keep(key openedKey, list openedList) {
	if o.by == nil {
		o.by = map[openedKey]openedList{}
	}
	if o.by[key] = list; len(o.by) <= openedMost {
		return
	}
	for k, l := range o.by { // those that nobody asks for any more, and others until half are left
		if k != key && (list.used.Sub(l.used) >= openedFor || len(o.by) > openedMost/2) {
			delete(o.by, k)
		}
	}
}
