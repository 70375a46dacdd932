package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// findingRecord is what the ledger commits to of a finding.
type findingRecord struct {
	Visit ward.VisitID   `json:"visit"`
	Kind  ward.CheckKind `json:"kind"`
	Basis ward.Basis     `json:"basis"`
	Other ward.VisitID   `json:"other"`
	At    time.Time      `json:"at"`
}

func refOfFinding(f ward.VisitFinding) string {
	return fmt.Sprintf("%s/%s/%s/%s", f.VisitID, f.Kind, f.Basis, f.Other)
}

func recordOfFinding(f ward.VisitFinding) findingRecord {
	return findingRecord{f.VisitID, f.Kind, f.Basis, f.Other, f.At}
}

const findingColumns = `SELECT visit_id, kind, basis, other_id, at_us, leaf FROM visit_finding WHERE `

func scanFinding(r row) (f ward.VisitFinding, err error) {
	var when int64
	err = r.Scan(&f.VisitID, &f.Kind, &f.Basis, &f.Other, &when, &f.Leaf)
	f.At = at(when)
	return f, err
}

// addFinding seals f (kind "visit_finding") under the ledger's lock; one that is known stays as it is.
func (t *tx) addFinding(ctx context.Context, f ward.VisitFinding) (ward.VisitFinding, error) {
	rows, err := t.QueryContext(ctx, findingColumns+`visit_id = $1 AND kind = $2 AND basis = $3 AND other_id = $4`, f.VisitID, f.Kind, f.Basis, f.Other)
	if err != nil {
		return f, err
	}
	known, err := collect(rows, scanFinding)
	if err != nil {
		return f, err
	}
	if len(known) > 0 {
		return known[0], nil
	}
	f.At = at(us(t.now))
	if f.Leaf, err = t.sealRecord(ctx, KindFinding, refOfFinding(f), recordOfFinding(f)); err != nil {
		return f, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO visit_finding (visit_id, kind, basis, other_id, at_us, leaf) VALUES ($1, $2, $3, $4, $5, $6)`,
		f.VisitID, f.Kind, f.Basis, f.Other, us(f.At), f.Leaf)
	return f, err
}

// FindingsOf lists what other visits show about a visit, in the order in which it was found.
func (s *Store) FindingsOf(ctx context.Context, id ward.VisitID) ([]ward.VisitFinding, error) {
	return listed(ctx, s, "list findings about visit "+string(id), scanFinding, findingColumns+`visit_id = $1 ORDER BY leaf`, id)
}

// FindingsOfRound lists the findings about the visits of a round.
func (s *Store) FindingsOfRound(ctx context.Context, id ward.RoundID) (map[ward.VisitID][]ward.VisitFinding, error) {
	all, err := listed(ctx, s, "list findings of round "+string(id), scanFinding, findingColumns+`visit_id IN (SELECT id FROM visit WHERE round_id = $1) ORDER BY leaf`, id)
	out := map[ward.VisitID][]ward.VisitFinding{}
	for _, f := range all {
		out[f.VisitID] = append(out[f.VisitID], f)
	}
	return out, err
}

// failFound makes the checks fail that the findings about a visit speak of.
// The visit must not be sealed.
func (t *tx) failFound(ctx context.Context, id ward.VisitID) error {
	rows, err := t.QueryContext(ctx, findingColumns+`visit_id = $1 ORDER BY leaf`, id)
	if err != nil {
		return err
	}
	all, err := collect(rows, scanFinding)
	if err != nil {
		return err
	}
	for _, f := range all {
		c := f.Failed()
		_, err := t.ExecContext(ctx, `INSERT INTO visit_check (visit_id, kind, outcome, detail_zh, detail_en, score, at_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (visit_id, kind) DO UPDATE SET outcome = excluded.outcome, detail_zh = excluded.detail_zh, detail_en = excluded.detail_en, at_us = excluded.at_us
			WHERE visit_check.outcome <> excluded.outcome`, c.VisitID, c.Kind, c.Outcome, c.DetailZH, c.DetailEN, float64(c.Score), us(c.At))
		if err != nil {
			return fmt.Errorf("store check %s: %w", c.Kind, err)
		}
	}
	return nil
}

// unflagged refuses to let the checks alone say present of a visit about
// which there is a finding: ward.Conflict "visit.flagged".
func (t *tx) unflagged(ctx context.Context, v ward.Visit) error {
	if v.Verdict != ward.Present || v.DecidedBy != "" {
		return nil
	}
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM visit_finding WHERE visit_id = $1`, v.ID).Scan(&n); err != nil || n == 0 {
		return err
	}
	return &ward.Error{Kind: ward.Conflict, Code: "visit.flagged", ZH: "其他查访对本查访提出疑点，须由人工判定。", EN: "Another visit casts doubt on this one; a human decides."}
}

// findingRows compares every finding with what was sealed of it.
func (f *fsck) findingRows(ctx context.Context) error {
	return each(ctx, f, "list findings about visits", findingColumns+`visit_id || '/' || kind || '/' || basis || '/' || other_id > $1
		ORDER BY visit_id || '/' || kind || '/' || basis || '/' || other_id LIMIT $2`, scanFinding, refOfFinding, func(x ward.VisitFinding) error {
		return f.agree(ctx, "visit_finding", refOfFinding(x), KindFinding, refOfFinding(x), x.Leaf, recordOfFinding(x))
	})
}
