package analytics_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/analytics"
	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
	"wardwatch/web/notify"
)

// whole is what judges and tells, on one catalogue: the correlator by the
// test's clock, the dispatcher by its own.
type whole struct {
	t       *testing.T
	options storage.Options
	objects *objects.Dir
	base    time.Time

	store  *storage.Store
	correl *analytics.Correlator
	quiet  func() // ends the dispatcher
}

// hook is a webhook's receiver: what came under each id, and how often anything came.
type hook struct {
	mu   sync.Mutex // guards the rest
	came map[string][]byte
	n    int
}

func (h *hook) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	h.came[q.Header.Get("Webhook-Id")] = body
	w.WriteHeader(http.StatusNoContent)
}

// newWhole begins on an empty database: a new SQLite file when dsn is empty.
// The webhook at url hears of it, unless that is empty.
func newWhole(t *testing.T, dir, dsn string, url string) *whole {
	t.Helper()
	if dsn == "" {
		dsn = filepath.Join(dir, "catalogue.db")
	}
	w := &whole{t: t, options: storage.Options{Database: dsn, Keys: filepath.Join(dir, "keys")}, base: time.Now().UTC().Add(-time.Hour).Truncate(time.Second)}
	var err error
	w.objects, err = objects.OpenDir(filepath.Join(dir, "objects"))
	w.must(err)
	w.store, err = storage.Migrate(t.Context(), w.options)
	w.must(err)
	for _, i := range []ward.Institution{{ID: "h1", Name: "第一医院", Location: hangkou}, {ID: "h2", Name: "第二医院", Location: yichang}} {
		w.must(w.store.PutInstitution(t.Context(), i))
	}
	for _, c := range counters {
		w.must(w.store.PutPlace(t.Context(), ward.Place{ID: c.place, InstitutionID: c.inst, Name: "收费窗口", Kind: ward.Charge}))
		for _, cam := range c.cameras {
			w.must(w.store.AddCamera(t.Context(), ward.Camera{ID: cam, InstitutionID: c.inst, PlaceID: c.place, Name: string(cam), URL: "rtsp://127.0.0.1:1/" + string(cam), Enabled: true, Created: w.base.Add(-24 * time.Hour)}))
		}
	}
	for i := range 3 { // three of the five cards' owners are enrolled
		id := ward.InsuredID(fmt.Sprintf("i%d", i))
		w.must(w.store.PutInsured(t.Context(), ward.Insured{ID: id, Name: "某人", IDNumber: "110105194912310021"}))
		w.must(w.store.Enrol(t.Context(), id, person(2*i, 1), "m1", ""))
	}
	for i, s := range []ward.RuleSetting{
		{Rule: ward.CardsHoarded, Mode: ward.RuleLive, Params: map[string]float64{"cards": 3}},
		{Rule: ward.OneCardManyFaces, Mode: ward.RuleShadow, Params: map[string]float64{"faces": 2}},
	} {
		s.By = "u1"
		_, err := w.store.SetRule(t.Context(), s, 1000+i)
		w.must(err)
	}
	if url != "" {
		w.must(w.store.AddEndpoint(t.Context(), ward.Endpoint{ID: "hook", Kind: ward.Webhook, Name: "x", URL: url, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Created: time.Now()}))
	}
	w.begin()
	return w
}

func (w *whole) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// begin is what a process does when it starts.
func (w *whole) begin() {
	w.correl = &analytics.Correlator{Store: w.store, Objects: w.objects, Gallery: &analytics.Gallery{}, Log: slog.New(slog.DiscardHandler)}
	d := &notify.Dispatcher{Store: w.store, Guard: &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Unencrypted: true, Log: slog.New(slog.DiscardHandler)}
	ctx, end := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	w.quiet = sync.OnceFunc(func() {
		end()
		w.must(<-ended)
	})
}

func (w *whole) end() {
	w.quiet()
	w.must(w.store.Close())
}

func (w *whole) restart() {
	w.end()
	var err error
	w.store, err = storage.Open(w.t.Context(), w.options)
	w.must(err)
	w.begin()
}

