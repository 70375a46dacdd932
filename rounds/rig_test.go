package rounds_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/simbed"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

var inspector = ward.User{ID: "u-inspector", Login: "wang", Name: "王稽核", Role: ward.Inspector, AllInstitutions: true}

// pool is the real vision workers, shared by the tests of this package.
var pool = &vision.Pool{Path: setting("WARDWATCH_VISION", "../bin/wardwatch-vision"), Models: setting("WARDWATCH_MODELS", "../.models"), Workers: 2, Log: slog.New(slog.DiscardHandler)}

func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func TestMain(m *testing.M) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = pool.Run(ctx) })
	code := m.Run()
	cancel()
	wg.Wait()
	os.Exit(code)
}

// eye adapts a session of the pool.
type eye struct{ s *vision.Session }

func (e eye) See(ctx context.Context, au []byte, key, full bool) (ward.Seen, bool, error) {
	var w vision.Want
	if full {
		w = vision.WantTemplates | vision.WantSnapshot | vision.WantPrint | vision.WantLight
	}
	return e.s.See(ctx, au, key, w)
}
func (e eye) Close() { e.s.Close() }

func readCodes(ctx context.Context, jpeg []byte) ([]string, error) {
	seen, err := pool.Still(ctx, jpeg, vision.WantCodes)
	return seen.Codes, err
}

var clips struct {
	sync.Mutex
	m map[string]*simbed.Clip
}

func clip(t testing.TB, name string, flip bool) *simbed.Clip {
	t.Helper()
	key := name
	if flip {
		key += "-flipped"
	}
	clips.Lock()
	defer clips.Unlock()
	if c := clips.m[key]; c != nil {
		return c
	}
	s := pool.NewSession(ward.H264)
	defer s.Close()
	c, err := simbed.Open(t.Context(), filepath.Join(pool.Models, "clips", name+".mp4"), "../.demo/bedside", flip,
		func(ctx context.Context, au []byte) (ward.Seen, bool, error) {
			return s.See(ctx, au, true, vision.WantFaces)
		})
	if err != nil {
		t.Fatal(err)
	}
	if clips.m == nil {
		clips.m = map[string]*simbed.Clip{}
	}
	clips.m[key] = c
	return c
}

// rig is a running engine with one institution and one enrolled inpatient.
type rig struct {
	t      testing.TB
	store  *storage.Store
	obj    objects.Objects
	spool  *spool.Spool
	media  string // folder of the spool
	engine *rounds.Engine
	inst   ward.InstitutionID
	stay   ward.AdmissionID
	url    string
	hold   func(command string) (text string, bars bool) // what the simulated bedside shows
	glow   simbed.Glow                                   // how its screen shines on the face
	stop   func()                                        // ends the engine and waits for it
}

func newRig(t testing.TB, change func(*rounds.Engine)) *rig {
	t.Helper()
	s := teststore.SQLite(t)
	return rigOn(t, s, change)
}

func rigOn(t testing.TB, s *storage.Store, change func(*rounds.Engine)) *rig {
	t.Helper()
	dir, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	media := t.TempDir()
	sp, err := spool.Open(media, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	e := &rounds.Engine{
		Store: s, Objects: dir, API: api(t), Log: log,
		Record: func(ctx context.Context, st *ingest.Stream) error {
			return (&ingest.Recorder{Store: s, Spool: sp, SegmentSeconds: 10, Log: log}).Run(ctx, st)
		},
		NewEye:    func(c ward.Codec) rounds.Eye { return eye{pool.NewSession(c)} },
		ReadCodes: readCodes,
		Resume:    5 * time.Second,
	}
	if change != nil {
		change(e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	var once sync.Once
	r := &rig{t: t, store: s, obj: dir, spool: sp, media: media, engine: e, inst: "h1", stay: "a1", stop: func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the engine did not stop in 10 s")
			}
		})
	}}
	t.Cleanup(r.stop)
	srv := httptest.NewServer(bedsideAPI(e))
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

// api is the service's own WebRTC stack, on loopback.
func api(t testing.TB) *webrtc.API {
	t.Helper()
	a, closer, err := ingest.NewWebRTC(ingest.WebRTCConfig{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closer() })
	return a
}

