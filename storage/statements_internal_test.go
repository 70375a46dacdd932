package storage

import (
	"fmt"
	"path/filepath"
	"testing"
)

// Statements that stay prepared give what fresh ones give: asked again while
// their rows are read, after the schema changed, when there are too many, and
// after an error.
func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Migrate(ctx, Options{Database: filepath.Join(t.TempDir(), "catalogue.db"), Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
	for _, query := range []string{`CREATE TABLE n (i INTEGER PRIMARY KEY)`, `INSERT INTO n VALUES (1), (2), (3)`} {
		if err := exec(query); err != nil {
			t.Fatal(err)
		}
	}
	// sum multiplies what two readings of the same query give, one within the other.
	var sum func(depth int) int
	sum = func(depth int) (total int) {
		rows, err := tx.QueryContext(ctx, `SELECT * FROM n WHERE i <= $1`, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(int)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			n := *cells[0].(*int)
			if depth > 0 {
				n *= sum(depth - 1)
			}
			total += n
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return total
	}
	if got := sum(2); got != 216 {
		t.Errorf("got %d, want 6*6*6", got)
	}
	if err := exec(`ALTER TABLE n ADD COLUMN more INTEGER NOT NULL DEFAULT 0`); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxStatements {
		var got int
		if err := tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT %d + $1`, i), 1).Scan(&got); err != nil || got != i+1 {
			t.Fatalf("got %d, %v, want %d", got, err, i+1)
		}
	}
	for range 2 {
		if err := exec(`INSERT INTO n (i) VALUES ($1)`, 1); !s.dialect.unique(err) {
			t.Errorf("got %v, want a violated key", err)
		}
	}
	if err := exec(`INSERT INTO n (i) VALUES ($1)`, 4); err != nil {
		t.Error(err)
	}
	if got := sum(1); got != 36 {
		t.Errorf("after the schema changed: got %d", got)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}
