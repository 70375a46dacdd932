package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// bigCase is a case with some MB of files, and the keys of their objects.
func (w *world) bigCase() (ward.Case, []string) {
	w.t.Helper()
	c := w.openCase()
	k := evidence.Clerk{Store: w.store, Media: w.media()}
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 3 {
		b := append([]byte("%PDF-"), make([]byte, 3<<20)...)
		_, _ = noise.Read(b[5:])
		_, err := k.AddFile(w.t.Context(), c, fmt.Sprintf("%d.pdf", i), bytes.NewReader(b), int64(len(b)), w.user(ward.Inspector, "own"))
		must(w.t, err)
	}
	var keys []string
	for _, e := range get(w.t, w.store.Evidence, c.ID) {
		if e.Kind == ward.EvidenceFile {
			keys = append(keys, e.Ref)
		}
	}
	return c, keys
}

// head is what an answer says before its body.
type head struct {
	StatusCode    int
	ContentLength int64
	Header        http.Header
}

// fetch is a client that takes at most most bytes of an answer from have on,
// and breaks off; it returns what it has then, and the answer.
func (c client) fetch(path string, have []byte, most int64, etag string) ([]byte, head) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.http.URL+path, nil)
	must(c.t, err)
	req.Header = c.header.Clone()
	if etag != "" {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(have)))
		req.Header.Set("If-Range", etag)
	}
	line := &http.Transport{DisableKeepAlives: true}
	defer line.CloseIdleConnections()
	res, err := line.RoundTrip(req)
	must(c.t, err)
	of := head{res.StatusCode, res.ContentLength, res.Header}
	if res.StatusCode == http.StatusOK { // from the first byte
		have = nil
	} else if res.StatusCode != http.StatusPartialContent {
		b, _ := io.ReadAll(res.Body)
		c.t.Logf("%d %.300s", res.StatusCode, b)
		return have, of
	}
	b, _ := io.ReadAll(io.LimitReader(res.Body, most)) // the end is checked by its length
	must(c.t, res.Body.Close())
	return append(bytes.Clone(have), b...), of
}

// done are the exports of a case that custody tells of, and how they ended.
func (w *world) done(id ward.CaseID) (said []ward.Action, reasons []string) {
	for _, e := range get(w.t, w.store.Custody, id) {
		if e.Action == ward.ActionExport || e.Action == ward.ActionEndExport || e.Action == ward.ActionHandOver {
			said, reasons = append(said, e.Action), append(reasons, e.Reason)
		}
	}
	return said, reasons
}

func (w *world) verifies(zip []byte) {
	w.t.Helper()
	r, err := verify.Package(bytes.NewReader(zip), int64(len(zip)), verify.Trust{Fingerprint: ledger.Fingerprint(w.store.PublicKey())})
	if err != nil || len(r.Failures) > 1 { // the world's alert has a picture that its case has not
		w.t.Errorf("%v %+v", err, r.Failures)
	}
}

func TestExportThatBreaksOffGoesOn(t *testing.T) {
	w := newWorld(t).serve()
	c, _ := w.bigCase()
	inspector := w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/cases/" + string(c.ID) + "/export.zip"
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	got, first := inspector.fetch(path, nil, 100, "")
	size, etag := first.ContentLength, first.Header.Get("ETag")
	for n := 0; int64(len(got)) < size; n++ {
		most := random.Int64N(size / 6)
		if n%3 == 0 {
			most = random.Int64N(500) // in the middle of headers and records too
		}
		had := len(got)
		var res head
		got, res = inspector.fetch(path, got, most, etag)
		if res.StatusCode != 206 || res.Header.Get("ETag") != etag || res.Header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", had, size-1, size) {
			t.Fatalf("from %d: %d %v", had, res.StatusCode, res.Header)
		}
		if n%5 == 4 { // a view between changes nothing
			inspector.do(http.MethodGet, "/api/v1/evidence/"+string(get(t, w.store.Evidence, c.ID)[0].ID)+"/content", nil).want(200, "")
		}
	}
	w.verifies(got)
	if whole, res := inspector.fetch(path, nil, size, etag); res.StatusCode != 200 || !bytes.Equal(whole, got) {
		t.Errorf("as a whole: %d, %d bytes", res.StatusCode, len(whole))
	}
	if said, _ := w.done(c.ID); !slices.Equal(said, []ward.Action{ward.ActionExport}) {
		t.Errorf("custody says %v", said)
	}
	waitFor(t, func() bool {
		x := get(t, w.store.Export, ward.ExportID(strings.Trim(etag, `"`)))
		return x.State == ward.ExportWhole && x.Sent == size
	})
	// Only whoever it is for goes on with it; and a range of nothing in particular is the whole.
	another := w.as(w.user(ward.Inspector, "own"))
	if _, res := another.fetch(path, got[:size-10], size, etag); res.StatusCode != 200 || res.Header.Get("ETag") == etag {
		t.Errorf("another person got %d %v", res.StatusCode, res.Header)
	}
	another.with("Range", "bytes=5-").with("If-Match", etag).do(http.MethodGet, path, nil).want(412, "export.unknown")
	inspector.with("Range", "bytes=5-").do(http.MethodGet, path, nil).want(200, "")
	inspector.with("Range", "bytes=9-5").with("If-Range", etag).do(http.MethodGet, path, nil).want(416, "")
	if said, _ := w.done(c.ID); len(said) != 3 {
		t.Errorf("custody says %v", said)
	}
}

