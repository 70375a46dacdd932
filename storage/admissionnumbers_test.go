package storage_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// A number that a wristband may carry is a stay's, another's, both or nobody's; it is not stored as it is.
func TestNumbersOfAStay(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx, s := t.Context(), w.Store
		hospital(t, s, "h1")
		hospital(t, s, "h2")
		of := func(visit string, hours int, numbers ...string) ward.AdmissionEvent {
			e := adt(ward.AdmitEvent, hours, "1")
			e.Visit, e.ControlID, e.Numbers = visit, visit+string(rune('a'+hours)), numbers
			return e
		}
		first := take(t, s, "h1", of("ZY-1", 0, "ACC-7"), of("ZY-2", 0, "ACC-7", "B-2"))
		elsewhere := take(t, s, "h2", of("ZY-9", 0, "ACC-9"))[0].AdmissionID
		if err := s.AddAdmission(ctx, ward.Admission{ID: "api-1", InstitutionID: "h1", Ward: "内一", Bed: "2", From: time.Now()}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			number      string
			stay        ward.AdmissionID
			its, others bool
		}{
			{"ZY-1", first[0].AdmissionID, true, false},
			{"zy-1", first[0].AdmissionID, true, false},
			{"ACC-7", first[0].AdmissionID, true, true}, // one account, two stays
			{"B-2", first[0].AdmissionID, false, true},
			{"b-2", first[1].AdmissionID, true, false},
			{string(first[0].AdmissionID), first[0].AdmissionID, true, false},
			{"ACC-9", first[0].AdmissionID, false, false}, // of another house
			{"ACC-9", elsewhere, true, false},
			{"API-1", "api-1", true, false},
			{"api-1", first[0].AdmissionID, false, true},
			{"ACC-70", first[0].AdmissionID, false, false},
		} {
			if its, others, err := s.NumberOf(ctx, map[bool]ward.InstitutionID{true: "h2", false: "h1"}[c.stay == elsewhere], c.stay, c.number); err != nil || its != c.its || others != c.others {
				t.Errorf("%s for %s: its %v, others %v, %v", c.number, c.stay, its, others, err)
			}
		}
		before := of("ZY-3", 0)
		take(t, s, "h1", before)
		before.Numbers = []string{"ACC-3"}
		if again := take(t, s, "h1", before); !again[0].Again {
			t.Error("told again, now that numbers are read: taken for another message")
		}
		before.Place.Bed = "99"
		if _, err := s.ApplyAdmissionEvents(ctx, "h1", []ward.AdmissionEvent{before}, false); !errors.Is(err, &ward.Error{Code: "admission.control_id"}) {
			t.Errorf("another message under its control id: %v", err)
		}
		if all, hashes := w.Exec(`UPDATE admission_number SET ref = ref`), w.Exec(`UPDATE admission_number SET ref = ref WHERE LENGTH(ref) = 32`); all != 8 || hashes != all {
			t.Errorf("%d numbers are stored, %d as hashes", all, hashes)
		}
	})
}
