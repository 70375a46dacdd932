package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/rounds"
	"wardwatch/ward"
	"wardwatch/web"
)

const bedside = "/api/v1/bedside/"

func TestBedsideLink(t *testing.T) {
	w := newWorld(t)
	authority := rounds.Authority{Name: "某市医疗保障局", Address: "某路 1 号", Telephone: "0000-12393", Complaints: "基金监督科"}
	w.rounds.Authority, w.rounds.Legal = &authority, rounds.Legal{ZH: "依据", EN: "Under"}
	w.serve()
	inspector := w.as(w.user(ward.Inspector, "own"))
	order := m{"institution_id": own, "reason": "抽查", "admission_ids": []ward.AdmissionID{w.stay.ID}, "deadline": time.Now().Add(time.Hour).UTC()}
	round := into[web.OrderedRound](inspector.do(http.MethodPost, "/api/v1/rounds", order).want(201, ""))
	visit := "/api/v1/visits/" + string(round.Visits[0].Visit.ID)
	reissued := into[web.OrderedVisit](inspector.do(http.MethodPost, visit+"/link", nil).want(201, ""))
	tokenOf := func(link string) string {
		_, token, _ := strings.Cut(link, "#")
		return token
	}
	nobody := w.anonymous()
	nobody.do(http.MethodPost, bedside+"open", m{"token": "nonsense"}).want(404, "bedside.link_unknown")
	nobody.do(http.MethodPost, bedside+"open", m{"token": tokenOf(round.Visits[0].Link)}).want(404, "bedside.link_unknown") // replaced
	opened := into[web.BedsideOpened](nobody.do(http.MethodPost, bedside+"open", m{"token": tokenOf(reissued.Link)}).want(200, ""))
	if n := opened.Notice; n.NameMasked != "张*" || n.Reason != "抽查" || !n.Recorded || n.KeptDays != 90 || n.Authority == nil || *n.Authority != authority || n.LegalZH != "依据" || n.LegalEN != "Under" {
		t.Errorf("got %+v", n)
	}
	nobody.do(http.MethodPost, bedside+"open", m{"token": tokenOf(reissued.Link)}).want(410, "bedside.link_used")
	nobody.do(http.MethodPost, bedside+"consent", m{"agree": true}).want(401, "bedside.device")
	nobody.with("Authorization", "Bearer foreign").do(http.MethodPost, bedside+"consent", m{"agree": true}).want(403, "bedside.device_unknown")
	device := nobody.with("Authorization", "Bearer "+opened.Device)
	device.with("Content-Type", "application/sdp").do(http.MethodPost, bedside+"session", []byte("v=0")).want(409, "bedside.no_consent")
	device.do(http.MethodGet, visit, nil).want(401, "sign_in.required") // a device is no user
	device.do(http.MethodPost, bedside+"consent", m{"agree": false}).want(204, "")
	got := into[web.VisitDetail](inspector.do(http.MethodGet, visit, nil).want(200, ""))
	if got.Visit.Verdict != ward.Refused || got.Insured.Name != "张*" {
		t.Errorf("got %+v", got.Visit)
	}
	device.do(http.MethodPost, bedside+"consent", m{"agree": true}).want(403, "bedside.device_unknown") // sealed: the secret is dead
	for _, secret := range []string{tokenOf(reissued.Link), opened.Device} {
		if strings.Contains(w.log.String(), secret) {
			t.Error("the log holds a bedside secret")
		}
	}
}

func TestBedsideLinkExpires(t *testing.T) {
	w := newWorld(t)
	w.rounds.LinkValid = time.Millisecond
	w.serve()
	v, token := w.visit()
	waitFor(t, func() bool { return time.Now().After(v.LinkExpires) })
	w.anonymous().do(http.MethodPost, bedside+"open", m{"token": token}).want(410, "bedside.link_expired")
}

func TestVisitIsDecidedOnce(t *testing.T) {
	w := newWorld(t).serve()
	inspector := w.as(w.user(ward.Inspector, "own"))
	begun, _ := w.visit()
	inspector.do(http.MethodPost, "/api/v1/visits/"+string(begun.ID)+"/decision", m{"verdict": "present", "reason": "看见了"}).want(409, "visit.two_people")
	v := w.undecided()
	path := "/api/v1/visits/" + string(v.ID) + "/decision"
	inspector.do(http.MethodPost, path, m{"verdict": "interrupted", "reason": "断线"}).want(422, "visit.verdict")
	inspector.do(http.MethodPost, path, m{"verdict": "absent", "reason": "不在床"}).want(200, "")
	inspector.do(http.MethodPost, path, m{"verdict": "unable", "reason": "改主意"}).want(409, "visit.two_people")
}
