package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestPlaybackIsServedAndRecordedOnce: the playlist's files are served, and
// however many pieces somebody sees, the log has one view for ten minutes.
func TestPlaybackIsServedAndRecordedOnce(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Operator, "own")
	c := w.as(u)
	base := "/api/v1/cameras/" + string(w.camera.ID) + "/"
	list := c.do(http.MethodGet, base+"playback.m3u8"+w.stretch(), nil).want(200, "")
	if list.header.Get("Content-Type") != "application/vnd.apple.mpegurl" || list.header.Get("X-Recording-Video") != "h264" {
		t.Errorf("got %v", list.header)
	}
	if n := len(w.seen()); n != 0 {
		t.Errorf("a playlist shows nothing, and %d views are recorded", n)
	}
	pieces := 0
	for line := range strings.Lines(string(list.body)) {
		name := strings.TrimSpace(line)
		if uri, ok := strings.CutPrefix(name, `#EXT-X-MAP:URI="`); ok {
			name = strings.TrimSuffix(uri, `"`)
		}
		if !strings.HasPrefix(name, "playback/") {
			continue
		}
		pieces++
		file := c.do(http.MethodGet, base+name, nil).want(200, "")
		if len(file.body) < 200 || file.header.Get("Content-Length") != fmt.Sprint(len(file.body)) {
			t.Errorf("%s: %d bytes, %v", name, len(file.body), file.header)
		}
		c.do(http.MethodGet, base+name, nil).want(200, "")
	}
	views := w.seen()
	if pieces != 2 || len(views) != 1 {
		t.Fatalf("%d files, views %+v", pieces, views)
	}
	from := w.segment.Start.UTC().Truncate(10 * time.Minute)
	if v := views[0]; v.Actor != u.ID || v.Object != "camera/"+string(w.camera.ID)+"/playback" || v.Reason != from.Format(time.RFC3339)+"/"+from.Add(10*time.Minute).Format(time.RFC3339) {
		t.Errorf("got %+v", v)
	}
	for _, name := range []string{"x", "1.mp4", "..%2f..%2fx.mp4", fmt.Sprintf("%d-99.m4s", w.segment.Start.UnixMicro()), fmt.Sprintf("%d-00.m4s", w.segment.Start.UnixMicro())} {
		c.do(http.MethodGet, base+"playback/"+name, nil).want(404, "")
	}
	c.do(http.MethodGet, base+"playback.m3u8?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", nil).want(404, "playback.nothing")
	c.do(http.MethodGet, base+"playback.m3u8?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z", nil).want(422, "time.range")
	c.do(http.MethodGet, base+"playback.m3u8?from=yesterday", nil).want(422, "")
	open := c.do(http.MethodGet, base+"playback.m3u8?from="+w.segment.Start.Format(time.RFC3339Nano), nil).want(200, "")
	if !bytes.Contains(open.body, []byte("EVENT")) || bytes.Contains(open.body, []byte("ENDLIST")) {
		t.Errorf("a playlist without an end is over:\n%s", open.body)
	}
	other := w.as(w.user(ward.Operator, "own"))
	w.refuseCustody()
	other.do(http.MethodGet, fmt.Sprintf("%splayback/%d-0.m4s", base, w.segment.Start.UnixMicro()), nil).want(500, "internal")
	other.do(http.MethodGet, base+"thumbnail.jpg?at="+w.segment.Start.Format(time.RFC3339Nano), nil).want(500, "internal")
}

func TestLongListsAreCompressed(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own"))
	for _, what := range []string{"playback.m3u8", "timeline"} {
		path := "/api/v1/cameras/" + string(w.camera.ID) + "/" + what + w.stretch()
		plain := c.with("Accept-Encoding", "identity").do(http.MethodGet, path, nil).want(200, "")
		packed := c.with("Accept-Encoding", "gzip").do(http.MethodGet, path, nil).want(200, "")
		z, err := gzip.NewReader(bytes.NewReader(packed.body))
		must(t, err)
		text, err := io.ReadAll(z)
		must(t, err)
		if !bytes.Equal(text, plain.body) || packed.header.Get("Content-Encoding") != "gzip" || plain.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes plain, %d unpacked, %v", what, len(plain.body), len(text), packed.header)
		}
	}
}

