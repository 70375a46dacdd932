package storage_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

const idNumber = "110101199001011237"

// adt is a message about the stay "ZY1", n hours after the admission.
func adt(kind ward.AdmissionEventKind, n int, bed string) ward.AdmissionEvent {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
	e := ward.AdmissionEvent{
		Kind: kind, Sender: "his", ControlID: fmt.Sprint(kind, n), Visit: "ZY1", Recorded: at, At: at, Precision: ward.ToTheMinute,
		Person: ward.AdmittedPerson{Number: idNumber, Name: "张三"},
	}
	if bed != "" {
		e.Place = ward.BedPlace{Ward: "内一", Bed: bed}
	}
	return e
}

func journey() []ward.AdmissionEvent {
	return []ward.AdmissionEvent{
		adt(ward.AdmitEvent, 0, "1"), adt(ward.TransferEvent, 2, "2"), adt(ward.TransferEvent, 3, "9"), adt(ward.CancelTransferEvent, 4, "2"),
		adt(ward.TransferEvent, 6, "3"), adt(ward.DischargeEvent, 9, "3"),
	}
}

func hospital(t *testing.T, s *storage.Store, id ward.InstitutionID) {
	t.Helper()
	if err := s.PutInstitution(t.Context(), ward.Institution{ID: id, Name: "医院"}); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, s *storage.Store, inst ward.InstitutionID, events ...ward.AdmissionEvent) []storage.AdmissionTaken {
	t.Helper()
	k, err := s.ApplyAdmissionEvents(t.Context(), inst, events, false)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Out of order, twice, and several at a time: who lay where is told the same.
func TestAdmissionEventsInAnyOrder(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		var want []ward.BedStay
		for turn := range 4 {
			inst := ward.InstitutionID(fmt.Sprint("h", turn))
			hospital(t, s, inst)
			events := journey()
			if turn > 0 {
				events = append(events, events[1], events[5])
				rand.New(rand.NewPCG(uint64(turn), 3)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			}
			var all sync.WaitGroup
			for i := range events {
				send := func() {
					if _, err := s.ApplyAdmissionEvents(t.Context(), inst, events[i:i+1], false); err != nil {
						t.Error(err)
					}
				}
				if turn == 3 {
					all.Go(send)
				} else {
					send()
				}
			}
			all.Wait()
			stays, err := s.Admissions(t.Context(), []ward.InstitutionID{inst}, "")
			if err != nil || len(stays) != 1 || stays[0].Bed != "3" || stays[0].Ward != "内一" || !stays[0].To.Equal(events[0].At.Add(0)) && stays[0].To.IsZero() {
				t.Fatalf("turn %d: %+v, %v", turn, stays, err)
			}
			beds, err := s.BedsOf(t.Context(), stays[0].ID)
			if err != nil || len(beds) != 3 {
				t.Fatalf("turn %d: %+v, %v", turn, beds, err)
			}
			if turn == 0 {
				want = beds
			} else if !reflect.DeepEqual(beds, want) {
				t.Errorf("turn %d: %+v, not %+v", turn, beds, want)
			}
		}
		for n, bed := range map[int]string{-1: "", 1: "1", 3: "2", 7: "3", 10: ""} {
			when := adt(ward.AdmitEvent, n, "").At
			there, err := s.AdmissionsAt(t.Context(), []ward.InstitutionID{"h2"}, "内一", when)
			if err != nil || (bed == "") != (len(there) == 0) || bed != "" && there[0].Bed != bed {
				t.Errorf("after %d hours: %+v, %v", n, there, err)
			}
		}
	})
}

