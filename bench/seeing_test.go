package bench_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// BenchmarkSeeing watches one camera of 1920×1080, 25 pictures a second with
// a key frame every 2 s, in real time: an empty counter, then one with somebody
// at it; each by its main stream alone and with a sub stream of 640×360.
// What the worker and the service take together is what a camera costs.
func BenchmarkSeeing(b *testing.B) {
	const fit = "scale=1920:1080:force_original_aspect_ratio=decrease,pad=1920:1080:(ow-iw)/2:(oh-ih)/2"
	film := func(filter, rate string) []modeltest.Unit {
		return modeltest.Units(b, modeltest.Clip(b, "franck.mp4"), ward.H264, "10", "16", "-preset", "ultrafast", "-b:v", rate, "-r", "25", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-vf", filter)
	}
	// The wall beside the person, with its noise, fills the empty picture.
	const quiet, busy, small = "crop=64:36:4:4,scale=1920:1080", "fps=25," + fit, ",scale=640:360"
	cases := []*struct {
		name      string
		main, sub []modeltest.Unit
		busy      bool
		cost      float64 // shares of a core, added up
	}{
		{name: "quiet, main stream", main: film(quiet, "3M")},
		{name: "quiet, sub stream", main: film(quiet, "3M"), sub: film(quiet+small, "500k")},
		{name: "busy, main stream", main: film(busy, "3M"), busy: true},
		{name: "busy, sub stream", main: film(busy, "3M"), sub: film(busy+small, "500k"), busy: true},
	}
	pool := modeltest.Pool(b, 1, nil)
	n := 0.0
	for b.Loop() {
		n++
		for _, c := range cases {
			share, stats := watchInRealTime(b, pool, c.main, c.sub)
			c.cost += share
			b.Logf("%s: %+v: %.0f ms CPU a camera-second", c.name, stats, 1000*share)
			if stats.Looked == 0 || c.busy != (stats.Glanced > 0) || (stats.Beside > 0) != (c.sub != nil) {
				b.Errorf("%s is not what it says: %+v", c.name, stats)
			}
		}
	}
	b.Logf("| at the counter | stream | cameras a core | computed for 16 cores |")
	for i, stream := range []string{"main", "sub"} {
		empty, full := cases[i].cost/n, cases[i+2].cost/n
		b.Logf("| nobody, all day | %s | %.1f | %.0f |", stream, 1/empty, 16/empty)
		b.Logf("| somebody, all day | %s | %.1f | %.0f |", stream, 1/full, 16/full)
		mixed := (2*empty + full) / 3
		b.Logf("| somebody a third of the day | %s | %.1f | %.0f |", stream, 1/mixed, 16/mixed)
		b.ReportMetric(1/empty, "cameras/core-quiet-"+stream)
		b.ReportMetric(1/full, "cameras/core-busy-"+stream)
	}
}

// settling is how much of a film passes before its cost counts: a sub stream
// is watched beside the main one until they agree.
const settling = 5 * 25

// watchInRealTime lets a lookout watch the pictures as they would come, and
// gives the share of a core that this takes.
func watchInRealTime(b *testing.B, pool *vision.Pool, main, sub []modeltest.Unit) (share float64, stats analytics.WatchStats) {
	b.Helper()
	store := teststore.SQLite(b)
	dir, err := objects.OpenDir(b.TempDir())
	must(b, err)
	defer dir.Close()
	must(b, store.PutInstitution(b.Context(), ward.Institution{ID: "h1", Name: "医院"}))
	must(b, store.PutPlace(b.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "窗口", Kind: ward.Charge}))
	cam := ward.Camera{ID: "c1", InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://192.0.2.1/1", Enabled: true}
	stream := func() *ingest.Stream {
		return ingest.NewStream(ward.Source{Kind: ward.FromCamera, ID: "c1"}, "h1", []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}})
	}
	st, small := stream(), stream()
	l := &analytics.Lookout{Pool: pool, Store: store, Objects: dir, Gallery: &analytics.Gallery{}, Log: slog.New(slog.NewTextHandler(b.Output(), nil))}
	if sub != nil {
		cam.SubURL = "rtsp://192.0.2.1/2"
		l.Sub = func(context.Context, ward.Camera) (*ingest.Stream, func(), ward.SubFault) {
			return small, func() {}, ward.NoSubFault
		}
	}
	must(b, store.AddCamera(b.Context(), cam))
	done := make(chan struct{})
	go func() { defer close(done); l.Watch(context.WithoutCancel(b.Context()), cam, st) }()
	used := func() time.Duration { return cpuOf(b, pool.PIDs()[0]) + cpuOf(b, os.Getpid()) }
	var before time.Duration
	var began time.Time
	tick := time.NewTicker(time.Second / 25)
	defer tick.Stop()
	for i := range main {
		if i == settling {
			before, began = used(), time.Now()
		}
		<-tick.C
		write(st, i, main[i])
		if i < len(sub) {
			write(small, i, sub[i])
		}
	}
	share = (used() - before).Seconds() / time.Since(began).Seconds()
	st.Close()
	<-done
	small.Close()
	return share, l.Stats()
}

func write(s *ingest.Stream, i int, u modeltest.Unit) {
	s.Write(ingest.Unit{Track: 1, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Arrived: time.Now(), AU: nalus(u.Data), Key: u.Key})
}

// nalus splits an Annex B access unit, as RTP delivers it.
func nalus(b []byte) [][]byte {
	var out [][]byte
	for part := range bytes.SplitSeq(b, []byte{0, 0, 1}) {
		if part = bytes.TrimRight(part, "\x00"); len(part) > 0 {
			out = append(out, part)
		}
	}
	return out
}
