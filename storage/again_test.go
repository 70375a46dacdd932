package storage_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// waiting are the settlements that wait to be judged, by external number.
func waiting(t *testing.T, s *storage.Store) (out []string) {
	t.Helper()
	list, err := s.DueSettlements(t.Context(), time.Now().Add(time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		out = append(out, v.ExternalNo)
	}
	slices.Sort(out)
	return out
}

func TestWhatCountedASettlementWaitsAgain(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		base := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
		add := func(no string, at time.Duration, who ward.InsuredID) ward.Settlement {
			t.Helper()
			v := bill(no, base.Add(at))
			v.InsuredID = who
			v, change, err := s.AddSettlement(t.Context(), v)
			if err != nil || change != ward.WasAdded {
				t.Fatal(change, err)
			}
			return v
		}
		judge := func(fired ...ward.Rule) {
			t.Helper()
			for range 3 { // one that is judged first makes others wait anew
				list, err := s.DueSettlements(t.Context(), time.Now(), 100)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range list {
					if _, _, err := judged(t, s, v, fired...); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		add("near", time.Hour, "i1")
		add("far", 4*time.Hour, "i2")
		add("same card", 4*time.Hour, "i9")
		judge()
		if got := waiting(t, s); len(got) != 0 {
			t.Fatalf("waiting %v", got)
		}
		late := add("late", 0, "i9")
		old := late
		if _, _, err := judged(t, s, late, ward.NobodyAtCounter); err != nil {
			t.Fatal(err)
		}
		if got := waiting(t, s); !slices.Equal(got, []string{"near", "same card"}) {
			t.Errorf("after a late one: waiting %v", got)
		}
		judge()
		// A judgement of what was read before a correction is passed over.
		late.Revision, late.At, late.State = 1, base.Add(3*time.Hour), ward.Pending
		late, change, err := s.AddSettlement(t.Context(), late)
		if err != nil || change != ward.WasCorrected || late.State != ward.Pending {
			t.Fatalf("corrected: %+v, %s, %v", late, change, err)
		}
		if _, passed, err := judged(t, s, old); err != nil || len(passed) != 1 {
			t.Errorf("an old judgement: %v, %v", passed, err)
		}
		if got := waiting(t, s); !slices.Equal(got, []string{"late", "near", "same card"}) {
			t.Errorf("after a correction: waiting %v", got)
		}
		judge()
		if got, err := s.Settlement(t.Context(), late.ID); err != nil || got.State != ward.Clear || got.Revision != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
		if a, _, err := s.Alerts(t.Context(), storage.AlertFilter{State: ward.AlertWithdrawn}); err != nil || len(a) != 1 {
			t.Errorf("withdrawn %v, %v", a, err)
		}
		late.State = ward.Reversed
		if late, change, err = s.AddSettlement(t.Context(), late); err != nil || change != ward.WasReversed || late.State != ward.Reversed {
			t.Errorf("reversed: %+v, %s, %v", late, change, err)
		}
		late.State, late.Revision, late.AmountFen = ward.Pending, 5, 7
		if late, change, err = s.AddSettlement(t.Context(), late); err != nil || change != ward.WasCorrected || late.State != ward.Reversed || late.AmountFen != 7 {
			t.Errorf("corrected after the reversal: %+v, %s, %v", late, change, err)
		}
		if got := waiting(t, s); slices.Contains(got, "late") || !slices.Contains(got, "far") {
			t.Errorf("after the reversal: waiting %v", got)
		}
	})
}

func TestWhoStoodThereIsKept(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		if err := s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院", Location: &ward.Location{Lat: 30.6, Lon: 114.3}}); err != nil {
			t.Fatal(err)
		}
		now := time.Now().UTC().Truncate(time.Second)
		if err := s.SetClockOffset(t.Context(), ward.ClockOffset{InstitutionID: "h1", Offset: 7 * time.Second, Spread: time.Second, Samples: 30, At: now}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetClockOffset(t.Context(), ward.ClockOffset{InstitutionID: "h1", Offset: 11 * time.Minute}); err == nil {
			t.Error("an offset of 11 minutes was believed")
		}
		v, _, err := s.AddSettlement(t.Context(), bill("a", now))
		if err != nil || v.Due.Sub(v.At) != 12*time.Second {
			t.Fatalf("due %v after, %v", v.Due.Sub(v.At), err)
		}
		f := &storage.Face{Settlement: v.ID, At: now.Add(7 * time.Second), Sighting: "s1", ModelID: "m1", Template: ward.Template{.6, .8}}
		if _, _, err := s.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.CannotTell, Reason: "no_camera", Stage: ward.JudgedPromptly, Face: f, Unclear: []ward.Unclear{{Rule: ward.ImpossibleTravel, Reason: "no_location"}}}); err != nil {
			t.Fatal(err)
		}
		uses, err := s.UsesAtPlaces(t.Context(), []ward.PlaceID{"p1", "p2", "p3"}, now, now)
		if err != nil || len(uses) != 1 || uses[0].Face == nil || uses[0].Face.Template.Cosine(f.Template) < .999 || uses[0].Location == nil || uses[0].Offset != 7*time.Second {
			t.Fatalf("uses %+v, %v", uses, err)
		}
		if byCard, err := s.UsesOfCards(t.Context(), []ward.InsuredID{"i1"}, now, now); err != nil || len(byCard) != 1 || byCard[0].ID != v.ID {
			t.Errorf("of the card: %+v, %v", byCard, err)
		}
		var faces []storage.Face
		err = s.FacesStored(t.Context(), now, func(f storage.Face) { faces = append(faces, f) })
		if err != nil || len(faces) != 1 || faces[0].Settlement != v.ID {
			t.Errorf("stored: %+v, %v", faces, err)
		}
		if swipes, err := s.SwipesAtPlaces(t.Context(), []ward.PlaceID{"p1", "p2", "p3"}, now, now); err != nil || len(swipes) != 1 || swipes[0] != (storage.Swipe{ID: v.ID, InsuredID: v.InsuredID, PlaceID: "p1", At: v.At}) {
			t.Errorf("swipes %+v, %v", swipes, err)
		}
		if got, err := s.Settlement(t.Context(), v.ID); err != nil || len(got.Unclear) != 1 || got.Unclear[0].Reason != "no_location" {
			t.Errorf("got %+v, %v", got, err)
		}
		counters, err := s.Counters(t.Context(), []ward.PlaceID{"p1", "nowhere", "p9"})
		if err != nil || len(counters) != 1 || counters["p1"].Offset != 7*time.Second || counters["p1"].Location.Lat != 30.6 {
			t.Errorf("counters %+v, %v", counters, err)
		}
	})
}

