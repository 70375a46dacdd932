package web_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// Where the policy asks for a reason nothing is shown, searched or exported without one, and every event then has it.
func TestReasonsWherePolicyAsks(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c := w.openCase()
	items, err := w.store.Evidence(t.Context(), c.ID)
	must(t, err)
	admin, me := w.as(w.user(ward.Administrator, "all")), w.as(w.user(ward.Inspector, "own"))
	content := func(kind ward.EvidenceKind) string {
		i := slices.IndexFunc(items, func(e ward.Evidence) bool { return e.Kind == kind })
		if i < 0 {
			t.Fatalf("no %s in %+v", kind, items)
		}
		return "/api/v1/evidence/" + string(items[i].ID) + "/content"
	}
	search := "/api/v1/cases?number=" + url.QueryEscape(c.Number)
	path := "/api/v1/cases/" + string(c.ID)
	type asked struct {
		action       ward.Action
		method, path string
		body         any
		status       int
	}
	all := []asked{
		{ward.ActionView, http.MethodGet, content(ward.EvidenceAlert), nil, 200},
		{ward.ActionPlay, http.MethodGet, content(ward.EvidenceSegment), nil, 200},
		{ward.ActionSearch, http.MethodGet, search, nil, 200},
		{ward.ActionExport, http.MethodGet, path + "/export.zip", nil, 200},
	}
	for _, a := range all { // built in: nothing needs one
		me.do(a.method, a.path, a.body).want(a.status, "")
	}
	got := into[web.AccessPolicyDetail](me.do(http.MethodGet, "/api/v1/access-policy", nil).want(200, ""))
	p := got.Policy
	p.Actions = got.Actions
	me.do(http.MethodPut, "/api/v1/access-policy", p).want(403, "")
	for _, bad := range []ward.AccessPolicy{{Actions: []ward.Action{ward.ActionAdd}, Usual: []string{}}, {Actions: []ward.Action{}, Usual: []string{" "}}} {
		admin.do(http.MethodPut, "/api/v1/access-policy", bad).want(422, "")
	}
	admin.do(http.MethodPut, "/api/v1/access-policy", p).want(200, "")
	admin.do(http.MethodPut, "/api/v1/access-policy", p).want(409, "access_policy.changed")
	for _, a := range all {
		me.do(a.method, a.path, a.body).want(409, "access.reason")
	}
	me.do(http.MethodGet, path, nil).want(200, "") // the page where it is asked for
	for body, code := range map[*m]string{
		{"case_id": c.ID, "reason": "  "}: "access.reason_text", {"case_id": "none", "reason": "复核"}: "case.unknown",
	} {
		me.do(http.MethodPost, "/api/v1/access-reasons", *body).want(422, code)
	}
	me.do(http.MethodPost, "/api/v1/access-reasons", m{"reason": "查重复立案"}).want(204, "")
	me.do(http.MethodGet, content(ward.EvidenceAlert), nil).want(409, "access.reason") // that was for searching
	me.do(http.MethodPost, "/api/v1/access-reasons", m{"case_id": c.ID, "reason": "听证"}).want(204, "")
	for _, a := range all {
		me.do(a.method, a.path, a.body).want(a.status, "")
	}
	if got := into[web.AccessPolicyDetail](me.do(http.MethodGet, "/api/v1/access-policy?case_id="+string(c.ID), nil).want(200, "")); got.Stated != "听证" {
		t.Errorf("stated: %+v", got)
	}
	w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, content(ward.EvidenceAlert), nil).want(409, "access.reason") // another session
	events, err := w.store.Custody(t.Context(), c.ID)
	must(t, err)
	searches, err := w.store.Custody(t.Context(), "")
	must(t, err)
	for _, a := range all {
		want := "听证"
		if a.action == ward.ActionSearch {
			want = "查重复立案"
		}
		if !slices.ContainsFunc(slices.Concat(events, searches), func(e ward.Custody) bool { return e.Action == a.action && e.Reason == want }) {
			t.Errorf("no %s because of %s in %+v", a.action, want, events)
		}
	}
}

// unrecorded are the routes that give pictures, or what holds evidence, and
// write no custody event, with the reason why.
var unrecorded = map[string]string{
	"GET /api/v1/cameras/{id}/playback.m3u8": "a list of addresses; each piece of recording that is fetched is recorded",
}

// Every route that gives media, a file or a list of evidence writes down that
// it did: the routes are found in the description of the API.
func TestEveryLookAtEvidenceIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.televise()
	w.serve()
	b, err := os.ReadFile("openapi.json")
	must(t, err)
	var doc struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	must(t, json.Unmarshal(b, &doc))
	db, err := sql.Open("sqlite", w.database)
	must(t, err)
	defer db.Close()
	looked := func() (n int) {
		must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM custody WHERE action IN ('view', 'play', 'search', 'export', 'hand_over', 'print', 'unmask')`).Scan(&n))
		return n
	}
	routes := 0
	for path, methods := range doc.Paths {
		op, ok := methods["get"]
		if !ok || !givesEvidence(t, op, doc.Components.Schemas) {
			continue
		}
		routes++
		name := "GET " + path
		actor := "administrator/all"
		if strings.HasPrefix(path, "/api/v1/shared") {
			continue // TestShares has that: it needs the recipient's device
		}
		before := looked()
		status := w.ask(name, actor, requests[name])
		switch why := unrecorded[name]; {
		case status[0] != '2':
			t.Errorf("%s: %s", name, status)
		case why == "" && looked() == before:
			t.Errorf("%s gives evidence and writes no custody event", name)
		case why != "" && looked() != before:
			t.Errorf("%s is recorded now: take it out of unrecorded", name)
		}
	}
	if routes < 10 {
		t.Errorf("only %d routes give evidence", routes)
	}
}

// givesEvidence says whether an operation answers with media or a file, or
// with JSON in which a case's items are.
func givesEvidence(t *testing.T, op json.RawMessage, schemas map[string]json.RawMessage) bool {
	t.Helper()
	var o struct {
		Responses map[string]struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
	}
	must(t, json.Unmarshal(op, &o))
	for code, r := range o.Responses {
		if code[0] != '2' {
			continue
		}
		for kind, content := range r.Content {
			if strings.HasPrefix(kind, "image/jpeg") || strings.HasPrefix(kind, "video/") || strings.HasSuffix(kind, "mpegurl") || kind == "application/zip" || kind == "application/octet-stream" || kind == "application/pdf" {
				return true
			}
			if refers(string(content), "Evidence", schemas, map[string]bool{}) {
				return true
			}
		}
	}
	return false
}

// refers says whether a schema leads to the one called name.
func refers(schema, name string, all map[string]json.RawMessage, seen map[string]bool) bool {
	for _, part := range strings.Split(schema, `"#/components/schemas/`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		if ref == name {
			return true
		}
		if !seen[ref] {
			seen[ref] = true
			if refers(string(all[ref]), name, all, seen) {
				return true
			}
		}
	}
	return false
}
