package web_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

const identityChecks = "/api/v1/identity-checks"

// A terminal is told the answer without the score, once for one key; billing
// refers to it, and those who review see it with the settlement.
func TestTerminalAsksAndBillingRefers(t *testing.T) {
	w := newWorld(t)
	must(t, w.store.Enrol(t.Context(), w.insured.ID, ward.Template{1}, "model", ""))
	w.serve()
	u := w.user(ward.Terminal, "own")
	terminal, inspector := w.token(u), w.as(w.user(ward.Inspector, "own"))
	ask := m{"insured_id": w.insured.ID, "place_id": w.place.ID, "photo": []byte("\xff\xd8 photo")}
	terminal.do(http.MethodPost, identityChecks, ask).want(422, "idempotency.missing")
	r := terminal.with("Idempotency-Key", "k1").do(http.MethodPost, identityChecks, ask).want(201, "")
	first := into[web.IdentityAnswer](r)
	if first.Answer != ward.MatchYes || first.Reason != "" || strings.Contains(string(r.body), "score") {
		t.Errorf("the terminal is told %s", r.body)
	}
	if again := into[web.IdentityAnswer](terminal.with("Idempotency-Key", "k1").do(http.MethodPost, identityChecks, ask).want(201, "")); again != first {
		t.Errorf("again: %+v, want %+v", again, first)
	}
	for code, change := range map[string]m{
		"identity.subject": {"insured_id": w.insured.ID, "place_id": w.place.ID},
		"identity.camera":  {"insured_id": w.insured.ID, "place_id": w.place.ID, "camera_id": "cam-nowhere"},
		"place.unknown":    {"insured_id": "i-2", "place_id": "p-h-other", "photo": []byte("x")},
		"insured.unknown":  {"insured_id": "i-nobody", "place_id": w.place.ID, "photo": []byte("x")},
	} {
		terminal.with("Idempotency-Key", code).do(http.MethodPost, identityChecks, change).want(422, code)
	}

	billing := w.token(w.user(ward.Operator, "own"))
	bill := with(w.bill(), "identity_check_id", first.ID)
	billing.with("Idempotency-Key", "b0").do(http.MethodPost, settlements, with(bill, "identity_check_id", "nothing")).want(422, "settlement.identity_check")
	s := into[ward.Settlement](billing.with("Idempotency-Key", "b1").do(http.MethodPost, settlements, bill).want(201, ""))
	d := into[web.SettlementDetail](inspector.do(http.MethodGet, settlements+"/"+string(s.ID), nil).want(200, ""))
	if len(d.IdentityChecks) != 1 || d.IdentityChecks[0].ID != first.ID || d.IdentityChecks[0].By != u.ID || d.IdentityChecks[0].Score < .99 {
		t.Errorf("the settlement shows %+v", d.IdentityChecks)
	}
	listed := into[web.Page[ward.IdentityCheck]](inspector.do(http.MethodGet, identityChecks, nil).want(200, ""))
	if len(listed.Items) != 1 || listed.Items[0].ID != first.ID {
		t.Errorf("listed %+v", listed.Items)
	}
	if none := into[web.Page[ward.IdentityCheck]](w.as(w.user(ward.Inspector, "other")).do(http.MethodGet, identityChecks, nil).want(200, "")); len(none.Items) != 0 {
		t.Errorf("another institution's inspector sees %+v", none.Items)
	}
}

// What was not sealed is not answered; a key whose question failed can be used again.
func TestIdentityIsSealedBeforeItIsAnswered(t *testing.T) {
	w := newWorld(t)
	must(t, w.store.Enrol(t.Context(), w.insured.ID, ward.Template{1}, "model", ""))
	w.web.EnrolPhoto = func(_ context.Context, photo []byte) (ward.Template, string, error) {
		if bytes.Contains(photo, []byte("two")) {
			return nil, "", &ward.Error{Kind: ward.Invalid, Code: "photo.many_faces", ZH: "两人", EN: "two"}
		}
		return ward.Template{1}, "model", nil
	}
	w.serve()
	terminal := w.token(w.user(ward.Terminal, "own"))
	ask := m{"insured_id": w.insured.ID, "place_id": w.place.ID, "photo": []byte("two")}
	if v := into[web.IdentityAnswer](terminal.with("Idempotency-Key", "k1").do(http.MethodPost, identityChecks, ask).want(201, "")); v.Answer != ward.MatchUnsure || v.Reason != ward.IdentityManyFaces || v.DetailZH != "两人" {
		t.Errorf("told %+v", v)
	}
	w.refuse("INSERT", "identity_check")
	for range 2 {
		if r := terminal.with("Idempotency-Key", "k2").do(http.MethodPost, identityChecks, with(ask, "photo", []byte("x"))).want(500, "internal"); bytes.Contains(r.body, []byte("match")) {
			t.Errorf("a check that was not sealed told %s", r.body)
		}
	}
}

// A terminal may ask and nothing else: no sign-in, no session, no names; and
// it cannot try photo after photo for one person.
func TestTerminalMayNothingElse(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Terminal, "own")
	terminal := w.token(u)
	for _, path := range []string{"/api/v1/me", "/api/v1/users/names", "/api/v1/events", identityChecks, settlements} {
		terminal.do(http.MethodGet, path, nil).want(403, "forbidden")
	}
	w.as(u).do(http.MethodPost, identityChecks, m{}).want(401, "sign_in.required")
	token, err := web.NewOneTime(t.Context(), w.store, u.Login)
	must(t, err)
	w.anonymous().do(http.MethodPost, "/api/v1/sign-in", m{"one_time": token}).want(401, "sign_in.wrong")
	ask := m{"insured_id": w.insured.ID, "place_id": w.place.ID, "photo": []byte("x")}
	for i := range 6 {
		terminal.with("Idempotency-Key", strings.Repeat("k", i+1)).do(http.MethodPost, identityChecks, ask).want(201, "")
	}
	terminal.with("Idempotency-Key", "one-more").do(http.MethodPost, identityChecks, ask).want(429, "too_many")
}
