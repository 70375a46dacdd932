package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// A link for a physician is single use and shown once; its round is none of
// the ward rounds; a surprise check stands beside the start that it is about.
func TestDutyLinksAndChecks(t *testing.T) {
	w := newWorld(t).serve()
	w.dutyFence()
	inspector := w.as(w.user(ward.Inspector, "own"))
	d := w.duty()
	deadline := time.Now().Add(time.Hour).UTC()
	link := into[web.OrderedRound](inspector.do(http.MethodPost, "/api/v1/duty-links", m{"institution_id": own, "physician_id": d.PhysicianID, "reason": "上岗", "deadline": deadline}).want(201, ""))
	if len(link.Visits) != 1 || !strings.HasPrefix(link.Visits[0].Link, "/bedside#") || link.Visits[0].Visit.Purpose != ward.ForDuty || link.Round.Leaf < 0 {
		t.Errorf("the link: %+v", link)
	}
	check := into[web.OrderedRound](inspector.do(http.MethodPost, "/api/v1/duty-checks", m{"institution_id": own, "reason": "抽查", "deadline": deadline}).want(201, ""))
	rounds := into[web.Page[ward.Round]](inspector.do(http.MethodGet, "/api/v1/rounds", nil).want(200, ""))
	checks := into[web.Page[ward.Round]](inspector.do(http.MethodGet, "/api/v1/rounds?purpose=duty_check", nil).want(200, ""))
	if len(rounds.Items) != 0 || len(checks.Items) != 1 || checks.Items[0].ID != check.Round.ID {
		t.Errorf("ward rounds %+v, surprise checks %+v", rounds.Items, checks.Items)
	}
	starts := into[web.Page[web.ListedDuty]](inspector.do(http.MethodGet, "/api/v1/duties", nil).want(200, ""))
	if len(starts.Items) != 1 || len(starts.Items[0].Checks) != 1 || starts.Items[0].Checks[0].RoundID != check.Round.ID {
		t.Errorf("the starts: %+v", starts.Items)
	}
	board := into[web.RoundDetail](inspector.do(http.MethodGet, "/api/v1/rounds/"+string(check.Round.ID), nil).want(200, ""))
	if len(board.Visits) != 1 || board.Visits[0].Physician != "华某" || board.Visits[0].Visit.DutyID != d.ID {
		t.Errorf("the board: %+v", board)
	}
}
