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
	file["version"], file["links"] = 1, []m{{"number": "nothing", "reason": "同一人"}}
	a.do(http.MethodPut, base+"/file", file).want(422, "case_file.link.unknown")
	file["links"], file["subjects"] = []m{}, []m{{"kind": "person", "ref": "nobody"}}
	a.do(http.MethodPut, base+"/file", file).want(422, "case_file.unknown")
	for _, bad := range []m{
		{"capacity": "holder", "name": "钱持有"}, {"capacity": "holder", "name": "钱持有", "absent": "拒绝", "signature": "x"}, {"capacity": "witness", "name": " ", "absent": "不在场"},
	} {
		file["witnesses"] = []m{bad}
		a.do(http.MethodPut, base+"/file", file).want(422, "case_file.witness")
	}
	file["witnesses"] = []m{{"capacity": "holder", "name": "钱持有", "signature": "v1/other"}}
	delete(file, "subjects")
	file["subjects"] = []m{{"kind": "institution", "ref": own}}
	a.do(http.MethodPut, base+"/file", file).want(422, "case_file.signature")
	file["witnesses"] = []m{{"capacity": "holder", "name": "钱持有", "post": "信息科", "absent": "拒绝签名"}}
	found := into[web.Page[ward.Case]](a.do(http.MethodGet, "/api/v1/cases?subject_kind=person&subject="+string(w.insured.ID), nil).want(200, "")).Items
	if len(found) != 1 || found[0].ID != opened.ID {
		t.Errorf("got %+v", found)
	}
	if found := into[web.Page[ward.Case]](w.as(w.user(ward.Inspector, "other")).do(http.MethodGet, "/api/v1/cases?subject_kind=person&subject="+string(w.insured.ID), nil).want(200, "")).Items; len(found) != 0 {
		t.Errorf("another institution's inspector finds %+v", found)
	}
	other := w.openCase()
	file["subjects"], file["links"] = []m{{"kind": "person", "ref": w.insured.ID}}, []m{{"number": " " + other.Number, "reason": "同一人"}}
	got = into[web.CaseFileDetail](a.do(http.MethodPut, base+"/file", file).want(200, ""))
	if len(got.Links) != 1 || got.Links[0].Number != other.Number || got.Links[0].CaseID != other.ID || got.Links[0].Title != other.Title {
		t.Errorf("got %+v", got.Links)
	}
	if from := into[web.CaseFileDetail](a.do(http.MethodGet, "/api/v1/cases/"+string(other.ID)+"/file", nil).want(200, "")).Linked; len(from) != 1 || from[0].Number != opened.Number {
		t.Errorf("got %+v", from)
	}
	if people := into[web.CasePeople](a.do(http.MethodGet, base+"/people", nil).want(200, "")).People; len(people) != 1 || people[0].Name != w.insured.Masked().Name {
		t.Errorf("got %+v", people)
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

func TestPeopleAreFoundByWholeNumberAndTheSearchIsRecorded(t *testing.T) {
	w := newWorld(t).serve()
	a := w.as(w.user(ward.Inspector, "own"))
	for _, none := range []string{"110101199001010099", "----", w.insured.IDNumber[:10]} {
		a.do(http.MethodPost, "/api/v1/insured/find", m{"id_number": none, "reason": "核查线索"}).want(404, "insured.number")
	}
	a.do(http.MethodPost, "/api/v1/insured/find", m{"id_number": w.insured.IDNumber, "reason": ""}).want(422, "")
	if p := into[ward.Insured](a.do(http.MethodPost, "/api/v1/insured/find", m{"id_number": " " + w.insured.IDNumber, "reason": "核查线索"}).want(200, "")); p.ID != w.insured.ID || p.IDNumber == w.insured.IDNumber {
		t.Errorf("got %+v", p)
	}
	all, err := w.store.Custody(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, c := range all {
		if c.Action == ward.ActionSearch && c.Reason == "核查线索" {
			found = append(found, c.Object)
		}
	}
	if len(found) != 4 || found[0] != "insured/none" || found[3] != "insured/"+string(w.insured.ID) {
		t.Errorf("recorded %v", found)
	}
}
