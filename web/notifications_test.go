package web_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// endpoint adds a webhook; the oldest makes room when there are too many.
func (w *world) endpoint() ward.EndpointID {
	w.t.Helper()
	all := get(w.t, func(ctx context.Context, _ string) ([]ward.Endpoint, error) { return w.store.Endpoints(ctx) }, "")
	if len(all) >= ward.MaxEndpoints {
		must(w.t, w.store.DeleteEndpoint(w.t.Context(), all[0].ID))
	}
	p := ward.Endpoint{ID: ward.EndpointID(fmt.Sprint("hook-", w.next())), Kind: ward.Webhook, Name: "x", URL: "https://192.0.2.7/", Secret: webhookSecret, Created: w.began}
	must(w.t, w.store.AddEndpoint(w.t.Context(), p))
	return p.ID
}

// The secret of a webhook is in no answer and not in the database as it is,
// and what is wrong with a webhook is said.
func TestWebhooksAreCheckedAndTheirSecretIsKept(t *testing.T) {
	w := newWorld(t).serve()
	ask := func(method, path string, body any) (int, []byte) {
		b, err := json.Marshal(body)
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, w.http.URL+path, bytes.NewReader(b))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.AddCookie(w.session(w.user(ward.Administrator, "all")))
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		defer res.Body.Close()
		var out bytes.Buffer
		_, err = out.ReadFrom(res.Body)
		must(t, err)
		if strings.Contains(out.String(), webhookSecret) || strings.Contains(out.String(), webhookSecret[6:]) {
			t.Errorf("%s %s shows the secret: %s", method, path, out.String())
		}
		return res.StatusCode, out.Bytes()
	}
	for code, b := range map[string]m{
		"endpoint.https":          {"name": "x", "url": "http://192.0.2.7/", "secret": webhookSecret},
		"endpoint.url":            {"name": "x", "url": "https://user:pw@192.0.2.7/", "secret": webhookSecret},
		"endpoint.secret":         {"name": "x", "url": "https://192.0.2.7/", "secret": "whsec_c2hvcnQ="},
		"endpoint.topic":          {"kind": "mqtt", "name": "x", "url": "mqtts://192.0.2.7/"},
		"endpoint.recipient":      {"kind": "email", "name": "x", "url": "mailto:A <a@example.org>", "digest_minutes": 5},
		"endpoint.extra":          {"kind": "email", "name": "x", "url": "mailto:a@example.org"},
		"endpoint.no_mail_server": {"kind": "email", "name": "x", "url": "mailto:a@example.org", "digest_minutes": 5},
		"endpoint.types":          {"name": "x", "url": "https://192.0.2.7/", "secret": webhookSecret, "types": []string{"wardwatch.test"}},
	} {
		var p web.Problem
		status, got := ask("POST", "/api/v1/notify-endpoints", b)
		must(t, json.Unmarshal(got, &p))
		if status != http.StatusUnprocessableEntity || p.Code != code {
			t.Errorf("%s: got %d %s", code, status, got)
		}
	}
	status, got := ask("POST", "/api/v1/notify-endpoints", m{"name": "x", "url": "https://192.0.2.7/", "secret": webhookSecret})
	var p ward.Endpoint
	must(t, json.Unmarshal(got, &p))
	if status != http.StatusCreated || p.ID == "" {
		t.Fatalf("got %d %s", status, got)
	}
	// The password of a broker, which is as secret.
	status, got = ask("POST", "/api/v1/notify-endpoints", m{"kind": "mqtt", "name": "x", "url": "mqtts://192.0.2.7/city", "user": "ward", "secret": webhookSecret})
	var broker ward.Endpoint
	must(t, json.Unmarshal(got, &broker))
	if status != http.StatusCreated || broker.Kind != ward.MQTT || broker.User != "ward" {
		t.Fatalf("got %d %s", status, got)
	}
	status, got = ask("PUT", "/api/v1/notify-endpoints/"+string(broker.ID), m{"name": "y", "url": "mqtts://192.0.2.7/town", "user": "b", "types": []string{}, "institutions": []string{}, "disabled": true})
	kept, err := w.store.SecretEndpoint(t.Context(), broker.ID)
	if status != http.StatusOK || err != nil || kept.Secret != webhookSecret || kept.User != "b" || kept.Kind != ward.MQTT || !kept.Disabled {
		t.Errorf("changed: got %d %s, %+v, %v", status, got, kept, err)
	}
	if status, got = ask("PUT", "/api/v1/notify-endpoints/"+string(broker.ID), m{"name": "y", "url": "mqtts://192.0.2.8/town", "user": "b", "types": []string{}, "institutions": []string{}, "disabled": true}); !strings.Contains(string(got), "endpoint.password_again") {
		t.Errorf("to another broker: got %d %s", status, got)
	}
	path := "/api/v1/notify-endpoints/" + string(p.ID)
	for range 3 {
		if status, got := ask("POST", path+"/test", nil); status != http.StatusNoContent {
			t.Errorf("test: got %d %s", status, got)
		}
	}
	if _, got = ask("GET", "/api/v1/notify-endpoints", nil); !strings.Contains(string(got), `"waiting":3`) || !strings.Contains(string(got), `"dead":0`) {
		t.Errorf("what waits: %s", got)
	}
	var page web.Page[ward.Delivery]
	_, got = ask("GET", path+"/deliveries?limit=2", nil)
	must(t, json.Unmarshal(got, &page))
	if len(page.Items) != 2 || page.Items[0].Seq != 3 || page.Items[0].Type != ward.TestEvent || page.Items[0].State != ward.DeliveryPending || page.Next != "2" {
		t.Errorf("deliveries: %s", got)
	}
	if _, got = ask("GET", path+"/deliveries?cursor=2", nil); !strings.Contains(string(got), `"seq":1`) || strings.Contains(string(got), `"seq":2`) {
		t.Errorf("second page: %s", got)
	}
	if _, got = ask("POST", path+"/replay", m{"from": 2}); !strings.Contains(string(got), `"events":2`) {
		t.Errorf("replay: %s", got)
	}
	db, err := sql.Open("sqlite", w.database)
	must(t, err)
	defer db.Close()
	var sealed []byte
	must(t, db.QueryRowContext(t.Context(), `SELECT secret_sealed FROM notify_endpoint WHERE id = $1`, p.ID).Scan(&sealed))
	if len(sealed) == 0 || bytes.Contains(sealed, []byte(webhookSecret[6:])) {
		t.Errorf("the secret is stored as %q", sealed)
	}
}

// Where there is a mail server, mail can be sent.
func TestMailEndpoints(t *testing.T) {
	w := newWorld(t)
	w.web.SendsMail = true
	w.serve()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.http.URL+"/api/v1/notify-endpoints", strings.NewReader(`{"kind":"email","name":"x","url":"mailto:a@example.org","digest_minutes":5}`))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(w.session(w.user(ward.Administrator, "all")))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var p ward.Endpoint
	must(t, json.NewDecoder(res.Body).Decode(&p))
	if res.StatusCode != http.StatusCreated || p.Kind != ward.Email || p.Digest != 5 {
		t.Errorf("got %d %+v", res.StatusCode, p)
	}
}
