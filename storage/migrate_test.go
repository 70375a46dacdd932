package storage_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// An older schema is refused, and migrating it keeps every row, its seal and
// its object as they were.
func TestMigrateFromTheFirstSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalogue.db")
	t.Run("sqlite", func(t *testing.T) {
		migrateFirst(t, file, "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)", goose.DialectSQLite3)
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := testserver.Postgres(t)
		migrateFirst(t, dsn, "pgx", dsn, goose.DialectPostgres)
	})
}

func migrateFirst(t *testing.T, database, driver, raw string, dialect goose.Dialect) {
	ctx := t.Context()
	db, err := sql.Open(driver, raw)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	p, err := goose.NewProvider(dialect, db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	g, body := oldRows(t, db)
	objs, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer objs.Close()
	if err := objs.Put(ctx, g.Key, bytes.NewReader(body), g.Bytes); err != nil {
		t.Fatal(err)
	}

	o := storage.Options{Database: database, Keys: t.TempDir()}
	for _, open := range []string{"Open", "OpenOrBegin"} {
		try := storage.Open
		if open == "OpenOrBegin" {
			try = storage.OpenOrBegin
		}
		if _, err := try(ctx, o); !errors.Is(err, &ward.Error{Code: "database.schema"}) {
			t.Fatalf("%s: got %v, want database.schema", open, err)
		}
	}
	s, err := storage.Migrate(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Segment(ctx, g.ID)
	if err != nil || got.State != ward.Archived || !got.Start.Equal(g.Start) || !got.KeepUntil.IsZero() || got.SHA256 != g.SHA256 {
		t.Errorf("got %+v, %v", got, err)
	}
	c, err := s.Camera(ctx, "cam-1")
	if err != nil || c.Record != ward.RecordAlways || c.SubURL != "" || c.RetentionDays != 30 {
		t.Errorf("got %+v, %v", c, err)
	}
	r, err := s.Fsck(ctx, storage.Media{Objects: objs}, storage.FsckOptions{})
	if err != nil || !r.OK() || r.Segments != 1 {
		t.Errorf("fsck after the migration: %+v, %v", r, err)
	}
	oldAlertsGoOn(t, s)
	soundAlerts(t, s)
	// It was recorded before recordings had a retention of their own: it stays.
	if err := s.SetKnownTime(ctx, g.Start.AddDate(50, 0, 0)); err != nil {
		t.Fatal(err)
	}
	done, err := retentionOf(s, objs, g.Start.AddDate(50, 0, 0)).Once(ctx)
	if err != nil || done != (storage.Swept{}) {
		t.Errorf("retention after the migration: %+v, %v", done, err)
	}
}

// oldRows writes a camera and an archived segment as the first schema knows them.
func oldRows(t *testing.T, db *sql.DB) (ward.Segment, []byte) {
	t.Helper()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	body := []byte("an old recording")
	g := ward.Segment{ID: "seg-1", Start: t0, SHA256: sha256.Sum256(body), Bytes: int64(len(body)), Key: ward.SegmentKey("h1", cam1, t0, 1)}
	exec(`INSERT INTO institution (id, name) VALUES ('h1', '医院')`)
	exec(`INSERT INTO place (id, institution_id, name, kind) VALUES ('p1', 'h1', '窗口', 'charge')`)
	exec(`INSERT INTO camera (id, institution_id, place_id, name, url, login, password_sealed, transport, segment_seconds, retention_days, enabled, created_us)
		VALUES ('cam-1', 'h1', 'p1', '一号', 'rtsp://192.0.2.1/1', '', $1, 'tcp', 60, 30, 1, $2)`, []byte{}, t0.UnixMicro())
	idx := sealOld(t, db, "segment", "seg-1", t0, map[string]any{
		"id": "seg-1", "source": cam1, "institution_id": "h1", "seq": 1, "start": t0, "end": t0.Add(time.Minute), "media_us": 60_000_000,
		"clock": "server", "camera_offset_us": 0, "codec": "h264", "bytes": g.Bytes, "sha256": hex.EncodeToString(g.SHA256[:]), "key": g.Key, "repaired": false,
	})
	oldAlerts(t, db)
	exec(`INSERT INTO segment (id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us, codec, bytes, sha256, object_key, state, repaired, leaf)
		VALUES ('seg-1', 'camera', 'cam-1', 'h1', 1, $1, $2, 60000000, 'server', 0, 'h264', $3, $4, $5, 'archived', 0, $6)`,
		t0.UnixMicro(), t0.Add(time.Minute).UnixMicro(), g.Bytes, g.SHA256[:], g.Key, idx)
	return g, body
}
