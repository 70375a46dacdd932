package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"wardwatch/ward"
)

// dialect is what truly differs between the two engines.
type dialect struct {
	goose goose.Dialect
	// isolation is what write transactions ask for; the zero value is the
	// engine's own.
	isolation sql.IsolationLevel
	// lock keeps other transactions from taking the same lock, until the end of this one.
	lock func(context.Context, *sql.Tx, lockKey) error
	// retry says whether a transaction that failed with err may be run again.
	retry func(error) bool
	// unique says whether err is a unique-key violation.
	unique func(error) bool
	// full says whether err is that the database's disk is full.
	full func(error) bool
}

// lockKey is the key of an advisory lock of PostgreSQL.
type lockKey int64

// Who takes both takes judgingLock first; rows that others change are locked
// after them. See DESIGN.md, Transactions.
const (
	judgingLock lockKey = 0x6a756467 // "judg" in ASCII: over the states of settlements
	ledgerLock  lockKey = 0x77617264 // "ward": over appends to the ledger
	// Over stays and who lies in them; nobody who has it takes another.
	admissionLock lockKey = 0x61646d74 // "admt"
)

var sqliteDialect = dialect{
	goose:  goose.DialectSQLite3,
	lock:   func(context.Context, *sql.Tx, lockKey) error { return nil }, // BEGIN IMMEDIATE already excludes other writers
	retry:  func(error) bool { return false },
	unique: func(err error) bool { return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed") },
	full: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		return ok && e.Code()&0xff == sqliteFull
	},
}

// sqliteFull is SQLITE_FULL, which the low byte of a result code holds.
const sqliteFull = 13

var postgresDialect = dialect{
	goose: goose.DialectPostgres,
	// Whatever the server's default is: code that takes a lock and then reads
	// must see what the lock's holder before it committed.
	isolation: sql.LevelReadCommitted,
	lock: func(ctx context.Context, t *sql.Tx, key lockKey) error {
		_, err := t.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(key))
		return err
	},
	retry: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && (e.Code == "40001" || e.Code == "40P01") // serialization_failure, deadlock_detected
	},
	unique: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == "23505"
	},
	full: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == "53100" // disk_full
	},
}

// openDatabase opens "postgres://…" or the path of a SQLite file.
func openDatabase(database string) (dialect, *sql.DB, *sql.DB, error) {
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		db, err := sql.Open("pgx", database)
		if err != nil {
			return dialect{}, nil, nil, &ward.Error{Kind: ward.Invalid, Code: "database.dsn", ZH: "数据库地址无法解析。", EN: "The database address cannot be parsed; it should look like postgres://user@host/name."}
		}
		db.SetMaxOpenConns(16)
		keepIdle(db, 16)
		return postgresDialect, db, db, nil
	}
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		return dialect{}, nil, nil, fmt.Errorf("make database folder: %w", err)
	}
	c := connectorOf(database)
	write, read := sql.OpenDB(c), sql.OpenDB(c)
	write.SetMaxOpenConns(1)
	read.SetMaxOpenConns(8)
	keepIdle(read, 8)
	return sqliteDialect, read, write, nil
}

// connectorOf opens the SQLite file of that path.
func connectorOf(path string) sqliteConnector {
	q := url.Values{"_pragma": {
		"journal_mode(WAL)",
		"synchronous(FULL)", // a committed row survives power loss
		"busy_timeout(10000)",
		"foreign_keys(1)",
	}, "_txlock": {"immediate"}}
	return sqliteConnector{(&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()}
}

// keepIdle keeps connections for a while that nobody uses. By default all but
// two are closed at once, and whoever comes next pays for a new one and for
// preparing its statements.
func keepIdle(db *sql.DB, n int) {
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
}
