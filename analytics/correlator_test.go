package analytics_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// scene is a catalogue with one institution, a charge counter p1 with the
// camera c1 and a pharmacy p2 without, and a correlator.
type scene struct {
	t testing.TB
	*storage.Store
	objects *objects.Dir
	gallery *analytics.Gallery
	c       *analytics.Correlator
	base    time.Time // the scene's beginning; its seconds count from here

	mu   sync.Mutex // guards told
	told []string
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return newSceneIn(t, teststore.SQLite(t))
}

// newSceneIn is a scene in an empty catalogue.
func newSceneIn(t testing.TB, store *storage.Store) *scene {
	t.Helper()
	s := &scene{t: t, Store: store, gallery: &analytics.Gallery{}, base: time.Now().UTC().Add(-time.Hour).Truncate(time.Second)}
	dir, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	s.objects = dir
	s.must(s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}))
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "p2", InstitutionID: "h1", Name: "药房", Kind: ward.Pharmacy}))
	s.must(s.AddCamera(t.Context(), ward.Camera{ID: "c1", InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://127.0.0.1:1/x", Enabled: true, Created: s.base.Add(-24 * time.Hour)}))
	s.c = s.correlator()
	return s
}

func (s *scene) correlator() *analytics.Correlator {
	return &analytics.Correlator{
		Store: s.Store, Objects: s.objects, Gallery: s.gallery, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
		Notify: func(kind, id string, inst ward.InstitutionID) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, kind+" "+id+" "+string(inst))
		},
	}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) at(sec float64) time.Time {
	return s.base.Add(time.Duration(sec * float64(time.Second)))
}

// saw stores sightings made by watched, people and face at the scene's seconds.
func (s *scene) saw(vs ...ward.Sighting) {
	s.t.Helper()
	for _, v := range vs {
		v.ID = ward.NewID[ward.SightingID](s.base)
		v.From, v.To = s.base.Add(v.From.Sub(swipe)), s.base.Add(v.To.Sub(swipe))
		v.PlaceID, v.InstitutionID = "p1", "h1"
		s.must(s.PutSighting(s.t.Context(), v))
	}
}

// swiped adds a settlement that is received received seconds after its moment.
func (s *scene) swiped(at float64, place ward.PlaceID, who ward.InsuredID, received float64) ward.SettlementID {
	s.t.Helper()
	v, change, err := s.AddSettlement(s.t.Context(), ward.Settlement{
		InstitutionID: "h1", PlaceID: place, ExternalNo: fmt.Sprintf("%s-%s-%g", place, who, at), InsuredID: who, Kind: ward.Outpatient,
		At: s.at(at), AmountFen: 100, Received: s.at(at + received),
	})
	s.must(err)
	if change != ward.WasAdded {
		s.t.Fatal("settlement is not new")
	}
	return v.ID
}

func (s *scene) pass(at float64) {
	s.t.Helper()
	s.must(s.c.Pass(s.t.Context(), s.at(at)))
}

func (s *scene) state(id ward.SettlementID) string {
	s.t.Helper()
	v, err := s.Settlement(s.t.Context(), id)
	s.must(err)
	if v.Reason != "" {
		return string(v.State) + " " + v.Reason
	}
	return string(v.State)
}

func (s *scene) alerts() []ward.Alert {
	s.t.Helper()
	list, _, err := s.Alerts(s.t.Context(), storage.AlertFilter{Limit: 500})
	s.must(err)
	return list
}

func (s *scene) enrol(id ward.InsuredID, who int) {
	s.t.Helper()
	s.must(s.PutInsured(s.t.Context(), ward.Insured{ID: id, Name: "某人", IDNumber: "110105194912310021"}))
	s.must(s.Enrol(s.t.Context(), id, person(who, 1), "m1", ""))
}

