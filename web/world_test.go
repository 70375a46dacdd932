package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/internal/models"
	"wardwatch/internal/models/modeltest"
	"wardwatch/rounds"
	"wardwatch/rounds/drand"
	"wardwatch/storage"
	"wardwatch/storage/evidence"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web"
	"wardwatch/web/paper"
)

const (
	own   ward.InstitutionID = "h-own"   // where every object of the world is
	other ward.InstitutionID = "h-other" // where none is
)

// world is a server over a real store, object folder and spool, with one of
// everything in the institution own.
type world struct {
	t         testing.TB
	database  string
	store     *storage.Store
	objects   *objects.Dir
	objectDir string
	spool     *spool.Spool
	rounds    *rounds.Engine
	draws     *rounds.Drawer
	web       *web.Server
	http      *httptest.Server
	log       *logText
	began     time.Time

	place   ward.Place
	camera  ward.Camera
	insured ward.Insured
	stay    ward.Admission
	segment ward.Segment
	alert   ward.Alert
	shown   ward.Camera // that televise recorded
	offer   string      // of a browser that wants to watch it
	n       atomic.Int64

	tabletSecret string // of the actor "tablet"
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, database: filepath.Join(t.TempDir(), "catalogue.db"), log: &logText{}, began: time.Now().UTC()}
	var err error
	if w.store, err = storage.Migrate(t.Context(), storage.Options{Database: w.database, Keys: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, w.store.Close()) })
	w.objectDir = t.TempDir()
	if w.objects, err = objects.OpenDir(w.objectDir); err != nil {
		t.Fatal(err)
	}
	if w.spool, err = spool.Open(t.TempDir(), spool.Options{Reserve: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, w.spool.Close()) })
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.rounds = &rounds.Engine{Store: w.store, Objects: w.objects, API: webrtc.NewAPI(), Log: log}
	w.draws = &rounds.Drawer{Store: w.store, Chain: drand.Quicknet(), Log: log}
	w.web = &web.Server{
		Redactions: maker{w},
		Store:      w.store, Objects: w.objects, Spool: w.spool, Rounds: w.rounds, Draws: w.draws, Planner: &rounds.Planner{Store: w.store, Engine: w.rounds, Drawer: w.draws, Log: log}, Hub: &web.Hub{}, Log: log,
		Library: &ingest.Library{Store: w.store, Objects: w.objects, Spool: w.spool},
		EnrolPhoto: func(context.Context, []byte) (ward.Template, string, error) {
			return ward.Template{1}, "model", nil
		},
		Thumbnail: func(context.Context, ward.Codec, []byte, int) ([]byte, error) { return []byte("\xff\xd8"), nil },
		Heartbeat: 50 * time.Millisecond,
		Keeper:    &ingest.Keeper{Store: w.store, Spool: w.spool, Upload: &ingest.Uploader{Store: w.store, Spool: w.spool, Objects: w.objects, Log: log}, Log: log},
	}
	w.fill()
	return w
}

// serve starts the server; fields of w.web may be set before.
func (w *world) serve() *world {
	w.t.Helper()
	printer, err := paper.Open(filepath.Join(modeltest.Models(w.t), models.Font))
	if err != nil {
		w.t.Fatalf("%v: run make models", err)
	}
	w.web.Paper = printer
	h, err := w.web.Handler()
	if err != nil {
		w.t.Fatal(err)
	}
	w.http = httptest.NewServer(h)
	w.t.Cleanup(w.http.Close)
	return w
}

func (w *world) fill() {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	for _, id := range []ward.InstitutionID{own, other} {
		must(t, w.store.PutInstitution(ctx, ward.Institution{ID: id, Name: "Hospital " + string(id)}))
		must(t, w.store.PutPlace(ctx, ward.Place{ID: ward.PlaceID("p-" + id), InstitutionID: id, Name: "Counter of " + string(id), Kind: ward.Charge}))
	}
	w.place = get(t, w.store.Place, "p-h-own")
	w.camera = w.newCamera()
	w.insured = ward.Insured{ID: "i-1", Name: "张三", IDNumber: "110101199001010011"}
	must(t, w.store.PutInsured(ctx, w.insured))
	w.stay = ward.Admission{ID: "a-1", InstitutionID: own, InsuredID: w.insured.ID, Ward: "内科", Bed: "3", From: w.began.Add(-time.Hour)}
	must(t, w.store.AddAdmission(ctx, w.stay))
	w.segment = w.record(ward.Source{Kind: ward.FromCamera, ID: string(w.camera.ID)})
	w.alert = w.newAlert()
}

