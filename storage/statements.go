package storage

import (
	"context"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

// maxStatements is how many prepared statements one connection to SQLite
// keeps, some 10 kB each: more than there are kinds of query.
const maxStatements = 128

// sqliteConnector opens connections to SQLite that keep their statements
// prepared. The driver parses and plans every query again, which costs more
// than most of them do. (pgx keeps them by itself.)
type sqliteConnector struct{ dsn string }

// Connect implements driver.Connector.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	plain, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks a context's methods"), conn.Close())
	}
	return &preparedConn{sqliteConn: plain, statements: map[string]*statement{}}, nil
}

// Driver implements driver.Connector.
func (c sqliteConnector) Driver() driver.Driver { return &sqlite.Driver{} }

// sqliteConn is what the driver's connections can do.
type sqliteConn interface { //nolint:interfacebloat // as many as database/sql asks for
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn is a connection with the statements that it has seen.
type preparedConn struct {
	sqliteConn

	statements map[string]*statement // by their text
}

type statement struct {
	driver.Stmt

	busy bool // its rows are being read
}

// prepared returns the statement of a query, prepared now or before. It is nil
// while its rows are being read.
func (c *preparedConn) prepared(ctx context.Context, query string) (*statement, error) {
	if s, ok := c.statements[query]; ok {
		if s.busy {
			return nil, nil //nolint:nilnil // documented
		}
		return s, nil
	}
	if err := c.makeRoom(); err != nil {
		return nil, err
	}
	p, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: p}
	c.statements[query] = s
	return s, nil
}

// makeRoom drops any one statement when there are too many.
func (c *preparedConn) makeRoom() error {
	if len(c.statements) < maxStatements {
		return nil
	}
	for text, s := range c.statements {
		if !s.busy {
			delete(c.statements, text)
			return s.Close()
		}
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if run, ok := stmtOf[driver.StmtExecContext](s); ok {
		return run.ExecContext(ctx, args)
	}
	return c.sqliteConn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	run, ok := stmtOf[driver.StmtQueryContext](s)
	if !ok {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := run.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &preparedRows{rows, s}, nil
}

// stmtOf is a statement that is free as what can run it.
func stmtOf[T any](s *statement) (run T, ok bool) {
	if s == nil {
		return run, false
	}
	run, ok = s.Stmt.(T)
	return run, ok
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error {
	var all []error
	for _, s := range c.statements {
		all = append(all, s.Close())
	}
	return errors.Join(append(all, c.sqliteConn.Close())...)
}

// preparedRows are the rows of a statement, which is free again once they are closed.
type preparedRows struct {
	driver.Rows

	of *statement
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
