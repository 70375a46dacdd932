package storage_test

import (
	"strings"
	"testing"

	"wardwatch/internal/testcase"
)

// A case's items are paged by an index, in their order, on both engines.
func TestPagesOfEvidenceNeedNoSort(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		explain := "EXPLAIN QUERY PLAN "
		if strings.HasSuffix(t.Name(), "postgres") {
			explain = "EXPLAIN "
			if _, err := w.DB.ExecContext(t.Context(), `INSERT INTO case_file (id, number, institution_id, title, opened_us, opened_by) VALUES ('c', 'n', 'h1', '', 0, '');
				INSERT INTO evidence (id, case_id, kind, ref, sha256, added_us, added_by, leaf) SELECT 'e' || n, 'c', 'segment', 's' || n, '', n, '', 0 FROM generate_series(1, 10000) n; ANALYZE evidence`); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := w.DB.QueryContext(t.Context(), explain+`SELECT id FROM evidence WHERE case_id = 'c' AND (added_us, kind, ref) > (5000, 'segment', 's5000') ORDER BY added_us, kind, ref LIMIT 50`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			line := make([]any, len(columns))
			for i := range line {
				line[i] = new(any)
			}
			if err := rows.Scan(line...); err != nil {
				t.Fatal(err)
			}
			if s, ok := (*line[len(line)-1].(*any)).(string); ok {
				plan.WriteString(s + "\n")
			}
		}
		if rows.Err() != nil || !strings.Contains(plan.String(), "evidence_order") || strings.Contains(plan.String(), "Sort") || strings.Contains(plan.String(), "B-TREE") {
			t.Errorf("%v\n%s", rows.Err(), &plan)
		}
	})
}
