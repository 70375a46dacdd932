package web_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

const settlements = "/api/v1/settlements"

// bill is a good settlement.
func (w *world) bill() m {
	return m{
		"institution_id": own, "place_id": w.place.ID, "external_no": "2026-1", "insured_id": w.insured.ID,
		"kind": "outpatient", "at": time.Now().UTC(), "amount_fen": 1234,
	}
}

func with(in m, key string, value any) m {
	out := maps.Clone(in)
	out[key] = value
	return out
}

func TestSettlementReports(t *testing.T) {
	w := newWorld(t).serve()
	c := w.token(w.user(ward.Operator, "own"))
	good := w.bill()
	c.do(http.MethodPost, settlements, good).want(422, "idempotency.missing")
	for name, bad := range map[string]struct {
		body m
		code string
	}{
		"unknown institution":     {with(good, "institution_id", "h-nowhere"), "settlement.unknown_institution"},
		"institution of another":  {with(good, "institution_id", other), "settlement.unknown_institution"},
		"unknown place":           {with(good, "place_id", "p-nowhere"), "settlement.unknown_place"},
		"place of another":        {with(good, "place_id", "p-h-other"), "settlement.unknown_place"},
		"unknown insured":         {with(good, "insured_id", "i-nobody"), "settlement.unknown_insured"},
		"future":                  {with(good, "at", time.Now().Add(12*time.Minute)), "settlement.future"},
		"no time":                 {with(good, "at", time.Time{}), "settlement.time"},
		"nothing":                 {with(good, "amount_fen", 0), "settlement.amount"},
		"negative":                {with(good, "amount_fen", -5), "settlement.amount"},
		"too much":                {with(good, "amount_fen", int64(1e12)), "settlement.amount"},
		"amount with a fraction":  {with(good, "amount_fen", 1.5), "request.invalid"},
		"unknown kind":            {with(good, "kind", "gift"), "request.invalid"},
		"unknown field":           {with(good, "colour", "red"), "request.invalid"},
		"number missing":          {with(good, "external_no", ""), "request.invalid"},
		"time that does not read": {with(good, "at", "yesterday"), "request.invalid"},
	} {
		r := c.with("Idempotency-Key", "bad-"+name).do(http.MethodPost, settlements, bad.body).want(422, bad.code)
		if t.Failed() {
			t.Fatalf("%s: got %d", name, r.status)
		}
	}
	first := into[ward.Settlement](c.with("Idempotency-Key", "k1").do(http.MethodPost, settlements, good).want(201, ""))
	if first.State != ward.Pending || first.InstitutionID != own || first.AmountFen != 1234 {
		t.Errorf("got %+v", first)
	}
	again := c.with("Idempotency-Key", "k1").do(http.MethodPost, settlements, good).want(201, "")
	if v := into[ward.Settlement](again); v.ID != first.ID {
		t.Errorf("repeated as %s, want %s", v.ID, first.ID)
	}
	c.with("Idempotency-Key", "k1").do(http.MethodPost, settlements, with(good, "amount_fen", 99)).want(409, "idempotency.differs")
	c.with("Idempotency-Key", "k2").do(http.MethodPost, settlements, good).want(200, "") // known by its number
	c.with("Idempotency-Key", "k3").do(http.MethodPost, settlements, with(good, "amount_fen", 99)).want(409, "settlement.differs")
	fixed := with(with(good, "amount_fen", 99), "revision", 1)
	if v := into[ward.Settlement](c.with("Idempotency-Key", "k5").do(http.MethodPost, settlements, fixed).want(200, "")); v.ID != first.ID || v.AmountFen != 99 || v.Revision != 1 {
		t.Errorf("corrected: %+v", v)
	}
	if v := into[ward.Settlement](c.with("Idempotency-Key", "k6").do(http.MethodPost, settlements, with(fixed, "reversed", true)).want(200, "")); v.State != ward.Reversed {
		t.Errorf("reversed: %+v", v)
	}
	reader := w.as(w.user(ward.Inspector, "own"))
	if v := into[web.SettlementDetail](reader.do(http.MethodGet, settlements+"/"+string(first.ID), nil).want(200, "")); len(v.Earlier) != 1 || v.Earlier[0].AmountFen != 1234 || v.State != ward.Reversed {
		t.Errorf("detail: %+v", v)
	}
	// A refused report frees its key: the billing system corrects and retries.
	c.with("Idempotency-Key", "k4").do(http.MethodPost, settlements, with(good, "place_id", "p-nowhere")).want(422, "settlement.unknown_place")
	c.with("Idempotency-Key", "k4").do(http.MethodPost, settlements, with(good, "external_no", "2026-2")).want(201, "")
}

func TestSettlementPages(t *testing.T) {
	w := newWorld(t).serve()
	c := w.token(w.user(ward.Administrator, "all"))
	for range 4 {
		w.newAlert()
	}
	seen := map[ward.SettlementID]bool{}
	path, pages := settlements+"?limit=2", 0
	for {
		p := into[web.Page[ward.Settlement]](c.do(http.MethodGet, path, nil).want(200, ""))
		for _, v := range p.Items {
			if seen[v.ID] {
				t.Errorf("%s comes twice", v.ID)
			}
			seen[v.ID] = true
		}
		pages++
		if p.Next == "" || pages > 10 {
			break
		}
		path = settlements + "?limit=2&cursor=" + p.Next
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("got %d settlements on %d pages, want 5 on 3", len(seen), pages)
	}
	c.do(http.MethodGet, settlements+"?limit=0", nil).want(422, "request.invalid")
	c.do(http.MethodGet, settlements+"?state=odd", nil).want(422, "request.invalid")
}

func TestAlertsOfASettlement(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own"))
	second := w.newAlert()
	p := into[web.Page[ward.Alert]](c.do(http.MethodGet, "/api/v1/alerts?settlement_id="+string(second.SettlementID), nil).want(200, ""))
	if len(p.Items) != 1 || p.Items[0].ID != second.ID {
		t.Errorf("got %+v, want %s alone", p.Items, second.ID)
	}
	elsewhere := w.as(w.user(ward.Inspector, "other"))
	p = into[web.Page[ward.Alert]](elsewhere.do(http.MethodGet, "/api/v1/alerts?settlement_id="+string(second.SettlementID), nil).want(200, ""))
	if len(p.Items) != 0 {
		t.Errorf("another institution sees %+v", p.Items)
	}
}

func TestCreationsRepeatTheirAnswer(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Inspector, "own")).with("Idempotency-Key", "round-1")
	order := m{"institution_id": own, "reason": "抽查", "admission_ids": []ward.AdmissionID{w.stay.ID}, "deadline": time.Now().Add(time.Hour).UTC()}
	a := into[web.OrderedRound](c.do(http.MethodPost, "/api/v1/rounds", order).want(201, ""))
	b := into[web.OrderedRound](c.do(http.MethodPost, "/api/v1/rounds", order).want(201, ""))
	if a.Round.ID != b.Round.ID || a.Visits[0].Link != b.Visits[0].Link || a.Visits[0].Link == "" {
		t.Errorf("got another answer: %+v, %+v", a, b)
	}
	c.do(http.MethodPost, "/api/v1/cases", m{"alert_id": w.alert.ID, "title": "空刷"}).want(409, "idempotency.differs")
}
