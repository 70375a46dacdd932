package web_test

import (
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// A patient is enrolled at the admission, by proxy with a reason only; whoever
// looks at the stay sees the mark, and the log knows nothing of it.
func TestEnrolAtAdmission(t *testing.T) {
	w := newWorld(t).serve()
	desk, looks := w.as(w.user(ward.Operator, "own")), w.as(w.user(ward.Inspector, "own"))
	path := "/api/v1/admissions/" + string(w.stay.ID)
	photo := []byte("\xff\xd8")
	desk.do(http.MethodPost, path+"/enrolments", m{"photo": photo, "way": "photo", "proxy": true}).want(422, "enrol.reason")
	desk.do(http.MethodPost, path+"/enrolments", m{"photo": photo, "way": "post"}).want(422, "")
	e := into[ward.Enrolment](desk.do(http.MethodPost, path+"/enrolments", m{"photo": photo, "way": "photo", "proxy": true, "reason": "女儿代办"}).want(201, ""))
	if !e.Proxy || e.Version != 1 || e.AdmissionID != w.stay.ID || e.By == "" {
		t.Errorf("%+v", e)
	}
	got := into[web.RegisteredAdmission](looks.do(http.MethodGet, path, nil).want(200, ""))
	if !got.Insured.Enrolled || !got.Insured.Proxy || got.Insured.Enrolment != 1 {
		t.Errorf("the stay: %+v", got.Insured)
	}
	count := func(filter string) int {
		t.Helper()
		return len(into[web.Page[web.RegisteredAdmission]](looks.do(http.MethodGet, "/api/v1/admission-register?enrolled="+filter, nil).want(200, "")).Items)
	}
	if count("proxy") != 1 || count("yes") != 1 || count("no") != 0 {
		t.Errorf("by proxy %d, enrolled %d, not %d", count("proxy"), count("yes"), count("no"))
	}
	v := w.undecided(ward.Check{Kind: ward.CheckLive, Outcome: ward.Pass}, ward.Check{Kind: ward.CheckFace, Outcome: ward.Pass, Enrolment: 1, Proxy: true})
	desk.do(http.MethodPost, path+"/enrolments", m{"photo": photo, "way": "camera"}).want(201, "")
	if d := into[web.VisitDetail](looks.do(http.MethodGet, "/api/v1/visits/"+string(v.ID), nil).want(200, "")); d.Enrolment == nil || d.Enrolment.Version != 1 || !d.Enrolment.Proxy || d.Enrolment.Reason != "女儿代办" || !d.Checks[0].Proxy {
		t.Errorf("the visit was judged against %+v, %+v", d.Enrolment, d.Checks)
	}
	list := into[web.Page[ward.Enrolment]](looks.do(http.MethodGet, path+"/enrolments", nil).want(200, "")).Items
	if len(list) != 2 || list[0].Version != 2 || list[0].Way != ward.EnrolByCamera || list[1].Reason != "女儿代办" || count("proxy") != 0 {
		t.Errorf("history: %+v", list)
	}
	desk.stays(stayTable, true).want(200, "")
	unknown := into[web.Page[web.RegisteredAdmission]](looks.do(http.MethodGet, "/api/v1/admission-register?find=ZY-2", nil).want(200, "")).Items[0]
	desk.do(http.MethodPost, "/api/v1/admissions/"+string(unknown.ID)+"/enrolments", m{"photo": photo, "way": "camera"}).want(409, "enrol.unmatched")
	looks.do(http.MethodPost, path+"/enrolments", m{"photo": photo, "way": "camera"}).want(403, "")
	if strings.Contains(w.log.String(), "代办") {
		t.Error("the reason is in the log")
	}
}
