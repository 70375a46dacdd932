package bench_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

const (
	// playbackRows is how many segments the catalogue holds, unless
	// PLAYBACK_ROWS says otherwise.
	playbackRows  = 1_000_000
	cameraMinutes = 30 * 24 * 60 // of each camera: ten million rows are 230 cameras
	momentLimit   = 50 * time.Millisecond
	dayLimit      = 100 * time.Millisecond
	moments       = 400
	days          = 40
)

// BenchmarkPlayback finds moments among a million segments of 60 s and
// begins to play them, over HTTP and as a user: the playlist of the next ten
// minutes, the initialization section, and the first piece of pictures, with
// the view noted in the custody log. It also lists whole days. The rows are
// inserted in bulk, without seals, which are not read here; the bytes of all
// of them are one real recording of 60 s at 2 Mbit/s.
func BenchmarkPlayback(b *testing.B) {
	rows := playbackRows
	if text := os.Getenv("PLAYBACK_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		must(b, err)
	}
	b.Run("sqlite", func(b *testing.B) { newCity(b, homeOf(b, "sqlite"), "", rows).measure() })
	b.Run("postgres", func(b *testing.B) {
		home := homeOf(b, "postgres")
		if os.Getenv("PLAYBACK_KEEP") == "" {
			newCity(b, home, testserver.NewPostgres(b).Database(b), rows).measure()
			return
		}
		newCity(b, home, testserver.PostgresIn(b, filepath.Join(home, "server")).Kept(b, "city"), rows).measure()
	})
}

