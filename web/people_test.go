package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

func TestInsuredPages(t *testing.T) {
	w := newWorld(t).serve()
	for i := 2; i <= 5; i++ {
		must(t, w.store.PutInsured(t.Context(), ward.Insured{ID: ward.InsuredID(fmt.Sprintf("i-%d", i)), Name: "李四光", IDNumber: fmt.Sprintf("11010119920202002%d", i)}))
	}
	must(t, w.store.Enrol(t.Context(), "i-4", ward.Template{1}, "model", ""))
	c := w.as(w.user(ward.Administrator, "all"))
	var got []string
	for cursor, pages := "", 0; ; pages++ {
		r := c.do(http.MethodGet, "/api/v1/insured?limit=2&cursor="+cursor, nil).want(200, "")
		if strings.Contains(string(r.body), "四") || strings.Contains(string(r.body), "19920202") {
			t.Errorf("not masked: %s", r.body)
		}
		p := into[web.Page[ward.Insured]](r)
		for _, v := range p.Items {
			got = append(got, fmt.Sprint(v.ID, v.Enrolled))
		}
		if cursor = p.Next; cursor == "" || pages > 5 {
			break
		}
	}
	if want := "i-1false i-2false i-3false i-4true i-5false"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	c.do(http.MethodGet, "/api/v1/insured?limit=0", nil).want(422, "request.invalid")
}

// TestNationalNumberIsNoID: an id is seen in addresses, logs and the ledger.
func TestNationalNumberIsNoID(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Administrator, "all"))
	for id, code := range map[string]string{
		"110101199001010011": "insured.id", "11010119900101001x": "insured.id", "11010119900101001X": "id.invalid", "110101900101001": "insured.id",
		"11010119900101001": "", "1101011990010100112": "", "p-10101199001010011": "",
	} {
		status := http.StatusCreated
		if code != "" {
			status = http.StatusUnprocessableEntity
		}
		c.do(http.MethodPost, "/api/v1/insured", m{"id": id, "name": "张三", "id_number": "110101199001010011"}).want(status, code)
	}
}

// TestUserNames: colleagues learn names, and nothing else of anybody.
func TestUserNames(t *testing.T) {
	w := newWorld(t).serve()
	gone := w.user(ward.Inspector, "own")
	gone.Name, gone.Disabled = "王某", true
	must(t, w.store.UpdateUser(t.Context(), gone, ""))
	stranger, chief := w.user(ward.Inspector, "other"), w.user(ward.Inspector, "all")
	r := w.as(w.user(ward.Operator, "own")).do(http.MethodGet, "/api/v1/users/names", nil).want(200, "")
	p := into[web.Page[map[string]json.RawMessage]](r)
	found := false
	for _, u := range p.Items {
		if len(u) != 2 {
			t.Errorf("got %s, want id and name alone", r.body)
		}
		found = found || string(u["id"]) == `"`+string(gone.ID)+`"` && string(u["name"]) == `"王某"`
	}
	if !found {
		t.Errorf("a disabled user, who may have decided, has no name: %s", r.body)
	}
	if strings.Contains(string(r.body), string(stranger.ID)+`"`) || !strings.Contains(string(r.body), string(chief.ID)+`"`) {
		t.Errorf("got %s, want the users of the institution and those of all", r.body)
	}
	w.anonymous().do(http.MethodGet, "/api/v1/users/names", nil).want(401, "sign_in.required")
}
