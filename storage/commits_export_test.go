package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// HookCommits calls hook before and after every commit of what changes the
// catalogue, which is at database. A commit fails with its error: before, nothing
// is changed; after, it is, and nobody was told.
func (s *Store) HookCommits(database string, hook func() error) error {
	if !strings.HasPrefix(database, "postgres") {
		old := s.write
		s.write = sql.OpenDB(hookedConnector{connectorOf(database), hook})
		s.write.SetMaxOpenConns(1)
		return old.Close()
	}
	c, err := pgx.ParseConfig(database)
	if err != nil {
		return err
	}
	old := s.write
	s.write = sql.OpenDB(hookedConnector{stdlib.GetConnector(*c), hook})
	s.read = s.write
	return old.Close()
}

type hookedConnector struct {
	driver.Connector
	hook func() error
}

func (c hookedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if p, ok := conn.(*preparedConn); ok {
		return hookedSQLite{p, c.hook}, nil
	}
	return hookedPostgres{conn.(*stdlib.Conn), c.hook}, nil
}

type hookedSQLite struct {
	*preparedConn
	hook func() error
}

func (c hookedSQLite) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return hooked(c.hook)(c.preparedConn.BeginTx(ctx, o))
}

type hookedPostgres struct {
	*stdlib.Conn
	hook func() error
}

func (c hookedPostgres) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return hooked(c.hook)(c.Conn.BeginTx(ctx, o))
}

type hookedTx struct {
	driver.Tx
	hook func() error
}

func hooked(hook func() error) func(driver.Tx, error) (driver.Tx, error) {
	return func(t driver.Tx, err error) (driver.Tx, error) { return hookedTx{t, hook}, err }
}

func (t hookedTx) Commit() error {
	if err := t.hook(); err != nil {
		return errors.Join(err, t.Rollback())
	}
	err := t.Tx.Commit()
	return errors.Join(err, t.hook())
}
