package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestBlindPeriods: what was settled while a camera saw nothing is listed with
// its sum; one who says that the camera is well ends it.
func TestBlindPeriods(t *testing.T) {
	w := newWorld(t).serve()
	b := w.newBlind()
	for i, at := range []time.Duration{-time.Hour, time.Second, 2 * time.Second} {
		_, _, err := w.store.AddSettlement(t.Context(), ward.Settlement{
			InstitutionID: own, PlaceID: b.PlaceID, ExternalNo: "blind-" + string(rune('a'+i)), InsuredID: w.insured.ID, Kind: ward.Outpatient, At: b.From.Add(at), AmountFen: 150,
		})
		must(t, err)
	}
	inspector, operator := w.as(w.user(ward.Inspector, "own")), w.as(w.user(ward.Operator, "own"))
	list := into[web.Page[ward.BlindPeriod]](inspector.do(http.MethodGet, "/api/v1/blind-periods?lasting=true&cause=covered&camera_id="+string(b.CameraID), nil).want(200, ""))
	if len(list.Items) != 1 || list.Items[0].ID != b.ID {
		t.Errorf("listed %+v", list)
	}
	path := "/api/v1/blind-periods/" + string(b.ID)
	// The world's own alert has a settlement in it too, of 1 yuan.
	d := into[web.BlindDetail](inspector.do(http.MethodGet, path, nil).want(200, ""))
	if d.Count != 3 || d.SumFen != 400 || len(d.Settlements) != 3 || d.HasBefore || !d.HasAt || !d.To.IsZero() {
		t.Errorf("detail %+v", d)
	}
	if r := inspector.do(http.MethodGet, path+"/at", nil).want(200, ""); !strings.Contains(string(r.body), "covered lens") {
		t.Errorf("picture %q", r.body)
	}
	inspector.do(http.MethodGet, path+"/before", nil).want(404, "")
	inspector.do(http.MethodGet, path+"/elsewhere", nil).want(422, "")

	learn := "/api/v1/cameras/" + string(b.CameraID) + "/learn"
	for want := 1; want >= 0; want-- {
		if got := into[web.SceneLearned](operator.do(http.MethodPost, learn, nil).want(200, "")); got.Ended != want {
			t.Errorf("ended %d, want %d", got.Ended, want)
		}
	}
	if d = into[web.BlindDetail](inspector.do(http.MethodGet, path, nil).want(200, "")); d.To.IsZero() || d.EndedBy == "" {
		t.Errorf("after: %+v", d.BlindPeriod)
	}
}
