package storage_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// An early end lets another institution begin, and covers nothing from then
// on; of several who end one window, one does.
func TestWindowsEndEarly(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		practise(t, s, "h1", "h2")
		again, first := begin(t, s, "h1", time.Hour), begin(t, s, "h1", time.Hour)
		if d := begin(t, s, "h2", time.Hour); d.Outcome != ward.DutyElsewhere {
			t.Fatalf("elsewhere before the end: %s", d.Outcome)
		}
		admin := ward.User{ID: "u-a", Role: ward.Administrator}
		var mu sync.Mutex
		var ends []ward.DutyEnd
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				e, err := s.EndDuty(t.Context(), admin, first, ward.DutyEnd{Reason: "会诊"}, nil)
				if errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "duty.over"}) {
					return
				}
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, e)
			})
		}
		wg.Wait()
		if len(ends) != 1 {
			t.Fatalf("ended %d times", len(ends))
		}
		at := ends[0].At
		p, err := s.Physician(t.Context(), "ph-1")
		if err != nil {
			t.Fatal(err)
		}
		for when, want := range map[time.Time]ward.Billable{at.Add(-time.Microsecond): ward.BillYes, at: ward.BillNo, at.Add(time.Minute): ward.BillNo} {
			tried, err := s.DutiesAt(t.Context(), "ph-1", when)
			if err != nil {
				t.Fatal(err)
			}
			if got, why, _ := ward.MayBill(p, tried, "h1", when, at.Add(time.Hour)); got != want {
				t.Errorf("%v after the end: %s %s", when.Sub(at), got, why)
			}
		}
		for _, id := range []ward.DutyID{first.ID, again.ID} {
			if d, err := s.Duty(t.Context(), id); err != nil || !d.Ended.Equal(at) || !d.Over().Equal(at) {
				t.Errorf("%+v %v", d, err)
			}
		}
		if on, err := s.OnDuty(t.Context(), nil, time.Now(), "", 0); err != nil || len(on) != 0 {
			t.Errorf("still on duty: %+v %v", on, err)
		}
		if d := begin(t, s, "h2", time.Hour); d.Outcome != ward.DutyVerified {
			t.Errorf("elsewhere after the end: %s", d.Outcome)
		}
	})
}

func TestEarlyEndsAreSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		practise(t, w.Store, "h1")
		d := begin(t, w.Store, "h1", time.Hour)
		if _, err := w.Store.EndDuty(t.Context(), atTerminal, d, ward.DutyEnd{Score: .7}, []byte("a photo")); err != nil {
			t.Fatal(err)
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("got %+v", report.Problems)
		}
		row, name := "duty_id = '"+string(d.ID)+"'", "duty_end/"+string(d.ID)
		for column, value := range map[string]any{"reason": "x", "picture": "00", "actor": "u"} {
			if named := cell(t, w, "duty_end", column, row, func(any) any { return value }); !slices.Equal(named, []string{name}) {
				t.Errorf("%s changed: fsck names %v", column, named)
			}
		}
		if named := cell(t, w, "duty", "ended_us", "id = '"+string(d.ID)+"'", func(any) any { return 0 }); !slices.Equal(named, []string{"duty/" + string(d.ID)}) {
			t.Errorf("ended_us changed: fsck names %v", named)
		}
	})
}
