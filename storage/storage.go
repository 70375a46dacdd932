// Package storage keeps what must not be lost: the catalogue (SQL), sealed
// secrets and the ledger. Objects (media, snapshots) are in storage/objects,
// the Merkle log in storage/ledger, the court package in storage/evidence.
// It must know nothing of RTSP, WebRTC, HTTP or pixels.
//
// One method is one transaction. SQL is literal and runs unchanged on SQLite
// and PostgreSQL; what differs is in dialect.go.
package storage

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"

	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the catalogue. It is safe for concurrent use.
type Store struct {
	read    *sql.DB
	write   *sql.DB // SQLite: one connection; PostgreSQL: the same pool as read
	dialect dialect
	seal    *sealer
	keys    *ledger.Keys
	keyDir  string
	numbers ward.CaseNumbers
	log     *slog.Logger
	life    atomic.Pointer[ownLife] // of this process, once it began
	onAlert func(ward.Alert)        // may be nil
	events  eventQueue
}

// Options say where the catalogue is.
type Options struct {
	// Database is "postgres://…", or the path of a SQLite file, created when absent.
	Database string
	// Keys is the folder of the sealing and signing keys (0700), created
	// when absent. It must not be in the database, nor on the same backup.
	Keys string
	Log  *slog.Logger
	// CaseNumbers is the pattern of case numbers; empty: ward.DefaultCaseNumbers.
	CaseNumbers string
	// OnAlert is called after the commit of what raised an alert about a blind
	// period, or let it fall, since that happens wherever the period changes. It
	// must not block; may be nil.
	OnAlert func(ward.Alert)
}

// Open connects and checks that the schema is current; it does not migrate.
// A missing or older schema is a ward.Error that names `wardwatch migrate`, a
// newer one says that this program is too old for it.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	err = s.current(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Migrate connects and brings the schema to the current version. It never
// touches media. On many segments it takes minutes, and tells how far it is.
func Migrate(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	p, err := s.provider()
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err == nil {
		err = s.decidedOfOld(ctx)
	}
	if err == nil {
		err = s.packOld(ctx)
	}
	if err == nil {
		err = s.runsOfOld(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("migrate: %w", err), s.Close())
	}
	return s, nil
}

func connect(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Log, onAlert: o.OnAlert, events: eventQueue{turn: make(turn, 1)}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Keys, 0o700); err != nil {
		return nil, fmt.Errorf("make key folder: %w", err)
	}
	var err error
	if s.numbers, err = ward.ParseCaseNumbers(cmp.Or(o.CaseNumbers, ward.DefaultCaseNumbers)); err != nil {
		return nil, err
	}
	if s.seal, err = openSealer(filepath.Join(o.Keys, "seal.key")); err != nil {
		return nil, err
	}
	s.keyDir = o.Keys
	if s.keys, err = ledger.OpenKeys(o.Keys); err != nil {
		return nil, err
	}
	if s.dialect, s.read, s.write, err = openDatabase(o.Database); err != nil {
		return nil, err
	}
	if err := s.write.PingContext(ctx); err != nil {
		return nil, errors.Join(&ward.Error{
			Kind: ward.Unavailable, Code: "database.unreachable",
			ZH: "无法连接数据库，请检查 database 配置和数据库服务。", EN: "Cannot reach the database; check the database setting and that its server runs.", Err: err,
		}, s.Close())
	}
	return s, nil
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(s.dialect.goose, s.write, files)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// Close releases the connections.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// tx is one write transaction. Sealing a record appends to the ledger
// inside it, so that a row and its leaf commit together or not at all.
type tx struct {
	*sql.Tx
	s      *Store
	now    time.Time
	locked bool         // the ledger; see lockLedger
	alerts []ward.Alert // about blind periods, raised or fallen in it
}

// lockLedger makes the transaction the only one that appends to the ledger,
// until its end.
func (t *tx) lockLedger(ctx context.Context) error {
	if t.locked {
		return nil
	}
	if err := t.s.dialect.lock(ctx, t.Tx, ledgerLock); err != nil {
		return fmt.Errorf("lock ledger: %w", err)
	}
	t.locked = true
	return nil
}

// lockJudging makes the transaction the only one that changes stored
// settlements, until its end: to judge one may let any other wait again, so
// their rows have no order in which two transactions could lock them. It
// comes before the ledger's lock.
func (t *tx) lockJudging(ctx context.Context) error {
	if t.locked {
		return errors.New("lock judging: the ledger was locked before")
	}
	if err := t.s.dialect.lock(ctx, t.Tx, judgingLock); err != nil {
		return fmt.Errorf("lock judging: %w", err)
	}
	return nil
}

// change runs f in one write transaction, retrying when PostgreSQL reports a
// serialisation conflict. f must have no effects outside the transaction.
func (s *Store) change(ctx context.Context, what string, f func(*tx) error) error {
	for try := 0; ; try++ {
		err := s.changeOnce(ctx, f)
		if err == nil {
			return nil
		}
		if try < 5 && s.dialect.retry(err) && ctx.Err() == nil {
			s.log.WarnContext(ctx, "transaction runs again", "what", what, "error", err)
			continue
		}
		if s.dialect.full(err) {
			err = &ward.Error{
				Kind: ward.Unavailable, Code: "database.full", Err: err,
				ZH: "数据库所在磁盘已满，未做任何更改；请清理空间后重试。", EN: "The database's disk is full and nothing was changed; free space and try again.",
			}
		}
		return fmt.Errorf("%s: %w", what, err)
	}
}

func (s *Store) changeOnce(ctx context.Context, f func(*tx) error) error {
	t, err := s.write.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return err
	}
	x := &tx{Tx: t, s: s, now: time.Now()}
	if err := f(x); err != nil {
		return errors.Join(err, t.Rollback())
	}
	if err := t.Commit(); err != nil {
		return err
	}
	if s.onAlert != nil {
		for _, a := range x.alerts {
			s.onAlert(a)
		}
	}
	return nil
}

// sealRecord stores record and appends the ledger leaf that commits to it.
// record is marshalled to JSON and must hold no scores meant to stay secret;
// personal data in it is erased by deleting the sealed_record row.
func (t *tx) sealRecord(ctx context.Context, kind, ref string, record any) (int64, error) {
	body, leaf, err := ledger.Record(kind, ref, t.now, record)
	if err != nil {
		return 0, err
	}
	if err := t.lockLedger(ctx); err != nil {
		return 0, err
	}
	idx, err := ledgerdb.Append(ctx, t.Tx, leaf)
	if err != nil {
		return 0, fmt.Errorf("append %s %s to ledger: %w", kind, ref, err)
	}
	_, err = t.ExecContext(ctx, `INSERT INTO sealed_record (leaf, kind, ref, body) VALUES ($1, $2, $3, $4)`, idx, kind, ref, body)
	if err != nil {
		return 0, fmt.Errorf("store sealed %s %s: %w", kind, ref, err)
	}
	return idx, nil
}

// us is t in microseconds since 1970 UTC; the zero time is 0.
func us(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// at is the reverse of us.
func at(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// missing turns sql.ErrNoRows into a ward.Error that names the kind of thing.
func missing(err error, code, zh, en string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &ward.Error{Kind: ward.NotFound, Code: code, ZH: zh, EN: en}
	}
	return err
}
