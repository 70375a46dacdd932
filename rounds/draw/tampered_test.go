package draw_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestTamperedRows: fsck names the draw whose rows were changed in the
// database, whatever was changed, and nothing once it is put back.
func TestTamperedRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalogue.db")
	s, err := storage.Migrate(t.Context(), storage.Options{Database: file, Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := newRig(t, s)
	one := r.commit(rule(ward.SourceCoin))
	_, err = r.drawer.Answer(t.Context(), contact, one.ID, rounds.Flip{Commitment: one.Commitment, Refuse: "不同意"})
	r.ok(err)
	again := rule(ward.SourceCoin)
	again.Previous, again.Reason = one.ID, "联系人拒绝"
	d := r.drawn(again)
	db, err := sql.Open("sqlite", file)
	r.ok(err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query, args...)
		r.ok(err)
	}
	exec("PRAGMA busy_timeout = 10000")
	if p := r.fsck(); len(p) > 0 {
		t.Fatalf("before: %+v", p)
	}
	row, step := "draw/"+string(d.ID), "draw_step/"+string(d.ID)+"/2"
	for _, c := range []struct{ table, column, value, where string }{
		{"draw", "state", "'failed'", row},
		{"draw", "drawn_by", "'u-0'", row},
		{"draw", "source", "'drand'", row},
		{"draw", "day", "'2020-01-01'", row},
		{"draw", "number", "3", row},
		{"draw", "previous", "'d-none'", row},
		{"draw", "commitment", "'00'", row},
		{"draw", "committed_us", "1", row},
		{"draw", "due_us", "1", row},
		{"draw", "round_id", "'r-1'", row},
		{"draw_step", "kind", "'fail'", row},
		{"draw_step", "at_us", "1", step},
	} {
		t.Run(c.table+"."+c.column, func(t *testing.T) {
			key := " WHERE id = $1"
			if c.table == "draw_step" {
				key = " WHERE draw_id = $1 AND seq = 2"
			}
			var was any
			if err := db.QueryRowContext(t.Context(), "SELECT "+c.column+" FROM "+c.table+key, d.ID).Scan(&was); err != nil {
				t.Fatal(err)
			}
			exec("UPDATE "+c.table+" SET "+c.column+" = "+c.value+key, d.ID)
			found := r.fsck()
			if !slices.ContainsFunc(found, func(p storage.FsckProblem) bool { return p.Where == c.where && p.ZH != "" && p.EN != "" }) {
				t.Errorf("fsck does not name %s: %+v", c.where, found)
			}
			exec("UPDATE "+c.table+" SET "+c.column+" = $2"+key, d.ID, was)
		})
	}
	if p := r.fsck(); len(p) > 0 {
		t.Errorf("put back: %+v", p)
	}
}
