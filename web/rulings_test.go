package web_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"testing"
	"time"

	"wardwatch/rounds"
	"wardwatch/ward"
	"wardwatch/web"
)

// testPicture is a small JPEG.
func testPicture() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		panic(err) // of a buffer
	}
	return b.Bytes()
}

// proposed is a fresh proposal with a picture over a fresh visit.
func (w *world) proposed() ward.Ruling {
	w.t.Helper()
	v, _ := w.visit()
	r, err := w.rounds.Propose(w.t.Context(), v.ID, w.user(ward.Inspector, "own"), rounds.Proposal{
		Circumstance: ward.OnLeave, Verdict: ward.Absent, Reason: "请假外出", People: []string{"护士甲"}, Pictures: [][]byte{testPicture()},
	})
	must(w.t, err)
	return r
}

// undecided is a fresh visit that its checks left to a human.
func (w *world) undecided(checks ...ward.Check) ward.Visit {
	w.t.Helper()
	ctx := w.t.Context()
	v, token := w.visit()
	device, _, _, err := w.rounds.Open(ctx, token)
	must(w.t, err)
	must(w.t, w.rounds.Consent(ctx, device, true))
	v, err = w.store.BeginChecking(ctx, v.ID)
	must(w.t, err)
	v.DecideBy = time.Now().Add(time.Hour)
	v, err = w.store.AwaitDecision(ctx, v, checks)
	must(w.t, err)
	return v
}

// TestTwoPeopleByAPI is the manual path as two people walk it, and who may not.
func TestTwoPeopleByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	v, _ := w.visit()
	base := "/api/v1/visits/" + string(v.ID)
	confirmer := w.user(ward.Inspector, "own")
	first, second, elsewhere := w.as(w.user(ward.Inspector, "own")), w.as(confirmer), w.as(w.user(ward.Inspector, "other"))
	first.do(http.MethodPost, base+"/decision", m{"verdict": "absent", "reason": "不在"}).want(409, "visit.two_people")

	body := m{"circumstance": "leave", "verdict": "absent", "reason": "请假", "people": []string{"护士甲"}, "pictures": []m{}}
	first.do(http.MethodPost, base+"/rulings", body).want(422, "ruling.proof")
	body["pictures"] = []m{{"bytes": []byte("no picture")}}
	first.do(http.MethodPost, base+"/rulings", body).want(422, "ruling.picture")
	body["pictures"] = []m{{"bytes": testPicture()}}
	elsewhere.do(http.MethodPost, base+"/rulings", body).want(404, "")
	r := into[ward.Ruling](first.do(http.MethodPost, base+"/rulings", body).want(201, ""))
	first.do(http.MethodPost, base+"/rulings", body).want(409, "ruling.open")

	waiting := into[web.WaitingVisits](second.do(http.MethodGet, "/api/v1/waiting-visits", nil).want(200, ""))
	if len(waiting.Items) != 1 || waiting.Items[0].Ruling == nil || waiting.Items[0].Ruling.ID != r.ID || waiting.Items[0].Ruling.Due.Before(time.Now()) {
		t.Errorf("waiting: %+v", waiting)
	}
	if none := into[web.WaitingVisits](elsewhere.do(http.MethodGet, "/api/v1/waiting-visits", nil).want(200, "")); len(none.Items) != 0 {
		t.Errorf("waiting elsewhere: %+v", none)
	}
	picture := second.do(http.MethodGet, base+"/rulings/"+string(r.ID)+"/proofs/1", nil).want(200, "")
	if !bytes.Equal(picture.body, testPicture()) || picture.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("picture: %q", picture.header)
	}
	second.do(http.MethodGet, base+"/rulings/"+string(r.ID)+"/proofs/2", nil).want(404, "")
	other, _ := w.visit()
	second.do(http.MethodPost, "/api/v1/visits/"+string(other.ID)+"/rulings/"+string(r.ID)+"/answer", m{"agree": false, "reason": "x"}).want(404, "ruling.unknown")

	answer := base + "/rulings/" + string(r.ID) + "/answer"
	elsewhere.do(http.MethodPost, answer, m{"agree": true}).want(404, "")
	first.do(http.MethodPut, "/api/v1/me/password", m{"password": "a long password"}).want(204, "")
	first.do(http.MethodPost, answer, m{"agree": true, "password": "a long password"}).want(403, "ruling.same_person")
	second.do(http.MethodPost, answer, m{"agree": false}).want(422, "ruling.reason")
	yes := m{"agree": true, "password": "a long password"}
	second.do(http.MethodPost, answer, yes).want(409, "again.no_password")
	second.do(http.MethodPut, "/api/v1/me/password", m{"password": "a long password"}).want(204, "")
	second.do(http.MethodPost, answer, m{"agree": true}).want(422, "again.wrong")
	second.do(http.MethodPost, answer, m{"agree": true, "password": "another password"}).want(422, "again.wrong")
	w.token(confirmer).do(http.MethodPost, answer, yes).want(403, "again.person")
	second.do(http.MethodPost, answer, yes).want(200, "")
	second.do(http.MethodPost, answer, yes).want(409, "ruling.answered")
	d := into[web.VisitDetail](second.do(http.MethodGet, base, nil).want(200, ""))
	if d.Visit.State != ward.VisitSealed || d.Visit.Verdict != ward.Absent || d.InForce != ward.Absent || d.ByRuling != r.ID || len(d.Rulings) != 1 || d.Rulings[0].People[0] != "护士甲" {
		t.Errorf("sealed: %+v", d)
	}
}

func TestCheckPolicyByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.as(w.user(ward.Administrator, "all"))
	all := into[web.CheckPolicies](c.do(http.MethodGet, "/api/v1/check-policies", nil).want(200, ""))
	p := all.BuiltIn
	p.InstitutionID, p.Reason, p.By, p.ProxyUnsure = own, "试点", "somebody else", true
	if got := into[ward.CheckPolicy](c.do(http.MethodPut, "/api/v1/check-policies", p).want(200, "")); got.Version != 1 || !got.ProxyUnsure || got.By == "somebody else" {
		t.Errorf("set: %+v", got)
	}
	c.do(http.MethodPut, "/api/v1/check-policies", p).want(409, "check_policy.changed")
	p.Version, p.DecideMinutes = 1, 1
	c.do(http.MethodPut, "/api/v1/check-policies", p).want(422, "")
}

// TestOnePersonDecidesOnlyWhatIsUnsure: a "no match" is not overruled alone.
func TestOnePersonDecidesOnlyWhatIsUnsure(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.as(w.user(ward.Inspector, "own"))
	failed := w.undecided(ward.Check{Kind: ward.CheckLive, Outcome: ward.Unsure}, ward.Check{Kind: ward.CheckFace, Outcome: ward.Fail})
	path := "/api/v1/visits/" + string(failed.ID)
	if d := into[web.VisitDetail](c.do(http.MethodGet, path, nil).want(200, "")); len(d.OneDecides) != 4 || d.Visit.DecideBy.IsZero() {
		t.Errorf("one may give %v until %s", d.OneDecides, d.Visit.DecideBy)
	}
	c.do(http.MethodPost, path+"/decision", m{"verdict": "present", "reason": "像"}).want(409, "visit.two_people")
	c.do(http.MethodPost, path+"/decision", m{"verdict": "mismatch", "reason": "不像"}).want(200, "")
	unsure := w.undecided(ward.Check{Kind: ward.CheckLive, Outcome: ward.Pass}, ward.Check{Kind: ward.CheckFace, Outcome: ward.Unsure})
	c.do(http.MethodPost, "/api/v1/visits/"+string(unsure.ID)+"/decision", m{"verdict": "present", "reason": "核对了腕带"}).want(200, "")
}
