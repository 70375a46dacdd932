package web_test

import (
	"net/http"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

// TestAlertFromTakingToAppeal: what an inspector and an institution's contact do with an alert.
func TestAlertFromTakingToAppeal(t *testing.T) {
	w := newWorld(t).serve()
	me, contact := w.user(ward.Inspector, "own"), w.user(ward.Contact, "own")
	c, theirs := w.as(me), w.as(contact)
	path := "/api/v1/alerts/" + string(w.alert.ID)
	count := func(c client, query string, want int) {
		t.Helper()
		if p := into[web.Page[ward.Alert]](c.do(http.MethodGet, "/api/v1/alerts?"+query, nil).want(200, "")); len(p.Items) != want {
			t.Errorf("%s: got %d, want %d", query, len(p.Items), want)
		}
	}
	findings := func(want int) storage.Finding {
		t.Helper()
		p := into[web.Page[storage.Finding]](theirs.do(http.MethodGet, "/api/v1/findings", nil).want(200, ""))
		if len(p.Items) != want {
			t.Errorf("got findings %+v, want %d", p.Items, want)
		}
		if want == 0 || len(p.Items) == 0 {
			return storage.Finding{}
		}
		return p.Items[0]
	}
	count(c, "open=true", 1)
	count(c, "mine=true", 0)
	findings(0)
	theirs.do(http.MethodPost, "/api/v1/findings/"+string(w.alert.ID)+"/appeal", m{"version": 1, "reason": "x"}).want(404, "not_found")
	c.do(http.MethodPost, path+"/decision", m{"action": "expire", "version": 1}).want(422, "alert.action")
	c.do(http.MethodPost, path+"/decision", m{"action": "take"}).want(422, "request.invalid")
	c.do(http.MethodPost, path+"/decision", m{"action": "assign", "version": 1, "assignee": contact.ID}).want(422, "alert.assignee")
	a := into[ward.Alert](c.do(http.MethodPost, path+"/decision", m{"action": "take", "version": 1}).want(200, ""))
	if a.Assignee != me.ID || a.State != ward.AlertTaken || a.Version != 2 {
		t.Errorf("taken: %+v", a)
	}
	count(c, "mine=true", 1)
	count(c, "overdue=true", 0)
	until := time.Now().Add(100 * time.Hour).UTC()
	c.do(http.MethodPost, path+"/decision", m{"action": "extend", "version": 2, "note": "等待材料", "deadline": until}).want(200, "")
	c.do(http.MethodPost, path+"/decision", m{"action": "confirm", "version": 2, "note": "看过录像"}).want(409, "alert.changed")
	c.do(http.MethodPost, path+"/decision", m{"action": "confirm", "version": 3, "note": "  "}).want(422, "alert.note_missing")
	c.do(http.MethodPost, path+"/decision", m{"action": "confirm", "version": 3, "note": "看过录像"}).want(200, "")
	count(c, "open=true", 0)
	f := findings(1)
	theirs.do(http.MethodPost, "/api/v1/findings/"+string(f.AlertID)+"/appeal", m{"version": f.Version, "reason": "病人在诊室"}).want(200, "")
	theirs.do(http.MethodPost, "/api/v1/findings/"+string(f.AlertID)+"/appeal", m{"version": f.Version, "reason": "病人在诊室"}).want(409, "alert.changed")
	count(c, "state=appealed", 1)
	if f = findings(1); f.Appeal != "病人在诊室" || f.State != ward.AlertAppealed {
		t.Errorf("after the appeal: %+v", f)
	}
	d := into[web.AlertDetail](c.do(http.MethodGet, path, nil).want(200, ""))
	if len(d.History) != 5 || d.History[4].By != contact.ID || d.History[4].Action != ward.AlertAppeal || !d.Alert.Appealed {
		t.Errorf("history %+v", d.History)
	}
	names := into[web.Page[storage.UserName]](theirs.do(http.MethodGet, "/api/v1/users/names", nil).want(200, ""))
	if len(names.Items) != 1 || names.Items[0].ID != contact.ID {
		t.Errorf("the contact knows the names %+v", names.Items)
	}
}

func TestAlertPolicyIsSetOnce(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Administrator, "all"))
	p := into[ward.AlertPolicy](c.do(http.MethodGet, "/api/v1/alert-policy", nil).want(200, ""))
	p.HighHours, p.By = 8, "somebody else"
	if got := into[ward.AlertPolicy](c.do(http.MethodPut, "/api/v1/alert-policy", p).want(200, "")); got.Version != 1 || got.HighHours != 8 || got.By == "somebody else" {
		t.Errorf("got %+v", got)
	}
	c.do(http.MethodPut, "/api/v1/alert-policy", p).want(409, "alert_policy.changed")
	p.Version, p.AppealDays = 1, 0
	c.do(http.MethodPut, "/api/v1/alert-policy", p).want(422, "request.invalid")
}
