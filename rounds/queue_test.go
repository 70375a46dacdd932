package rounds_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// Two are judged at a time: the others stand in the line in the order in
// which they came, keep their places by asking, and begin when it is their turn.
func TestTheLine(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(e *rounds.Engine) { patient(e); e.AtOnce = 2 })
	r.admit("", 0)
	devices, offer := r.devices(6), goodOffer(t)
	ask := func(i int) (waits bool, words string) {
		t.Helper()
		_, err := r.engine.Session(t.Context(), devices[i], offer)
		if err == nil {
			return false, ""
		}
		e, ok := errors.AsType[*ward.Error](err)
		if !ok || e.Code != "bedside.wait" || e.Kind != ward.Unavailable {
			t.Fatalf("%d: %v", i, err)
		}
		return true, e.EN
	}
	for i := range 2 {
		if waits, _ := ask(i); waits {
			t.Fatalf("%d waits though there is room", i)
		}
	}
	for i, want := range []string{"", "", "You are next", "1 before you", "2 before you", "3 before you"} {
		if want == "" {
			continue
		}
		for range 2 { // asking again changes nothing
			if waits, words := ask(i); !waits || !strings.HasPrefix(words, want) {
				t.Errorf("%d is told %q, want %q", i, words, want)
			}
		}
	}
	if w := r.engine.Waiting(); len(w) != 4 {
		t.Errorf("%d wait", len(w))
	}
	if err := r.engine.Leave(t.Context(), devices[0]); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		if waits, words := ask(5); !waits || !strings.HasSuffix(words, "before you. Please wait, it will begin by itself.") {
			t.Fatalf("the last is told %q", words)
		}
		if waits, _ := ask(2); !waits {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the next did not begin")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if waits, words := ask(3); !waits || !strings.HasPrefix(words, "You are next") {
		t.Errorf("then %q", words)
	}
}

// Who stood in the line before the deadline is judged after it; who did not come is not.
func TestADeadlineInTheLine(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(e *rounds.Engine) { patient(e); e.AtOnce = 1 })
	r.admit("", 0)
	const long = 3 * time.Second
	devices, offer := r.devicesFor(3, long), goodOffer(t)
	visit := func(i int) ward.VisitID { return ward.VisitID(strings.TrimPrefix(devices[i], "device of ")) }
	if _, err := r.engine.Session(t.Context(), devices[0], offer); err != nil {
		t.Fatal(err)
	}
	wait := &ward.Error{Code: "bedside.wait"}
	if _, err := r.engine.Session(t.Context(), devices[1], offer); !errors.Is(err, wait) {
		t.Fatal(err)
	}
	time.Sleep(long)
	if _, err := r.engine.Session(t.Context(), devices[1], offer); !errors.Is(err, wait) {
		t.Errorf("who stood in the line: %v", err)
	}
	// Its visit may be sealed by now, and its device unknown.
	if _, err := r.engine.Session(t.Context(), devices[2], offer); !errors.Is(err, &ward.Error{Code: "round.overdue"}) && !errors.Is(err, &ward.Error{Code: "bedside.device_unknown"}) {
		t.Errorf("who came too late: %v", err)
	}
	r.until(visit(2), 10*time.Second, func(v ward.Visit) bool { return v.Verdict == ward.NoAnswer })
	if v, err := r.store.Visit(t.Context(), visit(1)); err != nil || v.State != ward.VisitConsented {
		t.Errorf("the one in the line is %s, %v", v.State, err)
	}
	// The service is started anew and knows no line: who stood in it may still come.
	fresh := &rounds.Engine{Store: r.store, API: r.engine.API, Log: r.engine.Log}
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := fresh.Session(soon, devices[1], offer); err == nil || errors.Is(err, &ward.Error{Code: "round.overdue"}) {
		t.Errorf("after a restart: %v", err) // it is let in, though this engine does not run
	}
	if err := r.engine.Leave(t.Context(), devices[0]); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := r.engine.Session(t.Context(), devices[1], offer)
		if err == nil {
			break
		}
		if !errors.Is(err, wait) || time.Now().After(end) {
			t.Fatal("the one in the line did not begin:", err)
		}
	}
}
