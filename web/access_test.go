package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

const accessTable = "testdata/access.csv"

var update = flag.Bool("update", false, "write what the routes answer to "+accessTable+"; then read every changed cell")

// actors are the columns of the table: each role with every scope, relative
// to the institution that the world's objects belong to; nobody; and a
// device that opened a bedside link.
func actors() []string {
	var all []string
	for _, r := range []ward.Role{ward.Administrator, ward.Inspector, ward.Operator, ward.Contact} {
		for _, scope := range []string{"all", "own", "other", "none"} {
			all = append(all, string(r)+"/"+scope)
		}
	}
	return append(all, "terminal/own", "terminal/other", "anonymous", "bedside") // a terminal has exactly one institution
}

// TestAccess asks every route as every actor and compares the status with
// the table. It also checks that nobody without the institution in scope
// reads a byte of it, and that no JSON answer has a null.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.web.MetricsToken = "metrics-token"
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "tablet.html": {Data: []byte("<!doctype html>")}, "share.html": {Data: []byte("<!doctype html>")}}
	w.web.Console, w.web.Bedside = page, page
	w.televise()
	w.searchable()
	w.serve()
	names, err := w.web.Routes()
	must(t, err)
	slices.Sort(names)
	want := readAccess(t)
	got := map[string][]string{}
	for _, name := range names {
		ask, ok := requests[name]
		if !ok {
			t.Errorf("route %s is not in the map requests", name)
			continue
		}
		for i, actor := range actors() {
			status := w.ask(name, actor, ask)
			got[name] = append(got[name], status)
			if row, ok := want[name]; ok && !*update && row[i] != status {
				t.Errorf("%s as %s: got %s, want %s", name, actor, status, row[i])
			}
		}
		if _, ok := want[name]; !ok && !*update {
			t.Errorf("route %s has no row in %s: %s", name, accessTable, strings.Join(got[name], ","))
		}
	}
	for name := range want {
		if !slices.Contains(names, name) && !*update {
			t.Errorf("%s has a row for %s, which is no route", accessTable, name)
		}
	}
	if *update {
		writeAccess(t, names, got)
	}
}

func readAccess(t *testing.T) map[string][]string {
	t.Helper()
	if *update {
		return nil
	}
	f, err := os.Open(accessTable)
	must(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	must(t, err)
	if !slices.Equal(rows[0][1:], actors()) {
		t.Fatalf("%s has the columns %v, want %v", accessTable, rows[0][1:], actors())
	}
	table := map[string][]string{}
	for _, row := range rows[1:] {
		table[row[0]] = row[1:]
	}
	return table
}

func writeAccess(t *testing.T, names []string, got map[string][]string) {
	t.Helper()
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	rows := [][]string{append([]string{"route"}, actors()...)}
	for _, name := range names {
		rows = append(rows, append([]string{name}, got[name]...))
	}
	must(t, c.WriteAll(rows))
	must(t, os.WriteFile(accessTable, b.Bytes(), 0o600))
}

// ask makes one request as one actor and returns the status.
func (w *world) ask(name, actor string, build func(*world) request) string {
	w.t.Helper()
	method, path, _ := strings.Cut(name, " ")
	q := build(w)
	for k, v := range q.path {
		path = strings.ReplaceAll(path, "{"+k+"}", v)
	}
	path = strings.TrimSuffix(strings.Replace(path, "*", q.path["*"], 1), "*")
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.http.URL+path+q.query, bytes.NewReader(q.body()))
	must(w.t, err)
	req.Header.Set("Content-Type", q.contentType())
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", fmt.Sprint("key-", w.next()))
	}
	role, scope, signedIn := strings.Cut(actor, "/")
	switch {
	case role == string(ward.Terminal):
		req.Header.Set("Authorization", w.token(w.user(ward.Terminal, scope)).header.Get("Authorization"))
	case signedIn:
		req.AddCookie(w.session(w.user(ward.Role(role), scope)))
	case actor == "bedside":
		req.Header.Set("Authorization", "Bearer "+w.device())
	case actor == "tablet":
		req.AddCookie(&http.Cookie{Name: "wardwatch-tablet", Value: w.tabletSecret})
	}
	res, err := http.DefaultClient.Do(req)
	must(w.t, err)
	defer res.Body.Close()
	var body []byte
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		body = make([]byte, 8)
		_, err = io.ReadFull(res.Body, body)
	} else {
		body, err = io.ReadAll(res.Body)
	}
	if err != nil {
		w.t.Errorf("%s as %s: %v", name, actor, err)
	}
	w.judge(name, actor, res, body)
	return strconv.Itoa(res.StatusCode)
}

