package bench_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// BenchmarkSeeing watches one camera of 1920×1080, 25 pictures a second with
// a key frame every 2 s, in real time: an empty counter, then one with somebody
// at it. What the worker and the service take together is what a camera costs.
func BenchmarkSeeing(b *testing.B) {
	const fit = "scale=1920:1080:force_original_aspect_ratio=decrease,pad=1920:1080:(ow-iw)/2:(oh-ih)/2"
	film := func(filter string) []modeltest.Unit {
		return modeltest.Units(b, modeltest.Clip(b, "franck.mp4"), ward.H264, "10", "12", "-preset", "ultrafast", "-b:v", "3M", "-r", "25", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-vf", filter)
	}
	// The wall beside the person, with its noise, fills the empty picture.
	quiet, busy := film("crop=64:36:4:4,scale=1920:1080"), film("fps=25,"+fit)
	pool := modeltest.Pool(b, 1, nil)
	n := 0.0
	var cost [2]float64 // share of a core
	for b.Loop() {
		n++
		for i, us := range [][]modeltest.Unit{quiet, busy} {
			before := cpuOf(b, pool.PIDs()[0]) + cpuOf(b, os.Getpid())
			took, stats := watchInRealTime(b, &analytics.Lookout{Pool: pool}, us)
			cpu := cpuOf(b, pool.PIDs()[0]) + cpuOf(b, os.Getpid()) - before
			cost[i] += cpu.Seconds() / took.Seconds()
			name := []string{"quiet", "busy "}[i]
			b.Logf("%s: %.1f pictures looked at a second, %.1f of them glances, given up %d, failed %d: %.0f ms CPU a camera-second",
				name, float64(stats.Looked)/took.Seconds(), float64(stats.Glanced)/took.Seconds(), stats.Late, stats.Failed, 1000*cpu.Seconds()/took.Seconds())
			if i == 0 && stats.Glanced > 0 || i == 1 && stats.Glanced == 0 || stats.Looked == 0 {
				b.Errorf("%s is not what it says: %+v", name, stats)
			}
		}
	}
	b.Logf("| at the counter | cameras a core | computed for 16 cores |")
	for i, name := range []string{"nobody, all day", "somebody, all day"} {
		b.Logf("| %s | %.1f | %.0f |", name, n/cost[i], 16*n/cost[i])
	}
	mixed := (2*cost[0] + cost[1]) / 3 / n
	b.Logf("| somebody a third of the day | %.1f | %.0f |", 1/mixed, 16/mixed)
	b.ReportMetric(n/cost[0], "cameras/core-quiet")
	b.ReportMetric(n/cost[1], "cameras/core-busy")
}

// watchInRealTime lets the lookout watch the pictures as they would come.
func watchInRealTime(b *testing.B, l *analytics.Lookout, us []modeltest.Unit) (took time.Duration, stats analytics.WatchStats) {
	b.Helper()
	store := teststore.SQLite(b)
	dir, err := objects.OpenDir(b.TempDir())
	must(b, err)
	defer dir.Close()
	must(b, store.PutInstitution(b.Context(), ward.Institution{ID: "h1", Name: "医院"}))
	must(b, store.PutPlace(b.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "窗口", Kind: ward.Charge}))
	cam := ward.Camera{ID: "c1", InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://192.0.2.1/1", Enabled: true}
	must(b, store.AddCamera(b.Context(), cam))
	l.Store, l.Objects, l.Gallery, l.Log = store, dir, &analytics.Gallery{}, slog.New(slog.NewTextHandler(b.Output(), nil))
	st := ingest.NewStream(ward.Source{Kind: ward.FromCamera, ID: "c1"}, "h1", []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}})
	done := make(chan struct{})
	go func() { defer close(done); l.Watch(context.WithoutCancel(b.Context()), cam, st) }()
	began := time.Now()
	tick := time.NewTicker(time.Second / 25)
	defer tick.Stop()
	for i, u := range us {
		<-tick.C
		st.Write(ingest.Unit{Track: 1, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Arrived: time.Now(), AU: nalus(u.Data), Key: u.Key})
	}
	took = time.Since(began)
	st.Close()
	<-done
	return took, l.Stats()
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
