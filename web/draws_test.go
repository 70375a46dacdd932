package web_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/rounds"
	"wardwatch/rounds/draw"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
	"wardwatch/web"
)

// closeDraws abandons the open draw, and returns the last one of today.
func (w *world) closeDraws() ward.DrawID {
	w.t.Helper()
	all, err := w.store.Draws(w.t.Context(), []ward.InstitutionID{own}, "", 1)
	must(w.t, err)
	if len(all) == 0 {
		return ""
	}
	if all[0].State == ward.DrawCommitted {
		_, err = w.draws.Abandon(w.t.Context(), ward.User{ID: "u-test"}, all[0].ID, "换题")
		must(w.t, err)
	}
	if all[0].Day != ward.ChinaDay(time.Now()) {
		return ""
	}
	return all[0].ID
}

// newDraw commits a draw of the one bed and of the inspectors that there are.
func (w *world) newDraw(source ward.DrawSource) ward.Draw {
	w.t.Helper()
	by := w.user(ward.Inspector, "own")
	if source == ward.SourceCoin {
		w.user(ward.Contact, "own")
	}
	d, err := w.draws.Commit(w.t.Context(), by, rounds.DrawOrder{
		InstitutionID: own, Source: source, Strata: []rounds.DrawStratum{{Take: 1}}, Inspectors: 1, Previous: w.closeDraws(), Reason: "再抽",
	})
	must(w.t, err)
	return d
}

// answered is a new draw that has its result.
func (w *world) answered() ward.Draw {
	w.t.Helper()
	d := w.newDraw(ward.SourceCoin)
	d, err := w.draws.Answer(w.t.Context(), w.user(ward.Contact, "own"), d.ID, rounds.Flip{Commitment: d.Commitment, Value: strings.Repeat("5a", 32)})
	must(w.t, err)
	return d
}

// asks makes a request as u, reads the JSON of a good answer, and returns the status.
func (w *world) asks(u ward.User, method, path string, in, out any) int {
	w.t.Helper()
	res := w.as(u).do(method, "/api/v1"+path, in)
	if raw, ok := out.(*[]byte); ok {
		*raw = res.body
	} else if out != nil && res.status < 300 {
		must(w.t, json.Unmarshal(res.body, out))
	}
	return res.status
}

// TestCoinFlipOverHTTP: commit, the contact sees the commitment and nothing of
// the beds, answers, the drawn inspector orders, and only then the contact learns our secret.
func TestCoinFlipOverHTTP(t *testing.T) {
	w := newWorld(t).serve()
	officer, contact := w.user(ward.Inspector, "own"), w.user(ward.Contact, "own")
	var options web.DrawOptions
	if s := w.asks(officer, "GET", "/draw-options?institution_id=h-own", nil, &options); s != 200 || len(options.Inspectors) != 1 || options.Contacts != 1 || options.Previous != "" {
		t.Fatalf("%d %+v", s, options)
	}
	var d ward.Draw
	order := m{"institution_id": own, "source": "coin", "strata": []m{{"ward": "内科", "take": 1}}, "inspectors": 1}
	if s := w.asks(officer, "POST", "/draws", order, &d); s != 201 || d.State != ward.DrawCommitted {
		t.Fatalf("%d %+v", s, d)
	}
	flips := func() web.CoinFlip {
		t.Helper()
		var b []byte
		if s := w.asks(contact, "GET", "/coin-flips", nil, &b); s != 200 || strings.Contains(string(b), string(w.stay.ID)) {
			t.Fatalf("%d %s", s, b)
		}
		var p web.Page[web.CoinFlip]
		must(t, json.Unmarshal(b, &p))
		return p.Items[0]
	}
	f := flips()
	if f.Commitment != d.Commitment || f.Secret != "" {
		t.Fatalf("%+v", f)
	}
	if s := w.asks(contact, "POST", "/coin-flips/"+string(d.ID), m{"commitment": f.Commitment, "value": strings.Repeat("c4", 32)}, &f); s != 200 || f.State != ward.DrawDrawn || f.Secret != "" {
		t.Fatalf("%d %+v", s, f)
	}
	var detail web.DrawDetail
	if s := w.asks(officer, "GET", "/draws/"+string(d.ID), nil, &detail); s != 200 || detail.Result == nil || detail.Result.Beds[0].Admissions[0] != w.stay.ID {
		t.Fatalf("%d %+v", s, detail)
	}
	p := detail.People[0]
	if p.Insured.Name != "张*" || draw.Person(p.Salt, w.stay) != detail.Commitment.Strata[0].Candidates[0].Person {
		t.Errorf("the commitment to the person does not open: %+v", p)
	}
	var made web.OrderedRound
	if s := w.asks(officer, "POST", "/draws/"+string(d.ID)+"/round", m{"reason": "双随机", "deadline": time.Now().Add(time.Hour).UTC()}, &made); s != 201 || made.Round.DrawID != d.ID || len(made.Visits) != 1 {
		t.Fatalf("%d %+v", s, made)
	}
	if f = flips(); f.Secret == "" || f.State != ward.DrawOrdered {
		t.Errorf("after the order: %+v", f)
	}
	var proof []byte
	if s := w.asks(officer, "GET", "/draws/"+string(d.ID)+"/proof", nil, &proof); s != 200 {
		t.Fatal(s)
	}
	if rep := draw.Verify(proof, draw.Options{Fingerprint: ledger.Fingerprint(w.store.PublicKey())}); !rep.OK() || rep.State != ward.DrawOrdered {
		t.Errorf("%+v", rep.Failures)
	}
}

