package web_test

import (
	"net/http"
	"testing"

	"wardwatch/ward"
)

// TestZonesAreDrawn: what one draws the other reads; who was slower, or drew
// a line across another, is told so.
func TestZonesAreDrawn(t *testing.T) {
	w := newWorld(t).serve()
	path := "/api/v1/cameras/" + string(w.camera.ID) + "/zones"
	operator, inspector := w.as(w.user(ward.Operator, "own")), w.as(w.user(ward.Inspector, "own"))
	if z := into[ward.Zoning](inspector.do(http.MethodGet, path, nil).want(200, "")); z.Version != 0 || len(z.Zones) != 0 {
		t.Errorf("before: %+v", z)
	}
	points := func(xy ...float64) []m {
		var out []m
		for i := 0; i < len(xy); i += 2 {
			out = append(out, m{"x": xy[i], "y": xy[i+1]})
		}
		return out
	}
	set := func(based int, kind string, p []m) m {
		return m{"based_on": based, "zones": []m{{"kind": kind, "polygon": p}}}
	}
	triangle := points(0, 0, 1, 0, .5, 1)
	if z := into[ward.Zoning](operator.do(http.MethodPut, path, set(0, "customer", triangle)).want(200, "")); z.Version != 1 || z.By == "" || z.At.IsZero() {
		t.Errorf("drawn: %+v", z)
	}
	if z := into[ward.Zoning](inspector.do(http.MethodGet, path, nil).want(200, "")); z.Version != 1 || !z.Has(ward.CustomerZone) || z.Zones[0].Polygon[2] != (ward.Point{X: .5, Y: 1}) {
		t.Errorf("read: %+v", z)
	}
	operator.do(http.MethodPut, path, set(0, "staff", triangle)).want(409, "zone.changed")
	operator.do(http.MethodPut, path, set(1, "staff", points(0, 0, 1, 1, 1, 0, 0, 1))).want(422, "zone.crosses")
	operator.do(http.MethodPut, path, set(1, "elsewhere", triangle)).want(422, "zone.kind")
	operator.do(http.MethodPut, path, set(1, "staff", points(0, 0, 2, 0, 1, 1))).want(422, "")
}
