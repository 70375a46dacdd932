package web_test

import (
	"net/http"
	"slices"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// A release as two people walk it, and who may not.
func TestReleaseByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.openCase()
	confirmer := w.user(ward.Inspector, "own")
	first, second, elsewhere := w.as(w.user(ward.Inspector, "own")), w.as(confirmer), w.as(w.user(ward.Inspector, "other"))
	base := "/api/v1/cases/" + string(c.ID)
	holds := func() web.CaseHolds {
		t.Helper()
		return into[web.CaseHolds](second.do(http.MethodGet, base+"/holds", nil).want(200, ""))
	}
	was := holds()
	if was.InForce+was.Pictures == 0 || was.Ended != 0 || len(was.Releases) != 0 {
		t.Fatalf("held: %+v", was)
	}
	elsewhere.do(http.MethodGet, base+"/holds", nil).want(404, "")
	elsewhere.do(http.MethodPost, base+"/releases", m{"reason": "办结"}).want(404, "")
	first.do(http.MethodPost, base+"/releases", m{"reason": " "}).want(422, "release.reason")
	r := into[ward.HoldRelease](first.do(http.MethodPost, base+"/releases", m{"reason": "办结"}).want(201, ""))
	second.do(http.MethodPost, base+"/releases", m{"reason": "办结"}).want(409, "release.open")

	answer := "/api/v1/releases/" + string(r.ID) + "/answer"
	yes := m{"agree": true, "password": "a long password"}
	elsewhere.do(http.MethodPost, answer, yes).want(404, "")
	first.do(http.MethodPut, "/api/v1/me/password", m{"password": "a long password"}).want(204, "")
	first.do(http.MethodPost, answer, yes).want(403, "release.same_person")
	second.do(http.MethodPost, answer, m{"agree": false}).want(422, "release.answer")
	second.do(http.MethodPost, answer, yes).want(409, "again.no_password")
	second.do(http.MethodPut, "/api/v1/me/password", m{"password": "a long password"}).want(204, "")
	second.do(http.MethodPost, answer, m{"agree": true, "password": "another password"}).want(422, "again.wrong")
	w.token(confirmer).do(http.MethodPost, answer, yes).want(403, "again.person")
	if now := holds(); now.InForce != was.InForce {
		t.Errorf("before it was confirmed: %+v", now)
	}
	second.do(http.MethodPost, answer, yes).want(200, "")
	second.do(http.MethodPost, answer, yes).want(409, "release.answered")
	if now := holds(); now.InForce != 0 || now.Pictures != 0 || now.Ended != was.InForce || now.Releases[0].State != ward.ReleaseConfirmed {
		t.Errorf("released: %+v", now)
	}
	d := into[web.CaseDetail](second.do(http.MethodGet, base, nil).want(200, ""))
	refused := 0
	log := slices.DeleteFunc(d.Custody, func(e ward.Custody) bool {
		if e.Result == ward.ResultRefused && e.Action == ward.ActionRelease && e.Object != "" {
			refused++
		}
		return e.Action == ward.ActionView || e.Result == ward.ResultRefused
	})
	if refused == 0 {
		t.Error("custody does not say who was refused")
	}
	n := len(log)
	if a, b := log[n-2], log[n-1]; a.Action != ward.ActionAskRelease || a.Reason != "办结" || b.Action != ward.ActionRelease || b.Actor != confirmer.ID {
		t.Errorf("custody: %+v, %+v", a, b)
	}
	first.do(http.MethodPost, base+"/releases", m{"reason": "办结"}).want(409, "release.nothing")
}