// judge checks an answer whatever its status.
func (w *world) judge(name, actor string, res *http.Response, body []byte) {
	w.t.Helper()
	if strings.HasPrefix(name, "GET /openapi.json") || strings.HasPrefix(name, "GET /metrics") {
		return
	}
	_, scope, signedIn := strings.Cut(actor, "/")
	if name == "POST /api/v1/bedside/open" || name == "POST /api/v1/tablet/pair" || name == "POST /api/v1/shared/open" {
		signedIn = false // there the link or code is what counts, not who follows it
	}
	if signedIn && (scope == "other" || scope == "none") && bytes.Contains(body, []byte(own)) {
		w.t.Errorf("%s as %s shows the other institution: %.300s", name, actor, body)
	}
	if bytes.Contains(body, []byte(w.insured.IDNumber)) || bytes.Contains(body, []byte("secret-password")) {
		w.t.Errorf("%s as %s shows a secret: %.300s", name, actor, body)
	}
	isJSON := strings.Contains(res.Header.Get("Content-Type"), "json")
	if res.StatusCode >= 400 && strings.HasPrefix(res.Request.URL.Path, "/api/") {
		var p web.Problem
		if err := json.Unmarshal(body, &p); err != nil || p.Status != res.StatusCode || p.Code == "" || p.DetailZH == "" || p.DetailEN == "" || p.Code == "internal" {
			w.t.Errorf("%s as %s: not a good problem: %d %.300s", name, actor, res.StatusCode, body)
		}
	} else if isJSON && bytes.Contains(body, []byte(":null")) {
		w.t.Errorf("%s as %s has a null: %.300s", name, actor, body)
	}
	if strings.HasPrefix(res.Request.URL.Path, "/api/") && res.Header.Get("Cache-Control") != "no-store, private" {
		w.t.Errorf("%s may be cached: %q", name, res.Header.Get("Cache-Control"))
	}
}

// request is what a route is asked with.
type request struct {
	path  map[string]string
	query string
	json  any
	raw   []byte
	kind  string // of raw
}

func (q request) body() []byte {
	if q.json == nil {
		return q.raw
	}
	b, err := json.Marshal(q.json)
	if err != nil {
		panic(err)
	}
	return b
}

func (q request) contentType() string {
	if q.kind != "" {
		return q.kind
	}
	return "application/json"
}

type m map[string]any

func bare(*world) request { return request{} }

func id[T ~string](v T) map[string]string { return map[string]string{"id": string(v)} }

