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
	// lockLedger makes appends to the ledger one at a time.
	lockLedger func(context.Context, *sql.Tx) error
	// retry says whether a transaction that failed with err may be run again.
	retry func(error) bool
	// unique says whether err is a unique-key violation.
	unique func(error) bool
	// forUpdate, after a SELECT, keeps other transactions from changing its rows.
	forUpdate string
	// full says whether err is that the database's disk is full.
	full func(error) bool
}

// ledgerLock is the key of PostgreSQL's advisory lock on the ledger: "ward" in ASCII.
const ledgerLock = 0x77617264

var sqliteDialect = dialect{
	goose:      goose.DialectSQLite3,
	lockLedger: func(context.Context, *sql.Tx) error { return nil }, // BEGIN IMMEDIATE already excludes other writers
	retry:      func(error) bool { return false },
	unique:     func(err error) bool { return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed") },
	full: func(err error) bool {
		e, ok := errors.AsType[*sqlite.Error](err)
		return ok && e.Code()&0xff == sqliteFull
	},
}

// sqliteFull is SQLITE_FULL, which the low byte of a result code holds.
const sqliteFull = 13

var postgresDialect = dialect{
	goose:     goose.DialectPostgres,
	forUpdate: " FOR UPDATE",
	// Whatever the server's default is: code that takes a lock and then reads
	// must see what the lock's holder before it committed.
	isolation: sql.LevelReadCommitted,
	lockLedger: func(ctx context.Context, t *sql.Tx) error {
		_, err := t.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, ledgerLock)
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
	q := url.Values{"_pragma": {
		"journal_mode(WAL)",
		"synchronous(FULL)", // a committed row survives power loss
		"busy_timeout(10000)",
		"foreign_keys(1)",
	}, "_txlock": {"immediate"}}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: database}).EscapedPath(), RawQuery: q.Encode()}).String()
	write, read := sql.OpenDB(sqliteConnector{dsn}), sql.OpenDB(sqliteConnector{dsn})
	write.SetMaxOpenConns(1)
	read.SetMaxOpenConns(8)
	keepIdle(read, 8)
	return sqliteDialect, read, write, nil
}

// keepIdle keeps connections for a while that nobody uses. By default all but
// two are closed at once, and whoever comes next pays for a new one and for
// preparing its statements.
func keepIdle(db *sql.DB, n int) {
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
}
