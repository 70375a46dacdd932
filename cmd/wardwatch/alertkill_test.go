package main_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

// alertKillsInTest is how often something is killed in `make test`: each thing once.
const alertKillsInTest = 3

// TestKill9OfAnythingLosesNoSettlement: while settlements stream in, the
// worker that looks at pictures, the database and the service are killed at
// random moments. What was acknowledged is there once and is judged, no rule
// has two alerts on one settlement, the webhook hears of every step of every
// alert, in order and each under one id, and fsck finds nothing.
func TestKill9OfAnythingLosesNoSettlement(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets
	heard := &heard{ids: map[string][]byte{}}
	hook := httptest.NewServer(heard)
	defer hook.Close()
	postgres := testserver.NewPostgres(t)
	dsn := postgres.Database(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1", Clip: testcam.Film(t)})
	env := []string{"WARDWATCH_DATABASE=" + dsn, "WARDWATCH_VISION_WORKERS=1", "WARDWATCH_NOTIFY_UNENCRYPTED=true", "WARDWATCH_NOTIFY_NETWORKS=127.0.0.0/8"}
	dir := t.TempDir()
	b := &billing{t: t, s: serve(t, dir, env...)}
	c := signIn(t, b.s)
	b.http = c.http
	c.hospital()
	c.must(201, "POST", "/api/v1/places", map[string]any{"id": "lane", "institution_id": "h1", "name": "自助机", "kind": ward.Charge}, nil)
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	var endpoint struct {
		ID string `json:"id"`
	}
	c.must(201, "POST", "/api/v1/notify-endpoints", map[string]any{"name": "x", "url": hook.URL, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, &endpoint)

	for i := range 12 { // more than ever queue at a counter within a minute
		var v struct {
			ID ward.InsuredID `json:"id"`
		}
		c.must(201, "POST", "/api/v1/insured", map[string]any{"name": "某人", "id_number": idNumber(i)}, &v)
		b.cards = append(b.cards, v.ID)
	}

	stop := make(chan struct{})
	streamed := make(chan struct{})
	go func() {
		defer close(streamed)
		b.stream(stop)
	}()
	n := kills(t, alertKillsInTest)
	killed, first := map[string]int{}, random.IntN(3)
	for i := range n {
		<-time.After(time.Duration(300+random.Int64N(900)) * time.Millisecond) // the moment of the kill
		what := []string{"worker", "database", "service"}[(i+first)%3]
		if what != "worker" && random.IntN(4) > 0 { // or just after an alert was committed
			raised(db)
		}
		switch what {
		case "worker":
			killed[what] += b.killWorkers()
			continue
		case "database":
			postgres.Stop()
			<-time.After(time.Duration(random.Int64N(900)) * time.Millisecond) // how long it is away
			postgres.Start(t)
		case "service":
			b.s.signal(syscall.SIGKILL)
			b.s.wait(time.Minute)
			s := serve(t, dir, env...)
			b.restarted(s)
			c.s = s
		}
		killed[what]++
	}
	<-time.After(2 * time.Second) // some come in peace
	close(stop)
	<-streamed
	t.Logf("killed %v, %d settlements acknowledged", killed, len(b.acknowledged))
	b.settled(c)
	heard.compare(c, endpoint.ID)
	b.s.terminate()
	b.s.fsck()
}

// billing reports settlements until each is acknowledged.
type billing struct {
	t            *testing.T
	http         *http.Client
	cards        []ward.InsuredID
	acknowledged []string // external numbers; read when the stream has ended

	mu sync.Mutex // guards s
	s  *service
}

func (b *billing) restarted(s *service) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s = s
}

// idNumber is a valid one of nobody: a place, a birthday, a serial number and its check digit.
func idNumber(serial int) string {
	body := fmt.Sprintf("11010119920202%03d", serial)
	sum := 0
	for i, d := range body {
		sum += int(d-'0') * ((1 << (17 - i)) % 11)
	}
	return body + string("10X98765432"[sum%11])
}

// stream reports some ten settlements a second, eight at a time, the cards one after the other.
func (b *billing) stream(stop <-chan struct{}) {
	const together = 8
	for n := 0; ; n++ {
		pause := time.Duration(0)
		if n%together == 0 {
			pause = together * 100 * time.Millisecond
		}
		select {
		case <-stop:
			return
		case <-time.After(pause):
		}
		place, at := "lane", time.Now().Add(-6*time.Second)
		if n%8 == 0 {
			place, at = "counter", time.Now().Add(-10*time.Second) // its pictures are waited for
		}
		no := fmt.Sprint("no-", n)
		body, err := json.Marshal(map[string]any{"institution_id": "h1", "place_id": place, "external_no": no, "insured_id": b.cards[n%len(b.cards)], "kind": ward.Outpatient, "at": at.UTC(), "amount_fen": 100})
		if err != nil {
			b.t.Error(err)
			return
		}
		for try := 0; ; try++ { // at least once, as a billing system does
			status, err := b.post(body, fmt.Sprint(no, "-", try))
			if err == nil && (status == http.StatusCreated || status == http.StatusOK) {
				break
			}
			if err == nil && status < http.StatusInternalServerError {
				b.t.Errorf("settlement %s: status %d", no, status)
				return
			}
			if try > 2000 {
				b.t.Errorf("settlement %s is not taken: %d %v", no, status, err)
				return
			}
			<-time.After(50 * time.Millisecond)
		}
		b.acknowledged = append(b.acknowledged, no)
	}
}

func (b *billing) post(body []byte, key string) (status int, err error) {
	b.mu.Lock()
	base := b.s.base
	b.mu.Unlock()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, base+"/api/v1/settlements", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := b.http.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// killWorkers kills the service's worker processes and returns how many there were.
func (b *billing) killWorkers() (n int) {
	parent := strconv.Itoa(b.s.cmd.Process.Pid)
	lists, err := filepath.Glob("/proc/" + parent + "/task/*/children")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // a thread may have ended
		for text := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(text)
			name, _ := os.ReadFile("/proc/" + text + "/comm")
			if err == nil && strings.HasPrefix(string(name), "wardwatch-visi") && syscall.Kill(pid, syscall.SIGKILL) == nil {
				n++
			}
		}
	}
	return n
}

