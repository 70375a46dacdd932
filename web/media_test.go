package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// TestMediaIsServedAndRecorded: whoever looks gets the bytes, whole and in
// ranges, and stands in the ledger.
func TestMediaIsServedAndRecorded(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Inspector, "own")
	c := w.as(u)
	path := "/api/v1/segments/" + string(w.segment.ID) + "/media.mp4"
	whole := c.do(http.MethodGet, path, nil).want(200, "")
	if sha256.Sum256(whole.body) != w.segment.SHA256 || whole.header.Get("Content-Type") != "video/mp4" {
		t.Errorf("the bytes differ, or are %s", whole.header.Get("Content-Type"))
	}
	check := func(when string) {
		t.Helper()
		part := c.with("Range", "bytes=10-19").do(http.MethodGet, path, nil).want(206, "")
		if !bytes.Equal(part.body, whole.body[10:20]) {
			t.Errorf("%s: range got %x, want %x", when, part.body, whole.body[10:20])
		}
		c.with("Range", "bytes=99999999-").do(http.MethodGet, path, nil).want(416, "")
	}
	check("from the spool")
	views := w.seen()
	if len(views) != 1 { // a player's many ranges are one view
		t.Fatalf("got %d custody events, want 1: %+v", len(views), views)
	}
	if v := views[0]; v.Actor != u.ID || v.Role != ward.Inspector || v.Action != ward.ActionView || v.Object != "segment/"+string(w.segment.ID) || v.SHA256 != hex.EncodeToString(w.segment.SHA256[:]) {
		t.Errorf("got %+v", v)
	}
	w.archive(w.segment)
	check("from the store")
	w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, path, nil).want(200, "")
	if views = w.seen(); len(views) != 2 {
		t.Errorf("another user's view is not recorded: %+v", views)
	}
}

// archive does what the uploader does.
func (w *world) archive(g ward.Segment) {
	w.t.Helper()
	m := w.media()
	r, err := m.Segment(w.t.Context(), g)
	must(w.t, err)
	b, err := io.ReadAll(r)
	must(w.t, err)
	must(w.t, r.Close())
	must(w.t, w.objects.Put(w.t.Context(), g.Key, bytes.NewReader(b), int64(len(b))))
	must(w.t, w.store.MarkArchived(w.t.Context(), g.ID))
}

func TestAlertClipAndSnapshot(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own"))
	base := "/api/v1/alerts/" + string(w.alert.ID)
	clip := c.do(http.MethodGet, base+"/clip.mp4", nil).want(200, "")
	if len(clip.body) < 100 || !bytes.Equal(clip.body[4:8], []byte("ftyp")) || clip.header.Get("X-Clip-From") == "" {
		t.Errorf("got %d bytes, %v", len(clip.body), clip.header)
	}
	sum := sha256.Sum256(clip.body)
	views := w.seen()
	if len(views) != 1 || views[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the view does not name the bytes shown: %+v", views)
	}
	jpeg := c.do(http.MethodGet, base+"/snapshot.jpg", nil).want(200, "")
	if !bytes.HasPrefix(jpeg.body, []byte("\xff\xd8")) || jpeg.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("got %q", jpeg.body)
	}
	if views = w.seen(); len(views) != 2 {
		t.Errorf("got %d custody events, want 2", len(views))
	}
}

// TestNothingIsShownUnrecorded: when the view cannot be recorded, not a byte
// is served.
func TestNothingIsShownUnrecorded(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own"))
	w.refuseCustody()
	for _, path := range []string{
		"/api/v1/segments/" + string(w.segment.ID) + "/media.mp4",
		"/api/v1/alerts/" + string(w.alert.ID) + "/clip.mp4",
		"/api/v1/alerts/" + string(w.alert.ID) + "/snapshot.jpg",
	} {
		c.do(http.MethodGet, path, nil).want(500, "internal")
	}
}

// TestVisitRecordingNeedsMoreThanWatching: an operator watches cameras, not beds.
func TestVisitRecordingNeedsMoreThanWatching(t *testing.T) {
	w := newWorld(t).serve()
	v, _ := w.visit()
	g := w.record(ward.Source{Kind: ward.FromVisit, ID: string(v.ID)})
	path := "/api/v1/segments/" + string(g.ID) + "/media.mp4"
	w.as(w.user(ward.Operator, "own")).do(http.MethodGet, path, nil).want(403, "forbidden")
	w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, path, nil).want(200, "")
}

func TestEvidenceAndExport(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Inspector, "own")
	c := w.as(u)
	file := into[ward.Case](c.do(http.MethodPost, "/api/v1/cases", m{"alert_id": w.alert.ID, "title": "空刷"}).want(201, ""))
	c.do(http.MethodPost, "/api/v1/cases", m{"alert_id": w.alert.ID, "title": "空刷"}).want(409, "case.exists")
	c.do(http.MethodPost, "/api/v1/cases", m{"title": "空刷"}).want(422, "case.subject")
	for _, e := range get(t, w.store.Evidence, file.ID) {
		r := c.do(http.MethodGet, "/api/v1/evidence/"+string(e.ID)+"/content", nil).want(200, "")
		if len(r.body) == 0 || e.Kind == ward.EvidenceSegment && sha256.Sum256(r.body) != e.SHA256 {
			t.Errorf("%s %s: %d bytes", e.Kind, e.Ref, len(r.body))
		}
	}
	zip := c.do(http.MethodGet, "/api/v1/cases/"+string(file.ID)+"/export.zip", nil).want(200, "")
	if !bytes.HasPrefix(zip.body, []byte("PK")) {
		t.Errorf("got %.20q", zip.body)
	}
	events := get(t, w.store.Custody, file.ID)
	last := events[len(events)-1]
	if last.Action != ward.ActionExport || last.Actor != u.ID {
		t.Errorf("got %+v", last)
	}
}

// TestAClipIsCutOnce: what is asked for after the first request costs no new
// cut, is the same bytes, and is one view.
func TestAClipIsCutOnce(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Inspector, "own")
	c, path := w.as(u), "/api/v1/cameras/"+string(w.camera.ID)+"/clip.mp4"+w.stretch()
	c.with("Range", "bytes=0-1").do(http.MethodGet, path, nil).want(206, "")
	w.web.Library = &ingest.Library{Spool: w.spool, Objects: w.objects} // it knows no catalogue: nothing can be cut
	whole := c.do(http.MethodGet, path, nil).want(200, "")
	etag := whole.header.Get("ETag")
	for _, r := range [][2]int{{0, 100}, {len(whole.body) / 2, len(whole.body)/2 + 500}, {len(whole.body) - 10, len(whole.body) - 1}} {
		part := c.with("Range", fmt.Sprintf("bytes=%d-%d", r[0], r[1])).with("If-Range", etag).do(http.MethodGet, path, nil).want(206, "")
		if !bytes.Equal(part.body, whole.body[r[0]:r[1]+1]) {
			t.Errorf("bytes %v are others", r)
		}
	}
	views := w.seen()
	if sum := fmt.Sprintf("%x", sha256.Sum256(whole.body)); len(views) != 1 || views[0].SHA256 != sum || etag != `"`+sum+`"` {
		t.Errorf("the bytes are %s, tag %s, views %+v", sum, etag, views)
	}
}
