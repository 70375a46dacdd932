package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/storage"
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

// What was seen, what was not, a draw and a report of downtime are added by
// id, in the caller's scope only.
func TestAddWhatWasSeenByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.openCase()
	ctx := t.Context()
	put := func(id string, inst ward.InstitutionID) {
		must(t, w.store.PutSighting(ctx, ward.Sighting{ID: ward.SightingID(id), CameraID: w.camera.ID, PlaceID: w.place.ID, InstitutionID: inst, Kind: ward.PeopleSeen, From: w.began, To: w.began.Add(time.Second), Count: 2}))
		must(t, w.store.OpenBlind(ctx, ward.BlindPeriod{ID: ward.BlindID(id), CameraID: ward.CameraID("cam of " + id), PlaceID: w.place.ID, InstitutionID: inst, Cause: ward.Frozen, From: w.began}))
	}
	put("seen", own)
	put("elsewhere", other)
	report := func(inst ward.InstitutionID) ward.OutageID {
		o, err := w.store.ReportOutage(ctx, ward.Outage{InstitutionID: inst, From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour), Reason: "检修", By: "u"})
		must(t, err)
		return o.ID
	}
	d, err := w.store.CommitDraw(ctx, storage.NewDraw{InstitutionID: own, Source: ward.SourceCoin, By: "u", Record: func(ward.Draw, *ward.Draw) (any, time.Time, error) {
		return m{}, time.Now().Add(time.Hour), nil
	}})
	must(t, err)
	me, path := w.as(w.user(ward.Inspector, "own")), "/api/v1/cases/"+string(c.ID)+"/evidence"
	me.do(http.MethodPost, path, m{"kind": "draw", "ref": d.ID}).want(409, "evidence.draw_open")
	_, err = w.store.StepDraw(ctx, storage.DrawChange{ID: d.ID, Kind: ward.StepAbandon, Record: func(ward.Draw, []storage.SealedStep, time.Time) (any, error) { return m{}, nil }})
	must(t, err)
	for kind, ref := range map[ward.EvidenceKind]string{ward.EvidenceSighting: "seen", ward.EvidenceBlind: "seen", ward.EvidenceOutage: string(report(own)), ward.EvidenceDraw: string(d.ID)} {
		got := into[web.Added](me.do(http.MethodPost, path, m{"kind": kind, "ref": ref}).want(201, "")).Items
		if len(got) == 0 || got[0].Kind != kind {
			t.Fatalf("%s: %+v", kind, got)
		}
		if body := string(me.do(http.MethodGet, "/api/v1/evidence/"+string(got[0].ID)+"/content", nil).want(200, "").body); !strings.Contains(body, ref) || !strings.Contains(body, `"record"`) {
			t.Errorf("%s: %s", kind, body)
		}
		me.do(http.MethodPost, path, m{"kind": kind, "ref": "none"}).want(422, "evidence.subject")
	}
	there := report(other)
	for kind, ref := range map[ward.EvidenceKind]string{ward.EvidenceSighting: "elsewhere", ward.EvidenceBlind: "elsewhere", ward.EvidenceOutage: string(there)} {
		me.do(http.MethodPost, path, m{"kind": kind, "ref": ref}).want(422, "evidence.subject")
		w.as(w.user(ward.Inspector, "all")).do(http.MethodPost, path, m{"kind": kind, "ref": ref}).want(422, "case.institutions")
	}
}

func upload(c client, path string, content []byte) reply {
	return c.with("Content-Type", "application/octet-stream").do(http.MethodPost, path, content)
}

// A file is what its first bytes say, whatever it is called; it is kept as it
// is, never opened, and given back only to be saved.
func TestUploadsAreNeverOpened(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.openCase()
	me := w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/cases/" + string(c.ID) + "/files?name="
	bomb := append([]byte("%PDF-1.7\nPK\x03\x04"), make([]byte, 1<<20)...) // what unpacks it would find a zip; nobody does
	for name, content := range map[string][]byte{"票据.pdf": bomb, "photo.exe": testPicture(), "..": []byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>")} {
		got := into[web.Added](upload(me, path+url.QueryEscape(name), content).want(201, "")).Items
		if len(got) != 1 || got[0].Kind != ward.EvidenceFile || strings.Contains(got[0].Ref, "..") || strings.Contains(got[0].Ref, "photo") {
			t.Fatalf("%s: %+v", name, got)
		}
		a := me.do(http.MethodGet, "/api/v1/evidence/"+string(got[0].ID)+"/content", nil).want(200, "")
		h := a.header
		if !bytes.Equal(a.body, content) || h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename=\"evidence-") ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %d bytes, %v", name, len(a.body), h)
		}
	}
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"a.zip":                  {[]byte("PK\x03\x04"), "upload.type"},
		"bill.pdf":               {[]byte("<html>%PDF-"), "upload.type"},
		"../../etc/x":            {testPicture(), "upload.name"},
		"a\\b.pdf":               {testPicture(), "upload.name"},
		"a\x00b.jpg":             {testPicture(), "upload.name"},
		" ":                      {testPicture(), "upload.name"},
		"rtl\u202egpj.x":         {testPicture(), "upload.name"},
		strings.Repeat("长", 121): {testPicture(), "upload.name"},
	} {
		upload(me, path+url.QueryEscape(name), c.content).want(422, c.code)
	}
	upload(me, path+"large.pdf", append([]byte("%PDF-"), make([]byte, 21<<20)...)).want(422, "upload.size")
	upload(w.as(w.user(ward.Inspector, "other")), path+"a.jpg", testPicture()).want(404, "")
	if r, err := w.store.Fsck(t.Context(), w.media(), storage.FsckOptions{}); err != nil || slices.ContainsFunc(r.Problems, func(p storage.FsckProblem) bool {
		return strings.Contains(p.Where, "upload") || strings.HasPrefix(p.Where, "evidence/")
	}) {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
}
