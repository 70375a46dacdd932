package bench_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web"
)

// city is a catalogue full of segments and a server for it.
type city struct {
	b       *testing.B
	store   *storage.Store
	options storage.Options
	rows    int
	cams    int
	began   time.Time // of the first segment of each camera
	url     string
	token   string
}

// homeOf is the folder of a city: a temporary one, or one that is kept for the
// next run below PLAYBACK_KEEP.
func homeOf(b *testing.B, name string) string {
	keep := os.Getenv("PLAYBACK_KEEP")
	if keep == "" {
		return b.TempDir()
	}
	home := filepath.Join(keep, name)
	must(b, os.MkdirAll(home, 0o755)) // the database server may be another user
	return home
}

// newCity opens the city at home and fills it, unless it is full already. Its
// database is dsn, or a file there.
func newCity(b *testing.B, home, dsn string, rows int) *city {
	b.Helper()
	ctx := b.Context()
	database, driver, raw := dsn, "pgx", dsn
	if dsn == "" {
		database, driver = filepath.Join(home, "catalogue.db"), "sqlite"
		raw = "file:" + database + "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-200000)&_pragma=busy_timeout(10000)"
	}
	began := time.Now()
	options := storage.Options{Database: database, Keys: filepath.Join(home, "keys"), Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	store, err := storage.Migrate(ctx, options)
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	if took := time.Since(began); took > time.Second {
		b.Logf("migrated in %s", took.Round(time.Second))
	}
	sp, err := spool.Open(filepath.Join(home, "spool"), spool.Options{Reserve: -1})
	must(b, err)
	b.Cleanup(func() { must(b, sp.Close()) })
	dir, err := objects.OpenDir(filepath.Join(home, "objects"))
	must(b, err)

	c := &city{b: b, store: store, options: options}
	u := ward.User{ID: "u1", Login: "bench", Name: "Bench", Role: ward.Inspector, AllInstitutions: true, Created: time.Now()}
	if _, err := store.User(ctx, u.ID); ward.KindOf(err) == ward.NotFound {
		took := timed(func() { c.found(driver, raw, rows, sp, dir) })
		b.Logf("%d segments of %d cameras inserted in %s (PLAYBACK_ROWS=10000000 for ten million)", c.rows, c.cams, took.Round(time.Second))
		must(b, store.AddUser(ctx, u, "", "")) // it is full
	} else {
		must(b, err)
		all, err := store.Cameras(ctx, nil)
		must(b, err)
		c.cams, c.began, c.rows = len(all), all[0].Created, len(all)*cameraMinutes
	}
	c.token, err = web.NewAPIToken(ctx, store, u.ID, "", time.Now().Add(24*time.Hour))
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

// found fills an empty catalogue.
func (c *city) found(driver, raw string, rows int, sp *spool.Spool, dir *objects.Dir) {
	b, ctx := c.b, c.b.Context()
	must(b, c.store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	must(b, c.store.PutPlace(ctx, ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	c.cams, c.began = max(rows/cameraMinutes, 1), time.Now().UTC().Truncate(time.Minute).Add(-cameraMinutes*time.Minute)
	c.rows = c.cams * cameraMinutes
	for i := range c.cams {
		must(b, c.store.AddCamera(ctx, ward.Camera{ID: cameraID(i), InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://192.0.2.1/x", Enabled: true, Created: c.began}))
	}
	c.fill(driver, raw, c.recording(c.store, sp, dir))
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
// in which a city writes them: a minute of all cameras, then the next one. The
// rows are packed as those of an older database are.
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
	_, err = db.ExecContext(c.b.Context(), `INSERT INTO segment_packing (one) VALUES (1), (2)`)
	must(c.b, err)
	c.b.Logf("packed in %s", timed(func() {
		store, err := storage.Migrate(c.b.Context(), c.options)
		must(c.b, err)
		must(c.b, store.Close())
	}).Round(time.Second))
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
