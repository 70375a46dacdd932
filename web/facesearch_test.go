package web_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/facesearch"
	"wardwatch/ward"
	"wardwatch/web"
)

// searchable lets the server search faces.
func (w *world) searchable() {
	w.t.Helper()
	w.web.Faces = &facesearch.Index{Store: w.store}
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.web.Faces.Run(ctx) }()
	w.t.Cleanup(func() { stop(); must(w.t, <-done) })
	w.searchableNow()
}

// searchableNow waits until everything stored is in the index.
func (w *world) searchableNow() {
	w.t.Helper()
	now := time.Now()
	for end := now.Add(time.Minute); w.web.Faces.Status().Until.Before(now); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("the index does not follow: %+v", w.web.Faces.Status())
		}
	}
}

// newFace is a face like that of every photo, at the counter of own, with a picture.
func (w *world) newFace() ward.Sighting {
	w.t.Helper()
	v := ward.Sighting{
		ID: ward.NewID[ward.SightingID](w.began), CameraID: w.camera.ID, PlaceID: w.place.ID, InstitutionID: own, Kind: ward.FaceSeen,
		From: w.began, To: w.began.Add(time.Second), Count: 3, ModelID: "model", Template: ward.Template{1},
	}
	jpeg := []byte("\xff\xd8\xff\xe0 a face of " + string(own))
	v.SnapshotKey = fmt.Sprintf("v1/snapshots/%s.jpg", v.ID)
	must(w.t, w.objects.Put(w.t.Context(), v.SnapshotKey, bytes.NewReader(jpeg), int64(len(jpeg))))
	must(w.t, w.store.PutSighting(w.t.Context(), v))
	return v
}

// looking is the body of a search, with some fields changed.
func (w *world) looking(change m) m {
	body := m{"purpose": "cards", "reason": "核查一人多卡线索", "from": w.began.Add(-time.Hour), "to": w.began.Add(time.Hour), "least": .56}
	maps.Copy(body, change)
	return body
}

func (w *world) searchAs(u ward.User, change m) reply {
	w.t.Helper()
	return w.as(u).do(http.MethodPost, "/api/v1/face-searches", w.looking(change))
}

// A search tells who stood at which counter with which card, masked, and is
// sealed with its reason before; without the face, and without the answer
// when it cannot be sealed.
func TestFaceSearchIsSealedWithItsReason(t *testing.T) {
	w := newWorld(t)
	face := w.newFace()
	w.searchable()
	w.serve()
	u := w.user(ward.Inspector, "own")
	got := into[web.FaceSearchResult](w.searchAs(u, m{"photo": []byte("\xff\xd8 photo")}).want(200, ""))
	if len(got.Hits) != 1 || got.Hits[0].Sighting.ID != face.ID || !got.Hits[0].HasPicture || len(got.Hits[0].Settlements) == 0 || got.More || got.Search.Searched != 1 {
		t.Fatalf("got %+v", got)
	}
	if p := got.Hits[0].Settlements[0].Insured; p.Name != "张*" || strings.Contains(p.IDNumber, "19900101") {
		t.Errorf("the card's owner is not masked: %+v", p)
	}
	sealed := get(t, w.store.Sealed, got.Search.Leaf)
	var record ward.FaceSearch
	must(t, sealed.Into(&record))
	if sealed.Kind != storage.KindSearch || record.Reason != "核查一人多卡线索" || record.By != u.ID || record.Purpose != ward.SearchCards || !slices.Equal(record.Found, []ward.SightingID{face.ID}) {
		t.Errorf("sealed %s", sealed.Body)
	}
	if !slices.ContainsFunc(w.seen(), func(e ward.Custody) bool {
		return e.Action == ward.ActionSearch && e.Object == "face_search/"+string(got.Search.ID) && e.Reason == record.Reason && e.Actor == u.ID
	}) {
		t.Error("the search is no custody event")
	}
	if strings.Contains(w.log.String(), "线索") {
		t.Error("the reason is in the log")
	}

	whereabouts := into[web.FaceSearchResult](w.searchAs(u, m{"purpose": "whereabouts", "alert_id": w.faceAlert(face)}).want(200, ""))
	if len(whereabouts.Hits) != 1 || len(whereabouts.Hits[0].Settlements) != 0 || whereabouts.Search.Subject != ward.SubjectAlert {
		t.Errorf("where it was: %+v", whereabouts)
	}
	w.refuse("INSERT", "face_search")
	if r := w.searchAs(u, m{"photo": []byte("x")}).want(500, "internal"); bytes.Contains(r.body, []byte(face.ID)) {
		t.Errorf("a search that was not sealed told %s", r.body)
	}
}

