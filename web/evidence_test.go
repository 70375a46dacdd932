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
	upload(me, path+"large.pdf", append([]byte("%PDF-"), make([]byte, 21<<20)...)).want(413, "")
	upload(w.as(w.user(ward.Inspector, "other")), path+"a.jpg", testPicture()).want(404, "")
	if r, err := w.store.Fsck(t.Context(), w.media(), storage.FsckOptions{}); err != nil || slices.ContainsFunc(r.Problems, func(p storage.FsckProblem) bool {
		return strings.Contains(p.Where, "upload") || strings.HasPrefix(p.Where, "evidence/")
	}) {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
}