// bedsideAPI serves the contract's bedside endpoints on the engine.
func bedsideAPI(e *rounds.Engine) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any, err error) {
		if p, ok := errors.AsType[*ward.Error](err); ok {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(simbed.Problem{Status: http.StatusConflict, Code: p.Code, Detail: p.EN, DetailZH: p.ZH})
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	device := func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }
	mux.HandleFunc("POST /api/v1/bedside/open", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Token string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		d, n, deadline, err := e.Open(r.Context(), in.Token)
		answer(w, map[string]any{"device": d, "notice": n, "deadline": deadline}, err)
	})
	mux.HandleFunc("POST /api/v1/bedside/consent", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Agree bool }
		_ = json.NewDecoder(r.Body).Decode(&in)
		err := e.Consent(r.Context(), device(r), in.Agree)
		if err == nil && in.Agree { // a browser in the house tells its position
			addr := netip.MustParseAddrPort(r.RemoteAddr).Addr()
			err = e.Where(r.Context(), device(r), rounds.Whereabouts{State: ward.PositionGiven, Fix: ward.Fix{At: house, Accuracy: 20}, Addr: addr})
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /api/v1/bedside/session", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sdp, err := e.Session(r.Context(), device(r), string(b))
		if err != nil {
			answer(w, nil, err)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, sdp)
	})
	mux.HandleFunc("POST /api/v1/bedside/ice", func(w http.ResponseWriter, r *http.Request) {
		ice, err := e.BedsideICE(r.Context(), device(r))
		answer(w, ice, err)
	})
	mux.HandleFunc("POST /api/v1/bedside/leave", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, e.Leave(r.Context(), device(r)))
	})
	return mux
}

// admit stores the institution, the inspector and an inpatient whose
// enrolled face is in frame of the named clip.
func (r *rig) admit(name string, frame int) {
	r.t.Helper()
	ctx := r.t.Context()
	check := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	check(r.store.PutInstitution(ctx, ward.Institution{ID: r.inst, Name: "第一人民医院"}))
	check(r.store.AddUser(ctx, inspector, "-", ""))
	check(r.store.PutInsured(ctx, ward.Insured{ID: "p1", Name: "张三", IDNumber: "110101199001011234"}))
	if name != "" {
		s := pool.NewSession(ward.H264)
		defer s.Close()
		seen, ok, err := s.See(ctx, clip(r.t, name, false).Frames[frame], true, vision.WantTemplates)
		check(err)
		if !ok || len(seen.Faces) != 1 || len(seen.Faces[0].Template) == 0 {
			r.t.Fatalf("no face to enrol: %+v", seen)
		}
		check(r.store.Enrol(ctx, "p1", seen.Faces[0].Template, seen.ModelID, "photo"))
	}
	check(r.store.AddAdmission(ctx, ward.Admission{ID: r.stay, InstitutionID: r.inst, InsuredID: "p1", Ward: "内一", Bed: "12", From: time.Now().Add(-time.Hour)}))
}

// shine makes the bedside's screen shine on the face that is in frame of the named clip.
func (r *rig) shine(name string, frame int) {
	r.t.Helper()
	s := pool.NewSession(ward.H264)
	defer s.Close()
	seen, ok, err := s.See(r.t.Context(), clip(r.t, name, false).Frames[frame], true, vision.WantFaces)
	if err != nil || !ok || len(seen.Faces) != 1 {
		r.t.Fatalf("no face to shine on: %v, %v", ok, err)
	}
	r.glow = simbed.Glow{Face: seen.Faces[0].Box, Screen: .15}
}

// order orders a round of the one bed.
func (r *rig) order(deadline time.Duration) rounds.VisitLink {
	r.t.Helper()
	round, links, err := r.engine.Order(r.t.Context(), inspector, rounds.Order{
		InstitutionID: r.inst, Reason: "例行抽查", Ward: "内一", Admissions: []ward.AdmissionID{r.stay}, Deadline: time.Now().Add(deadline),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if round.Leaf < 0 || len(links) != 1 || len(links[0].Token) != 22 {
		r.t.Fatalf("order: %+v %d links", round, len(links))
	}
	return links[0]
}

// sealed waits for the verdict.
func (r *rig) sealed(id ward.VisitID, within time.Duration) ward.Visit {
	r.t.Helper()
	return r.until(id, within, func(v ward.Visit) bool { return v.State == ward.VisitSealed })
}

func (r *rig) until(id ward.VisitID, within time.Duration, ok func(ward.Visit) bool) ward.Visit {
	r.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); ; <-tick.C {
		v, err := r.store.Visit(context.Background(), id)
		if err != nil {
			r.t.Fatal(err)
		}
		if ok(v) {
			return v
		}
		if time.Now().After(end) {
			r.t.Fatalf("visit is still %s after %v\n%s", v.State, within, r.story(id))
		}
	}
}

// story is what happened, for the message of a failed test.
func (r *rig) story(id ward.VisitID) string {
	events, _ := r.store.VisitEvents(context.Background(), id)
	checks, _ := r.store.Checks(context.Background(), id)
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.At.Format("05.000 ") + e.Kind + " " + e.Body + "\n")
	}
	_ = json.NewEncoder(&b).Encode(checks)
	return b.String()
}
