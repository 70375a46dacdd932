package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestCameraNames: whoever may watch learns the names of the cameras in
// scope, and nothing of their addresses.
func TestCameraNames(t *testing.T) {
	w := newWorld(t).serve()
	mine := w.newCamera()
	r := w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, "/api/v1/camera-names", nil).want(200, "")
	found := false
	for _, c := range into[web.Page[map[string]json.RawMessage]](r).Items {
		if len(c) != 4 {
			t.Errorf("got %s, want id, name, institution and place alone", r.body)
		}
		found = found || string(c["id"]) == `"`+string(mine.ID)+`"`
	}
	if !found {
		t.Errorf("a camera of the institution has no name: %s", r.body)
	}
	r = w.as(w.user(ward.Inspector, "other")).do(http.MethodGet, "/api/v1/camera-names", nil).want(200, "")
	if strings.Contains(string(r.body), string(mine.ID)) {
		t.Errorf("another institution's camera is named: %s", r.body)
	}
}
