package storage_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestSites(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		r, _ := orderOne(t, s, "a", now, time.Minute)
		none, err := s.Site(ctx, r.InstitutionID)
		if err != nil || none.Version != 0 || none.Asks() || none.WardCode {
			t.Fatalf("got %+v, %v", none, err)
		}
		if _, err := s.WardKey(ctx, none, "内一"); ward.KindOf(err) != ward.NotFound {
			t.Errorf("a ward's key where there is none: %v", err)
		}
		put := func(v ward.Site, fresh bool) ward.Site {
			t.Helper()
			got, err := s.SetSite(ctx, v, fresh)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		code := func(room string) string {
			t.Helper()
			site, err := s.Site(ctx, r.InstitutionID)
			if err != nil {
				t.Fatal(err)
			}
			k, err := s.WardKey(ctx, site, room)
			if err != nil {
				t.Fatal(err)
			}
			return k.Code(1000)
		}
		first := put(ward.Site{InstitutionID: r.InstitutionID, WardCode: true, Reason: "启用病区码", By: "u1"}, false)
		one := code("内一")
		if one == code("内二") {
			t.Error("two wards have one code")
		}
		fence := ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200}
		first.Fence, first.Networks = &fence, []string{"10.8.0.0/16"}
		second := put(first, false)
		if code("内一") != one {
			t.Error("the code changed with the fence")
		}
		if _, err := s.SetSite(ctx, first, false); !errors.Is(err, &ward.Error{Code: "site.changed"}) {
			t.Errorf("a version that is not the last: %v", err)
		}
		put(second, true)
		if code("内一") == one {
			t.Error("a fresh secret gives the same code")
		}
		got, err := s.Sites(ctx)
		if err != nil || len(got) != 1 || got[0].Version != second.Version+1 || got[0].Fence.Center != fence.Center {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := s.SetSite(ctx, ward.Site{InstitutionID: "nowhere", Reason: "x"}, false); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown institution: %v", err)
		}
	})
}
