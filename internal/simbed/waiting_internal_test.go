package simbed

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Who is told to wait waits and asks again; who is refused without a time does not.
func TestToldToWait(t *testing.T) {
	t.Parallel()
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	r, err := Run(t.Context(), Options{Server: s.URL, Link: "x", Behaviour: Refuse})
	if err == nil || asked != 2 || r.Waited < time.Second {
		t.Errorf("asked %d times, waited %v: %v", asked, r.Waited, err)
	}
}