// get asks the server and returns the body and how long it took.
func (c *city) get(path string) ([]byte, time.Duration) {
	req, err := http.NewRequestWithContext(c.b.Context(), http.MethodGet, c.url+path, nil)
	must(c.b, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept-Encoding", "gzip")
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	must(c.b, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	took := time.Since(began)
	must(c.b, err)
	if res.StatusCode != http.StatusOK {
		c.b.Fatalf("%s: %d %s", path, res.StatusCode, body)
	}
	return body, took
}

func unzip(b *testing.B, body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	must(b, err)
	text, err := io.ReadAll(z)
	must(b, err)
	return text
}

// moment is a random one, with d of recordings after it.
func (c *city) moment(d time.Duration) (camera ward.CameraID, at time.Time) {
	return cameraID(rand.IntN(c.cams)), c.began.Add(rand.N(cameraMinutes*time.Minute - d)) //nolint:gosec // a benchmark
}

var names = regexp.MustCompile(`playback/[0-9a-z-]+\.m(p4|4s)`)

func (c *city) measure() {
	b := c.b
	for b.Loop() {
		before := usageOf(b)
		t := c.play()
		b.Logf("of each moment's time: %s", usageOf(b).since(before, moments))
		all := t.all.p99()
		b.Logf("%d segments: from a moment to its first pictures %s = %.2f × the limit of %v; of which playlist %s, initialization section %s, piece with its custody row %s",
			c.rows, t.all, float64(all)/float64(momentLimit), momentLimit, t.playlist, t.beginning, t.piece)
		b.Logf("meanwhile, for nothing: three requests %s; one write of 4 kB with fsync %s", t.idle, t.fsync)
		b.ReportMetric(float64(all)/float64(momentLimit), "p99×limit")
		b.ReportMetric(ms(all), "p99-ms")
		before = usageOf(b)
		day, size := c.day("playback.m3u8")
		b.Logf("of each day's playlist: %s", usageOf(b).since(before, days))
		before = usageOf(b)
		line, lineSize := c.day("timeline")
		b.Logf("of each day's timeline: %s", usageOf(b).since(before, days))
		b.Logf("a day: playlist %s = %.2f × the limit of %v, %d kB; timeline %s = %.2f ×, %d kB",
			day, float64(day.p50())/float64(dayLimit), dayLimit, size>>10, line, float64(line.p50())/float64(dayLimit), lineSize>>10)
		before = usageOf(b)
		took, cams := c.month()
		b.Logf("how completely %d cameras recorded in 28 days: %.1f s; for each camera %s", cams, took.Seconds(), usageOf(b).since(before, cams))
		b.ReportMetric(float64(day.p50())/float64(dayLimit), "day×limit")
		b.ReportMetric(float64(line.p50())/float64(dayLimit), "timeline×limit")
	}
}

// times are how long the same thing took, again and again.
type times []time.Duration

func (t times) p50() time.Duration { return slices.Sorted(slices.Values(t))[len(t)/2] }
func (t times) p99() time.Duration { return slices.Sorted(slices.Values(t))[len(t)*99/100] }
func (t times) String() string {
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(t.p50()), ms(t.p99()))
}

// playing is how long the steps of beginning to play took, and beside them,
// in turn, what the machine's other work costs: requests that do nothing, and
// a write that does.
type playing struct{ all, playlist, beginning, piece, idle, fsync times }

// play begins to play at random moments.
func (c *city) play() (t playing) {
	file, err := os.Create(filepath.Join(c.b.TempDir(), "fsync"))
	must(c.b, err)
	defer file.Close()
	for range moments {
		camera, at := c.moment(time.Hour)
		base := "/api/v1/cameras/" + string(camera) + "/"
		query := "?from=" + at.Format(time.RFC3339Nano) + "&to=" + at.Add(10*time.Minute).Format(time.RFC3339Nano)
		body, found := c.get(base + "playback.m3u8" + query)
		files := names.FindAllString(string(unzip(c.b, body)), 2)
		if len(files) != 2 {
			c.b.Fatalf("no pieces at %s", at)
		}
		begun := c.media(base + files[0])
		shown := c.media(base + files[1])
		t.playlist, t.beginning, t.piece = append(t.playlist, found), append(t.beginning, begun), append(t.piece, shown)
		t.all = append(t.all, found+begun+shown)
		t.idle = append(t.idle, timed(func() {
			for range 3 {
				c.get("/healthz")
			}
		}))
		t.fsync = append(t.fsync, timed(func() {
			_, err := file.Write(make([]byte, 4096))
			must(c.b, err)
			must(c.b, file.Sync())
		}))
	}
	return t
}

// media gets a file of a playlist, which is not empty.
func (c *city) media(path string) time.Duration {
	b, took := c.get(path)
	if len(b) < 500 {
		c.b.Fatalf("%s has %d bytes", path, len(b))
	}
	return took
}

// day lists days and returns how long it took and the bytes sent.
func (c *city) day(what string) (all times, size int) {
	for range days {
		camera, at := c.moment(24 * time.Hour)
		query := "?from=" + at.Format(time.RFC3339Nano) + "&to=" + at.Add(24*time.Hour).Format(time.RFC3339Nano)
		body, took := c.get("/api/v1/cameras/" + string(camera) + "/" + what + query)
		all, size = append(all, took), len(body)
	}
	return all, size
}

// month counts how completely some cameras recorded in four weeks.
func (c *city) month() (took time.Duration, cams int) {
	cams = min(10, c.cams)
	from := c.began.Add(24 * time.Hour)
	_, took = c.get(fmt.Sprintf("/api/v1/coverage?limit=%d&from=%s&to=%s", cams, from.Format(time.DateOnly), from.AddDate(0, 0, 27).Format(time.DateOnly)))
	return took, cams
}

// usage is what this process, both client and server, has used so far; a
// database server is another one.
type usage struct {
	cpu  time.Duration
	disk int64 // blocks of 512 bytes that were read from it
}

func usageOf(b *testing.B) usage {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return usage{time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Inblock}
}

func (u usage) since(before usage, times int) string {
	return fmt.Sprintf("%.1f ms of processor, %d kB read from disk", ms(u.cpu-before.cpu)/float64(times), (u.disk-before.disk)/2/int64(times))
}
