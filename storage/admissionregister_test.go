package storage_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// register is the ids of all pages of two.
func register(t *testing.T, s *storage.Store, f storage.StayFilter) []string {
	t.Helper()
	ids := []string{}
	for f.Limit = 2; ; {
		list, next, err := s.Register(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			ids = append(ids, string(a.ID))
		}
		if f.Before = next; next == "" {
			return ids
		}
	}
}

func TestRegisterIsFilteredAndPaged(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		hospital(t, s, "h1")
		hospital(t, s, "h2")
		for _, p := range []ward.InsuredID{"p1", "p2"} {
			if err := s.PutInsured(ctx, ward.Insured{ID: p, Name: "张三", IDNumber: "n" + string(p)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Enrol(ctx, "p1", ward.Template{1, 0}, "m", ""); err != nil {
			t.Fatal(err)
		}
		for i, a := range []ward.Admission{
			{ID: "a-gone", InstitutionID: "h1", InsuredID: "p1", Ward: "内一", Bed: "1", To: now},
			{ID: "a-here", InstitutionID: "h1", InsuredID: "p1", Ward: "内一", Bed: "2"},
			{ID: "b-here", InstitutionID: "h2", InsuredID: "p2", Ward: "外二", Bed: "3", To: now.Add(time.Second)},
			{ID: "b-next", InstitutionID: "h2", InsuredID: "p2", Ward: "外二", Bed: "4"},
		} {
			a.From = now.Add(time.Duration(i-2) * time.Hour)
			if a.ID == "b-next" {
				a.From = now.Add(time.Microsecond)
			}
			if err := s.AddAdmission(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		e := adt(ward.AdmitEvent, 0, "9")
		e.Way = ward.ByMLLP
		told := string(take(t, s, "h1", e)[0].AdmissionID)
		off := adt(ward.AdmitEvent, 1, "8")
		off.Visit = "ZY2"
		cancel := adt(ward.CancelAdmitEvent, 2, "8")
		cancel.Visit = "ZY2"
		never := string(take(t, s, "h1", off, cancel)[0].AdmissionID)

		yes, no := true, false
		for name, c := range map[string]struct {
			f    storage.StayFilter
			want []string
		}{
			"all":         {storage.StayFilter{}, []string{"b-next", "b-here", "a-here", "a-gone", never, told}},
			"one":         {storage.StayFilter{Institutions: []ward.InstitutionID{"h2"}}, []string{"b-next", "b-here"}},
			"none":        {storage.StayFilter{Institutions: []ward.InstitutionID{}}, []string{}},
			"ward":        {storage.StayFilter{Ward: "外二"}, []string{"b-next", "b-here"}},
			"in house":    {storage.StayFilter{State: ward.StayInHouse}, []string{"b-here", "a-here", told}},
			"gone":        {storage.StayFilter{State: ward.StayDischarged}, []string{"a-gone"}},
			"to come":     {storage.StayFilter{State: ward.StayToCome}, []string{"b-next"}},
			"never":       {storage.StayFilter{State: ward.StayCancelled}, []string{never}},
			"enrolled":    {storage.StayFilter{Enrolled: &yes}, []string{"a-here", "a-gone"}},
			"unenrolled":  {storage.StayFilter{Enrolled: &no, State: ward.StayInHouse}, []string{"b-here", told}},
			"id":          {storage.StayFilter{Find: "a-"}, []string{"a-here", "a-gone"}},
			"percent":     {storage.StayFilter{Find: "a%"}, []string{}},
			"number":      {storage.StayFilter{Find: "ZY1"}, []string{told}},
			"number of h": {storage.StayFilter{Find: "ZY1", Institutions: []ward.InstitutionID{"h2"}}, []string{}},
		} {
			if c.f.Now = now; !reflect.DeepEqual(register(t, s, c.f), c.want) {
				t.Errorf("%s: got %v, want %v", name, register(t, s, c.f), c.want)
			}
		}
		if _, _, err := s.Register(ctx, storage.StayFilter{Before: "x"}); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "cursor"}) {
			t.Errorf("a bad cursor: %v", err)
		}
		for id, way := range map[string]ward.AdmissionWay{told: ward.ByMLLP, "a-here": ward.ByAPI, never: ward.UnknownWay} {
			if a, err := s.Registered(ctx, ward.AdmissionID(id)); err != nil || a.Way != way || time.Since(a.Registered) > time.Minute || a.Cancelled != (id == never) {
				t.Errorf("%s: %+v, %v", id, a, err)
			}
		}
		if said, err := s.ToldOf(ctx, ward.AdmissionID(never)); err != nil || len(said) != 2 || said[0].Received.IsZero() || said[0].Visit != "ZY2" {
			t.Errorf("told: %+v, %v", said, err)
		}
		wards, err := s.Wards(ctx, nil, now)
		if want := []storage.WardCount{{"内一", 2, 1}, {"外二", 1, 1}}; err != nil || !reflect.DeepEqual(wards, want) {
			t.Errorf("wards: %s, %v", fmt.Sprint(wards), err)
		}
	})
}
