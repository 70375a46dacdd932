package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// sealedChecks are checks as a verdict's record has them.
func sealedChecks(checks []ward.Check) []sealed.Check {
	out := []sealed.Check{}
	for _, c := range checks {
		out = append(out, sealed.Check{Kind: c.Kind, Outcome: c.Outcome, Score: c.Score, Detail: c.DetailEN, Enrolment: c.Enrolment, Proxy: c.Proxy})
	}
	return out
}

// AwaitDecision stores the checks of a finished session that a human must
// decide until v.DecideBy: checking → deciding. The device secret is revoked.
func (s *Store) AwaitDecision(ctx context.Context, v ward.Visit, checks []ward.Check) (ward.Visit, error) {
	err := s.change(ctx, "await decision on visit "+string(v.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // whoever finds something about it has this lock
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE visit SET state = 'deciding', reason_zh = $2, reason_en = $3, snapshot_key = $4, snapshot_sha = $5, device_hash = NULL, policy = $6, decide_by_us = $7
			WHERE id = $1 AND state = 'checking'`, v.ID, v.ReasonZH, v.ReasonEN, v.SnapshotKey, snapshotSum(v), v.Policy, us(v.DecideBy))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n != 1 {
			return visitState()
		}
		if err = t.putChecks(ctx, v.ID, checks); err != nil {
			return err
		}
		if err = t.failFound(ctx, v.ID); err != nil {
			return err
		}
		if err = t.addVisitEvent(ctx, v.ID, "deciding", t.now, nil); err != nil {
			return err
		}
		if v, err = t.visit(ctx, v.ID); err != nil {
			return err
		}
		return t.announceOpen(ctx, ward.VisitWaitingEvent, v)
	})
	return v, err
}

// SealVisit ends a visit: state, verdict, checks and the ledger leaf (kind
// "verdict") commit together, and the device secret is revoked. v carries
// the Verdict, the reasons, DecidedBy and the snapshot's key and hash; nil checks keep those
// already stored. ward.Conflict "visit.sealed" when it was sealed before.
func (s *Store) SealVisit(ctx context.Context, v ward.Visit, checks []ward.Check) (ward.Visit, error) {
	return s.sealVisit(ctx, v, checks, true)
}

// SealVisitAsRead is SealVisit for a visit that must still be in v.State: a
// verdict that rests on the state that was read must not end a visit that
// has gone on since. ward.Conflict "visit.state" when it has.
func (s *Store) SealVisitAsRead(ctx context.Context, v ward.Visit, checks []ward.Check) (ward.Visit, error) {
	return s.sealVisit(ctx, v, checks, false)
}

// sealVisit seals v if it is in v.State, or in any state but sealed.
func (s *Store) sealVisit(ctx context.Context, v ward.Visit, checks []ward.Check, anyState bool) (ward.Visit, error) {
	if v.Verdict == ward.NoVerdict || v.Verdict == ward.Undecided {
		return v, fmt.Errorf("seal visit %s: verdict %q", v.ID, v.Verdict)
	}
	err := s.change(ctx, "seal visit "+string(v.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		return t.sealVisit(ctx, &v, checks, anyState)
	})
	return v, err
}

// sealVisit is Store.sealVisit under the ledger's lock.
func (t *tx) sealVisit(ctx context.Context, v *ward.Visit, checks []ward.Check, anyState bool) error {
	if err := t.unflagged(ctx, *v); err != nil {
		return err
	}
	res, err := t.ExecContext(ctx, `UPDATE visit SET state = 'sealed', verdict = $2, reason_zh = $3, reason_en = $4, decided_by = $5,
			snapshot_key = $6, snapshot_sha = $7, sealed_us = $8, device_hash = NULL, policy = $11
		WHERE id = $1 AND state <> 'sealed' AND (state = $9 OR $10)`,
		v.ID, v.Verdict, v.ReasonZH, v.ReasonEN, v.DecidedBy, v.SnapshotKey, snapshotSum(*v), us(t.now), v.State, anyState, v.Policy)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 1 {
		if err = t.putChecks(ctx, v.ID, checks); err != nil {
			return err
		}
		if checks != nil {
			if err = t.failFound(ctx, v.ID); err != nil {
				return err
			}
		}
	}
	was := v.State
	if *v, err = t.visit(ctx, v.ID); err != nil {
		return err
	}
	if n != 1 && v.State != ward.VisitSealed {
		return visitState()
	}
	if n != 1 {
		return &ward.Error{Kind: ward.Conflict, Code: "visit.sealed", ZH: "该查访已有结论，不能更改。", EN: "The visit already has its verdict; it cannot be changed."}
	}
	if was == ward.VisitDeciding && v.DecidedBy == "" { // people had it, and none decided
		if err = t.announceOpen(ctx, ward.VisitLapsedEvent, *v); err != nil {
			return err
		}
	}
	return t.sealVerdict(ctx, v)
}

// snapshotSum is NULL for a visit without a picture.
func snapshotSum(v ward.Visit) []byte {
	if v.SnapshotKey == "" {
		return nil
	}
	return v.SnapshotSHA[:]
}

func hexOfSnapshot(v ward.Visit) string { return hex.EncodeToString(snapshotSum(v)) }

func (t *tx) sealVerdict(ctx context.Context, v *ward.Visit) error {
	if err := t.addVisitEvent(ctx, v.ID, "sealed", t.now, map[string]any{"verdict": v.Verdict, "by": v.DecidedBy}); err != nil {
		return err
	}
	rec := sealed.Verdict{
		Visit: v.ID, Round: v.RoundID, Admission: v.AdmissionID, Verdict: v.Verdict, ReasonZH: v.ReasonZH, ReasonEN: v.ReasonEN,
		DecidedBy: v.DecidedBy, Opened: v.Opened, Consented: v.Consented, Sealed: v.Sealed, Snapshot: hexOfSnapshot(*v), Policy: v.Policy, Purpose: otherwise(v.Purpose),
		Segments: []sealed.Part{},
	}
	checks, err := readChecks(ctx, t, v.ID)
	if err != nil {
		return err
	}
	rec.Checks = sealedChecks(checks)
	if rec.Events, err = t.hashEvents(ctx, v.ID); err != nil {
		return err
	}
	if rec.Segments, err = t.recorded(ctx, v.ID); err != nil {
		return err
	}
	if v.Leaf, err = t.sealRecord(ctx, "verdict", string(v.ID), rec); err != nil {
		return err
	}
	if _, err = t.ExecContext(ctx, `UPDATE visit SET leaf = $2 WHERE id = $1`, v.ID, v.Leaf); err != nil {
		return err
	}
	if err = t.dutyOfVisit(ctx, v, checks); err != nil {
		return err
	}
	if err = t.enrolOfVisit(ctx, v); err != nil {
		return err
	}
	if err = t.treatmentOfVisit(ctx, v, checks); err != nil {
		return err
	}
	return t.announceVisit(ctx, *v)
}

// hashEvents is the SHA-256, in hex, of the JSON array of ward.VisitEvent.
func (t *tx) hashEvents(ctx context.Context, id ward.VisitID) (string, error) {
	rows, err := t.QueryContext(ctx, `SELECT visit_id, seq, at_us, kind, body FROM visit_event WHERE visit_id = $1 ORDER BY seq`, id)
	if err != nil {
		return "", err
	}
	events, err := collect(rows, scanVisitEvent)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(events)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func (t *tx) recorded(ctx context.Context, id ward.VisitID) ([]sealed.Part, error) {
	rows, err := t.QueryContext(ctx, `SELECT id, sha256 FROM segment WHERE source_kind = $1 AND source_id = $2 ORDER BY seq`, ward.FromVisit, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r row) (sealed.Part, error) {
		var g sealed.Part
		var sum []byte
		err := r.Scan(&g.ID, &sum)
		g.SHA256 = hex.EncodeToString(sum)
		return g, err
	})
}

func (t *tx) putChecks(ctx context.Context, id ward.VisitID, checks []ward.Check) error {
	for _, c := range checks {
		_, err := t.ExecContext(ctx, `INSERT INTO visit_check (visit_id, kind, outcome, detail_zh, detail_en, score, at_us, enrolment, proxy)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id, c.Kind, c.Outcome, c.DetailZH, c.DetailEN, float64(c.Score), us(c.At), c.Enrolment, flag(c.Proxy))
		if err != nil {
			return fmt.Errorf("store check %s: %w", c.Kind, err)
		}
	}
	return nil
}

// Checks returns the checks of a visit, liveness and face, as far as done.
func (s *Store) Checks(ctx context.Context, id ward.VisitID) ([]ward.Check, error) {
	out, err := readChecks(ctx, s.read, id)
	if err != nil {
		return nil, fmt.Errorf("read checks of visit %s: %w", id, err)
	}
	return out, nil
}

func readChecks(ctx context.Context, q ledgerdb.Querier, id ward.VisitID) ([]ward.Check, error) {
	rows, err := q.QueryContext(ctx, `SELECT visit_id, kind, outcome, detail_zh, detail_en, score, at_us, enrolment, proxy FROM visit_check WHERE visit_id = $1 ORDER BY at_us, kind`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r row) (ward.Check, error) {
		var c ward.Check
		var when int64
		var score float64
		err := r.Scan(&c.VisitID, &c.Kind, &c.Outcome, &c.DetailZH, &c.DetailEN, &score, &when, &c.Enrolment, &c.Proxy)
		c.Score, c.At = float32(score), at(when)
		return c, err
	})
}