func TestExportTellsWhatChangedBetweenTheRanges(t *testing.T) {
	for what, change := range map[string]func(w *world, path, key string){
		"removed": func(w *world, _, key string) { must(w.t, w.objects.Delete(w.t.Context(), key)) },
		"changed": func(w *world, path, _ string) {
			b, err := os.ReadFile(path)
			must(w.t, err)
			b[len(b)/2] ^= 1
			must(w.t, os.Chmod(path, 0o600))
			must(w.t, os.WriteFile(path, b, 0o600))
		},
	} {
		for where, from := range map[string]int64{"in the file": 2 << 20, "before the file": 1 << 10} {
			t.Run(what+" "+where, func(t *testing.T) {
				w := newWorld(t).serve()
				c, keys := w.bigCase()
				inspector := w.as(w.user(ward.Inspector, "own"))
				path := "/api/v1/cases/" + string(c.ID) + "/export.zip"
				got, first := inspector.fetch(path, nil, from, "")
				etag := first.Header.Get("ETag")
				waitFor(t, func() bool { return get(t, w.store.Export, ward.ExportID(strings.Trim(etag, `"`))).Sent > 0 }) // the first fetch has ended here, too
				change(w, filepath.Join(w.objectDir, filepath.FromSlash(keys[0])), keys[0])
				got, res := inspector.fetch(path, got, 1<<30, etag)
				if int64(len(got)) >= first.ContentLength || res.StatusCode != 206 && res.StatusCode != 409 {
					t.Fatalf("%d, %d of %d bytes", res.StatusCode, len(got), first.ContentLength)
				}
				waitFor(t, func() bool { said, _ := w.done(c.ID); return len(said) == 2 })
				said, reasons := w.done(c.ID)
				if said[1] != ward.ActionEndExport || !strings.HasPrefix(reasons[1], "changed: uploads/") {
					t.Errorf("custody says %v %v", said, reasons)
				}
				again := inspector.with("Range", fmt.Sprintf("bytes=%d-", len(got))).with("If-Range", etag).do(http.MethodGet, path, nil).want(410, "export.ended")
				if !strings.Contains(string(again.body), "uploads/") {
					t.Errorf("not named: %s", again.body)
				}
			})
		}
	}
}

func TestExportIsCancelled(t *testing.T) {
	w := newWorld(t).serve()
	c, _ := w.bigCase()
	inspector, another := w.as(w.user(ward.Inspector, "own")), w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/cases/" + string(c.ID) + "/export.zip"
	got, first := inspector.fetch(path, nil, 1<<20, "")
	etag := first.Header.Get("ETag")
	cancel := "/api/v1/exports/" + strings.Trim(etag, `"`) + "/cancel"
	another.do(http.MethodPost, cancel, nil).want(404, "")
	inspector.do(http.MethodPost, cancel, nil).want(204, "")
	inspector.do(http.MethodPost, cancel, nil).want(410, "export.ended")
	inspector.with("Range", fmt.Sprintf("bytes=%d-", len(got))).with("If-Range", etag).do(http.MethodGet, path, nil).want(410, "export.ended")
	said, reasons := w.done(c.ID)
	if !slices.Equal(said, []ward.Action{ward.ActionExport, ward.ActionEndExport}) || !strings.HasPrefix(reasons[1], "cancelled; ") {
		t.Errorf("custody says %v %v", said, reasons)
	}
	got, first = inspector.fetch(path, nil, 1<<30, "")
	w.verifies(got)
	id := strings.Trim(first.Header.Get("ETag"), `"`) // sent whole, which the client may not know
	waitFor(t, func() bool { return get(t, w.store.Export, ward.ExportID(id)).State == ward.ExportWhole })
	inspector.do(http.MethodPost, "/api/v1/exports/"+id+"/cancel", nil).want(204, "")
	if _, reasons := w.done(c.ID); len(reasons) != 4 || reasons[3] != fmt.Sprintf("cancelled; %d of %d bytes sent", len(got), len(got)) {
		t.Errorf("custody says %v", reasons)
	}
}

