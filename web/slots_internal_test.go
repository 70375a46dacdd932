package web

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"wardwatch/ward"
)

func statusOfTake(err error) int {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Status
	}
	return 0
}

// TestNobodyTakesAllSlots: a user who has as many as one may is told so, and
// waits for nobody but themselves; another one has a slot at once.
func TestNobodyTakesAllSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newClipSlots()
		for what, slots := range map[string]*slots{"open": s.open, "cutting": s.cutting} {
			var mine []func()
			for range slots.each {
				free, err := slots.take(t.Context(), "greedy")
				if err != nil {
					t.Fatal(err)
				}
				mine = append(mine, free)
			}
			began := time.Now()
			_, err := slots.take(t.Context(), "greedy")
			if p, ok := errors.AsType[*Problem](err); !ok || p.Status != http.StatusTooManyRequests || p.GetHeaders().Get("Retry-After") == "" || time.Since(began) != slotWait {
				t.Errorf("%s: one too many after %s: %v", what, time.Since(began), err)
			}
			began = time.Now()
			free, err := slots.take(t.Context(), "other")
			if err != nil || time.Since(began) != 0 {
				t.Fatalf("%s: another user after %s: %v", what, time.Since(began), err)
			}
			free()
			go func() {
				time.Sleep(time.Second)
				mine[0]()
			}()
			if free, err = slots.take(t.Context(), "greedy"); err != nil || time.Since(began) != time.Second {
				t.Fatalf("%s: one that was given back, after %s: %v", what, time.Since(began), err)
			}
			for _, free := range append(mine[1:], free) {
				free()
			}
			if len(slots.all) != 0 || len(slots.by) != 0 {
				t.Errorf("%s: %d slots and %d users are left", what, len(slots.all), len(slots.by))
			}
		}
	})
}

// TestSlotsOfAll: many users together are told that the machine is busy.
func TestSlotsOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2, 1, clipsBusy, clipsFull)
		for _, user := range []ward.UserID{"a", "b"} {
			if _, err := s.take(t.Context(), user); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.take(t.Context(), "c"); statusOfTake(err) != http.StatusServiceUnavailable {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.take(ctx, "c"); !errors.Is(err, context.DeadlineExceeded) || len(s.by) != 2 {
			t.Errorf("got %v, %d users", err, len(s.by))
		}
	})
}