// TestRiskOrder lists the stays by risk, and seals the scores with the order.
func TestRiskOrder(t *testing.T) {
	w := newWorld(t).serve()
	long := ward.Admission{ID: "a-long", InstitutionID: own, InsuredID: "i-2", Ward: "内科", Bed: "4", From: w.began.AddDate(0, 0, -40)}
	must(t, w.store.PutInsured(t.Context(), ward.Insured{ID: "i-2", Name: "李四", IDNumber: "110101199001010022"}))
	must(t, w.store.AddAdmission(t.Context(), long))
	w.confirmed()
	officer := w.user(ward.Inspector, "own")
	var list web.Page[web.RankedStay]
	if s := w.asks(officer, "GET", "/admissions/risk?institution_id=h-own", nil, &list); s != 200 || len(list.Items) != 2 {
		t.Fatalf("%d %+v", s, list)
	}
	first, second := list.Items[0], list.Items[1]
	points := func(r web.RankedStay, kind ward.RiskPartKind) int {
		i := slices.IndexFunc(r.Risk.Parts, func(p ward.RiskPart) bool { return p.Kind == kind })
		return r.Risk.Parts[i].Points
	}
	// i-1 has a confirmed and an open alert; i-2 has lain there for 40 days.
	if first.ID != w.stay.ID || points(first, ward.RiskAlerts) != 30 || points(first, ward.RiskUnseen) != 2 || points(second, ward.RiskStay) != 20 || points(second, ward.RiskAlerts) != 0 {
		t.Errorf("%+v", list.Items)
	}
	var made web.OrderedRound
	body := m{"institution_id": own, "reason": "风险", "admission_ids": []ward.AdmissionID{w.stay.ID}, "method": "risk", "deadline": time.Now().Add(time.Hour).UTC()}
	if s := w.asks(officer, "POST", "/rounds", body, &made); s != 201 || made.Round.Method != ward.ByRisk || made.Round.RiskVersion != ward.RiskVersion {
		t.Fatalf("%d %+v", s, made)
	}
	sealed, err := w.store.LatestSealed(t.Context(), "round", string(made.Round.ID))
	must(t, err)
	if !strings.Contains(string(sealed.Body), `"risk":`) {
		t.Errorf("the score is not sealed: %s", sealed.Body)
	}
	body["method"] = "draw"
	if s := w.asks(officer, "POST", "/rounds", body, nil); s != 422 {
		t.Errorf("a round that says it was drawn: %d", s)
	}
}