func (w *whole) at(sec float64) time.Time {
	return w.base.Add(time.Duration(sec * float64(time.Second))).Truncate(time.Microsecond)
}

// saw stores what one camera saw in one stretch, together.
func (w *whole) saw(vs []ward.Sighting) {
	out := make([]ward.Sighting, len(vs))
	for i, v := range vs {
		v.ID, v.From, v.To = ward.NewID[ward.SightingID](w.base), w.base.Add(v.From.Sub(swipe)), w.base.Add(v.To.Sub(swipe))
		out[i] = v
	}
	if err := w.store.PutSightings(w.t.Context(), out); err != nil {
		w.t.Error(err)
	}
}

func (w *whole) report(b billed) {
	v := ward.Settlement{
		InstitutionID: b.inst, PlaceID: b.place, ExternalNo: fmt.Sprint(b.no), InsuredID: b.who, Kind: ward.Outpatient, At: w.at(b.at), AmountFen: 100, Received: w.at(b.at), Revision: b.revision,
	}
	if b.reversed {
		v.State = ward.Reversed
	}
	if _, _, err := w.store.AddSettlement(w.t.Context(), v); err != nil {
		w.t.Error(err)
	}
}

func (w *whole) pass(at float64) {
	if err := w.correl.Pass(w.t.Context(), w.at(at)); err != nil {
		w.t.Error(err)
	}
}

// live lets events happen, each look beside what comes after it, and then looks until nothing more becomes due.
func (w *whole) live(all []event, end float64) {
	for i := 0; i < len(all); i++ {
		if i+1 < len(all) && all[i].kind == looks && all[i+1].kind == comes {
			var both sync.WaitGroup
			both.Go(all[i].does)
			all[i+1].does()
			both.Wait()
			i++
			continue
		}
		all[i].does()
	}
	for _, later := range []float64{60, 120, 4000} {
		w.pass(end + later)
	}
}

// outcome is how all settlements and alerts stand, and what is wrong with
// them whatever the tale was.
func (w *whole) outcome(s tale) (out, wrong []string) {
	ctx := w.t.Context()
	all, _, err := w.store.Settlements(ctx, storage.SettlementFilter{Limit: 500})
	w.must(err)
	no, reversed := map[ward.SettlementID]string{}, map[ward.SettlementID]bool{}
	for _, v := range all {
		no[v.ID], reversed[v.ID] = v.ExternalNo, v.State == ward.Reversed
		out = append(out, fmt.Sprintf("settlement %s is %s %s", v.ExternalNo, v.State, v.Reason))
	}
	if len(all) != s.no {
		wrong = append(wrong, fmt.Sprintf("%d settlements of %d", len(all), s.no))
	}
	waiting, err := w.store.DueSettlements(ctx, w.base.Add(365*24*time.Hour), 500)
	w.must(err)
	waits := map[ward.SettlementID]bool{}
	for _, v := range waiting {
		waits[v.ID] = true
	}
	for _, v := range all {
		if v.State == ward.Pending && !waits[v.ID] {
			wrong = append(wrong, fmt.Sprintf("settlement %s is neither judged nor waiting", v.ExternalNo))
		} else if waits[v.ID] {
			wrong = append(wrong, fmt.Sprintf("settlement %s still waits", v.ExternalNo))
		}
	}
	alerts, _, err := w.store.Alerts(ctx, storage.AlertFilter{Limit: 500, Shadow: true})
	w.must(err)
	once := map[string]bool{}
	for _, a := range alerts {
		name := fmt.Sprintf("%s on %s", a.Rule, no[a.SettlementID])
		if once[name] {
			wrong = append(wrong, "twice: "+name)
		}
		once[name] = true
		if a.State == ward.AlertNew {
			out = append(out, name) // it shows what it rested on when it was stated: that may depend on what was known then
			for _, id := range a.Related {
				if reversed[id] {
					wrong = append(wrong, fmt.Sprintf("%s shows %s, which is reversed", name, no[id]))
				}
			}
		}
	}
	slices.Sort(out)
	return out, wrong
}

