package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// listen opens an event stream and returns its lines; the channel closes
// with the stream.
func (c client) listen() <-chan string {
	c.t.Helper()
	lines, _ := c.listenAfter("")
	return lines
}

// listenAfter is listen for a browser that heard the event with the id last,
// and what cuts it off.
func (c client) listenAfter(last string) (<-chan string, context.CancelFunc) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.http.URL+"/api/v1/events", nil)
	must(c.t, err)
	req.Header = c.header.Clone()
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // by the goroutine
	must(c.t, err)
	lines := make(chan string)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(lines)
		defer res.Body.Close()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	c.t.Cleanup(func() { cancel(); <-ended })
	return lines, cancel
}

// nextID is the id of the next line that has one, of an event or not.
func nextID(t *testing.T, lines <-chan string) string {
	t.Helper()
	end := time.After(time.Minute)
	for {
		select {
		case l, ok := <-lines:
			if id, is := strings.CutPrefix(l, "id: "); is {
				return id
			}
			if !ok {
				t.Fatal("the stream ended")
			}
		case <-end:
			t.Fatal("no id in a minute")
		}
	}
}

// nextData is the next event, heartbeats left out; "" when the stream ended.
func nextData(t *testing.T, lines <-chan string) string {
	t.Helper()
	end := time.After(time.Minute)
	for {
		select {
		case l, ok := <-lines:
			if data, is := strings.CutPrefix(l, "data: "); is || !ok {
				return data
			}
		case <-end:
			t.Fatal("no event in a minute")
		}
	}
}

func TestEventsKeepToTheScope(t *testing.T) {
	w := newWorld(t).serve()
	inspector, operator := w.as(w.user(ward.Inspector, "own")).listen(), w.as(w.user(ward.Operator, "own")).listen()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 2 })
	w.web.Hub.Notify("alert", "a-other", other)
	w.web.Hub.Notify("alert", "a-own", own)
	w.web.Hub.Notify("unheard of", "x", own)
	w.web.Hub.Notify("camera", "c-own", own)
	if got, want := nextData(t, inspector), `{"kind":"alert","id":"a-own","institution_id":"h-own"}`; got != want {
		t.Errorf("inspector got %s, want %s", got, want)
	}
	if got := nextData(t, inspector); !strings.Contains(got, "c-own") {
		t.Errorf("inspector got %s, want the camera", got)
	}
	if got := nextData(t, operator); !strings.Contains(got, "c-own") {
		t.Errorf("operator got %s, want only the camera", got)
	}
}

// A browser that is cut off and comes back with the last id that it heard is
// told each event in between once, in order, and none of those that are not
// for it, though they moved its place on.
func TestACutStreamGoesOnWhereItEnded(t *testing.T) {
	w := newWorld(t)
	w.web.Heartbeat = 20 * time.Millisecond
	w.serve()
	inspector := w.as(w.user(ward.Inspector, "own"))
	lines, cut := inspector.listenAfter("")
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 1 })
	w.web.Hub.Notify("alert", "a-0", own)
	if got := nextData(t, lines); !strings.Contains(got, "a-0") {
		t.Fatalf("got %s", got)
	}
	w.web.Hub.Notify("alert", "a-other", other)
	last := nextID(t, lines)
	for !strings.HasSuffix(last, "-2") { // a beat says that the other's event was passed
		last = nextID(t, lines)
	}
	cut()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 0 })
	for i := range 300 { // more than may wait for one that listens
		w.web.Hub.Notify("alert", fmt.Sprint("a-other-", i), other)
		w.web.Hub.Notify("alert", fmt.Sprintf("a-%d.", i+1), own)
	}
	lines, cut = inspector.listenAfter(last)
	for i := range 300 {
		if i == 150 { // again in the middle of it
			id := nextID(t, lines)
			if got := nextData(t, lines); !strings.Contains(got, fmt.Sprintf(`"a-%d."`, i+1)) {
				t.Fatalf("got %s, want a-%d", got, i+1)
			}
			cut()
			lines, _ = inspector.listenAfter(id)
			continue
		}
		if got := nextData(t, lines); !strings.Contains(got, fmt.Sprintf(`"a-%d."`, i+1)) {
			t.Fatalf("got %s, want a-%d", got, i+1)
		}
	}
	w.web.Hub.Notify("alert", "a-end", own)
	if got := nextData(t, lines); !strings.Contains(got, "a-end") {
		t.Errorf("got %s, want the next", got)
	}
}

// A browser that missed more than is remembered, or was connected to another
// process, is told to reload, and then what comes next.
func TestWhoMissedTooMuchReloads(t *testing.T) {
	w := newWorld(t).serve()
	inspector := w.as(w.user(ward.Inspector, "own"))
	lines, cut := inspector.listenAfter("")
	first := nextID(t, lines)
	cut()
	for range web.KeptEvents {
		w.web.Hub.Notify("alert", "a-other", other)
	}
	lines, cut = inspector.listenAfter(first)
	if id := nextID(t, lines); id == first {
		t.Errorf("its place is %s as before", id)
	}
	cut()
	w.web.Hub.Notify("alert", "a-other", other) // now one more than is kept
	ended := 0
	for _, last := range []string{first, "another-7", "nonsense", strings.TrimSuffix(first, "0") + "9999999", strings.TrimSuffix(first, "0") + "-1"} {
		lines, cut = inspector.listenAfter(last)
		if got, want := nextData(t, lines), `{"kind":"reload","id":"","institution_id":""}`; got != want {
			t.Errorf("after %s got %s, want %s", last, got, want)
		}
		w.web.Hub.Notify("alert", fmt.Sprint("a-own-", ended), own)
		if got := nextData(t, lines); !strings.Contains(got, fmt.Sprint("a-own-", ended)) {
			t.Errorf("after %s got %s, want the next", last, got)
		}
		cut()
		ended++
	}
}

func TestEventsEndWithTheSession(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Inspector, "own")
	lines := w.as(u).listen()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 1 })
	u.Disabled = true
	must(t, w.store.UpdateUser(t.Context(), u, ""))
	if got := nextData(t, lines); got != "" {
		t.Errorf("got %s, want the end", got)
	}
}

func TestHubDropsTheSlow(t *testing.T) {
	var h web.Hub
	events, stop := h.Listen()
	defer stop()
	for range 65 { // one more than may wait
		h.Notify("alert", "a", own)
	}
	n := 0
	for range events { // ends because the hub closed it
		n++
	}
	if n != 64 || h.Listeners() != 0 {
		t.Errorf("got %d events and %d listeners, want 64 and 0", n, h.Listeners())
	}
}

func TestChangesAreAnnounced(t *testing.T) {
	w := newWorld(t).serve()
	u := w.as(w.user(ward.Administrator, "all"))
	lines := u.listen()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 1 })
	u.with("Idempotency-Key", "k").do(http.MethodPost, settlements, w.bill()).want(201, "")
	if got := nextData(t, lines); !strings.Contains(got, `"settlement"`) {
		t.Errorf("got %s", got)
	}
	u.do(http.MethodPost, "/api/v1/alerts/"+string(w.alert.ID)+"/decision", m{"action": "take", "version": 1}).want(200, "")
	if got := nextData(t, lines); !strings.Contains(got, string(w.alert.ID)) {
		t.Errorf("got %s", got)
	}
	u.do(http.MethodDelete, "/api/v1/cameras/"+string(w.camera.ID), nil).want(204, "")
	if got := nextData(t, lines); !strings.Contains(got, string(w.camera.ID)) {
		t.Errorf("got %s", got)
	}
}
