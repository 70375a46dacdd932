package analytics_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// A settlement that comes long after its moment: the gallery has forgotten
// it, and the alert's picture is taken from the recording.
func TestALateAlertTakesItsPictureFromTheRecording(t *testing.T) {
	s := newScene(t)
	pool := modeltest.Pool(t, 1, nil)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	s.must(err)
	defer sp.Close()

	st, done := stream(), make(chan error, 1)
	rec := &ingest.Recorder{Store: s.Store, Spool: sp, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	go func() { done <- rec.Run(t.Context(), st) }()
	units := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), ward.H264, "10", "6", "-r", "10")
	for n, u := range units {
		pts := int64(n) * 9000
		st.Write(ingest.Unit{Track: 1, PTS: pts, DTS: pts, Arrived: s.at(float64(n) / 10), AU: nalus(u.Data), Key: u.Key})
		if n == 0 { // the recorder has begun
			until(t, func() bool { es, e := sp.Entries(); return e == nil && len(es) > 0 })
		}
	}
	st.Close()
	s.must(<-done)

	archive := &analytics.Archive{Library: &ingest.Library{Store: s.Store, Objects: s.objects, Spool: sp}, Pool: pool}
	for _, c := range []struct {
		at, want float64
		ok       bool
	}{{3.2, 3, true}, {3.8, 4, true}, {0, 0, true}, {600, 0, false}} {
		p, ok, e := archive.Picture(t.Context(), "h1", "c1", s.at(c.at), 2*time.Second)
		if e != nil || ok != c.ok || ok && p.At.Sub(s.at(c.want)).Abs() > 150*time.Millisecond {
			t.Errorf("at %g: got %v after the beginning, ok %v, %v", c.at, p.At.Sub(s.base), ok, e)
		}
	}

	// The stored sightings say that nobody was there.
	s.saw(watched(-60, 60))
	s.c.Recorded = archive.Picture
	id := s.swiped(3.2, "p1", "i1", 3000)
	s.pass(3010)
	as := s.alerts()
	if len(as) != 1 || as[0].SettlementID != id || as[0].SnapshotKey == "" {
		t.Fatalf("alerts %+v", as)
	}
	file, err := s.objects.Get(t.Context(), as[0].SnapshotKey, 0, -1)
	s.must(err)
	defer file.Close()
	photo, err := io.ReadAll(file)
	s.must(err)
	if still, err := pool.Still(t.Context(), photo, vision.WantFaces); err != nil || len(still.Faces) != 1 || still.Width != 360 {
		t.Errorf("snapshot: %+v, %v", still, err)
	}
}
