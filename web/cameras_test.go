package web_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestRecordingsDoNotChangeHands: nobody gets at another institution's
// recordings by taking over the id of its camera.
func TestRecordingsDoNotChangeHands(t *testing.T) {
	w := newWorld(t).serve()
	id := string(w.camera.ID)
	settings := func(place string) m {
		return m{"id": id, "place_id": place, "name": "摄像头", "url": "rtsp://192.0.2.1/1", "enabled": false}
	}
	path, span := "/api/v1/cameras/"+id, "?"+url.Values{
		"from": {w.segment.Start.Format(time.RFC3339Nano)}, "to": {w.segment.End.Format(time.RFC3339Nano)},
	}.Encode()
	owner, thief, chief := w.as(w.user(ward.Operator, "own")), w.as(w.user(ward.Operator, "other")), w.as(w.user(ward.Administrator, "all"))
	change := settings("p-h-other")
	delete(change, "id")
	owner.do(http.MethodPut, path, change).want(422, "place.unknown")
	chief.do(http.MethodPut, path, change).want(409, "camera.institution")

	owner.do(http.MethodDelete, path, nil).want(204, "")
	thief.do(http.MethodPost, "/api/v1/cameras", settings("p-h-other")).want(409, "camera.exists")
	for _, what := range []string{"/timeline", "/clip.mp4"} {
		thief.do(http.MethodGet, path+what+span, nil).want(404, "not_found")
	}

	owner.do(http.MethodPost, "/api/v1/cameras", settings("p-h-own")).want(201, "")
	tl := into[web.Timeline](owner.do(http.MethodGet, path+"/timeline"+span, nil).want(200, ""))
	if len(tl.Segments) != 1 || tl.Segments[0].ID != w.segment.ID {
		t.Errorf("the owner's own camera, added again, lost its recordings: %+v", tl)
	}
}

// TestClipsGiveTheirSlotsBack asks for more clips than may be open at once,
// whole, in part and in vain.
func TestClipsGiveTheirSlotsBack(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/alerts/" + string(w.alert.ID) + "/clip.mp4"
	none := "/api/v1/cameras/" + string(w.camera.ID) + "/clip.mp4?from=2020-01-01T00:00:00Z&to=2020-01-01T00:01:00Z"
	for range 12 {
		c.do(http.MethodGet, path, nil).want(200, "")
		c.with("Range", "bytes=10-19").do(http.MethodGet, path, nil).want(206, "")
		if r := c.do(http.MethodGet, none, nil); r.status < 400 || r.status >= 500 {
			t.Fatalf("a clip of nothing: %d %.200s", r.status, r.body)
		}
	}
}