// told is what is wrong with what the webhook heard of the alerts: each step
// of each alert once by its id, numbered without a hole, and no step that changes nothing.
func (w *whole) told(s tale, h *hook) (wrong []string) {
	ctx := w.t.Context()
	for end := time.Now().Add(time.Minute); ; {
		left, err := w.store.Deliveries(ctx, "hook", storage.DeliveryFilter{State: ward.DeliveryPending})
		w.must(err)
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			return []string{fmt.Sprintf("%d events are not delivered", len(left))}
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	heard, numbers := map[ward.AlertID]int{}, map[int]bool{}
	for _, body := range h.came {
		var e struct {
			Sequence string
			Data     struct{ Alert ward.AlertID }
		}
		w.must(json.Unmarshal(body, &e))
		n, err := strconv.Atoi(e.Sequence)
		w.must(err)
		numbers[n] = true
		heard[e.Data.Alert]++
	}
	for n := range len(h.came) {
		if !numbers[n+1] {
			wrong = append(wrong, fmt.Sprintf("number %d of %d was not heard", n+1, len(h.came)))
		}
	}
	alerts, _, err := w.store.Alerts(ctx, storage.AlertFilter{Limit: 500, Shadow: true})
	w.must(err)
	for _, a := range alerts {
		steps, err := w.store.AlertEvents(ctx, a.ID)
		w.must(err)
		want, same := len(steps), 0
		for _, s := range steps {
			if s.From == s.To {
				same++
			}
		}
		if a.Shadow {
			want = 0
		}
		heardOf := heard[a.ID]
		delete(heard, a.ID)
		if heardOf != want {
			wrong = append(wrong, fmt.Sprintf("alert %s on %s took %d steps and was heard of %d times", a.Rule, a.SettlementID, len(steps), heardOf))
		}
		if changes := len(s.reports) - s.no; same > changes { // stated anew on another revision, or without what was changed
			wrong = append(wrong, fmt.Sprintf("alert %s on %s was stated anew %d times on %d reports of changes", a.Rule, a.SettlementID, same, changes))
		}
	}
	for id := range heard {
		wrong = append(wrong, fmt.Sprintf("alert %s was heard of and is not stored", id))
	}
	return wrong
}

// set sets a flag for as long as the test runs.
func set(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	was := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(was) })
}

// Settlements that are repeated, late, corrected and reversed, sightings of
// several cameras, looks at what is due and restarts come in a random order:
// no settlement is lost, no rule has two alerts on one, each change is told
// once, and what stands in the end is what stands when all is known before
// the first look. A failure prints a command that repeats it. A few tales are
// told here; `make whole` tells hundreds.
func TestWhateverComesWhenever(t *testing.T) {
	engines := map[string]struct {
		checks string
		dsn    func() string
	}{
		"sqlite":   {"6", func() string { return "" }},
		"postgres": {"3", func() string { return testserver.Postgres(t) }},
	}
	asked := flag.Lookup("rapid.checks").Value.String() != flag.Lookup("rapid.checks").DefValue
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			if !asked { // always the same few
				set(t, "rapid.checks", engine.checks)
				set(t, "rapid.seed", "4")
			}
			rapid.Check(t, func(r *rapid.T) {
				s := drawTale(r)
				known := newWhole(t, t.TempDir(), "", "")
				defer known.end()
				for _, v := range s.seen {
					known.saw(v.what)
				}
				for _, v := range s.reports {
					known.report(v.what)
				}
				known.live(nil, s.end)
				want, _ := known.outcome(s)

				h := &hook{came: map[string][]byte{}}
				server := httptest.NewServer(h)
				defer server.Close()
				w := newWhole(t, t.TempDir(), engine.dsn(), server.URL)
				defer func() { w.end() }()
				w.live(s.happenings(r, w), s.end)
				got, wrong := w.outcome(s)
				if wrong = append(wrong, w.told(s, h)...); len(wrong) > 0 {
					r.Fatalf("wrong: %q", wrong)
				}
				if !slices.Equal(got, want) {
					r.Fatalf("all known at once:\n%q\nas it came:\n%q", want, got)
				}
			})
		})
	}
}
