package bench_test

import (
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
)

// oldSightings is how many sightings are stored before: BENCH_SIGHTINGS, or ten million.
func oldSightings(b *testing.B) int {
	text := os.Getenv("BENCH_SIGHTINGS")
	if text == "" {
		return 10_000_000
	}
	n, err := strconv.Atoi(text)
	must(b, err)
	return n
}

// months is a SQLite database with months of sightings: a copy of the one
// that CORRELATOR_KEEP keeps, which a run leaves as it was.
func months(b *testing.B) (file string) {
	file = filepath.Join(b.TempDir(), "catalogue.db")
	filled := file
	if keep := os.Getenv("CORRELATOR_KEEP"); keep != "" {
		must(b, os.MkdirAll(keep, 0o755))
		filled = filepath.Join(keep, "sightings.db")
	}
	if _, err := os.Stat(filled); errors.Is(err, fs.ErrNotExist) {
		partly := filled + ".filling"
		fill(b, partly, "sqlite", "file:"+partly+"?_pragma=journal_mode(DELETE)&_pragma=synchronous(OFF)", `WITH RECURSIVE n (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)`)
		must(b, os.Rename(partly, filled))
	}
	if filled != file {
		from, err := os.Open(filled)
		must(b, err)
		defer from.Close()
		to, err := os.Create(file)
		must(b, err)
		_, err = io.Copy(to, from)
		must(b, errors.Join(err, to.Sync(), to.Close()))
	}
	return file
}

// monthsOnPostgres is the same on PostgreSQL.
func monthsOnPostgres(b *testing.B) (dsn string) {
	const series = `WITH n AS (SELECT generate_series($1::bigint, $2::bigint) AS i)`
	keep := os.Getenv("CORRELATOR_KEEP")
	if keep == "" {
		dsn = testserver.Postgres(b)
		fill(b, dsn, "pgx", dsn, series)
		return dsn
	}
	must(b, os.MkdirAll(keep, 0o755)) // the database server is another user
	server := testserver.PostgresIn(b, filepath.Join(keep, "postgres"))
	if _, err := os.Stat(filepath.Join(keep, "postgres", "filled")); errors.Is(err, fs.ErrNotExist) {
		dsn := server.Kept(b, "sightings")
		fill(b, dsn, "pgx", dsn, series)
		must(b, os.WriteFile(filepath.Join(keep, "postgres", "filled"), nil, 0o644))
	}
	return server.Copy(b, "sightings")
}

// fill makes a database with sightings of the last 90 days, spread over the
// counters, as quickly as it takes them.
func fill(b *testing.B, database, driver, raw, series string) {
	began, n := time.Now(), oldSightings(b)
	store, err := storage.Migrate(b.Context(), storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	must(b, store.Close())
	db, err := sql.Open(driver, raw)
	must(b, err)
	defer func() { must(b, db.Close()) }()
	start := time.Now().Add(-90 * 24 * time.Hour).UnixMicro()
	step := (89 * 24 * time.Hour).Microseconds() / int64(n)
	const batch = 250_000
	for from := 0; from < n; from += batch {
		_, err := db.ExecContext(b.Context(), series+` INSERT INTO sighting
			(id, camera_id, place_id, institution_id, kind, from_us, to_us, people, score, box, model_id, snapshot_key)
			SELECT 'old-' || i, 'c' || (i % 200), 'p' || (i % 200), 'h1', CASE (i / 200) % 3 WHEN 0 THEN 'watched' WHEN 1 THEN 'people' ELSE 'face' END,
				$3 + i * $4, $3 + i * $4 + 20000000, 1, 0.9, '{}', 'm1', '' FROM n`, from, min(from+batch, n)-1, start, step)
		must(b, err)
	}
	if driver == "pgx" { // as its own vacuum does within minutes
		_, err := db.ExecContext(b.Context(), `VACUUM ANALYZE`)
		must(b, err)
	}
	b.Logf("%d sightings stored in %v", n, time.Since(began).Round(time.Second))
}
