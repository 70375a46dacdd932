package bench_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/ward"
)

// insertSegment is the row alone.
const insertSegment = `INSERT INTO segment (id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us,
	codec, bytes, sha256, object_key, state, repaired, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`

// BenchmarkLedger commits segments one after the other, each with its
// sealed record and ledger leaf, and in turn inserts the same row alone, in
// a transaction of its own, in a second database of the same kind. SQLite
// syncs every commit to the disk; the test server of PostgreSQL does not,
// which makes the row alone cheap and the ratio as bad as it can be.
func BenchmarkLedger(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		plain := filepath.Join(b.TempDir(), "plain.db")
		commitSegments(b, filepath.Join(b.TempDir(), "catalogue.db"), plain, "sqlite",
			"file:"+plain+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_txlock=immediate")
	})
	b.Run("postgres", func(b *testing.B) {
		s := testserver.NewPostgres(b)
		plain := s.Database(b)
		commitSegments(b, s.Database(b), plain, "pgx", plain)
	})
}

func commitSegments(b *testing.B, database, plain, driver, raw string) {
	b.Helper()
	store, err := storage.Migrate(b.Context(), storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	schema, err := storage.Migrate(b.Context(), storage.Options{Database: plain, Keys: b.TempDir()})
	must(b, err)
	must(b, schema.Close())
	db, err := sql.Open(driver, raw)
	must(b, err)
	b.Cleanup(func() { must(b, db.Close()) })
	db.SetMaxOpenConns(1)

	start := time.Now().UTC().Truncate(time.Second)
	var sealed, bare time.Duration
	for seq := int64(1); b.Loop(); seq++ {
		start = start.Add(segmentSeconds * time.Second)
		g := ward.Segment{
			ID: ward.NewID[ward.SegmentID](start), Source: ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, InstitutionID: "h1", Seq: seq,
			Start: start, End: start.Add(segmentSeconds * time.Second), Media: segmentSeconds * time.Second,
			Clock: ward.ServerClock, Codec: ward.H264, Bytes: 2500000, SHA256: [32]byte{byte(seq), byte(seq >> 8)},
		}
		sealed += timed(func() { g, err = store.CommitSegment(b.Context(), g) })
		must(b, err)
		bare += timed(func() { err = insertAlone(b, db, g) })
		must(b, err)
	}
	rate := func(d time.Duration) float64 { return float64(b.N) / d.Seconds() }
	b.Logf("%d segments: %.0f a second with the ledger, enough for %.0f cameras; %.0f rows alone: %.2f × the time",
		b.N, rate(sealed), rate(sealed)*segmentSeconds, rate(bare), float64(sealed)/float64(bare))
	b.ReportMetric(rate(sealed), "commits/s")
	b.ReportMetric(float64(sealed)/float64(bare), "×row-insert")
}

func insertAlone(b *testing.B, db *sql.DB, g ward.Segment) error {
	t, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	_, err = t.ExecContext(b.Context(), insertSegment, g.ID, g.Source.Kind, g.Source.ID, g.InstitutionID, g.Seq, g.Start.UnixMicro(), g.End.UnixMicro(),
		g.Media.Microseconds(), g.Clock, 0, g.Codec, g.Bytes, g.SHA256[:], g.Key, g.State, 0, g.Leaf)
	if err != nil {
		return err
	}
	return t.Commit()
}