func TestRulesAreVersioned(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		set := func(v ward.RuleSetting, basedOn int) (ward.RuleSetting, error) {
			v.Rule, v.By = ward.BatchSwiping, "u1"
			return s.SetRule(t.Context(), v, basedOn)
		}
		first, err := set(ward.RuleSetting{Mode: ward.RuleShadow, Params: map[string]float64{"cards": 9}}, 0)
		if err != nil || first.Version != 2 || first.Params["within"] != 60 {
			t.Fatalf("first %+v, %v", first, err)
		}
		own, err := set(ward.RuleSetting{InstitutionID: "h1", Mode: ward.RuleOff}, 0)
		if err != nil || own.Version != 3 {
			t.Fatalf("own %+v, %v", own, err)
		}
		for code, v := range map[string]struct {
			set     ward.RuleSetting
			basedOn int
		}{
			"rule.changed":        {ward.RuleSetting{Mode: ward.RuleLive}, 1},
			"rule.mode":           {ward.RuleSetting{Mode: "loud"}, 2},
			"rule.param_unknown":  {ward.RuleSetting{Mode: ward.RuleLive, Params: map[string]float64{"colour": 1}}, 2},
			"rule.param_range":    {ward.RuleSetting{Mode: ward.RuleLive, Params: map[string]float64{"cards": 2.5}}, 2},
			"rule.inherit":        {ward.RuleSetting{Inherit: true}, 2},
			"institution.unknown": {ward.RuleSetting{InstitutionID: "h9", Mode: ward.RuleLive}, 2},
		} {
			if _, err := set(v.set, v.basedOn); !errors.Is(err, &ward.Error{Code: code}) {
				t.Errorf("%s: got %v", code, err)
			}
		}
		if _, err := set(ward.RuleSetting{Mode: ward.RuleLive, Params: map[string]float64{"within": math.NaN()}}, 2); !errors.Is(err, &ward.Error{Code: "rule.param_range"}) {
			t.Errorf("not a number: %v", err)
		}
		again, err := set(ward.RuleSetting{InstitutionID: "h1", Inherit: true}, 3)
		if err != nil || again.Version != 4 {
			t.Fatalf("given up %+v, %v", again, err)
		}
		all, err := s.RuleSettings(t.Context())
		if err != nil || len(all) != 2 || all[0].Version != 2 || all[1].Version != 4 || !all[1].Inherit {
			t.Errorf("settings %+v, %v", all, err)
		}
		if h, err := s.RuleHistory(t.Context(), ward.BatchSwiping, "h1"); err != nil || len(h) != 2 || h[0].Version != 4 || h[1].Mode != ward.RuleOff || h[1].By != "u1" {
			t.Errorf("history %+v, %v", h, err)
		}
		if rec, err := s.LatestSealed(t.Context(), storage.KindRule, "batch_swiping/4"); err != nil || rec.Leaf < 0 {
			t.Errorf("sealed %+v, %v", rec, err)
		}
	})
}
