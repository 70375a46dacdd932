package web

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"

	"wardwatch/ward"
)

// EventKind says what an Event is about.
type EventKind string

// The kinds of Event.
const (
	AlertEvent      EventKind = "alert"
	SettlementEvent EventKind = "settlement"
	VisitEvent      EventKind = "visit"
	CameraEvent     EventKind = "camera"
	OutageEvent     EventKind = "outage"
	TabletEvent     EventKind = "tablet"
	// ReloadEvent comes first when more was missed than is remembered: about nothing in particular.
	ReloadEvent EventKind = "reload"
)

// Event says that something changed; who wants to know what reads it anew.
type Event struct {
	Kind          EventKind          `json:"kind"`
	ID            string             `json:"id"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
}

// permission is what a user needs to hear of an event.
func (e Event) permission() ward.Permission {
	switch e.Kind {
	case AlertEvent, SettlementEvent:
		return ward.MayReview
	case VisitEvent:
		return ward.MayRound
	case CameraEvent:
		return ward.MayWatch
	case OutageEvent:
		return ward.MayOutages
	case TabletEvent:
		return ward.MayTablets
	case ReloadEvent:
	}
	return ward.MayAdminister
}

const (
	// listenerDepth is how many events may wait for a browser. One that is
	// slower is dropped; it reconnects and is told what it missed.
	listenerDepth = 64
	// keptEvents is how many of the newest events somebody who was cut off is
	// told: minutes of a city's.
	keptEvents = 2048
)

// told is an event with its number: they count from 1 without a hole.
type told struct {
	Event

	n int64
}

// Hub tells the browsers that watch what changed, and those that were cut off
// what they missed. Its zero value works, and so does a nil Hub, which tells nobody.
type Hub struct {
	mu        sync.Mutex // guards the rest
	run       string     // whose numbers they are: another process counts anew
	past      []Event    // the newest, event n at (n - 1) % keptEvents
	last      int64      // number of the newest event
	listeners map[chan told]struct{}
	closed    bool
}

// Notify tells every listener, and never blocks. kind is an EventKind; it is
// a plain string so that packages that know nothing of web can call Notify.
func (h *Hub) Notify(kind, id string, inst ward.InstitutionID) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := told{Event{EventKind(kind), id, inst}, h.last + 1}
	h.last++
	if len(h.past) < keptEvents {
		h.past = append(h.past, Event{})
	}
	h.past[(h.last-1)%keptEvents] = e.Event
	for l := range h.listeners {
		select {
		case l <- e:
		default:
			delete(h.listeners, l)
			close(l)
		}
	}
}

// hearing is what one listener hears.
type hearing struct {
	run    string
	missed []told      // the events after the one that it named
	whole  bool        // it named none, or none is missing in missed
	last   int64       // number of the newest event when it began
	events <-chan told // the later ones; closed when it is too slow or the hub ends
	stop   func()
}

// listen begins with the events after the one whose id is after, or with the
// next one when after is empty.
func (h *Hub) listen(after string) hearing {
	l := make(chan told, listenerDepth)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run == "" {
		h.run = rand.Text()[:10]
	}
	out := hearing{run: h.run, whole: after == "", last: h.last, events: l, stop: func() {}}
	if n, ok := numberOf(after, h.run); ok && n <= h.last && h.last-n <= int64(len(h.past)) {
		out.whole = true
		for n++; n <= h.last; n++ {
			out.missed = append(out.missed, told{h.past[(n-1)%keptEvents], n})
		}
	}
	if h.closed {
		close(l)
		return out
	}
	if h.listeners == nil {
		h.listeners = map[chan told]struct{}{}
	}
	h.listeners[l] = struct{}{}
	out.stop = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, ok := h.listeners[l]; ok {
			delete(h.listeners, l)
			close(l)
		}
	}
	return out
}

// idOf names an event to a browser.
func idOf(run string, n int64) string { return run + "-" + strconv.FormatInt(n, 10) }

// numberOf is the number of an event of this run.
func numberOf(id, run string) (n int64, ok bool) {
	text, ok := strings.CutPrefix(id, run+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

// close ends all listeners, so that the server can shut down.
func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		close(l)
	}
	clear(h.listeners)
}

// Listeners is the number of connected event streams.
func (h *Hub) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}
