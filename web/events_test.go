package web_test

import (
	"bufio"
	"context"
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
	ctx, cancel := context.WithCancel(c.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.http.URL+"/api/v1/events", nil)
	must(c.t, err)
	req.Header = c.header.Clone()
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
	return lines
}

// nextData is the next event, heartbeats left out; "" when the stream ended.
func nextData(t *testing.T, lines <-chan string) string {
	t.Helper()
	end := time.After(10 * time.Second)
	for {
		select {
		case l, ok := <-lines:
			if data, is := strings.CutPrefix(l, "data: "); is || !ok {
				return data
			}
		case <-end:
			t.Fatal("no event in 10 s")
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

func TestEventsEndWithTheSession(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Inspector, "own")
	lines := w.as(u).listen()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 1 })
	u.Disabled = true
	must(t, w.store.UpdateUser(t.Context(), u))
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