func TestSwipeWithNobodyIsAnAlertWithItsPicture(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 105))
	for i := range 10 {
		s.gallery.Put("p1", analytics.Picture{Camera: "c1", At: s.at(96 + float64(i)), JPEG: fmt.Appendf(nil, "picture %d", 96+i)})
	}
	id := s.swiped(100, "p1", "i1", 0)
	s.pass(104.9)
	if got := s.state(id); got != "pending" {
		t.Fatalf("judged before it was due: %s", got)
	}
	s.pass(105)
	if got := s.state(id); got != "suspicious" {
		t.Fatalf("state %s", got)
	}
	as := s.alerts()
	if len(as) != 1 {
		t.Fatalf("alerts %v", as)
	}
	a := as[0]
	if a.Rule != ward.NobodyAtCounter || a.RuleVersion != 1 || a.CameraID != "c1" || a.SettlementID != id || !a.At.Equal(s.at(100)) || !a.Raised.Equal(s.at(105)) ||
		!a.ClipFrom.Equal(s.at(80)) || !a.ClipTo.Equal(s.at(120)) || len(a.Sightings) != 1 {
		t.Errorf("alert %+v", a)
	}
	sum, size, err := objects.Sum(t.Context(), s.objects, a.SnapshotKey)
	if err != nil || sum != a.SnapshotSHA || size != int64(len("picture 100")) {
		t.Errorf("snapshot %s: %d bytes, %v", a.SnapshotKey, size, err)
	}
	want := []string{"alert " + string(a.ID) + " h1", "settlement " + string(id) + " h1"}
	if !slices.Equal(s.told, want) {
		t.Errorf("told %v, want %v", s.told, want)
	}
	rec, err := s.Sealed(t.Context(), a.Leaf)
	if err != nil || rec.Kind != "alert" || rec.Ref != string(a.ID) {
		t.Errorf("sealed record: %+v, %v", rec, err)
	}
	s.pass(500)
	if n := len(s.alerts()); n != 1 {
		t.Errorf("%d alerts after another pass", n)
	}
}

func TestItWaitsForThePicturesButNotForEver(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 102))
	id := s.swiped(100, "p1", "i1", 0)
	s.pass(106)
	if got := s.state(id); got != "pending" {
		t.Fatalf("judged without the pictures after it: %s", got)
	}
	s.saw(watched(102.1, 106), people(103, 104)) // slow pictures come in
	s.pass(107)
	if got := s.state(id); got != "clear" {
		t.Errorf("state %s", got)
	}

	late := s.swiped(200, "p1", "i1", 0) // and here none come
	s.pass(219.5)
	if got := s.state(late); got != "pending" {
		t.Fatalf("state %s", got)
	}
	s.pass(220)
	if got := s.state(late); got != "cannot_tell not_watched" {
		t.Errorf("state %s", got)
	}
}

func TestNoCameraAndTooOld(t *testing.T) {
	s := newScene(t)
	bare := s.swiped(100, "p2", "i1", 0)
	old := s.swiped(-40*24*3600, "p1", "i1", 40*24*3600)
	s.pass(106)
	if got := s.state(bare); got != "cannot_tell no_camera" {
		t.Errorf("no camera: %s", got)
	}
	if got := s.state(old); got != "cannot_tell too_old" {
		t.Errorf("too old: %s", got)
	}
}

func TestALateSettlementIsJudgedFromStoredSightings(t *testing.T) {
	s := newScene(t)
	s.enrol("i1", 1)
	s.must(s.objects.Put(t.Context(), "v1/h1/c1/snap/best.jpg", fileOf("best"), 4))
	s.saw(watched(0, 200), people(95, 105), with(face(4, 95, 105), func(v *ward.Sighting) { v.SnapshotKey = "v1/h1/c1/snap/best.jpg" }))
	id := s.swiped(100, "p1", "i1", 3000)
	s.pass(3000)
	as := s.alerts()
	if got := s.state(id); got != "suspicious" || len(as) != 1 || as[0].Rule != ward.FaceMismatch || as[0].SnapshotKey != "v1/h1/c1/snap/best.jpg" || as[0].SnapshotSHA == [32]byte{} {
		t.Errorf("state %s, alerts %+v", got, as)
	}
}

