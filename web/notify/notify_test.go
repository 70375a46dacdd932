package notify_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web/notify"
)

// secret is the example of the Standard Webhooks specification.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// got is one request that a receiver saw.
type got struct {
	id   string
	body string
}

// receiver verifies what it gets and answers with what answer says.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	answer func(n int) int // by the number of the request, from 0; 0: it dies without having taken the event in
	mu     sync.Mutex      // guards n and all
	n      int
	all    []got
}

func receive(t *testing.T, answer func(n int) int) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: answer}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	check(r.t, q.Header, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.answer(r.n)
	r.n++
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	r.all = append(r.all, got{q.Header.Get("Webhook-Id"), string(body)})
	if status == http.StatusFound {
		http.Redirect(w, q, "/elsewhere", status)
	} else {
		w.WriteHeader(status)
	}
}

func (r *receiver) seen() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]got(nil), r.all...)
}

func (r *receiver) endpoint(s *storage.Store, id ward.EndpointID) {
	r.t.Helper()
	must(r.t, s.AddEndpoint(r.t.Context(), ward.Endpoint{ID: id, Kind: ward.Webhook, Name: "x", URL: r.server.URL, Secret: secret, Created: time.Now()}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func local() *ingest.Guard {
	return &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// run runs d until the test ends, or stop is called.
func run(t *testing.T, d *notify.Dispatcher) (stop func()) {
	t.Helper()
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		end()
		must(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
		select { // wait on the effect
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// the deliveries of an endpoint, the oldest first.
func deliveries(t *testing.T, s *storage.Store, id ward.EndpointID) []ward.Delivery {
	t.Helper()
	all, err := s.Deliveries(t.Context(), id, storage.DeliveryFilter{Limit: 500})
	must(t, err)
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// A receiver that fails gets the same event, with the same id and bytes, until
// it takes it, before the next; a replay sends all again.
func TestRetriesInOrderAndReplays(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		r := receive(t, func(n int) int { return []int{503, 302, 204}[min(n, 2)] })
		r.endpoint(s, "hook")
		for range 3 {
			must(t, s.SendTest(t.Context(), "hook"))
		}
		d := &notify.Dispatcher{Store: s, Guard: local(), Unencrypted: true}
		run(t, d)
		done := func() bool {
			all := deliveries(t, s, "hook")
			return all[len(all)-1].State == ward.DeliveryDone
		}
		until(t, "all are delivered", done)
		all, seen := deliveries(t, s, "hook"), r.seen()
		if len(seen) != 5 || seen[0] != seen[1] || seen[1] != seen[2] || seen[3].id != all[1].EventID || seen[4].id != all[2].EventID {
			t.Fatalf("got %v", seen)
		}
		if all[0].Attempts != 2 || all[0].Status != 204 || all[0].Failure != "" || all[0].Delivered.IsZero() {
			t.Errorf("got %+v", all[0])
		}
		_, err := s.Replay(t.Context(), "hook", 2, time.Now())
		must(t, err)
		until(t, "the replay is delivered", func() bool { return len(r.seen()) == 7 && done() })
		if again := r.seen(); again[5] != seen[3] || again[6] != seen[4] {
			t.Errorf("replayed %v, want %v", again[5:], seen[3:])
		}
	})
}

// After a day of tries an event is given up and listed, and the next is tried; a replay tries again.
func TestGivesUpAfterADay(t *testing.T) {
	s := teststore.SQLite(t)
	var well atomic.Bool
	r := receive(t, func(int) int {
		if well.Load() {
			return 200
		}
		return 500
	})
	r.endpoint(s, "hook")
	must(t, s.SendTest(t.Context(), "hook"))
	var ahead atomic.Int64
	run(t, &notify.Dispatcher{Store: s, Guard: local(), Unencrypted: true, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	until(t, "a try failed", func() bool { return deliveries(t, s, "hook")[0].Attempts > 0 })
	if d := deliveries(t, s, "hook")[0]; d.State != ward.DeliveryPending || d.Failure != "status_500" || !d.Next.After(time.Now().Add(-time.Minute)) {
		t.Errorf("got %+v", d)
	}
	ahead.Store(int64(25 * time.Hour))
	until(t, "it is given up", func() bool { return deliveries(t, s, "hook")[0].State == ward.DeliveryDead })
	dead, err := s.Deliveries(t.Context(), "hook", storage.DeliveryFilter{State: ward.DeliveryDead})
	if err != nil || len(dead) != 1 {
		t.Errorf("dead letters: %v, %v", dead, err)
	}
	if left, err := s.Backlogs(t.Context()); err != nil || left["hook"] != (ward.Backlog{Dead: 1}) {
		t.Errorf("what is left: %+v, %v", left, err)
	}
	well.Store(true)
	_, err = s.Replay(t.Context(), "hook", 1, time.Now().Add(25*time.Hour))
	must(t, err)
	until(t, "the replay is delivered", func() bool { return deliveries(t, s, "hook")[0].State == ward.DeliveryDone })
}

// Nothing is sent to this machine, over http, or to whom no authority vouches
// for, unless that is allowed.
func TestSendsNowhereElse(t *testing.T) {
	s := teststore.SQLite(t)
	r := receive(t, func(int) int { return 200 })
	r.endpoint(s, "plain")
	secure := httptest.NewTLSServer(r)
	t.Cleanup(secure.Close)
	must(t, s.AddEndpoint(t.Context(), ward.Endpoint{ID: "own", Kind: ward.Webhook, Name: "x", URL: secure.URL, Secret: secret, Created: time.Now()}))
	must(t, s.SendTest(t.Context(), "plain"))
	must(t, s.SendTest(t.Context(), "own"))
	failure := func(id ward.EndpointID) string { return deliveries(t, s, id)[0].Failure }
	t.Run("guarded", func(t *testing.T) {
		run(t, &notify.Dispatcher{Store: s, Guard: &ingest.Guard{}})
		until(t, "http and this machine are refused", func() bool { return failure("plain") == "https" && failure("own") == "guarded" })
	})
	t.Run("forged", func(t *testing.T) {
		_, err := s.Replay(t.Context(), "own", 1, time.Now())
		must(t, err)
		run(t, &notify.Dispatcher{Store: s, Guard: local()})
		until(t, "an unknown certificate is refused", func() bool { return failure("own") == "certificate" })
	})
	if seen := r.seen(); len(seen) != 0 {
		t.Errorf("it was sent: %v", seen)
	}
}