// faceAlert is an alert that rests on a face.
func (w *world) faceAlert(face ward.Sighting) ward.AlertID {
	w.t.Helper()
	a := w.alert
	v, _, err := w.store.AddSettlement(w.t.Context(), ward.Settlement{
		InstitutionID: own, PlaceID: w.place.ID, ExternalNo: fmt.Sprintf("no-%d", w.next()), InsuredID: w.insured.ID, Kind: ward.Outpatient, At: w.began, AmountFen: 100,
	})
	must(w.t, err)
	a.ID, a.Rule, a.SettlementID, a.Sightings = ward.NewID[ward.AlertID](w.began), ward.FaceMismatch, v.ID, []ward.SightingID{face.ID}
	_, _, err = w.store.Judge(w.t.Context(), storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{a}})
	must(w.t, err)
	return a.ID
}

func TestFaceSearchRefusesWhatIsNotAllowed(t *testing.T) {
	w := newWorld(t)
	face := w.newFace()
	must(t, w.store.Enrol(t.Context(), w.insured.ID, ward.Template{1}, "model", ""))
	w.searchable()
	w.serve()
	photo := []byte("\xff\xd8")
	for _, c := range []struct {
		name, scope string
		change      m
		status      int
		code        string
	}{
		{"no reason", "own", m{"photo": photo, "reason": "      "}, 422, "search.reason"},
		{"backwards", "own", m{"photo": photo, "to": w.began.Add(-2 * time.Hour)}, 422, "search.time"},
		{"anybody", "own", m{"photo": photo, "least": .1}, 422, "request.invalid"},
		{"no purpose", "own", m{"photo": photo, "purpose": "curiosity"}, 422, "request.invalid"},
		{"nobody", "own", m{}, 422, "search.subject"},
		{"two at once", "own", m{"photo": photo, "insured_id": w.insured.ID}, 422, "search.subject"},
		{"an alert of others", "other", m{"alert_id": w.alert.ID}, 422, "not_found"},
		{"an alert without a face", "own", m{"alert_id": w.alert.ID}, 422, "search.no_face"},
		{"a person, by one who sees one institution", "own", m{"insured_id": w.insured.ID}, 403, "forbidden"},
		{"a person", "all", m{"insured_id": w.insured.ID}, 200, ""},
	} {
		t.Log(c.name)
		w.searchAs(w.user(ward.Inspector, c.scope), c.change).want(c.status, c.code)
	}
	for _, change := range []m{{"photo": photo}, {"photo": photo, "institution_id": own}, {"photo": photo, "place_id": w.place.ID}} {
		r := w.searchAs(w.user(ward.Inspector, "other"), change).want(200, "")
		if got := into[web.FaceSearchResult](r); len(got.Hits) != 0 || got.Search.Searched != 0 || bytes.Contains(r.body, []byte(face.ID)) {
			t.Errorf("somebody of another institution got %s", r.body)
		}
	}
}

// Everybody sees their own searches, an administrator of all institutions all.
func TestFaceSearchesAreListed(t *testing.T) {
	w := newWorld(t)
	w.searchable()
	w.serve()
	one, two := w.user(ward.Inspector, "own"), w.user(ward.Administrator, "own")
	for _, u := range []ward.User{one, two, one} {
		w.searchAs(u, m{"photo": []byte("x")}).want(200, "")
	}
	for _, c := range []struct {
		who  ward.User
		sees int
	}{{one, 2}, {two, 1}, {w.user(ward.Administrator, "all"), 3}, {w.user(ward.Inspector, "all"), 0}} {
		page := into[web.Page[ward.FaceSearch]](w.as(c.who).do(http.MethodGet, "/api/v1/face-searches", nil).want(200, ""))
		if len(page.Items) != c.sees {
			t.Errorf("%s of %v sees %d searches, want %d", c.who.Role, c.who.Institutions, len(page.Items), c.sees)
		}
	}
}
