package storage_test

import (
	"database/sql"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// oldConfirmed is when an alert was confirmed in the old database.
var oldConfirmed = time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)

// oldStep is what was sealed of an alert before its steps were rows.
type oldStep struct {
	kind, from, to, by, note string
	at                       time.Time
}

// oldAlerts writes alerts as the first schema knows them, named by what became of them.
func oldAlerts(t *testing.T, db *sql.DB) {
	t.Helper()
	raised := oldStep{kind: "alert", at: t0}
	for _, a := range []struct {
		id, state, by, note string
		sealed              []oldStep
	}{
		{"fresh", "new", "", "", []oldStep{raised}},
		{"taken", "taken", "u1", "", []oldStep{raised, {"decision", "new", "taken", "u1", "", t0}}},
		{"reopened", "new", "u2", "新录像", []oldStep{raised, {"decision", "new", "dismissed", "u1", "误报", t0}, {"decision", "dismissed", "new", "u2", "新录像", t0}}},
		{"restated", "new", "", "", []oldStep{raised, {"decision", "new", "taken", "u1", "", t0}, raised}},
		{"withdrawn", "withdrawn", "", "冲正", []oldStep{raised, {"decision", "new", "withdrawn", "", "冲正", t0}}},
		{"dismissed", "dismissed", "u1", "误报", []oldStep{raised, {"decision", "new", "taken", "u1", "", t0}, {"decision", "taken", "dismissed", "u1", "误报", t0.Add(time.Hour)}}},
		{"confirmed", "confirmed", "u1", "看过录像", []oldStep{raised, {"decision", "new", "confirmed", "u1", "看过录像", oldConfirmed}}},
	} {
		var leaf int64 // of what was raised last
		for _, r := range a.sealed {
			record := map[string]any{"alert": a.id, "from": r.from, "to": r.to, "by": r.by, "note": r.note}
			if r.kind == "alert" {
				record = map[string]any{
					"alert": a.id, "institution": "h1", "place": "p1", "rule": "nobody_at_counter", "rule_version": 1, "settlement": "of " + a.id, "related": []string{},
					"at": t0, "raised": t0, "clip_from": t0, "clip_to": t0, "sightings": []string{}, "explain_zh": "无人", "explain_en": "nobody",
				}
			}
			if idx := sealOld(t, db, r.kind, a.id, r.at, record); r.kind == "alert" {
				leaf = idx
			}
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO alert (id, institution_id, place_id, camera_id, rule, rule_version, settlement_id, related, at_us, raised_us, severity, state, decided_by,
				decision_note, sightings, explain_zh, explain_en, snapshot_key, snapshot_sha, clip_from_us, clip_to_us, case_id, leaf)
			VALUES ($3, 'h1', 'p1', '', 'nobody_at_counter', 1, $4, '[]', $1, $1, 2, $5, $6, $7, '[]', '无人', 'nobody', '', NULL, $1, $1, '', $2)`,
			t0.UnixMicro(), leaf, a.id, "of "+a.id, a.state, a.by, a.note); err != nil {
			t.Fatal(err)
		}
	}
}

// sealOld seals a record as every version does, and returns its leaf.
func sealOld(t *testing.T, db *sql.DB, kind, id string, at time.Time, record any) int64 {
	t.Helper()
	sealed, leaf, err := ledger.Record(kind, id, at, record)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := ledgerdb.Append(t.Context(), tx, leaf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `INSERT INTO sealed_record (leaf, kind, ref, body) VALUES ($1, $2, $3, $4)`, idx, kind, id, sealed); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return idx
}

// oldAlertsGoOn: each is what it was, with the deadline or the moment of its
// decision, and is dealt with as any other.
func oldAlertsGoOn(t *testing.T, s *storage.Store) {
	t.Helper()
	cases := []struct {
		id      ward.AlertID
		state   ward.AlertState
		version int64
		who     ward.UserID // whose task it is, or who decided
		decided time.Time
		next    ward.AlertStep
	}{
		{"fresh", ward.AlertNew, 1, "", time.Time{}, step(ward.AlertTake, "u1", "")},
		{"taken", ward.AlertTaken, 2, "u1", time.Time{}, step(ward.AlertDismiss, "u1", "误报")},
		{"reopened", ward.AlertNew, 2, "", time.Time{}, step(ward.AlertTake, "u1", "")},
		{"restated", ward.AlertNew, 1, "", time.Time{}, step(ward.AlertConfirm, "u1", "看过")},
		{"withdrawn", ward.AlertWithdrawn, 2, "", t0, step(ward.AlertFile, "u1", "")},
		{"dismissed", ward.AlertDismissed, 2, "u1", t0.Add(time.Hour), step(ward.AlertReopen, "u1", "新录像")},
		{"confirmed", ward.AlertConfirmed, 2, "u1", oldConfirmed, step(ward.AlertAppeal, "c1", "病人在诊室")},
	}
	for _, tc := range cases {
		a, err := s.Alert(t.Context(), tc.id)
		who := a.DecidedBy
		if a.State.Open() {
			who = a.Assignee
		}
		if err != nil || a.State != tc.state || a.Version != tc.version || who != tc.who || !a.Decided.Equal(tc.decided) || a.State.Open() && (a.DecidedBy != "" || a.DecisionNote != "") ||
			a.State.Open() != (a.Deadline.Sub(a.Raised) == 72*time.Hour) {
			t.Errorf("%s: got %+v, %v", tc.id, a, err)
		}
		events, err := s.AlertEvents(t.Context(), tc.id)
		if last := events[len(events)-1]; err != nil || tc.id == "reopened" && (last.Action != ward.AlertReopen || last.By != "u2" || last.Note != "新录像") {
			t.Errorf("%s: steps %+v, %v", tc.id, events, err)
		}
	}
	told, err := s.Findings(t.Context(), nil, "", 10)
	if err != nil || len(told) != 1 || told[0].AlertID != "confirmed" || !told[0].AppealUntil.Equal(oldConfirmed.AddDate(0, 0, 60)) {
		t.Errorf("findings %+v, %v", told, err)
	}
	for _, tc := range cases {
		if _, err := s.StepAlert(t.Context(), tc.id, tc.version, tc.next); err != nil {
			t.Errorf("%s of %s: %v", tc.next.Action, tc.id, err)
		}
	}
}
