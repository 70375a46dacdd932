package web_test

import (
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// Several alerts are decided together or not at all, each with its own step.
func TestSeveralAlertsAreDecidedTogether(t *testing.T) {
	w := newWorld(t).serve()
	me := w.user(ward.Inspector, "own")
	c, stranger := w.as(me), w.as(w.user(ward.Inspector, "other"))
	const path = "/api/v1/alert-decisions"
	one, two, three := w.newAlert(), w.newAlert(), w.newAlert()
	choice := func(version int, all ...ward.Alert) (out []m) {
		for _, a := range all {
			out = append(out, m{"id": a.ID, "version": version})
		}
		return out
	}
	steps := func(a ward.Alert, want ...ward.AlertAction) {
		t.Helper()
		d := into[web.AlertDetail](c.do(http.MethodGet, "/api/v1/alerts/"+string(a.ID), nil).want(200, ""))
		var got []ward.AlertAction
		leaves := map[int64]bool{}
		for _, e := range d.History {
			got = append(got, e.Action)
			leaves[e.Leaf] = true
		}
		if len(got) != len(want) || len(leaves) != len(want) {
			t.Fatalf("steps %v with %d leaves, want %v", got, len(leaves), want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("steps %v, want %v", got, want)
			}
		}
	}
	c.do(http.MethodPost, path, m{"action": "extend", "alerts": choice(1, one)}).want(422, "alert.action")
	c.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1)}).want(422, "request.invalid")
	c.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1, one, one)}).want(422, "alert.twice")
	c.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1, one), "case_title": "x"}).want(422, "alert.case")
	c.do(http.MethodPost, path, m{"action": "dismiss", "alerts": choice(1, one, two), "note": "误报"}).want(422, "alert.reason_code")
	c.do(http.MethodPost, path, m{"action": "take", "alerts": append(choice(1, one), m{"id": "nothing", "version": 1})}).want(404, "not_found")
	c.do(http.MethodPost, path, m{"action": "confirm", "alerts": choice(1, one, two), "note": "看过录像", "case_title": " \t"}).want(422, "case.title")
	stranger.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1, one, two)}).want(404, "not_found")

	// Somebody is faster with the last: nothing of it is done.
	w.as(w.user(ward.Inspector, "own")).do(http.MethodPost, "/api/v1/alerts/"+string(three.ID)+"/decision", m{"action": "take", "version": 1}).want(200, "")
	c.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1, one, two, three)}).want(409, "alert.changed")
	steps(one, ward.AlertRaise)
	steps(two, ward.AlertRaise)

	again := c.with("Idempotency-Key", "k")
	for range 2 { // the repetition changes nothing
		got := into[web.AlertsDecided](again.do(http.MethodPost, path, m{"action": "take", "alerts": choice(1, one, two)}).want(200, ""))
		if len(got.Alerts) != 2 || got.Alerts[0].Assignee != me.ID || got.Alerts[1].State != ward.AlertTaken || got.Case != nil {
			t.Errorf("taken: %+v", got)
		}
	}
	steps(one, ward.AlertRaise, ward.AlertTake)

	// One case for two; the third is in it only when all are.
	mixed := append(choice(2, one, two), choice(1, three)...)
	confirm := func(list []m) m {
		return m{"action": "confirm", "alerts": list, "note": "看过录像", "case_title": "空刷"}
	}
	c.do(http.MethodPost, path, confirm(mixed)).want(409, "alert.changed")
	steps(two, ward.AlertRaise, ward.AlertTake)
	decided := into[web.AlertsDecided](c.do(http.MethodPost, path, confirm(choice(2, one, two, three))).want(200, ""))
	for _, a := range decided.Alerts {
		steps(a, ward.AlertRaise, ward.AlertTake, ward.AlertConfirm, ward.AlertFile)
		if decided.Case == nil || a.State != ward.AlertConfirmed || a.CaseID != decided.Case.ID || a.DecisionNote != "看过录像" {
			t.Errorf("confirmed: %+v in %+v", a, decided.Case)
		}
	}
	file := into[web.CaseDetail](c.do(http.MethodGet, "/api/v1/cases/"+string(decided.Case.ID), nil).want(200, ""))
	items, custody := 0, 0
	for _, e := range file.Evidence {
		if e.Kind == ward.EvidenceAlert {
			items++
		}
	}
	for _, v := range file.Custody {
		if strings.HasPrefix(v.Object, "alert/") {
			custody++
		}
	}
	if items != 3 || custody != 3 {
		t.Errorf("the case has %d alerts and %d custody rows of them, want 3 each", items, custody)
	}

	// What is in a case already stops a case, and with it the confirmation.
	four, five := w.newAlert(), w.newAlert()
	c.do(http.MethodPost, "/api/v1/cases", m{"alert_id": five.ID, "title": "x"}).want(201, "")
	c.do(http.MethodPost, path, confirm(append(choice(1, four), choice(2, five)...))).want(409, "case.exists")
	steps(four, ward.AlertRaise)
}
