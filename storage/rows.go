package storage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// row is *sql.Row or *sql.Rows.
type row interface{ Scan(...any) error }

// scope is a WHERE clause that keeps the rows of insts; nil keeps all, an
// empty list none.
func scope(insts []ward.InstitutionID, args []any) (string, []any) {
	if insts == nil {
		return ` WHERE 1 = 1`, args
	}
	marks := []string{`''`}
	for _, id := range insts {
		args = append(args, id)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	return ` WHERE institution_id IN (` + strings.Join(marks, ", ") + `)`, args
}

// collect scans every row and closes rows.
func collect[T any](rows *sql.Rows, scan func(row) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }() // rows.Err says what went wrong
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// querier is a database or a transaction on it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}
