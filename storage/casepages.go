package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// EvidencePage returns at most limit of a case's items in the order in which
// they were added, from the one after the item with id after (empty: from the
// first). An id that is no item of the case gives nothing.
func (s *Store) EvidencePage(ctx context.Context, id ward.CaseID, after ward.EvidenceID, limit int) ([]ward.Evidence, error) {
	query, args := evidenceColumns+` WHERE case_id = $1`, []any{id, limit}
	if after != "" {
		query += ` AND (added_us, kind, ref) > (SELECT added_us, kind, ref FROM evidence WHERE id = $3 AND case_id = $1)`
		args = append(args, after)
	}
	rows, err := s.read.QueryContext(ctx, query+` ORDER BY added_us, kind, ref LIMIT $2`, args...)
	if err != nil {
		return nil, fmt.Errorf("read a page of evidence of case %s: %w", id, err)
	}
	return collect(rows, scanEvidence)
}

// EvidenceCount is how many items a case has.
func (s *Store) EvidenceCount(ctx context.Context, id ward.CaseID) (int, error) {
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM evidence WHERE case_id = $1`, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("count evidence of case %s: %w", id, err)
	}
	return n, nil
}

// CustodyPage returns at most limit of a case's custody events before the one
// numbered before (0: from the newest), newest first.
func (s *Store) CustodyPage(ctx context.Context, id ward.CaseID, before int64, limit int) ([]ward.Custody, error) {
	query, args := custodyColumns+` WHERE case_id = $1`, []any{id, limit}
	if before != 0 {
		query += ` AND seq < $3`
		args = append(args, before)
	}
	rows, err := s.read.QueryContext(ctx, query+` ORDER BY seq DESC LIMIT $2`, args...)
	if err != nil {
		return nil, fmt.Errorf("read a page of custody of case %s: %w", id, err)
	}
	return collect(rows, scanCustody)
}

// HasEvidence says whether a thing is an item of a case.
func (s *Store) HasEvidence(ctx context.Context, id ward.CaseID, kind ward.EvidenceKind, ref string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM evidence WHERE case_id = $1 AND kind = $2 AND ref = $3`, id, kind, ref).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for %s in case %s: %w", kind, id, err)
	}
	return n > 0, nil
}
