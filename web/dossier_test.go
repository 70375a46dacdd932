package web_test

import (
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

func TestDossierIsFoundByNumberAndRecorded(t *testing.T) {
	w := newWorld(t).serve()
	one := w.user(ward.Inspector, "own")
	a, other := w.as(one), w.as(w.user(ward.Inspector, "other"))
	c := w.openCase()
	w.visit()
	a.do(http.MethodPut, "/api/v1/cases/"+string(c.ID)+"/file", m{
		"version": 0, "subjects": []m{{"kind": "person", "ref": w.insured.ID}}, "cause": "空刷", "basis": []string{}, "officers": []m{}, "links": []m{}, "reason": "立案",
	}).want(200, "")
	ask := func(kind, number, reason string) m { return m{"kind": kind, "number": number, "reason": reason} }
	const path = "/api/v1/dossier"
	person := ask("person", w.insured.IDNumber, "核查线索")
	a.do(http.MethodPost, path, ask("person", w.insured.IDNumber, " ")).want(422, "")
	a.do(http.MethodPost, path, ask("person", w.insured.IDNumber[:10], "核查线索")).want(404, "dossier.unknown")
	a.do(http.MethodPost, path, ask("person", w.insured.Name, "核查线索")).want(404, "dossier.unknown")
	a.do(http.MethodPost, path+"?cursor=x", person).want(422, "dossier.cursor")
	other.do(http.MethodPost, path, ask("institution", string(own), "核查线索")).want(404, "dossier.unknown")
	if d := into[web.Dossier](other.do(http.MethodPost, path, person).want(200, "")); len(d.Items) != 0 {
		t.Errorf("out of scope are %+v", d.Items)
	}

	got := into[web.Dossier](a.do(http.MethodPost, path, person).want(200, ""))
	seen := map[ward.DossierKind]int{}
	for i, e := range got.Items {
		seen[e.Kind]++
		if i > 0 && e.At.After(got.Items[i-1].At) {
			t.Errorf("%+v comes after an older one", e)
		}
	}
	for _, kind := range []ward.DossierKind{ward.DossierCase, ward.DossierAlert, ward.DossierVisit, ward.DossierSettlement} {
		if seen[kind] == 0 {
			t.Errorf("there is no %s among %+v", kind, got.Items)
		}
	}
	var paged []ward.DossierEntry
	for next, first := "", true; first || next != ""; first = false {
		p := into[web.Dossier](a.do(http.MethodPost, path+"?limit=1&cursor="+next, person).want(200, ""))
		paged, next = append(paged, p.Items...), p.Next
	}
	if len(paged) != len(got.Items) {
		t.Errorf("one by one there are %d, together %d", len(paged), len(got.Items))
	}

	text := read(t, a.do(http.MethodPost, path+"/print", person).want(200, "").body)
	for _, want := range []string{"一人一档", c.Number, "核查线索", "查房", "结算", "空刷"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(text, w.insured.IDNumber) {
		t.Error("the number is printed")
	}
	custody, err := w.store.Custody(t.Context(), c.ID)
	must(t, err)
	object := "dossier/person/" + string(w.insured.ID)
	counts := map[ward.Action]int{}
	for _, e := range custody {
		if strings.HasPrefix(e.Object, object) && e.Reason == "核查线索" && e.Actor == one.ID {
			counts[e.Action]++
		}
	}
	if counts[ward.ActionView] != 1 || counts[ward.ActionPrint] != 1 {
		t.Errorf("the case's custody has %v", counts)
	}
	access, err := w.store.Custody(t.Context(), "")
	must(t, err)
	opened, none := 0, 0
	for _, e := range access {
		if e.Actor == one.ID && e.Action == ward.ActionSearch && e.Object == object {
			opened++
		}
		if e.Actor == one.ID && e.Object == "dossier/person/none" {
			none++
		}
	}
	if opened < 1+len(paged) || none != 2 {
		t.Errorf("%d openings and %d in vain are recorded of %d pages", opened, none, len(paged))
	}
}

func TestDossierOfAPhysicianAndAnInstitution(t *testing.T) {
	w := newWorld(t).serve()
	a := w.as(w.user(ward.Inspector, "own"))
	must(t, w.store.PutPhysicians(t.Context(), []ward.Physician{{ID: "d-1", Name: "李医生", Institutions: []ward.InstitutionID{own}}}))
	c := w.openCase()
	d := into[web.Dossier](a.do(http.MethodPost, "/api/v1/dossier", m{"kind": "institution", "number": own, "reason": "核查线索"}).want(200, ""))
	found := false
	for _, e := range d.Items {
		found = found || e.ID == string(c.ID)
	}
	if !found {
		t.Errorf("the case is not in %+v", d.Items)
	}
	ask := m{"kind": "physician", "number": "d-1", "reason": "核查线索"}
	if d := into[web.Dossier](a.do(http.MethodPost, "/api/v1/dossier", ask).want(200, "")); d.Name != "李医生" || len(d.Items) != 0 {
		t.Errorf("got %+v", d)
	}
	w.as(w.user(ward.Inspector, "other")).do(http.MethodPost, "/api/v1/dossier", ask).want(404, "dossier.unknown")
}
