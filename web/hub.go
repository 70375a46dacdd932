package web

import (
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
	}
	return ward.MayAdminister
}

// listenerDepth is how many events may wait for a browser. One that is
// slower is dropped; it reconnects and reads everything anew.
const listenerDepth = 64

// Hub tells the browsers that watch what changed. Its zero value works, and
// so does a nil Hub, which tells nobody.
type Hub struct {
	mu        sync.Mutex // guards the rest
	listeners map[chan Event]struct{}
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
	for l := range h.listeners {
		select {
		case l <- Event{EventKind(kind), id, inst}:
		default:
			delete(h.listeners, l)
			close(l)
		}
	}
}

// listen returns a channel of events, closed when the listener is too slow
// or the hub ends, and what ends it.
func (h *Hub) listen() (<-chan Event, func()) {
	l := make(chan Event, listenerDepth)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(l)
		return l, func() {}
	}
	if h.listeners == nil {
		h.listeners = map[chan Event]struct{}{}
	}
	h.listeners[l] = struct{}{}
	return l, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, ok := h.listeners[l]; ok {
			delete(h.listeners, l)
			close(l)
		}
	}
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
