package analytics_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// spell shows a painted counter, from second from on and every step seconds,
// with a fault or without one.
func spell(h *analytics.Health, c *counter, cause ward.BlindCause, offset *time.Duration, from, to, step int) (ts []analytics.Trouble) {
	for s := from; s < to; s += step {
		grey := c.picture(s)
		if cause != "" {
			grey = c.spoil(cause, grey, nil)
		}
		ts = append(ts, h.Step(vision.Measure(grey, nil), offset, time.Unix(int64(s), 0))...)
	}
	return ts
}

const noon = 12 * 3600

func second(n int) time.Time { return time.Unix(int64(n), 0) }

func TestHealthOfAClock(t *testing.T) {
	t.Parallel()
	h, c := &analytics.Health{}, newCounter(1)
	near, far := 50*time.Second, -2*time.Minute
	got := spell(h, c, "", &near, noon, noon+10, 1)
	got = append(got, spell(h, c, "", &far, noon+10, noon+20, 1)...)
	if h.Blind() {
		t.Error("a wrong clock makes blind")
	}
	got = append(got, spell(h, c, "", nil, noon+20, noon+30, 1)...)
	want := []analytics.Trouble{{Cause: ward.WrongClock, From: second(noon + 10)}, {Cause: ward.WrongClock, Over: true, From: second(noon + 10), To: second(noon + 20)}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestHealthWithAKeyFrameEveryFourSeconds(t *testing.T) {
	t.Parallel()
	h, c := &analytics.Health{}, newCounter(1)
	if got := spell(h, c, "", nil, noon, noon+100, 4); got != nil {
		t.Errorf("got %v", got)
	}
	got := spell(h, c, ward.Covered, nil, noon+100, noon+110, 4)
	if want := []analytics.Trouble{{Cause: ward.Covered, From: second(noon + 100)}}; !slices.Equal(got, want) {
		if len(got) != 1 || got[0].From.Before(second(noon+100)) || got[0].Cause != ward.Covered {
			t.Errorf("got %v", got)
		}
	}
}

func TestHealthAfterARestart(t *testing.T) {
	t.Parallel()
	h, c := &analytics.Health{}, newCounter(1)
	spell(h, c, "", nil, noon, noon+60, 1)
	b, err := json.Marshal(h.Scene)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(b))
	again := &analytics.Health{}
	if err := json.Unmarshal(b, &again.Scene); err != nil {
		t.Fatal(err)
	}
	// Turned away while nobody looked: only what was learned tells.
	if got := spell(again, c, ward.Moved, nil, noon+60, noon+70, 1); len(got) != 1 || got[0].Cause != ward.Moved {
		t.Errorf("got %v", got)
	}

	// Found before, and gone by then: it ended when it was last seen, since nobody knows more.
	later := &analytics.Health{Scene: h.Scene}
	later.Resume(ward.Covered, second(noon), second(noon+30))
	got := spell(later, c, "", nil, noon+3600, noon+3610, 1)
	if want := []analytics.Trouble{{Cause: ward.Covered, Over: true, From: second(noon), To: second(noon + 30)}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	// Found before, and still there: the same period goes on.
	still := &analytics.Health{Scene: h.Scene}
	still.Resume(ward.Covered, second(noon), second(noon+30))
	if got := spell(still, c, ward.Covered, nil, noon+40, noon+60, 1); got != nil || !still.Blind() {
		t.Errorf("got %v", got)
	}
}
