package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

// TestAnAlertAboutABlindPeriod: it has a period in place of a settlement and
// is listed, grouped and decided with others; that it has no face is said.
func TestAnAlertAboutABlindPeriod(t *testing.T) {
	w := newWorld(t)
	w.searchable()
	w.serve()
	b := w.newBlind()
	must(t, w.store.CloseBlind(t.Context(), b.ID, b.From.Add(2*time.Minute), ward.BlindPicture{}, ""))
	found, _, err := w.store.Alerts(t.Context(), storage.AlertFilter{BlindID: b.ID})
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("alerts about the period: %+v", found)
	}
	a := found[0]
	u := w.user(ward.Inspector, "own")
	c := w.as(u)
	d := into[web.AlertDetail](c.do(http.MethodGet, "/api/v1/alerts/"+string(a.ID), nil).want(200, ""))
	if d.Settlement != nil || d.Insured != nil || d.Blind == nil || d.Blind.ID != b.ID {
		t.Errorf("detail %+v", d)
	}
	groups := into[web.Page[storage.AlertGroup]](c.do(http.MethodGet, "/api/v1/alert-groups", nil).want(200, ""))
	if !slices.ContainsFunc(groups.Items, func(g storage.AlertGroup) bool { return g.Newest.ID == a.ID }) {
		t.Errorf("groups %+v", groups)
	}
	w.searchAs(u, m{"alert_id": a.ID}).want(422, "search.no_face")
	decision := m{
		"action": "confirm", "note": "核实", "case_title": "停机未报备",
		"alerts": []m{{"id": a.ID, "version": a.Version}, {"id": w.alert.ID, "version": w.alert.Version}},
	}
	decided := into[web.AlertsDecided](c.do(http.MethodPost, "/api/v1/alert-decisions", decision).want(200, ""))
	if len(decided.Alerts) != 2 || decided.Case == nil || decided.Alerts[0].CaseID != decided.Case.ID || decided.Alerts[1].CaseID != decided.Case.ID {
		t.Errorf("decided %+v", decided)
	}
}
