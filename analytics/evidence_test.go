package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestAnAlertNamesOnlyStandingSettlements: what it rests on was reversed, and it holds by others.
func TestAnAlertNamesOnlyStandingSettlements(t *testing.T) {
	teststore.Each(t, func(t *testing.T, store *storage.Store) { standsByOthers(t, newSceneIn(t, store)) })
}

func standsByOthers(t *testing.T, s *scene) {
	s.saw(watched(0, 900), people(90, 510), face(1, 90, 510))
	for i, who := range []ward.InsuredID{"a", "b", "c", "d"} {
		s.report(report{1 + i, 0, 100 * float64(1+i), who, false})
	}
	s.pass(500)
	if got := s.standing(); !slices.Equal(got, []string{"one_face_many_cards on s03", "one_face_many_cards on s04"}) {
		t.Fatalf("standing %v", got)
	}
	of := func(id ward.SettlementID) ward.Alert {
		list, _, err := s.Alerts(t.Context(), storage.AlertFilter{SettlementID: id})
		s.must(err)
		if len(list) != 1 {
			t.Fatalf("%d alerts on %s", len(list), id)
		}
		return list[0]
	}
	before := of("s04")
	if want := []ward.SettlementID{"s01", "s02", "s03"}; !slices.Equal(before.Related, want) {
		t.Fatalf("rests on %v, want %v", before.Related, want)
	}
	s.report(report{2, 0, 200, "b", true})
	s.pass(600)
	s.pass(700)
	after := of("s04")
	if want := []ward.SettlementID{"s01", "s03"}; after.ID != before.ID || after.State != ward.AlertNew || !slices.Equal(after.Related, want) || after.ExplainZH == before.ExplainZH {
		t.Errorf("%s rests on %v (%s), want %v", after.State, after.Related, after.ExplainZH, want)
	}
	if got := of("s03"); got.State != ward.AlertWithdrawn {
		t.Errorf("with two cards: %s", got.State)
	}
	sealed, err := s.SealedOf(t.Context(), storage.KindAlert, string(after.ID))
	if err != nil || len(sealed) != 2 || sealed[1].Leaf != after.Leaf {
		t.Errorf("stated %d times, %v", len(sealed), err)
	}
	events, err := s.AlertEvents(t.Context(), after.ID)
	if err != nil || len(events) != 2 || events[1].Action != ward.AlertRestate || events[1].Note == "" {
		t.Errorf("steps %+v, %v", events, err)
	}
	// Somebody decides on what is shown; what falls away later changes nothing of that.
	_, err = s.StepAlert(t.Context(), after.ID, after.Version, ward.AlertStep{Action: ward.AlertConfirm, By: "u1", Note: "看过录像"})
	s.must(err)
	s.report(report{5, 0, 150, "e", false})
	s.pass(800)
	s.report(report{1, 0, 100, "a", true})
	s.pass(900)
	if got := of("s04"); got.State != ward.AlertConfirmed || !slices.Equal(got.Related, after.Related) {
		t.Errorf("decided: %s on %v", got.State, got.Related)
	}
	rep, err := s.Fsck(t.Context(), storage.Media{Objects: s.objects}, storage.FsckOptions{})
	if err != nil || !rep.OK() {
		t.Errorf("fsck: %+v, %v", rep.Problems, err)
	}
}

// TestMemoryDecidesNothing: a process that remembers who stood at the
// settlements says the same, on the same evidence, as one that has just begun,
// whatever was corrected and reversed meanwhile.
func TestMemoryDecidesNothing(t *testing.T) {
	for seed := range uint64(12) {
		told := func(lives bool) (out []string) {
			r := rand.New(rand.NewPCG(seed, 1))
			s := newScene(t)
			s.saw(watched(0, 3000), people(60, 3000))
			all := map[int]report{}
			for no := range 18 {
				at := 100 + 60*float64(no)
				if who := 2 * r.IntN(2); r.IntN(4) > 0 {
					s.saw(face(who, at-10, at+10))
				}
				all[no] = report{no, 0, at, ward.InsuredID(fmt.Sprint("i", r.IntN(4))), false}
				if r.IntN(6) > 0 { // else it comes later
					s.report(all[no])
				}
				if v := all[r.IntN(no+1)]; r.IntN(3) == 0 {
					switch r.IntN(3) {
					case 0:
						v.reversed = true
					case 1:
						v.revision, v.who = v.revision+1, ward.InsuredID(fmt.Sprint("i", r.IntN(4)))
					case 2:
						v.revision, v.at = v.revision+1, v.at+15
					}
					all[v.no] = v
					s.report(v)
				}
				if r.IntN(3) == 0 {
					if !lives {
						s.c = s.correlator()
					}
					s.pass(at + 50)
				}
			}
			for _, after := range []float64{1200, 1300, 1400} {
				if !lives {
					s.c = s.correlator()
				}
				s.pass(after)
			}
			no := map[ward.SettlementID]string{}
			list, _, err := s.Settlements(t.Context(), storage.SettlementFilter{Limit: 500})
			s.must(err)
			for _, v := range list {
				no[v.ID] = v.ExternalNo
				out = append(out, fmt.Sprint(v.ExternalNo, " ", v.State, " ", v.Reason))
			}
			alerts, _, err := s.Alerts(t.Context(), storage.AlertFilter{Limit: 500, Shadow: true})
			s.must(err)
			for _, a := range alerts {
				text := fmt.Sprint(a.Rule, " on ", no[a.SettlementID], " ", a.State, " ", a.ExplainEN)
				for _, id := range a.Related {
					text += " " + no[id]
				}
				out = append(out, text)
			}
			slices.Sort(out)
			return out
		}
		if got, want := told(true), told(false); !slices.Equal(got, want) {
			t.Fatalf("seed %d: remembering\n%q\nread anew\n%q", seed, got, want)
		}
	}
}