// requests has a good request for every route. Each call makes what the
// request consumes, so that every actor asks the same.
var requests = map[string]func(*world) request{
	"GET /healthz":      bare,
	"GET /readyz":       bare,
	"GET /metrics":      bare,
	"GET /openapi.json": bare,
	"GET /bedside":      bare,
	"GET /bedside/*":    bare,
	"GET /*":            bare,
	"GET /verify.html":  bare,
	"GET /ledger/checkpoint": func(w *world) request {
		_, _, err := w.store.Checkpoint(w.t.Context())
		must(w.t, err)
		return request{}
	},
	"GET /ledger/tile/*": func(w *world) request {
		_, _, err := w.store.Checkpoint(w.t.Context())
		must(w.t, err)
		return request{path: map[string]string{"*": "0/000.p/1"}}
	},

	"POST /api/v1/sign-in": func(w *world) request {
		token, err := web.NewOneTime(w.t.Context(), w.store, w.user(ward.Operator, "none").Login)
		must(w.t, err)
		return request{json: m{"one_time": token}}
	},
	"POST /api/v1/sign-out":   bare,
	"GET /api/v1/me":          bare,
	"PUT /api/v1/me/password": func(*world) request { return request{json: m{"password": "correct horse"}} },
	"GET /api/v1/events":      bare,
	"GET /api/v1/ledger/key":  bare,
	"GET /api/v1/ledger":      bare,
	"GET /api/v1/storage":     bare,
	"GET /api/v1/coverage": func(w *world) request {
		return request{query: "?from=" + w.began.Format(time.DateOnly) + "&to=" + w.began.AddDate(0, 0, 1).Format(time.DateOnly)}
	},
	"GET /api/v1/users":        bare,
	"GET /api/v1/users/names":  bare,
	"GET /api/v1/camera-names": bare,
	"GET /api/v1/institutions": bare,
	"GET /api/v1/places":       bare,
	"POST /api/v1/users": func(w *world) request {
		return request{json: m{"login": fmt.Sprint("new-", w.next()), "name": "新人", "role": "operator"}}
	},
	"PUT /api/v1/users/{id}": func(w *world) request {
		return request{path: id(w.user(ward.Operator, "none").ID), json: m{"name": "新名", "role": "operator", "all_institutions": false, "institutions": []string{}, "disabled": true}}
	},
	"POST /api/v1/users/{id}/one-time": func(w *world) request { return request{path: id(w.user(ward.Operator, "none").ID)} },
	"POST /api/v1/users/{id}/tokens": func(w *world) request {
		return request{path: id(w.user(ward.Operator, "none").ID), json: m{"days": 1}}
	},
	"POST /api/v1/institutions": func(*world) request { return request{json: m{"name": "新院"}} },
	"POST /api/v1/places": func(*world) request {
		return request{json: m{"institution_id": own, "name": "新窗口", "kind": "pharmacy"}}
	},

	"GET /api/v1/cameras": bare,
	"POST /api/v1/cameras": func(w *world) request {
		return request{json: m{"place_id": w.place.ID, "name": "新镜头", "url": "rtsp://192.0.2.2/1", "password": "secret-password", "enabled": true}}
	},
	"GET /api/v1/cameras/{id}": func(w *world) request { return request{path: id(w.camera.ID)} },
	"PUT /api/v1/cameras/{id}": func(w *world) request {
		return request{path: id(w.newCamera().ID), json: m{"place_id": w.place.ID, "name": "改", "url": "rtsp://192.0.2.3/1", "password": "secret-password", "enabled": false}}
	},
	"GET /api/v1/face-index":    bare,
	"GET /api/v1/face-searches": bare,
	"POST /api/v1/face-searches": func(w *world) request {
		return request{json: w.looking(m{"photo": []byte("\xff\xd8")})}
	},
	"GET /api/v1/sightings/{id}/picture.jpg": func(w *world) request { return request{path: id(w.newFace().ID)} },
	"GET /api/v1/blind-periods":              func(*world) request { return request{} },
	"GET /api/v1/blind-periods/{id}":         func(w *world) request { return request{path: id(w.newBlind().ID)} },
	"GET /api/v1/blind-periods/{id}/{which}": func(w *world) request {
		return request{path: map[string]string{"id": string(w.newBlind().ID), "which": "at"}}
	},
	"GET /api/v1/outages":        bare,
	"GET /api/v1/outage-cameras": bare,
	"POST /api/v1/outages": func(w *world) request {
		return request{json: m{"institution_id": own, "places": []ward.PlaceID{w.place.ID}, "from": w.began.Add(time.Hour), "to": w.began.Add(2 * time.Hour), "reason": "检修"}}
	},
	"GET /api/v1/outages/{id}": func(w *world) request { return request{path: id(w.outage().ID)} },
	"POST /api/v1/outages/{id}/withdrawal": func(w *world) request {
		return request{path: id(w.outage().ID), json: m{"version": 1}}
	},
	"POST /api/v1/outages/{id}/decision": func(w *world) request {
		return request{path: id(w.outage().ID), json: m{"version": 1, "accepted": false, "note": "无检修单"}}
	},
	"POST /api/v1/cameras/{id}/learn":  func(w *world) request { return request{path: id(w.newCamera().ID)} },
	"GET /api/v1/cameras/{id}/devices": func(w *world) request { return request{path: id(w.camera.ID)} },
	"POST /api/v1/cameras/{id}/devices": func(w *world) request {
		return request{path: id(w.newCamera().ID), json: m{"model": "X-200", "serial": "SN-1"}}
	},
	"POST /api/v1/cameras/{id}/devices/ask": func(w *world) request { return request{path: id(w.newCamera().ID), json: m{"port": 80}} },
	"GET /api/v1/cameras/{id}/zones":        func(w *world) request { return request{path: id(w.camera.ID)} },
	"PUT /api/v1/cameras/{id}/zones": func(w *world) request {
		return request{path: id(w.newCamera().ID), json: m{"based_on": 0, "zones": []m{{"kind": "staff", "polygon": []m{{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 0.5, "y": 1}}}}}}
	},
	"GET /api/v1/cameras/export.csv": bare,
	"POST /api/v1/cameras/import": func(w *world) request {
		return request{query: "?dry_run=false", kind: "text/csv", raw: fmt.Appendf(nil, "id,institution_id,place,name,url,password\nimported-%d,h-own,%s,镜头,rtsp://192.0.2.2/%[1]d,secret-password\n", w.next(), w.place.Name)}
	},
	"POST /api/v1/cameras/probe": func(w *world) request {
		return request{json: m{"url": w.shown.URL + "/none", "user": "u", "password": "secret-password"}}
	},
	"POST /api/v1/cameras/probe/live": func(w *world) request {
		return request{json: m{"url": w.shown.URL + "/none", "user": "u", "password": "secret-password"}}
	},
	"DELETE /api/v1/cameras/{id}":       func(w *world) request { return request{path: id(w.newCamera().ID)} },
	"GET /api/v1/cameras/{id}/timeline": func(w *world) request { return request{path: id(w.camera.ID), query: w.stretch()} },
	"GET /api/v1/cameras/{id}/clip.mp4": func(w *world) request { return request{path: id(w.camera.ID), query: w.stretch()} },
	"GET /api/v1/cameras/{id}/playback.m3u8": func(w *world) request {
		return request{path: id(w.camera.ID), query: w.stretch()}
	},
	"GET /api/v1/cameras/{id}/playback/{file}": func(w *world) request {
		return request{path: map[string]string{"id": string(w.camera.ID), "file": fmt.Sprintf("%d-0.m4s", w.segment.Start.UnixMicro())}}
	},
	"GET /api/v1/cameras/{id}/thumbnail.jpg": func(w *world) request {
		return request{path: id(w.camera.ID), query: "?at=" + w.segment.Start.Add(time.Second).Format(time.RFC3339Nano)}
	},
	"GET /api/v1/cameras/{id}/frame": func(w *world) request {
		return request{path: id(w.camera.ID), query: "?step=1&at=" + w.segment.Start.Format(time.RFC3339Nano)}
	},
	"GET /api/v1/segments/{id}/media.mp4": func(w *world) request { return request{path: id(w.segment.ID)} },
	"POST /api/v1/cameras/{id}/whep": func(w *world) request {
		return request{path: id(w.shown.ID), raw: []byte(w.offer), kind: "application/sdp"}
	},
	"GET /api/v1/cameras/{id}/live.m3u8": func(w *world) request { return request{path: id(w.shown.ID)} },
	"GET /api/v1/cameras/{id}/live/{file}": func(w *world) request {
		return request{path: map[string]string{"id": string(w.shown.ID), "file": w.liveFile()}}
	},
	"DELETE /api/v1/whep/{id}": func(*world) request { return request{path: id("nothing")} },

	"POST /api/v1/insured": func(*world) request { return request{json: m{"name": "李四", "id_number": "110101199202020022"}} },
	"GET /api/v1/insured":  bare,
	"POST /api/v1/insured/find": func(w *world) request {
		return request{json: m{"id_number": w.insured.IDNumber, "reason": "核查"}}
	},
	"GET /api/v1/insured/{id}": func(w *world) request {
		return request{path: id(w.insured.ID)}
	},
	"PUT /api/v1/insured/{id}/photo": func(w *world) request {
		return request{path: id(w.insured.ID), raw: []byte("\xff\xd8\xff"), kind: "image/jpeg"}
	},

	"GET /api/v1/settlements": bare,
	"POST /api/v1/settlements": func(w *world) request {
		return request{json: m{
			"institution_id": own, "place_id": w.place.ID, "external_no": fmt.Sprint("no-", w.next()), "insured_id": w.insured.ID,
			"kind": "outpatient", "at": time.Now().UTC(), "amount_fen": 1234,
		}}
	},
	"GET /api/v1/settlements/{id}": func(w *world) request { return request{path: id(w.alert.SettlementID)} },

	"GET /api/v1/identity-checks": bare,
	"POST /api/v1/identity-checks": func(w *world) request {
		return request{json: m{"insured_id": w.insured.ID, "place_id": w.place.ID, "photo": []byte("\xff\xd8")}}
	},
	"GET /api/v1/physicians": bare,
	"POST /api/v1/physicians": func(*world) request {
		return request{json: m{"name": "华医师", "institutions": []string{string(own)}}}
	},
	"POST /api/v1/physicians/import": func(*world) request {
		return request{query: "?dry_run=true", kind: "text/csv", raw: []byte("id,name,institutions\nph-9,九,h-own\n")}
	},
	"PUT /api/v1/physicians/{id}/photo": func(w *world) request {
		return request{path: id(w.physician()), raw: []byte("\xff\xd8\xff"), kind: "image/jpeg"}
	},
	"GET /api/v1/physicians/{id}/duty": func(w *world) request {
		return request{path: id(w.physician()), query: "?institution_id=" + string(own)}
	},
	"GET /api/v1/duties": bare,
	"POST /api/v1/duties": func(w *world) request {
		return request{json: m{"physician_id": w.physician(), "place_id": w.place.ID, "photo": []byte("\xff\xd8")}}
	},
	"GET /api/v1/duties/{id}": func(w *world) request { return request{path: id(w.duty().ID)} },
	"POST /api/v1/duties/{id}/end": func(w *world) request {
		return request{path: id(w.duty().ID), json: m{"photo": []byte("\xff\xd8")}}
	},
	"POST /api/v1/duty-links": func(w *world) request {
		w.dutyFence()
		return request{json: m{"institution_id": own, "physician_id": w.physician(), "reason": "上岗", "deadline": time.Now().Add(time.Hour).UTC()}}
	},
	"POST /api/v1/duty-checks": func(w *world) request {
		w.dutyFence()
		return request{json: m{"institution_id": own, "physician_ids": []ward.PhysicianID{w.duty().PhysicianID}, "reason": "抽查", "deadline": time.Now().Add(time.Hour).UTC()}}
	},
	"GET /api/v1/duty-policies": bare,
	"PUT /api/v1/duty-policies": func(w *world) request {
		based := 0
		for _, p := range get(w.t, func(ctx context.Context, _ string) ([]ward.DutyPolicy, error) { return w.store.DutyPolicies(ctx) }, "") {
			if p.InstitutionID == own {
				based = p.Version
			}
		}
		return request{json: m{"version": based, "institution_id": own, "window_minutes": 240, "reason": "试行"}}
	},

	"GET /api/v1/treatments": bare,
	"POST /api/v1/treatments": func(w *world) request {
		return request{json: m{"insured_id": w.patient(), "place_id": w.place.ID, "kind": "dialysis", "photo": []byte("\xff\xd8")}}
	},
	"GET /api/v1/treatments/{id}":        func(w *world) request { return request{path: id(w.treatment("").ID)} },
	"POST /api/v1/treatments/{id}/calls": func(w *world) request { return request{path: id(w.treatment("").ID)} },
	"GET /api/v1/treatments/{id}/coverage": func(w *world) request {
		return request{path: id(w.treatment("").ID), query: "?minutes=5"}
	},
	"POST /api/v1/treatments/{id}/answers": func(w *world) request {
		return request{path: id(w.treatment("").ID), json: m{"call": 1, "photo": []byte("\xff\xd8")}}
	},
	"POST /api/v1/treatments/{id}/end": func(w *world) request {
		return request{path: id(w.treatment("").ID), json: m{"photo": []byte("\xff\xd8")}}
	},
	"POST /api/v1/treatments/{id}/links": func(w *world) request {
		return request{path: id(w.treatment("").ID), json: m{"end": true, "reason": "治疗核验"}}
	},
	"POST /api/v1/treatments/{id}/bills": func(w *world) request {
		return request{path: id(w.treatment("").ID), json: m{"external_no": "no-1", "minutes": 10}}
	},
	"GET /api/v1/treatment-policies": bare,
	"PUT /api/v1/treatment-policies": func(w *world) request {
		based := 0
		for _, p := range get(w.t, func(ctx context.Context, _ string) ([]ward.TreatmentPolicy, error) {
			return w.store.TreatmentPolicies(ctx)
		}, "") {
			based = p.Version // no other scope is set here
		}
		return request{json: m{"version": based, "institution_id": own, "kind": "dialysis", "every_minutes": 20, "answer_minutes": 3, "absences": 0, "absence_minutes": 0, "longest_minutes": 300, "reason": "试行"}}
	},
	"POST /api/v1/tablet/treatments/{id}/answers": func(w *world) request {
		return request{path: id(w.treatment(w.tabletSecret).ID), json: m{"call": 1, "photo": []byte("\xff\xd8")}}
	},

	"GET /api/v1/clock-offsets": bare,
	"GET /api/v1/rules":         bare,
	"GET /api/v1/rules/{rule}/history": func(*world) request {
		return request{path: map[string]string{"rule": "nobody_at_counter"}}
	},
	"PUT /api/v1/rules/{rule}": func(w *world) request {
		settings := get(w.t, func(ctx context.Context, _ string) ([]ward.RuleSetting, error) { return w.store.RuleSettings(ctx) }, "")
		based := 0
		for _, s := range settings {
			based = max(based, s.Version)
		}
		return request{path: map[string]string{"rule": "nobody_at_counter"}, json: m{"mode": "live", "params": m{"before": 6}, "based_on": based}}
	},

	"GET /api/v1/notify-endpoints": bare,
	"POST /api/v1/notify-endpoints": func(w *world) request {
		for _, p := range get(w.t, func(ctx context.Context, _ string) ([]ward.Endpoint, error) { return w.store.Endpoints(ctx) }, "") {
			must(w.t, w.store.DeleteEndpoint(w.t.Context(), p.ID)) // there is a limit
		}
		return request{json: m{"name": "公安", "url": "https://192.0.2.7/events", "secret": webhookSecret}}
	},
	"PUT /api/v1/notify-endpoints/{id}": func(w *world) request {
		return request{path: id(w.endpoint()), json: m{"name": "新名", "url": "https://192.0.2.7/events", "types": []string{"wardwatch.alert.raised"}, "institutions": []string{}, "disabled": true}}
	},
	"DELETE /api/v1/notify-endpoints/{id}":    func(w *world) request { return request{path: id(w.endpoint())} },
	"POST /api/v1/notify-endpoints/{id}/test": func(w *world) request { return request{path: id(w.endpoint())} },
	"POST /api/v1/notify-endpoints/{id}/replay": func(w *world) request {
		return request{path: id(w.endpoint()), json: m{"from": 1}}
	},
	"GET /api/v1/notify-endpoints/{id}/deliveries": func(w *world) request { return request{path: id(w.endpoint())} },

	"GET /api/v1/alerts":                   bare,
	"GET /api/v1/alerts/{id}":              func(w *world) request { return request{path: id(w.alert.ID)} },
	"GET /api/v1/alerts/{id}/snapshot.jpg": func(w *world) request { return request{path: id(w.alert.ID)} },
	"GET /api/v1/alerts/{id}/clip.mp4":     func(w *world) request { return request{path: id(w.alert.ID)} },
	"POST /api/v1/alerts/{id}/decision": func(w *world) request {
		return request{path: id(w.newAlert().ID), json: m{"action": "dismiss", "version": 1, "note": "误报", "reason_code": "wrong"}}
	},
	"POST /api/v1/alert-decisions": func(w *world) request {
		return request{json: m{"action": "confirm", "alerts": []m{{"id": w.newAlert().ID, "version": 1}, {"id": w.newAlert().ID, "version": 1}}, "note": "看过录像", "case_title": "空刷"}}
	},
	"GET /api/v1/alerts/{id}/assignees": func(w *world) request { return request{path: id(w.alert.ID)} },
	"GET /api/v1/alert-groups":          bare,
	"GET /api/v1/alert-precision":       bare,
	"GET /api/v1/alert-policy":          bare,
	"PUT /api/v1/alert-policy": func(w *world) request {
		return request{json: get(w.t, func(ctx context.Context, _ string) (ward.AlertPolicy, error) { return w.store.AlertPolicy(ctx) }, "")}
	},
	"GET /api/v1/findings": bare,
	"POST /api/v1/findings/{id}/appeal": func(w *world) request {
		return request{path: id(w.confirmed().ID), json: m{"version": 2, "reason": "病人在诊室"}}
	},

	"GET /api/v1/admissions":                 bare,
	"GET /api/v1/admission-register":         bare,
	"GET /api/v1/admission-wards":            bare,
	"GET /api/v1/admissions/{id}":            func(w *world) request { return request{path: id(w.stay.ID)} },
	"GET /api/v1/admissions/{id}/events":     func(w *world) request { return request{path: id(w.stay.ID)} },
	"GET /api/v1/admissions/{id}/enrolments": func(w *world) request { return request{path: id(w.stay.ID)} },
	"POST /api/v1/admissions/{id}/enrolments": func(w *world) request {
		return request{path: id(w.stay.ID), json: m{"photo": []byte("\xff\xd8"), "way": "camera"}}
	},
	"POST /api/v1/admissions/{id}/enrolment-links": func(w *world) request {
		return request{path: id(w.stay.ID), json: m{"reason": "入院登记", "deadline": time.Now().Add(time.Hour).UTC()}}
	},
	"GET /api/v1/admissions/{id}/beds": func(w *world) request { return request{path: id(w.stay.ID)} },
	"POST /api/v1/admissions/import": func(w *world) request {
		return request{query: "?dry_run=false&institution_id=" + string(own), kind: "application/octet-stream", raw: fmt.Appendf(nil, "住院号,时间,病区,床号\nzy-%d,2026-11-01 08:00,内一,3\n", w.next())}
	},
	"POST /api/v1/admissions": func(w *world) request {
		return request{json: m{"institution_id": own, "insured_id": w.insured.ID, "ward": "外科", "bed": "1", "from": w.began}}
	},
	"GET /api/v1/rounds": bare,
	"POST /api/v1/rounds": func(w *world) request {
		return request{json: m{"institution_id": own, "reason": "抽查", "admission_ids": []ward.AdmissionID{w.stay.ID}, "deadline": time.Now().Add(time.Hour).UTC()}}
	},
	"GET /api/v1/admissions/risk": func(*world) request { return request{query: "?institution_id=" + string(own)} },
	"GET /api/v1/draw-options":    func(*world) request { return request{query: "?institution_id=" + string(own)} },
	"GET /api/v1/draws":           bare,
	"POST /api/v1/draws": func(w *world) request {
		w.user(ward.Inspector, "own")
		return request{json: m{"institution_id": own, "source": "drand", "strata": []m{{"ward": "", "take": 1}}, "inspectors": 1, "previous": w.closeDraws(), "reason": "再抽"}}
	},
	"GET /api/v1/draws/{id}":       func(w *world) request { return request{path: id(w.newDraw(ward.SourceDrand).ID)} },
	"GET /api/v1/draws/{id}/proof": func(w *world) request { return request{path: id(w.newDraw(ward.SourceDrand).ID)} },
	"POST /api/v1/draws/{id}/abandon": func(w *world) request {
		return request{path: id(w.newDraw(ward.SourceDrand).ID), json: m{"reason": "误选"}}
	},
	"POST /api/v1/draws/{id}/beacon": func(w *world) request {
		return request{path: id(w.newDraw(ward.SourceDrand).ID), json: m{"round": 1, "randomness": "", "signature": "00"}}
	},
	"POST /api/v1/draws/{id}/round": func(w *world) request {
		return request{path: id(w.answered().ID), json: m{"reason": "双随机", "deadline": time.Now().Add(time.Hour).UTC()}}
	},
	"GET /api/v1/coin-flips": func(w *world) request { w.newDraw(ward.SourceCoin); return request{} },
	"POST /api/v1/coin-flips/{id}": func(w *world) request {
		d := w.newDraw(ward.SourceCoin)
		return request{path: id(d.ID), json: m{"commitment": d.Commitment, "value": strings.Repeat("5a", 32)}}
	},
	"GET /api/v1/round-plans":         bare,
	"GET /api/v1/notify-names":        func(*world) request { return request{query: "?institution_id=" + string(own)} },
	"POST /api/v1/round-plans":        func(w *world) request { return request{json: m{"institution_id": own, "spec": w.planSpec()}} },
	"GET /api/v1/round-plans/{id}":    func(w *world) request { return request{path: id(w.plan().ID)} },
	"DELETE /api/v1/round-plans/{id}": func(w *world) request { return request{path: id(w.plan().ID)} },
	"GET /api/v1/rounds/{id}":         func(w *world) request { v, _ := w.visit(); return request{path: id(v.RoundID)} },
	"GET /api/v1/visits/{id}":         func(w *world) request { v, _ := w.visit(); return request{path: id(v.ID)} },
	"POST /api/v1/visits/{id}/link":   func(w *world) request { v, _ := w.visit(); return request{path: id(v.ID)} },
	"POST /api/v1/visits/{id}/decision": func(w *world) request {
		v := w.undecided()
		return request{path: id(v.ID), json: m{"verdict": "absent", "reason": "不在床"}}
	},
	"GET /api/v1/waiting-visits": func(w *world) request { w.proposed(); return request{} },
	"POST /api/v1/visits/{id}/rulings": func(w *world) request {
		v, _ := w.visit()
		return request{path: id(v.ID), json: m{"circumstance": "leave", "verdict": "absent", "reason": "请假", "people": []string{"护士"}, "pictures": []m{{"bytes": testPicture()}}}}
	},
	"POST /api/v1/visits/{id}/rulings/{ruling}/answer": func(w *world) request {
		r := w.proposed()
		return request{path: map[string]string{"id": string(r.VisitID), "ruling": string(r.ID)}, json: m{"agree": false, "reason": "请假单看不清"}}
	},
	"GET /api/v1/visits/{id}/rulings/{ruling}/proofs/{number}": func(w *world) request {
		r := w.proposed()
		return request{path: map[string]string{"id": string(r.VisitID), "ruling": string(r.ID), "number": "1"}}
	},
	"GET /api/v1/access-policy": bare,
	"PUT /api/v1/access-policy": func(w *world) request {
		p, err := w.store.AccessPolicy(w.t.Context())
		must(w.t, err)
		p.Actions = []ward.Action{} // the table is of what nobody needs a reason for
		return request{json: p}
	},
	"POST /api/v1/access-reasons": func(w *world) request {
		return request{json: m{"case_id": w.openCase().ID, "reason": "复核"}}
	},
	"GET /api/v1/check-policies": bare,
	"PUT /api/v1/check-policies": func(w *world) request {
		seen := 0
		for _, p := range get(w.t, func(ctx context.Context, _ string) ([]ward.CheckPolicy, error) { return w.store.CheckPolicies(ctx) }, "") {
			seen = max(seen, p.Version)
		}
		p := ward.DefaultCheckPolicy()
		p.Version, p.Reason = seen, "试行"
		return request{json: p}
	},
	"GET /api/v1/visits/{id}/snapshot.jpg": func(w *world) request { return request{path: id(w.sealedVisit().ID)} },
	"GET /api/v1/visits/{id}/clip.mp4":     func(w *world) request { return request{path: id(w.sealedVisit().ID)} },
	"POST /api/v1/visits/{id}/call": func(w *world) request {
		v, _ := w.visit()
		return request{path: id(v.ID), raw: []byte("v=0"), kind: "application/sdp"}
	},
	"GET /api/v1/visits/{id}/messages": func(w *world) request { v, _ := w.visit(); return request{path: id(v.ID)} },
	"POST /api/v1/visits/{id}/messages": func(w *world) request {
		v, _ := w.visit() // nobody has opened its link
		return request{path: id(v.ID), json: m{"ref": "a-1", "text": "您好"}}
	},
	"POST /api/v1/visits/{id}/ice": func(w *world) request { v, _ := w.visit(); return request{path: id(v.ID)} }, // nobody has opened its link
	"DELETE /api/v1/calls/{id}":    func(*world) request { return request{path: id("nothing")} },

	"GET /api/v1/tablets": bare,
	"POST /api/v1/tablets": func(*world) request {
		return request{json: m{"institution_id": own, "ward": "内科", "bed": "3", "name": "三床"}}
	},
	"POST /api/v1/tablets/{id}/code": func(w *world) request { v, _ := w.tablet(); return request{path: id(v.ID)} },
	"POST /api/v1/tablets/{id}/ring": func(w *world) request { v, _ := w.tablet(); return request{path: id(v.ID)} },
	"DELETE /api/v1/tablets/{id}":    func(w *world) request { v, _ := w.tablet(); return request{path: id(v.ID)} },
	"POST /api/v1/tablet/pair":       func(w *world) request { return request{json: m{"code": w.pairingCode()}} },
	"POST /api/v1/tablet/report": func(*world) request {
		return request{json: m{"battery": 80, "charging": true, "network": "wifi", "sound": true}}
	},
	"POST /api/v1/tablet/rang":  func(w *world) request { return request{json: m{"asked": w.asked()}} },
	"GET /api/v1/tablet/events": bare,
	"POST /api/v1/tablet/visits/{id}/received": func(w *world) request {
		v, _ := w.visit()
		return request{path: id(v.ID), json: m{"aloud": true}}
	},
	"POST /api/v1/tablet/visits/{id}/open": func(w *world) request { v, _ := w.visit(); return request{path: id(v.ID)} },
	"POST /api/v1/visits/{id}/told": func(w *world) request {
		v, _ := w.visit()
		return request{path: id(v.ID), json: m{"way": "qr"}}
	},
	"GET /tablet": bare,
	"GET /share":  bare,

	"POST /api/v1/bedside/open": func(w *world) request { _, token := w.visit(); return request{json: m{"token": token}} },
	"POST /api/v1/bedside/consent": func(*world) request {
		return request{json: m{"agree": true}}
	},
	"POST /api/v1/bedside/session": func(*world) request { return request{raw: []byte("v=0"), kind: "application/sdp"} },
	"GET /api/v1/sites":            func(w *world) request { w.site(); return request{} },
	"PUT /api/v1/sites": func(w *world) request {
		return request{json: m{"version": w.site().Version, "institution_id": own, "networks": []string{"10.0.0.0/8"}, "ward_code": true, "bed_code": true, "reason": "试行"}}
	},
	"GET /api/v1/tablet/ward-code": func(w *world) request { w.site(); return request{} },
	"POST /api/v1/bedside/where": func(w *world) request {
		w.site()
		return request{json: m{"state": "refused"}}
	},
	"POST /api/v1/bedside/trial": func(*world) request { return request{raw: []byte("v=0"), kind: "application/sdp"} },
	"POST /api/v1/bedside/preflight": func(*world) request {
		return request{json: m{"camera": "ok", "microphone": "silent", "network": "ok", "udp": true}}
	},
	"POST /api/v1/bedside/ice":   bare,
	"POST /api/v1/bedside/away":  bare,
	"POST /api/v1/bedside/leave": bare,

	"GET /api/v1/cases": bare,
	"POST /api/v1/cases": func(w *world) request {
		return request{json: m{"alert_id": w.newAlert().ID, "title": "空刷"}}
	},
	"GET /api/v1/cases/{id}":            func(w *world) request { return request{path: id(w.openCase().ID)} },
	"GET /api/v1/cases/{id}/custody":    func(w *world) request { return request{path: id(w.openCase().ID)} },
	"GET /api/v1/cases/{id}/evidence":   func(w *world) request { return request{path: id(w.openCase().ID)} },
	"GET /api/v1/cases/{id}/export.zip": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"POST /api/v1/exports/{id}/cancel": func(w *world) request { // only one's own, as another test shows
		x, err := w.store.BeginExport(w.t.Context(), ward.Custody{CaseID: w.openCase().ID, At: time.Now(), Actor: "u", Role: ward.Inspector})
		must(w.t, err)
		return request{path: id(x.ID)}
	},
	"GET /api/v1/cases/{id}/file": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"POST /api/v1/cases/{id}/prints": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"document": "evidence_list", "reason": "移送"}}
	},
	"POST /api/v1/dossier": func(*world) request {
		return request{json: m{"kind": "institution", "number": own, "reason": "核查线索"}}
	},
	"POST /api/v1/dossier/print": func(*world) request {
		return request{json: m{"kind": "institution", "number": own, "reason": "核查线索"}}
	},
	"GET /api/v1/cases/{id}/redactions": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"POST /api/v1/cases/{id}/redactions": func(w *world) request {
		c, e := w.coverable()
		return request{path: id(c.ID), json: m{"evidence_id": e.ID, "faces": true, "regions": []m{}, "reason": "隐私"}}
	},
	"POST /api/v1/redactions/{id}/cancel": func(w *world) request {
		return request{path: id(w.queued().ID)}
	},
	"POST /api/v1/cases/{id}/unmaskings": func(w *world) request {
		r := w.queued()
		e := w.cover(r)
		return request{path: id(r.CaseID), json: m{"evidence_id": e.ID, "reason": "质证"}}
	},
	"POST /api/v1/unmaskings/{id}/answer": func(w *world) request {
		r := w.queued()
		u, err := w.store.RequestUnmasking(w.t.Context(), w.cover(r), own, "质证", w.user(ward.Inspector, "own"))
		must(w.t, err)
		return request{path: id(u.ID), json: m{"agree": false, "reason": "不需要"}}
	},
	"GET /api/v1/cases/{id}/letters": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"GET /api/v1/cases/{id}/letter-proposal": func(w *world) request {
		return request{path: id(w.openCase().ID), query: "?kind=reminder"}
	},
	"POST /api/v1/cases/{id}/letters": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"kind": "reminder", "recipient": "医院", "body": "请核查。"}}
	},
	"POST /api/v1/letters/{id}/steps": func(w *world) request {
		l, err := w.store.StepLetter(w.t.Context(), storage.LetterChange{
			ID: ward.NewID[ward.LetterID](time.Now()), CaseID: w.openCase().ID, Action: ward.LetterWrite, Words: ward.LetterWords{Kind: ward.Audit, Recipient: "医院", Body: "请核查。"},
		}, w.user(ward.Inspector, "own"))
		must(w.t, err)
		return request{path: id(l[0].ID), json: m{"seen": 1, "action": "withdraw", "note": "不再需要"}}
	},
	"GET /api/v1/cases/{id}/people": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"PUT /api/v1/cases/{id}/file": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"version": 0, "subjects": []m{}, "cause": "空刷", "basis": []string{}, "officers": []m{}, "links": []m{}, "reason": "立案"}}
	},
	"POST /api/v1/cases/{id}/steps": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"seen": 0, "action": "submit", "note": ""}} // it has no file yet
	},
	"GET /api/v1/cases/{id}/shares": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"POST /api/v1/cases/{id}/shares": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"party": m{"name": "王", "office": "法院"}, "reason": "调取", "hours": 24}}
	},
	"POST /api/v1/shares/{id}/revocation": func(w *world) request {
		v, _ := w.share()
		return request{path: id(v.ID), json: m{"reason": "误发"}}
	},
	"POST /api/v1/shared/open": func(w *world) request {
		_, token := w.share()
		return request{json: m{"token": token, "code": "12345678"}}
	},
	"GET /api/v1/shared":             bare,
	"GET /api/v1/shared/package.zip": bare,
	"POST /api/v1/shared/receipt":    func(*world) request { return request{json: m{"seq": 1, "name": "王"}} },
	"POST /api/v1/cases/{id}/files": func(w *world) request {
		return request{path: id(w.openCase().ID), query: "?name=bill.pdf", raw: []byte("%PDF-1.4"), kind: "application/octet-stream"}
	},
	"POST /api/v1/cases/{id}/evidence": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"kind": "settlement", "ref": w.newAlert().SettlementID}}
	},
	"GET /api/v1/cases/{id}/holds": func(w *world) request { return request{path: id(w.openCase().ID)} },
	"POST /api/v1/cases/{id}/releases": func(w *world) request {
		return request{path: id(w.openCase().ID), json: m{"reason": "案件办结"}}
	},
	"POST /api/v1/releases/{id}/answer": func(w *world) request {
		r, err := w.store.RequestRelease(w.t.Context(), w.openCase().ID, "案件办结", w.user(ward.Inspector, "own"))
		must(w.t, err)
		return request{path: id(r.ID), json: m{"agree": false, "reason": "尚在申诉期"}}
	},
	"GET /api/v1/evidence/{id}/origin": func(w *world) request {
		items := get(w.t, w.store.Evidence, w.openCase().ID)
		return request{path: id(items[slices.IndexFunc(items, func(e ward.Evidence) bool { return e.Kind == ward.EvidenceSegment })].ID)}
	},
	"GET /api/v1/evidence/{id}/content": func(w *world) request {
		items := get(w.t, w.store.Evidence, w.openCase().ID)
		return request{path: id(items[0].ID)}
	},
}

func (w *world) stretch() string {
	return "?from=" + w.segment.Start.Format("2006-01-02T15:04:05.000Z") + "&to=" + w.segment.End.Add(time.Second).Format("2006-01-02T15:04:05.000Z")
}

// sealedVisit is a visit with a recording and a snapshot.
func (w *world) sealedVisit() ward.Visit {
	w.t.Helper()
	v, _ := w.visit()
	w.record(ward.Source{Kind: ward.FromVisit, ID: string(v.ID)})
	v.Verdict, v.DecidedBy, v.ReasonZH, v.ReasonEN = ward.Unable, "u", "原因", "reason"
	v.SnapshotKey = w.alert.SnapshotKey
	v, err := w.store.SealVisit(w.t.Context(), v, nil)
	must(w.t, err)
	return v
}
