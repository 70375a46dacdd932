package storage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestOnlyLaterSwipesOfTheCardWaitAgain: no rule counts what came after a
// settlement, by the cameras' clock.
func TestOnlyLaterSwipesOfTheCardWaitAgain(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.PutInstitution(t.Context(), ward.Institution{ID: "h2", Name: "第二医院"}))
		must(s.PutPlace(t.Context(), ward.Place{ID: "p2", InstitutionID: "h2", Name: "收费窗口", Kind: ward.Charge}))
		noon := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
		swipe := func(no string, inst ward.InstitutionID, place ward.PlaceID, at time.Time) {
			t.Helper()
			v := bill(no, at)
			v.InstitutionID, v.PlaceID = inst, place
			v, _, err := s.AddSettlement(t.Context(), v)
			must(err)
			_, passed, err := judged(t, s, v)
			must(err)
			if len(passed) != 0 {
				t.Fatalf("%s was passed over", no)
			}
		}
		settled := func() {
			t.Helper()
			for range 3 {
				list, err := s.DueSettlements(t.Context(), time.Now(), 100)
				must(err)
				for _, v := range list {
					_, _, err := judged(t, s, v)
					must(err)
				}
			}
		}
		swipe("noon", "h1", "p1", noon)
		swipe("five past", "h2", "p2", noon.Add(5*time.Minute))
		if got := waiting(t, s); len(got) != 0 {
			t.Errorf("a later swipe makes %v wait", got)
		}
		swipe("one to", "h2", "p2", noon.Add(-time.Minute))
		if got := waiting(t, s); !slices.Equal(got, []string{"five past", "noon"}) {
			t.Errorf("an earlier swipe makes %v wait", got)
		}
		settled()
		// The second hospital's clock is 6 minutes fast: its ten past was four past.
		swipe("eight past", "h1", "p1", noon.Add(8*time.Minute))
		must(s.SetClockOffset(t.Context(), ward.ClockOffset{InstitutionID: "h2", Offset: -6 * time.Minute, At: noon}))
		swipe("ten past", "h2", "p2", noon.Add(10*time.Minute))
		if got := waiting(t, s); !slices.Equal(got, []string{"eight past"}) {
			t.Errorf("a swipe that was earlier by the cameras' clock makes %v wait", got)
		}
		settled()
		// The first one's is 8 minutes slow: its noon was eight past, later than five past by a fast clock.
		must(s.SetClockOffset(t.Context(), ward.ClockOffset{InstitutionID: "h1", Offset: 8 * time.Minute, At: noon}))
		swipe("six past", "h2", "p2", noon.Add(6*time.Minute))
		if got := waiting(t, s); !slices.Equal(got, []string{"eight past", "noon", "ten past"}) {
			t.Errorf("a swipe at noon by the cameras' clock makes %v wait", got)
		}
	})
}

// TestWhatFallsMeanwhileIsNotCounted: a settlement that is just being judged for
// the first time, on what was known before another was reversed or corrected,
// is passed over, and is still due when it was.
func TestWhatFallsMeanwhileIsNotCounted(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		now := time.Now().Truncate(time.Second)
		for i, fate := range []func(*ward.Settlement){
			func(v *ward.Settlement) { v.State = ward.Reversed },
			func(v *ward.Settlement) { v.Revision, v.AmountFen = 1, 7 },
		} {
			at := now.Add(time.Duration(i-3) * 3 * time.Hour) // out of each other's reach
			before, _, err := s.AddSettlement(t.Context(), bill(fmt.Sprint("before", i), at))
			if err != nil {
				t.Fatal(err)
			}
			later := bill(fmt.Sprint("later", i), at.Add(time.Minute))
			later.InsuredID = ward.InsuredID(fmt.Sprint("other", i))
			later, _, err = s.AddSettlement(t.Context(), later)
			if err != nil {
				t.Fatal(err)
			}
			fell := bill(before.ExternalNo, at)
			fate(&fell)
			if _, _, err := s.AddSettlement(t.Context(), fell); err != nil {
				t.Fatal(err)
			}
			if _, passed, err := judged(t, s, later, ward.OneFaceManyCards); err != nil || !slices.Equal(passed, []ward.SettlementID{later.ID}) {
				t.Errorf("passed over %v, %v", passed, err)
			}
			again, err := s.Settlement(t.Context(), later.ID)
			if err != nil || again.State != ward.Pending || !again.Due.Equal(later.Due) || again.Stage != ward.NotJudged {
				t.Errorf("now %+v, %v", again, err)
			}
			if _, passed, err := judged(t, s, again); err != nil || len(passed) != 0 {
				t.Errorf("read again: passed over %v, %v", passed, err)
			}
		}
	})
}

func TestWhatWasNeverJudgedComesFirst(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		now := time.Now().Truncate(time.Second)
		add := func(no string, at time.Duration) ward.Settlement {
			t.Helper()
			v, _, err := s.AddSettlement(t.Context(), bill(no, now.Add(at)))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for _, no := range []string{"a", "b", "c"} {
			if _, _, err := judged(t, s, add(no, -30*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := judged(t, s, add("late", -time.Hour)); err != nil { // the others wait again
			t.Fatal(err)
		}
		add("fresh", -time.Minute)
		add("fresher", -30*time.Second)
		for limit, want := range map[int]string{1: "fresh", 2: "fresh fresher", 4: "fresh fresher + 2", 9: "fresh fresher + 3"} {
			list, err := s.DueSettlements(t.Context(), now, limit)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			again := 0
			for _, v := range list {
				switch {
				case v.Stage != ward.NotJudged:
					again++
				case again > 0:
					t.Errorf("limit %d: %s comes after one that waits again", limit, v.ExternalNo)
				case got != "":
					got += " " + v.ExternalNo
				default:
					got = v.ExternalNo
				}
			}
			if again > 0 {
				got += " + " + string(rune('0'+again))
			}
			if got != want {
				t.Errorf("limit %d: got %s, want %s", limit, got, want)
			}
		}
	})
}