// TestTimelineShowsWhatTheRoleMaySee: an operator sees recordings and their
// events, an inspector what was billed and suspected too.
func TestTimelineShowsWhatTheRoleMaySee(t *testing.T) {
	w := newWorld(t).serve()
	at := w.segment.Start.Add(time.Second)
	must(t, w.store.PutSighting(t.Context(), ward.Sighting{
		ID: "s-1", CameraID: w.camera.ID, PlaceID: w.place.ID, InstitutionID: own, Kind: ward.PeopleSeen, From: at, To: at.Add(time.Second), Count: 2,
	}))
	src := ward.Source{Kind: ward.FromCamera, ID: string(w.camera.ID)}
	for _, inst := range []ward.InstitutionID{own, other} { // the id was used elsewhere before
		must(t, w.store.AddRecordingEvent(t.Context(), ward.RecordingEvent{Source: src, InstitutionID: inst, At: at, Kind: ward.OverTCP}))
	}
	query := "?from=" + w.began.Add(-time.Minute).Format(time.RFC3339Nano) + "&to=" + at.Add(time.Minute).Format(time.RFC3339Nano)
	path := "/api/v1/cameras/" + string(w.camera.ID) + "/timeline" + query
	overTCP := func(tl web.Timeline) (n int) {
		for _, e := range tl.Events { // the world's own recording drifts
			if e.Kind == ward.OverTCP {
				n++
			}
		}
		return n
	}
	full := into[web.Timeline](w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, path, nil).want(200, ""))
	if len(full.Segments) != 1 || overTCP(full) != 1 || len(full.Sightings) != 1 || len(full.Settlements) != 1 || len(full.Alerts) != 1 || full.Cut {
		t.Fatalf("got %+v", full)
	}
	if full.Sightings[0].Count != 2 || full.Alerts[0].ID != w.alert.ID || full.Alerts[0].SettlementID != full.Settlements[0].ID || full.Settlements[0].AmountFen != 100 {
		t.Errorf("got %+v", full)
	}
	part := w.as(w.user(ward.Operator, "own")).do(http.MethodGet, path, nil).want(200, "")
	few := into[web.Timeline](part)
	if len(few.Segments) != 1 || overTCP(few) != 1 || len(few.Sightings)+len(few.Settlements)+len(few.Alerts) != 0 {
		t.Errorf("an operator sees %+v", few)
	}
	if bytes.Contains(part.body, []byte("null")) {
		t.Errorf("got %s", part.body)
	}
}

func TestThumbnails(t *testing.T) {
	w := newWorld(t)
	var now, most, made atomic.Int64
	started, release := make(chan bool, 16), make(chan bool)
	w.web.Thumbnail = func(ctx context.Context, codec ward.Codec, key []byte, side int) ([]byte, error) {
		made.Add(1)
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		if codec != ward.H264 || !bytes.Contains(key, []byte{0, 0, 0, 1, 0x65}) || !bytes.HasPrefix(key, []byte{0, 0, 0, 1, 0x67}) {
			t.Errorf("not a key frame with its sets: %s %x", codec, key)
		}
		started <- true
		select {
		case <-release:
			return fmt.Appendf(nil, "\xff\xd8 %d", side), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	w.serve()
	c := w.as(w.user(ward.Operator, "own"))
	path := func(width int) string {
		return fmt.Sprintf("/api/v1/cameras/%s/thumbnail.jpg?width=%d&at=%s", w.camera.ID, width, w.segment.Start.Add(1500*time.Millisecond).Format(time.RFC3339Nano))
	}
	done := make(chan bool)
	for i := range 4 {
		go func() {
			defer func() { done <- true }()
			r := c.do(http.MethodGet, path(100+i), nil)
			if r.status != 200 || string(r.body) != fmt.Sprintf("\xff\xd8 %d", 100+i) || r.header.Get("X-Thumbnail-At") != w.segment.Start.UTC().Format(time.RFC3339Nano) {
				t.Errorf("got %d %q %v", r.status, r.body, r.header)
			}
		}()
	}
	<-started
	<-started
	close(release)
	for range 4 {
		<-done
	}
	if most.Load() > 2 {
		t.Errorf("%d are decoded at once", most.Load())
	}
	c.do(http.MethodGet, path(100), nil).want(200, "")
	if made.Load() != 4 {
		t.Errorf("%d are decoded, want 4: the last one was known", made.Load())
	}
	c.do(http.MethodGet, path(5000), nil).want(422, "")
	c.do(http.MethodGet, fmt.Sprintf("/api/v1/cameras/%s/thumbnail.jpg?at=2020-01-01T00:00:00Z", w.camera.ID), nil).want(404, "frame.nothing")
	slow := newWorld(t)
	slow.web.Thumbnail = func(context.Context, ward.Codec, []byte, int) ([]byte, error) { return nil, context.DeadlineExceeded }
	slow.serve().as(slow.user(ward.Operator, "own")).do(http.MethodGet, fmt.Sprintf("/api/v1/cameras/%s/thumbnail.jpg?at=%s", slow.camera.ID, slow.segment.Start.Add(time.Second).Format(time.RFC3339Nano)), nil).want(503, "thumbnail.busy")
	without := newWorld(t)
	without.web.Thumbnail = nil
	without.serve().as(without.user(ward.Operator, "own")).do(http.MethodGet, fmt.Sprintf("/api/v1/cameras/%s/thumbnail.jpg?at=2020-01-01T00:00:00Z", without.camera.ID), nil).want(503, "thumbnail.off")
}