// pages reads a list to its end.
func pages[T any](c *client, path string) (all []T) {
	c.t.Helper()
	for cursor := ""; ; {
		var p struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		c.must(200, "GET", path+"limit=200&cursor="+cursor, nil, &p)
		all = append(all, p.Items...)
		if cursor = p.Next; cursor == "" {
			return all
		}
	}
}

// settled wants every acknowledged settlement once, judged soon, and no alert twice.
func (b *billing) settled(c *client) {
	b.t.Helper()
	until(b.t, "all settlements are judged", 2*time.Minute, func() bool {
		return len(pages[ward.Settlement](c, "/api/v1/settlements?state=pending&")) == 0
	})
	times := map[string]int{}
	for _, v := range pages[ward.Settlement](c, "/api/v1/settlements?") {
		times[v.ExternalNo]++
		if v.Reason == "error" || v.Reason == "too_old" {
			b.t.Errorf("settlement %s is %s %s", v.ExternalNo, v.State, v.Reason)
		}
	}
	for _, no := range b.acknowledged {
		if times[no] != 1 {
			b.t.Errorf("settlement %s was acknowledged and is there %d times", no, times[no])
		}
	}
	once := map[string]bool{}
	for _, a := range pages[ward.Alert](c, "/api/v1/alerts?shadow=true&") {
		name := string(a.Rule) + " on " + string(a.SettlementID)
		if once[name] {
			b.t.Errorf("twice: %s", name)
		}
		once[name] = true
	}
	if len(once) == 0 {
		b.t.Error("no alert: that says nothing")
	}
}

// heard is what came under each id.
type heard struct {
	mu  sync.Mutex // guards the rest
	ids map[string][]byte
	bad []string
}

// raised waits until an alert is committed, for a second at most.
func raised(db *sql.DB) {
	var before, now int
	for end := time.Now().Add(time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		if db.QueryRow(`SELECT COUNT(*) FROM alert`).Scan(&now) != nil {
			return // the database is not there yet
		}
		if before > 0 && now > before {
			return
		}
		before = now
	}
}

func (h *heard) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // it was cut off: it comes again
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := q.Header.Get("Webhook-Id")
	if was, again := h.ids[id]; again && !bytes.Equal(was, body) {
		h.bad = append(h.bad, "two bodies under "+id)
	}
	h.ids[id] = body
	w.WriteHeader(http.StatusNoContent)
}

// compare wants one id for each step of each alert that is shown, numbered without a hole.
func (h *heard) compare(c *client, endpoint string) {
	c.t.Helper()
	var p struct {
		Items []ward.Delivery `json:"items"`
	}
	defer func() {
		if len(p.Items) > 0 {
			c.t.Logf("waits: %+v", p.Items[0])
		}
	}()
	until(c.t, "all is delivered", 2*time.Minute, func() bool {
		c.must(200, "GET", "/api/v1/notify-endpoints/"+endpoint+"/deliveries?state=pending&limit=1", nil, &p)
		return len(p.Items) == 0
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.bad {
		c.t.Error(s)
	}
	numbers, steps := map[string]bool{}, map[ward.AlertID]int64{}
	for id, body := range h.ids {
		var e struct {
			Sequence string
			Data     struct{ Alert ward.AlertID }
		}
		if err := json.Unmarshal(body, &e); err != nil {
			c.t.Fatalf("event %s: %v", id, err)
		}
		numbers[e.Sequence] = true
		steps[e.Data.Alert]++
	}
	for n := range len(h.ids) {
		if !numbers[strconv.Itoa(n+1)] {
			c.t.Errorf("number %d of %d was not heard", n+1, len(h.ids))
		}
	}
	alerts := pages[ward.Alert](c, "/api/v1/alerts?")
	for _, a := range alerts {
		if steps[a.ID] != a.Version {
			c.t.Errorf("%s on %s took %d steps and was heard of %d times", a.Rule, a.SettlementID, a.Version, steps[a.ID])
		}
		delete(steps, a.ID)
	}
	if len(steps) > 0 {
		c.t.Errorf("heard of %d alerts that are not there", len(steps))
	}
	c.t.Logf("%d alerts, %d events", len(alerts), len(h.ids))
}
