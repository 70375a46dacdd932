package notify_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web/notify"
)

// The example that Standard Webhooks' own libraries test with.
func TestSignsAsStandardWebhooksHasIt(t *testing.T) {
	p := ward.Endpoint{Secret: secret}
	key, err := p.SigningKey()
	must(t, err)
	got := notify.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// check verifies the signature and headers of what was received.
func check(t *testing.T, h http.Header, body []byte) {
	t.Helper()
	key, err := (&ward.Endpoint{Secret: secret}).SigningKey()
	if err != nil {
		t.Error(err)
	}
	unix, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if want := notify.Sign(key, h.Get("Webhook-Id"), time.Unix(unix, 0), body); err != nil || h.Get("Webhook-Signature") != want || h.Get("Webhook-Id") == "" {
		t.Errorf("got headers %v, want signature %s", h, want)
	}
	if kind := h.Get("Content-Type"); kind != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("got content type %s", kind)
	}
}