func TestFaceRules(t *testing.T) {
	s := newScene(t)
	s.enrol("own", 1)
	s.enrol("stolen", 6)
	s.saw(watched(0, 600), people(90, 310), face(1, 90, 120), face(4, 150, 310))
	for i := range 5 {
		s.gallery.Put("p1", analytics.Picture{Camera: "c1", At: s.at(198 + float64(i)), JPEG: fmt.Appendf(nil, "picture %d", 198+i)})
	}
	s.gallery.Put("p1", analytics.Picture{Camera: "c1", At: s.at(201.5), JPEG: []byte("his face"), Faces: faced(.4, person(4, 1)).Faces})
	honest := s.swiped(100, "p1", "own", 0)
	stolen := s.swiped(200, "p1", "stolen", 0)
	second := s.swiped(250, "p1", "x2", 0)
	third := s.swiped(300, "p1", "x3", 0)
	s.pass(400)
	for id, want := range map[ward.SettlementID]string{honest: "clear", stolen: "suspicious", second: "clear", third: "suspicious"} {
		if got := s.state(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	for _, a := range s.alerts() {
		switch a.Rule { //nolint:exhaustive // any other is wrong
		case ward.FaceMismatch:
			sum, _, err := objects.Sum(t.Context(), s.objects, a.SnapshotKey)
			if want := sha("his face"); err != nil || sum != want || a.SettlementID != stolen {
				t.Errorf("mismatch %+v, %v", a, err)
			}
		case ward.OneFaceManyCards:
			if a.SettlementID != third || !slices.Equal(a.Related, []ward.SettlementID{stolen, second}) {
				t.Errorf("cards %+v", a)
			}
		default:
			t.Errorf("%s %+v", a.Rule, a)
		}
	}
}

func TestADatabaseThatFailsMidwayJudgesOnceAfterwards(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 200))
	s.gallery.Put("p1", analytics.Picture{Camera: "c1", At: s.at(100), JPEG: []byte("empty")})
	id := s.swiped(100, "p1", "i1", 0)
	// The process dies after the snapshot and before the transaction: another
	// begins with another picture in memory and finds the first one stored.
	s.must(s.objects.Put(t.Context(), analytics.SnapshotKey("h1", "c1", s.at(100), string(id)+"-nobody_at_counter"), fileOf("from before"), 11))
	var all sync.WaitGroup
	for range 4 {
		c := s.correlator()
		all.Go(func() {
			if err := c.Pass(t.Context(), s.at(110)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	as := s.alerts()
	if len(as) != 1 || as[0].SnapshotSHA != sha("from before") {
		t.Errorf("alerts %+v", as)
	}
}

func TestAMissingPictureDoesNotHoldAnAlertForEver(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 200))
	s.gallery.Put("p1", analytics.Picture{Camera: "c1", At: s.at(100), JPEG: []byte("empty")})
	id := s.swiped(100, "p1", "i1", 0)
	s.must(s.objects.Close()) // the object store is gone
	for now := 106.0; s.state(id) == "pending"; now++ {
		if now > 200 {
			t.Fatal("never judged")
		}
		s.pass(now)
	}
	if as := s.alerts(); len(as) != 1 || as[0].SnapshotKey != "" {
		t.Errorf("alerts %+v", as)
	}
}

func TestAnUnreadableEnrolmentEndsInCannotTell(t *testing.T) {
	s := newScene(t)
	path := filepath.Join(t.TempDir(), "catalogue.db")
	broken, err := storage.Migrate(t.Context(), storage.Options{Database: path, Keys: t.TempDir()})
	s.must(err)
	defer broken.Close()
	s.Store, s.c.Store = broken, broken
	s.must(s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}))
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	s.enrol("i1", 1)
	s.enrol("i2", 1)
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	s.must(err)
	defer db.Close()
	_, err = db.Exec(`UPDATE insured SET template = x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff' WHERE id = 'i1'`)
	s.must(err)
	s.saw(face(4, 95, 205))
	bad, good := s.swiped(100, "p1", "i1", 0), s.swiped(101, "p1", "i2", 0)
	for now := 120.0; s.state(bad) == "pending"; now++ {
		if now > 500 {
			t.Fatal("never judged")
		}
		s.pass(now)
		if got := s.state(good); got == "pending" && now > 130 {
			t.Fatal("a bad row holds up a good one")
		}
	}
	if got := s.state(bad); got != "cannot_tell error" {
		t.Errorf("state %s", got)
	}
}

func TestRunJudgesWithinSecondsAndEnds(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.c.Run(ctx) }()
	id := s.swiped(0, "p2", "i1", 0)
	s.c.Wake()
	deadline := time.Now().Add(10 * time.Second)
	for s.state(id) == "pending" {
		if time.Now().After(deadline) {
			t.Fatal("not judged")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	s.must(<-done)
}
