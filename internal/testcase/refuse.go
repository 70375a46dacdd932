package testcase

import "strings"

// Refuse makes the database refuse a kind of write ("INSERT", "UPDATE") to a
// table, as a failing or full disk would, until Allow.
func (w *World) Refuse(what, table string) {
	w.T.Helper()
	if !w.postgres() {
		w.Exec(`CREATE TRIGGER refuse_` + table + ` BEFORE ` + what + ` ON ` + table + ` BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	} else {
		w.Exec(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'`)
		w.Exec(`CREATE TRIGGER refuse_` + table + ` BEFORE ` + what + ` ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION refuse()`)
	}
	w.refused = append(w.refused, table)
}

// Allow ends what Refuse began.
func (w *World) Allow() {
	w.T.Helper()
	for _, table := range w.refused {
		on := ""
		if w.postgres() {
			on = ` ON ` + table
		}
		w.Exec(`DROP TRIGGER refuse_` + table + on)
	}
	w.refused = nil
}

func (w *World) postgres() bool { return strings.HasPrefix(w.Options.Database, "postgres") }
