package web_test

import (
	"net/http"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

func TestCaseFileAndReviews(t *testing.T) {
	w := newWorld(t).serve()
	one, two, first, second := w.user(ward.Inspector, "own"), w.user(ward.Inspector, "own"), w.user(ward.Inspector, "own"), w.user(ward.Inspector, "own")
	a := w.as(one)
	opened := into[ward.Case](a.with("Idempotency-Key", "open-1").do(http.MethodPost, "/api/v1/cases", m{"institution_id": own, "title": "线索"}).want(201, ""))
	a.with("Idempotency-Key", "open-2").do(http.MethodPost, "/api/v1/cases", m{"institution_id": "elsewhere", "title": "线索"}).want(422, "case.subject")
	base := "/api/v1/cases/" + string(opened.ID)
	file := m{
		"version": 0, "subjects": []m{{"kind": "person", "ref": w.insured.ID}, {"kind": "institution", "ref": own}}, "cause": "空刷医保卡", "basis": []string{"条例第三十八条"},
		"officers": []m{{"user": one.ID, "certificate": "ZF-1"}, {"user": two.ID, "certificate": "ZF-2"}}, "links": []m{}, "reason": "立案",
	}
	got := into[web.CaseFileDetail](a.do(http.MethodGet, base+"/file", nil).want(200, ""))
	if got.File.Version != 0 || got.State != ward.CaseOpen {
		t.Errorf("got %+v", got)
	}
	got = into[web.CaseFileDetail](a.do(http.MethodPut, base+"/file", file).want(200, ""))
	if got.File.Version != 1 || got.File.By != one.ID || len(got.File.Officers) != 2 {
		t.Errorf("got %+v", got)
	}
	a.do(http.MethodPut, base+"/file", file).want(409, "case_file.changed")
	file["version"], file["links"] = 1, []m{{"case_id": "nothing", "reason": "同一人"}}
	a.do(http.MethodPut, base+"/file", file).want(422, "case_file.link")
	file["links"], file["subjects"] = []m{}, []m{{"kind": "person", "ref": "nobody"}}
	a.do(http.MethodPut, base+"/file", file).want(422, "case_file.unknown")
	found := into[web.Page[ward.Case]](a.do(http.MethodGet, "/api/v1/cases?subject_kind=person&subject="+string(w.insured.ID), nil).want(200, "")).Items
	if len(found) != 1 || found[0].ID != opened.ID {
		t.Errorf("got %+v", found)
	}
	if found := into[web.Page[ward.Case]](w.as(w.user(ward.Inspector, "other")).do(http.MethodGet, "/api/v1/cases?subject_kind=person&subject="+string(w.insured.ID), nil).want(200, "")).Items; len(found) != 0 {
		t.Errorf("another institution's inspector finds %+v", found)
	}
	a.do(http.MethodPost, base+"/steps", m{"seen": 0, "action": "pass", "note": "同意"}).want(409, "case.state")
	a.do(http.MethodPost, base+"/steps", m{"seen": 0, "action": "submit", "note": ""}).want(200, "")
	a.do(http.MethodPost, base+"/steps", m{"seen": 1, "action": "pass", "note": "同意"}).want(403, "case.own")
	w.as(first).do(http.MethodPost, base+"/steps", m{"seen": 1, "action": "pass", "note": "同意"}).want(200, "")
	w.as(first).do(http.MethodPost, base+"/steps", m{"seen": 2, "action": "pass", "note": "同意"}).want(403, "case.same")
	got = into[web.CaseFileDetail](w.as(second).do(http.MethodPost, base+"/steps", m{"seen": 2, "action": "pass", "note": "同意"}).want(200, ""))
	if got.State != ward.CaseDecided || len(got.Steps) != 3 || got.Steps[2].By != second.ID {
		t.Errorf("got %+v", got)
	}
}
