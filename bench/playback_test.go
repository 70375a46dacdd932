package bench_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web"
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
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "catalogue.db")
		newCity(b, file, "sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-200000)&_pragma=busy_timeout(10000)", rows).measure()
	})
	b.Run("postgres", func(b *testing.B) {
		dsn := testserver.NewPostgres(b).Database(b)
		newCity(b, dsn, "pgx", dsn, rows).measure()
	})
}

// city is a catalogue full of segments and a server for it.
type city struct {
	b     *testing.B
	rows  int
	cams  int
	began time.Time // of the first segment of each camera
	url   string
	token string
}

func newCity(b *testing.B, database, driver, raw string, rows int) *city {
	b.Helper()
	ctx := b.Context()
	store, err := storage.Migrate(ctx, storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	sp, err := spool.Open(b.TempDir(), spool.Options{Reserve: -1})
	must(b, err)
	b.Cleanup(func() { must(b, sp.Close()) })
	dir, err := objects.OpenDir(b.TempDir())
	must(b, err)
	must(b, store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	must(b, store.PutPlace(ctx, ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	c := &city{b: b, cams: max(rows/cameraMinutes, 1), began: time.Now().UTC().Truncate(time.Minute).Add(-cameraMinutes * time.Minute)}
	c.rows = c.cams * cameraMinutes
	for i := range c.cams {
		must(b, store.AddCamera(ctx, ward.Camera{ID: cameraID(i), InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://192.0.2.1/x", Enabled: true, Created: c.began}))
	}
	one := c.recording(store, sp, dir)
	took := timed(func() { c.fill(driver, raw, one) })
	b.Logf("%d segments of %d cameras inserted in %s (PLAYBACK_ROWS=10000000 for ten million)", c.rows, c.cams, took.Round(time.Second))

	u := ward.User{ID: "u1", Login: "bench", Name: "Bench", Role: ward.Inspector, AllInstitutions: true, Created: c.began}
	must(b, store.AddUser(ctx, u, ""))
	c.token, err = web.NewAPIToken(ctx, store, u.ID, time.Now().Add(24*time.Hour))
	must(b, err)
	all := oneObject{dir}
	s := &web.Server{Store: store, Objects: all, Spool: sp, Library: &ingest.Library{Store: store, Objects: all, Spool: sp}}
	h, err := s.Handler()
	must(b, err)
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

// oneObject is a store whose objects are all the same.
type oneObject struct{ *objects.Dir }

func (o oneObject) Get(ctx context.Context, _ string, offset, length int64) (io.ReadCloser, error) {
	return o.Dir.Get(ctx, "one", offset, length)
}

// recording records 60 s at 2 Mbit/s with a key frame every 2 s, puts them
// into the store of objects, and returns their row.
func (c *city) recording(store *storage.Store, sp *spool.Spool, dir *objects.Dir) ward.Segment {
	b := c.b
	sps := []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20}
	pps := []byte{0x68, 0xce, 0x38, 0x80}
	src := ward.Source{Kind: ward.FromCamera, ID: "template"}
	st := ingest.NewStream(src, "h1", []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: sps, PPS: pps}})
	done := make(chan error, 1)
	go func() { done <- (&ingest.Recorder{Store: store, Spool: sp, SegmentSeconds: 600}).Run(b.Context(), st) }()
	for st.Readers() == 0 {
		<-time.After(time.Millisecond)
	}
	start := time.Now().Add(-time.Minute)
	for i := range int64(60 * 25) {
		picture := make([]byte, 8000)
		picture[0] = 0x41
		au := [][]byte{picture}
		if i%50 == 0 {
			picture = make([]byte, 100_000)
			picture[0] = 0x65
			au = [][]byte{sps, pps, picture}
		}
		st.Write(ingest.Unit{Track: 1, PTS: i * 3600, DTS: i * 3600, Arrived: start.Add(time.Duration(i) * 40 * time.Millisecond), AU: au, Key: i%50 == 0})
	}
	st.Close()
	must(b, <-done)
	g, err := store.LastSegment(b.Context(), src)
	must(b, err)
	f, err := sp.Open(spool.Of(g))
	must(b, err)
	defer f.Close()
	must(b, dir.Put(b.Context(), "one", f, g.Bytes))
	return g
}

// fill copies the row of one for every minute of every camera, in the order
// in which a city writes them: a minute of all cameras, then the next one. So
// a day of one camera lies in as many pages as it has rows.
func (c *city) fill(driver, raw string, one ward.Segment) {
	db, err := sql.Open(driver, raw)
	must(c.b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	const columns = `id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us, codec, bytes, sha256, object_key, state, repaired, leaf, audio, life, mono_us, keep_until_us, chunks`
	const cells = `(100000000 + i) || '-' || cam, 'camera', cam, 'h1', i + 1, $2 + i * 60000000, $2 + (i + 1) * 60000000, 60000000, 'server', 0, codec, bytes, sha256,
		'v1/h1/' || cam || '/' || (100000000 + i) || '.mp4', 'archived', 0, 0, '', '', 0, 0, chunks`
	numbers := `generate_series(CAST($3 AS BIGINT), CAST($4 AS BIGINT) - 1) AS n(i)`
	if driver == "sqlite" {
		numbers = `(WITH RECURSIVE n(i) AS (SELECT $3 UNION ALL SELECT i + 1 FROM n WHERE i < $4 - 1) SELECT i FROM n) n`
	}
	text := `INSERT INTO segment (` + columns + `) SELECT ` + cells + ` FROM (SELECT codec, bytes, sha256, chunks FROM segment WHERE id = $1) t
		CROSS JOIN ` + numbers + ` CROSS JOIN (SELECT id AS cam FROM camera) c ORDER BY i, cam`
	for day := range cameraMinutes / (24 * 60) {
		_, err = db.ExecContext(c.b.Context(), text, one.ID, c.began.UnixMicro(), day*24*60, (day+1)*24*60)
		must(c.b, err)
	}
	tidy := []string{"PRAGMA wal_checkpoint(TRUNCATE)"} // and no statistics: nobody collects them there
	if driver != "sqlite" {
		tidy = []string{"VACUUM ANALYZE", "CHECKPOINT"} // as autovacuum does
	}
	for _, text := range tidy {
		_, err = db.ExecContext(c.b.Context(), text)
		must(c.b, err)
	}
	syscall.Sync() // gigabytes that are still to be written would stand before every commit
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
		t := c.play()
		all := t.all.p99()
		b.Logf("%d segments: from a moment to its first pictures %s = %.2f × the limit of %v; of which playlist %s, initialization section %s, piece with its custody row %s",
			c.rows, t.all, float64(all)/float64(momentLimit), momentLimit, t.playlist, t.beginning, t.piece)
		b.Logf("meanwhile, for nothing: three requests %s; one write of 4 kB with fsync %s", t.idle, t.fsync)
		b.ReportMetric(float64(all)/float64(momentLimit), "p99×limit")
		b.ReportMetric(ms(all), "p99-ms")
		day, size := c.day("playback.m3u8")
		line, lineSize := c.day("timeline")
		b.Logf("a day: playlist %s = %.2f × the limit of %v, %d kB; timeline %s = %.2f ×, %d kB",
			day, float64(day.p50())/float64(dayLimit), dayLimit, size>>10, line, float64(line.p50())/float64(dayLimit), lineSize>>10)
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