func (w *world) next() int64 { return w.n.Add(1) }

func (w *world) newCamera() ward.Camera {
	c := ward.Camera{
		ID: ward.CameraID(fmt.Sprintf("cam-%d", w.next())), InstitutionID: own, PlaceID: w.place.ID, Name: "Camera of " + string(own),
		URL: "rtsp://192.0.2.1/1", User: "u", Password: "secret-password", Transport: ward.TransportTCP, SegmentSeconds: 10, RetentionDays: 30, Enabled: true, Created: w.began,
	}
	must(w.t, w.store.AddCamera(w.t.Context(), c))
	return get(w.t, w.store.Camera, c.ID)
}

// newBlind is a blind period of a new camera, with the picture at it.
func (w *world) newBlind() ward.BlindPeriod {
	t, ctx, c := w.t, w.t.Context(), w.newCamera()
	t.Helper()
	jpeg := []byte("\xff\xd8\xff\xe0 a covered lens of " + string(own))
	v := ward.Sighting{
		ID: ward.NewID[ward.SightingID](w.began), CameraID: c.ID, PlaceID: c.PlaceID, InstitutionID: own, Kind: ward.LensSeen, From: w.began, To: w.began,
		SnapshotKey: fmt.Sprintf("v1/snapshots/lens-%s.jpg", c.ID),
	}
	must(t, w.objects.Put(ctx, v.SnapshotKey, bytes.NewReader(jpeg), int64(len(jpeg))))
	must(t, w.store.PutSighting(ctx, v))
	b := ward.BlindPeriod{ID: ward.NewID[ward.BlindID](w.began), CameraID: c.ID, PlaceID: c.PlaceID, InstitutionID: own, Cause: ward.Covered, From: w.began.Add(-time.Minute)}
	b.At = ward.BlindPicture{Sighting: v.ID, SHA256: sha256.Sum256(jpeg)}
	must(t, w.store.OpenBlind(ctx, b))
	return get(t, w.store.BlindPeriod, b.ID)
}

// outage is one that was reported an hour ahead.
func (w *world) outage() ward.Outage {
	w.t.Helper()
	o, err := w.store.ReportOutage(w.t.Context(), ward.Outage{InstitutionID: own, From: w.began.Add(time.Hour), To: w.began.Add(2 * time.Hour), Reason: "检修", By: "u-1"})
	must(w.t, err)
	return o
}

// newAlert is a judged settlement with a snapshot and a recorded clip.
func (w *world) newAlert() ward.Alert {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	v, _, err := w.store.AddSettlement(ctx, ward.Settlement{
		InstitutionID: own, PlaceID: w.place.ID, ExternalNo: fmt.Sprintf("no-%d", w.next()), InsuredID: w.insured.ID,
		Kind: ward.Outpatient, At: w.began, AmountFen: 100,
	})
	must(t, err)
	key := fmt.Sprintf("v1/snapshots/%s.jpg", v.ID)
	jpeg := []byte("\xff\xd8\xff\xe0 a picture of " + string(own))
	must(t, w.objects.Put(ctx, key, bytes.NewReader(jpeg), int64(len(jpeg))))
	alerts, _, err := w.store.Judge(ctx, storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{{
		ID: ward.NewID[ward.AlertID](w.began), InstitutionID: own, PlaceID: w.place.ID, CameraID: w.camera.ID, Rule: ward.NobodyAtCounter, SettlementID: v.ID,
		At: v.At, Severity: 2, State: ward.AlertNew, ExplainZH: "无人", ExplainEN: "nobody", SnapshotKey: key,
		ClipFrom: w.segment.Start.Add(-ward.ClipBefore), ClipTo: w.segment.End.Add(ward.ClipAfter),
	}}})
	must(t, err)
	return get(t, w.store.Alert, alerts[0].ID)
}

// confirmed is a new alert that was confirmed.
func (w *world) confirmed() ward.Alert {
	w.t.Helper()
	a, err := w.store.StepAlert(w.t.Context(), w.newAlert().ID, 1, ward.AlertStep{Action: ward.AlertConfirm, By: "u-1", Note: "看过录像"})
	must(w.t, err)
	return a
}