func TestAdmissionEventsOnceAndWhole(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		hospital(t, s, "h1")
		first := take(t, s, "h1", adt(ward.AdmitEvent, 0, "1"))[0]
		if again := take(t, s, "h1", adt(ward.AdmitEvent, 0, "1"))[0]; !first.Begun || !again.Again || again.AdmissionID != first.AdmissionID {
			t.Errorf("%+v, then %+v", first, again)
		}
		other := adt(ward.AdmitEvent, 0, "5")
		if _, err := s.ApplyAdmissionEvents(t.Context(), "h1", []ward.AdmissionEvent{adt(ward.TransferEvent, 1, "2"), other}, false); !errors.Is(err, &ward.Error{Code: "admission.control_id"}) {
			t.Errorf("another message under the number: %v", err)
		}
		if dry, err := s.ApplyAdmissionEvents(t.Context(), "h1", []ward.AdmissionEvent{adt(ward.TransferEvent, 1, "2")}, true); err != nil || len(dry) != 1 || dry[0].Again {
			t.Errorf("dry run: %+v, %v", dry, err)
		}
		if a, err := s.Admission(t.Context(), first.AdmissionID); err != nil || a.Bed != "1" {
			t.Errorf("half of a refused file, or of a dry run, was kept: %+v, %v", a, err)
		}
		if _, err := s.ApplyAdmissionEvents(t.Context(), "nowhere", []ward.AdmissionEvent{other}, false); !errors.Is(err, &ward.Error{Code: "institution.unknown"}) {
			t.Errorf("unknown institution: %v", err)
		}
		hospital(t, s, "h2")
		if k := take(t, s, "h2", adt(ward.AdmitEvent, 0, "1"))[0]; !k.Begun || k.AdmissionID == first.AdmissionID {
			t.Errorf("two hospitals share a number: %+v", k)
		}
	})
}

// A stay of somebody unknown is kept, without the number in clear, and is
// theirs as soon as they are known; a stay of the known is theirs at once.
func TestAdmissionJoinsTheInsured(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		hospital(t, s, "h1")
		id := take(t, s, "h1", adt(ward.AdmitEvent, 0, "1"))[0].AdmissionID
		told, err := s.AdmittedPeople(t.Context(), []ward.AdmissionID{id})
		if err != nil || told[id].Person.Number != idNumber || told[id].Person.Name != "张三" {
			t.Fatalf("%+v, %v", told, err)
		}
		of := func(id ward.AdmissionID) ward.InsuredID {
			t.Helper()
			a, err := s.Admission(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return a.InsuredID
		}
		if who := of(id); who != "" {
			t.Errorf("an unknown person is %q", who)
		}
		if err := s.PutInsured(t.Context(), ward.Insured{ID: "p7", Name: "张三", IDNumber: " 110101199001011237"}); err != nil {
			t.Fatal(err)
		}
		if who := of(id); who != "p7" {
			t.Errorf("the stay is of %q", who)
		}
		next := adt(ward.AdmitEvent, 1, "4")
		next.Visit = "ZY2"
		if who := of(take(t, s, "h1", next)[0].AdmissionID); who != "p7" {
			t.Errorf("the next stay is of %q", who)
		}
		corrected := adt(ward.UpdateEvent, 5, "")
		corrected.Person.Number = "110101199002021239"
		take(t, s, "h1", corrected)
		if who := of(id); who != "" {
			t.Errorf("after a correction the stay is of %q", who)
		}
	})
}

// A stay that was registered over the API goes on by the hospital's messages.
func TestAdmissionRegisteredIsAdopted(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		hospital(t, s, "h1")
		a := ward.Admission{ID: "zy1", InstitutionID: "h1", InsuredID: "p1", Ward: "内一", Bed: "8", Physician: "李", From: adt(ward.AdmitEvent, 0, "").At}
		if err := s.AddAdmission(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		e := adt(ward.TransferEvent, 3, "2")
		e.Visit = "zy1"
		if k := take(t, s, "h1", e)[0]; k.Begun || k.AdmissionID != "zy1" {
			t.Errorf("%+v", k)
		}
		got, err := s.Admission(t.Context(), "zy1")
		if err != nil || got.InsuredID != "p1" || got.Bed != "2" || got.Physician != "李" || !got.From.Equal(a.From) {
			t.Errorf("%+v, %v", got, err)
		}
		if beds, err := s.BedsOf(t.Context(), "zy1"); err != nil || len(beds) != 2 || beds[0].Bed != "8" {
			t.Errorf("%+v, %v", beds, err)
		}
		e.Visit, e.ControlID = "zy2", "x"
		take(t, s, "h1", e)
		a.ID = "zy2"
		if err := s.AddAdmission(t.Context(), a); !errors.Is(err, &ward.Error{Code: "admission.exists"}) {
			t.Errorf("registered though messages told of it: %v", err)
		}
	})
}
