package web_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestBoardOfAThousandBeds reads a round of 1,000 beds, each with what it was
// told, and sees that the answer is no matter of seconds on a busy machine.
func TestBoardOfAThousandBeds(t *testing.T) {
	w := newWorld(t).serve()
	now := time.Now()
	r := ward.Round{ID: "r-1000", InstitutionID: own, OrderedBy: "u", Reason: "抽查", Ordered: now, Deadline: now.Add(time.Hour)}
	visits, hashes := make([]ward.Visit, 1000), make([][]byte, 1000)
	for i := range visits {
		visits[i] = ward.Visit{ID: ward.VisitID(fmt.Sprintf("v-%04d", i)), RoundID: r.ID, InstitutionID: own, AdmissionID: ward.AdmissionID(fmt.Sprintf("a-%04d", i)), InsuredID: w.insured.ID, Ward: "内科", Bed: fmt.Sprint(i), LinkExpires: now.Add(time.Minute)}
		hashes[i] = fmt.Appendf(nil, "hash %d", i)
	}
	_, err := w.store.OrderRound(t.Context(), r, visits, hashes)
	must(t, err)
	_, secret := w.tablet()
	tablet := w.anonymous().with("Cookie", "wardwatch-tablet="+secret)
	tablet.do(http.MethodPost, kiosk+"report", m{"battery": 80, "charging": false, "network": "wifi", "sound": true}).want(200, "")
	began := time.Now()
	got := into[web.RoundDetail](w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, "/api/v1/rounds/r-1000", nil).want(200, ""))
	t.Logf("a board of 1,000 beds took %v", time.Since(began))
	told := 0
	for _, v := range got.Visits {
		told += len(v.Told)
		if v.Visit.Bed == "3" && (len(v.Tablets) != 1 || v.Tablets[0].Lost) {
			t.Errorf("bed 3: %+v", v.Tablets)
		}
	}
	if len(got.Visits) != 1000 || told != 1 {
		t.Errorf("%d visits, %d told", len(got.Visits), told)
	}
}