func TestExportOfAShareIsDeliveredOnceItIsWhole(t *testing.T) {
	w := newWorld(t).serve()
	v, token := w.share()
	opened := w.anonymous().do(http.MethodPost, "/api/v1/shared/open", m{"token": token, "code": "12345678"}).want(200, "")
	cookie, err := http.ParseSetCookie(opened.header.Get("Set-Cookie"))
	must(t, err)
	k := evidence.Clerk{Store: w.store, Media: w.media()}
	b := append([]byte("%PDF-"), make([]byte, 15<<20)...) // more than the buffers of the line
	_, err = k.AddFile(t.Context(), get(t, w.store.Case, v.CaseID), "1.pdf", bytes.NewReader(b), int64(len(b)), w.user(ward.Inspector, "own"))
	must(t, err)
	device := w.anonymous().with("Cookie", cookie.Name+"="+cookie.Value)
	const path = "/api/v1/shared/package.zip"
	got, first := device.fetch(path, nil, 1<<20, "")
	etag := first.Header.Get("ETag")
	id := ward.ExportID(strings.Trim(etag, `"`))
	waitFor(t, func() bool { return get(t, w.store.Export, id).Sent > 0 })
	if n := len(get(t, w.store.Share, v.ID).Deliveries); n != 0 {
		t.Fatal("delivered before it was whole")
	}
	got, _ = device.fetch(path, got, 3<<20, etag)
	got, _ = device.fetch(path, got, 1<<30, etag)
	w.verifies(got)
	waitFor(t, func() bool { return len(get(t, w.store.Share, v.ID).Deliveries) == 1 })
	if _, res := device.fetch(path, got[:len(got)-5], 1<<30, etag); res.StatusCode != 206 {
		t.Errorf("the end again: %d", res.StatusCode)
	}
	sum := sha256.Sum256(got)
	if d := get(t, w.store.Share, v.ID).Deliveries; len(d) != 1 || d[0].SHA256 != hex.EncodeToString(sum[:]) || d[0].Bytes != int64(len(got)) {
		t.Errorf("got %+v", d)
	}
	if said, _ := w.done(v.CaseID); !slices.Equal(said, []ward.Action{ward.ActionExport, ward.ActionHandOver}) {
		t.Errorf("custody says %v", said)
	}
}

func TestExportThatNobodyGoesOnWithIsTold(t *testing.T) {
	w := newWorld(t).serve()
	c, _ := w.bigCase()
	inspector := w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/cases/" + string(c.ID) + "/export.zip"
	got, res := inspector.fetch(path, nil, 1<<10, "")
	etag := res.Header.Get("ETag")
	must(t, w.store.SweepExports(t.Context(), time.Now().Add(ward.ExportFor-time.Minute)))
	if said, _ := w.done(c.ID); len(said) != 1 {
		t.Errorf("ended early: %v", said)
	}
	must(t, w.store.SweepExports(t.Context(), time.Now().Add(ward.ExportFor+time.Minute)))
	must(t, w.store.SweepExports(t.Context(), time.Now().Add(ward.ExportFor+time.Minute)))
	said, reasons := w.done(c.ID)
	if !slices.Equal(said, []ward.Action{ward.ActionExport, ward.ActionEndExport}) || !strings.Contains(reasons[1], "not fetched whole in time") {
		t.Errorf("custody says %v %v", said, reasons)
	}
	if _, res := inspector.fetch(path, got, 1<<30, etag); res.StatusCode != 410 {
		t.Errorf("got %d", res.StatusCode)
	}
}