// record writes two seconds of H.264 through the real recorder.
func (w *world) record(src ward.Source) ward.Segment {
	t := w.t
	t.Helper()
	sps := []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20}
	pps := []byte{0x68, 0xce, 0x38, 0x80}
	s := ingest.NewStream(src, own, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: sps, PPS: pps}})
	start := time.Now().Add(-2 * time.Second) // they have come by now
	for i := range 50 {                       // the reader gets all of it as the cached group of pictures
		au := [][]byte{{0x41, byte(i), 1, 2, 3}}
		if i == 0 {
			au = [][]byte{sps, pps, {0x65, 0x88, 0x84, 0, 0x10}}
		}
		s.Write(ingest.Unit{Track: 1, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Arrived: start.Add(time.Duration(i) * 40 * time.Millisecond), AU: au, Key: i == 0})
	}
	var got ward.Segment
	before := w.spool.Used()
	r := ingest.Recorder{Store: w.store, Spool: w.spool, OnSegment: func(g ward.Segment) { got = g }}
	ended := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { ended <- r.Run(ctx, s) }()
	waitFor(t, func() bool { return w.spool.Used() > before })
	s.Close()
	must(t, <-ended)
	if got.ID == "" {
		t.Fatal("nothing was recorded")
	}
	return got
}

// visit orders a round of one bed and returns the visit with its token.
func (w *world) visit() (ward.Visit, string) {
	w.t.Helper()
	_, links, err := w.rounds.Order(w.t.Context(), w.user(ward.Inspector, "own"), rounds.Order{
		InstitutionID: own, Reason: "抽查", Admissions: []ward.AdmissionID{w.stay.ID}, Deadline: time.Now().Add(time.Hour),
	})
	must(w.t, err)
	return links[0].Visit, links[0].Token
}

// device opens a new visit's link and returns the device's secret.
func (w *world) device() string {
	w.t.Helper()
	_, token := w.visit()
	device, _, _, err := w.rounds.Open(w.t.Context(), token)
	must(w.t, err)
	return device
}

func (w *world) media() storage.Media { return storage.Media{Objects: w.objects, Spool: w.spool} }

// refuseCustody makes the database refuse every custody event.
func (w *world) refuseCustody() {
	w.t.Helper()
	w.refuse("INSERT", "custody")
}

// refuse makes the database refuse a kind of write to a table.
func (w *world) refuse(what, table string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.database)
	must(w.t, err)
	_, err = db.ExecContext(w.t.Context(), `CREATE TRIGGER refuse BEFORE `+what+` ON `+table+` BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	must(w.t, err)
	must(w.t, db.Close())
}

// seen are the views outside any case.
func (w *world) seen() []ward.Custody {
	return slices.DeleteFunc(get(w.t, w.store.Custody, ward.CaseID("")), func(c ward.Custody) bool { return c.Action == ward.ActionPermit || c.Action == ward.ActionSignIn })
}

func (w *world) openCase() ward.Case {
	w.t.Helper()
	k := evidence.Clerk{Store: w.store, Media: w.media()}
	c, err := k.OpenAlert(w.t.Context(), w.newAlert().ID, "空刷", w.user(ward.Inspector, "own"))
	must(w.t, err)
	return c
}

// user is a new user of a role; scope is all, own, other or none.
func (w *world) user(role ward.Role, scope string) ward.User {
	w.t.Helper()
	n := w.next()
	u := ward.User{
		ID: ward.UserID(fmt.Sprintf("u-%d", n)), Login: fmt.Sprintf("%s-%d", role, n), Name: "Somebody",
		Role: role, AllInstitutions: scope == "all", Created: w.began,
	}
	switch scope {
	case "own":
		u.Institutions = []ward.InstitutionID{own}
	case "other":
		u.Institutions = []ward.InstitutionID{other}
	}
	must(w.t, w.store.AddUser(w.t.Context(), u, "", ""))
	return u
}

// session signs u in and returns the cookie.
func (w *world) session(u ward.User) *http.Cookie {
	w.t.Helper()
	token, hash := storage.NewToken()
	now := time.Now()
	must(w.t, w.store.AddSession(w.t.Context(), storage.Session{Hash: hash, Kind: storage.BrowserSession, UserID: u.ID, Created: now, Expires: now.Add(time.Hour), Via: ward.ViaPassword}))
	return &http.Cookie{Name: "wardwatch", Value: token}
}

// logText is a log that can be read while it is written.
type logText struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[I, T any](t testing.TB, f func(context.Context, I) (T, error), id I) T {
	t.Helper()
	v, err := f(t.Context(), id)
	must(t, err)
	return v
}

// waitFor waits for an effect.
func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited 10 s in vain")
		}
	}
}
