package storage_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func pairedTablet(t *testing.T, s *storage.Store, inst ward.InstitutionID, bed, secret string) ward.Tablet {
	t.Helper()
	if _, err := s.AddTablet(t.Context(), ward.Tablet{InstitutionID: inst, Ward: "内一", Bed: bed, Name: "平板" + bed, RegisteredBy: "u1"}, hash("code "+secret)); err != nil {
		t.Fatal(err)
	}
	v, err := s.PairTablet(t.Context(), hash("code "+secret), hash(secret))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTabletCodeIsUsedOnce(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderOne(t, s, "a", time.Now(), time.Minute)
		tab, err := s.AddTablet(ctx, ward.Tablet{InstitutionID: v.InstitutionID, Ward: "内一", Name: "一"}, hash("code"))
		if err != nil || tab.Battery != -1 || tab.CodeExpires.IsZero() {
			t.Fatalf("got %+v, %v", tab, err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.PairTablet(ctx, hash("code"), hash(string(rune('a'+i)))) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "tablet.code"}) {
				t.Errorf("got %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d devices used one code", won)
		}
		if _, err := s.RecodeTablet(ctx, tab.ID, hash("next")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PairTablet(ctx, hash("next"), hash("new")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.TabletBySecret(ctx, hash("a")); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
			t.Errorf("the device before: %v", err)
		}
		if _, err := s.RevokeTablet(ctx, tab.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.TabletBySecret(ctx, hash("new")); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
			t.Errorf("revoked: %v", err)
		}
		if _, err := s.RecodeTablet(ctx, tab.ID, hash("more")); !errors.Is(err, &ward.Error{Code: "tablet.state"}) {
			t.Errorf("a code for a revoked tablet: %v", err)
		}
		if all, err := s.Tablets(ctx, nil); err != nil || len(all) != 0 {
			t.Errorf("got %d tablets, %v", len(all), err)
		}
	})
}

// A tablet of the bed is told; one of the ward only stands in when that is lost.
func TestWhichTabletRings(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "a", now, time.Minute)
		bed, whole := pairedTablet(t, s, v.InstitutionID, "12", "bed"), pairedTablet(t, s, v.InstitutionID, "", "ward")
		other := pairedTablet(t, s, v.InstitutionID, "13", "other")
		rings := func(who ward.Tablet, at time.Time) int {
			t.Helper()
			r, err := s.Rings(ctx, who, at)
			if err != nil {
				t.Fatal(err)
			}
			return len(r)
		}
		now = time.Now()
		for _, c := range []struct {
			name string
			who  ward.Tablet
			at   time.Time
			want int
		}{
			{"its bed", bed, now, 1},
			{"another bed", other, now, 0},
			{"its ward, with a tablet at the bed", whole, now, 0},
			{"its ward, the bed's tablet lost", whole, now.Add(ward.TabletLost + time.Minute), 1},
			{"after the deadline", bed, now.Add(2 * time.Hour), 0},
		} {
			if got := rings(c.who, c.at); got != c.want {
				t.Errorf("%s: %d rings, want %d", c.name, got, c.want)
			}
		}
		if first, err := s.Received(ctx, v.ID, other.ID, true); err != nil || first {
			t.Errorf("receipt of a tablet that was not told: %v, %v", first, err)
		}
		for i := range 2 {
			if first, err := s.Received(ctx, v.ID, bed.ID, true); err != nil || first != (i == 0) {
				t.Errorf("receipt %d: %v, %v", i, first, err)
			}
		}
		if _, err := s.OpenVisitOn(ctx, v.ID, other, hash("d"), now); !errors.Is(err, &ward.Error{Code: "visit.opened"}) {
			t.Errorf("opened at another bed: %v", err)
		}
		if _, err := s.OpenVisitOn(ctx, v.ID, bed, hash("d"), now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OpenVisitOn(ctx, v.ID, whole, hash("e"), now); !errors.Is(err, &ward.Error{Code: "visit.opened"}) {
			t.Errorf("opened by a second tablet: %v", err)
		}
		if _, err := s.OpenVisit(ctx, hash("a"), hash("f"), now); !errors.Is(err, &ward.Error{Code: "bedside.link_used"}) {
			t.Errorf("its link afterwards: %v", err)
		}
		if busy, err := s.TabletVisit(ctx, bed.ID); err != nil || busy.ID != v.ID {
			t.Errorf("got %q, %v", busy.ID, err)
		}
		if all, err := s.Tellings(ctx, v.RoundID); err != nil || len(all) != 2 {
			t.Errorf("got %+v, %v", all, err)
		}
	})
}
