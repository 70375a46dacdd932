package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// What is added to an open case by hand, who may, and of what.
func TestAddEvidenceByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.openCase()
	me := w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/cases/" + string(c.ID) + "/evidence"
	add := func(body m) []web.Evidence {
		t.Helper()
		return into[web.Added](me.do(http.MethodPost, path, body).want(201, "")).Items
	}
	before := w.segment.Start.Add(-time.Hour)
	if got := add(m{"kind": "stretch", "camera_id": w.camera.ID, "from": before, "to": before.Add(time.Minute)}); len(got) != 1 || got[0].Kind != ward.EvidenceStretch {
		t.Errorf("nothing recorded: %+v", got)
	} else {
		body := string(me.do(http.MethodGet, "/api/v1/evidence/"+string(got[0].ID)+"/content", nil).want(200, "").body)
		if !strings.Contains(body, `"segments":[]`) || !strings.Contains(body, `"cause":"unknown"`) {
			t.Errorf("the answer: %s", body)
		}
	}
	a := w.newAlert()
	if got := add(m{"kind": "alert", "ref": a.ID}); len(got) < 2 {
		t.Errorf("an alert: %+v", got)
	}
	me.do(http.MethodPost, path, m{"kind": "alert", "ref": a.ID}).want(409, "case.exists")
	v := w.sealedVisit()
	me.do(http.MethodPost, path, m{"kind": "stretch", "visit_id": v.ID}).want(422, "stretch.times") // nobody consented: it has none
	if got := add(m{"kind": "visit", "ref": v.ID}); len(got) < 2 {
		t.Errorf("a visit: %+v", got)
	}
	if got := add(m{"kind": "segment", "ref": w.segment.ID}); len(got) > 1 {
		t.Errorf("a segment: %+v", got)
	}
	if got := add(m{"kind": "settlement", "ref": a.SettlementID}); len(got) != 0 {
		t.Errorf("what the case has: %+v", got)
	}
	for _, body := range []m{
		{"kind": "snapshot", "ref": a.SnapshotKey},
		{"kind": "alert", "ref": "none"},
		{"kind": "alert"},
		{"kind": "stretch", "from": before, "to": before.Add(time.Minute)},
		{"kind": "stretch", "camera_id": "none", "from": before, "to": before.Add(time.Minute)},
	} {
		me.do(http.MethodPost, path, body).want(422, "evidence.subject")
	}
	me.do(http.MethodPost, path, m{"kind": "stretch", "camera_id": w.camera.ID, "from": before, "to": before.Add(25 * time.Hour)}).want(422, "stretch.times")

	// Another institution's, by who may see both, and by who may not.
	must(t, w.store.PutPlace(t.Context(), ward.Place{ID: "place-there", InstitutionID: other, Name: "there", Kind: ward.Charge}))
	must(t, w.store.AddCamera(t.Context(), ward.Camera{ID: "cam-there", InstitutionID: other, PlaceID: "place-there", Name: "there", URL: "rtsp://127.0.0.1/9", Transport: ward.TransportTCP, SegmentSeconds: 10, RetentionDays: 30, Created: w.began}))
	there := m{"kind": "stretch", "camera_id": "cam-there", "from": before, "to": before.Add(time.Minute)}
	me.do(http.MethodPost, path, there).want(422, "evidence.subject")
	w.as(w.user(ward.Inspector, "all")).do(http.MethodPost, path, there).want(422, "case.institutions")
}
