package rounds_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// TestALoadedPageGoesOn: the page of the same device is loaded again in the
// middle of the checks. The visit goes on, its live check anew, and so does
// the recording, with the hole noted.
func TestALoadedPageGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(e *rounds.Engine) { e.Resume = 3 * time.Minute })
	r.admit("franck", 125)
	link := r.order(time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := simbed.Run(ctx, simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Reload, Clip: clip(t, "franck", false), Log: r.engine.Log})
		done <- err
	}()
	back, asked := false, 0
	r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool {
		back, asked = false, 0
		for _, e := range r.events(link.Visit.ID) {
			back = back || e.Kind == "line_back"
			if back && e.Kind == "answer" {
				asked++
			}
		}
		return asked > 0 || v.State == ward.VisitSealed
	})
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) || asked == 0 {
		t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
	}
	r.stop()
	segs, err := r.store.SegmentsBetween(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(link.Visit.ID)}, time.Unix(0, 0), time.Now().Add(time.Hour))
	if err != nil || len(segs) < 2 {
		t.Errorf("recording: %d segments, %v", len(segs), err)
	}
	if c := r.cause(link.Visit.ID); c != "stopped" {
		t.Errorf("cause %q", c)
	}
}

// TestAnotherPageEachTimeIsNotGoingOn: whoever begins anew whenever a turn
// does not suit gets no more tries than the outages that are allowed.
func TestAnotherPageEachTimeIsNotGoingOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(e *rounds.Engine) { e.Resume = 3 * time.Minute })
	r.admit("", 0)
	link := r.order(time.Hour)
	res, err := simbed.Run(t.Context(), simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Reloads, Clip: clip(t, "franck", false), Log: r.engine.Log, Write: "我\"听\"不见"})
	if err != nil {
		t.Log(err)
	}
	v := r.sealed(link.Visit.ID, 5*time.Minute)
	r.wroteOnce(v, res)
	if c := r.cause(v.ID); v.Verdict != ward.Interrupted || c != "unstable" {
		t.Errorf("got %s, %s\n%s", v.Verdict, c, r.story(v.ID))
	}
}

func (r *rig) events(id ward.VisitID) []ward.VisitEvent {
	r.t.Helper()
	events, err := r.store.VisitEvents(context.Background(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return events
}

// cause is the name of what interrupted a visit.
func (r *rig) cause(id ward.VisitID) string {
	r.t.Helper()
	for _, e := range r.events(id) {
		if e.Kind == "interrupted" {
			return strings.TrimSuffix(strings.TrimPrefix(e.Body, `{"cause":"`), `"}`)
		}
	}
	return ""
}
