package storage_test

import (
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// A visit that nobody has opened goes with its patient, and says that the
// patient was discharged; tablets ring, or not, as it does.
func TestVisitsAreToldOfTheStay(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "a", now, time.Minute)
		_, opened := orderOne(t, s, "b", now.Add(time.Millisecond), time.Minute)
		if _, err := s.OpenVisit(ctx, hash("b"), hash("device"), now); err != nil {
			t.Fatal(err)
		}
		old, other := pairedTablet(t, s, v.InstitutionID, "12", "old"), pairedTablet(t, s, v.InstitutionID, "14", "new")
		n := 0
		tell := func(of ward.Visit, kind ward.AdmissionEventKind, bed string) []ward.VisitID {
			t.Helper()
			n++
			e := ward.AdmissionEvent{
				Kind: kind, Sender: "his", ControlID: string(rune('a' + n)), Visit: string(of.AdmissionID), Recorded: now.Add(time.Duration(n) * time.Millisecond),
				At: now.Add(-time.Minute), Precision: ward.ToTheSecond, Place: ward.BedPlace{Ward: "内一", Bed: bed},
			}
			first := take(t, s, of.InstitutionID, e)
			if again := take(t, s, of.InstitutionID, e); len(again[0].Visits) > 0 {
				t.Errorf("%s, once more: %v were told", kind, again[0].Visits)
			}
			return first[0].Visits
		}
		state := func(of ward.Visit) (bed string, rings []int, events []string) {
			t.Helper()
			at, err := s.Visit(ctx, of.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, tab := range []ward.Tablet{old, other} {
				r, err := s.Rings(ctx, tab, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				rings = append(rings, len(r))
			}
			all, err := s.VisitEvents(ctx, of.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				if e.Kind != "told" && e.Kind != "delivered" {
					events = append(events, e.Kind)
				}
			}
			return at.Bed, rings, events
		}
		for _, c := range []struct {
			kind   ward.AdmissionEventKind
			bed    string
			told   bool
			want   string
			rings  []int
			events int
			over   bool
		}{
			{ward.UpdateEvent, "", false, "12", []int{1, 0}, 0, false},
			{ward.TransferEvent, "14", true, "14", []int{0, 1}, 1, false},
			{ward.DischargeEvent, "", true, "14", []int{0, 0}, 2, true},
			{ward.UpdateEvent, "", false, "14", []int{0, 0}, 2, true},
			{ward.CancelDischargeEvent, "", true, "14", []int{0, 1}, 3, false},
			{ward.CancelAdmitEvent, "", true, "14", []int{0, 0}, 4, true},
		} {
			told := tell(v, c.kind, c.bed)
			bed, rings, events := state(v)
			stay, err := s.StayOfVisit(ctx, v.ID)
			if err != nil || slices.Equal(told, []ward.VisitID{v.ID}) != c.told || bed != c.want || !slices.Equal(rings, c.rings) || len(events) != c.events || stay.Over != c.over || stay.Over && !stay.After {
				t.Errorf("%s: told %v, bed %s, rings %v, events %v, stay %+v, %v", c.kind, told, bed, rings, events, stay, err)
			}
		}
		_, _, events := state(v)
		if want := []string{"moved", "discharged", "readmitted", "discharged"}; !slices.Equal(events, want) {
			t.Errorf("events %v, want %v", events, want)
		}
		if stay, err := s.StayOfVisit(ctx, v.ID); err != nil || !stay.Cancelled {
			t.Errorf("a cancelled admission: %+v, %v", stay, err)
		}
		_, late := orderOne(t, s, "c", now.Add(2*time.Millisecond), time.Minute)
		tell(late, ward.TransferEvent, "15")
		round := ward.Round{ID: "r-late", InstitutionID: late.InstitutionID, OrderedBy: "u1", Reason: "抽查", Ordered: now, Deadline: now.Add(time.Hour)}
		late.ID, late.RoundID = "v-late", round.ID // made while the patient lay in bed 12
		if _, err := s.OrderRound(ctx, round, []ward.Visit{late}, [][]byte{hash("d")}); err != nil {
			t.Fatal(err)
		}
		if at, err := s.Visit(ctx, late.ID); err != nil || at.Bed != "15" {
			t.Errorf("moved while the round was ordered: bed %s, %v", at.Bed, err)
		}
		if told := tell(opened, ward.TransferEvent, "14"); len(told) > 0 {
			t.Errorf("a visit that is open somewhere was moved")
		}
		if told := tell(opened, ward.DischargeEvent, ""); len(told) != 1 {
			t.Errorf("a visit that is open but not begun was not told")
		}
	})
}
