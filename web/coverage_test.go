package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestCoverageComesByPages walks the pages: each camera's days come once.
func TestCoverageComesByPages(t *testing.T) {
	w := newWorld(t).serve()
	want := []ward.CameraID{w.camera.ID}
	for range 5 {
		want = append(want, w.newCamera().ID)
	}
	slices.Sort(want)
	today := w.began.In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	path := "/api/v1/coverage?from=" + today + "&to=" + today
	c := w.as(w.user(ward.Inspector, "own"))
	var got []ward.CameraID
	for cursor, pages := "", 0; ; pages++ {
		p := into[web.CoveragePage](c.do(http.MethodGet, path+"&limit=4&cursor="+cursor, nil).want(200, ""))
		if p.Total != len(want) || p.Cameras > 4 || pages > 1 {
			t.Fatalf("page %d: %d cameras of %d", pages, p.Cameras, p.Total)
		}
		for _, d := range p.Items {
			got = append(got, d.CameraID)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	one := into[web.CoveragePage](c.do(http.MethodGet, path+"&q="+string(w.camera.ID), nil).want(200, ""))
	if one.Cameras != 1 || len(one.Items) != 1 || one.Items[0].CameraID != w.camera.ID {
		t.Errorf("a search found %+v", one)
	}
	none := into[web.CoveragePage](w.as(w.user(ward.Inspector, "other")).do(http.MethodGet, path, nil).want(200, ""))
	if none.Total != 0 || len(none.Items) != 0 {
		t.Errorf("another institution's inspector sees %+v", none)
	}
	c.do(http.MethodGet, path+"&limit=51", nil).want(422, "")
}
