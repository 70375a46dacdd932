package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// SettlementRevisions returns what billing said of a settlement before its
// newest revision, the oldest first.
func (s *Store) SettlementRevisions(ctx context.Context, id ward.SettlementID) ([]ward.SettlementRevision, error) {
	return listed(ctx, s, "list revisions of settlement "+string(id), func(r row) (ward.SettlementRevision, error) {
		var v ward.SettlementRevision
		var when, received int64
		err := r.Scan(&v.Revision, &v.PlaceID, &v.InsuredID, &v.Kind, &when, &v.AmountFen, &received)
		v.At, v.Received = at(when), at(received)
		return v, err
	}, `SELECT revision, place_id, insured_id, kind, at_us, amount_fen, received_us FROM settlement_revision WHERE settlement_id = $1 ORDER BY revision`, id)
}

// Settlement returns one settlement, or ward.NotFound.
func (s *Store) Settlement(ctx context.Context, id ward.SettlementID) (ward.Settlement, error) {
	v, err := scanSettlement(s.read.QueryRowContext(ctx, settlementColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read settlement %s: %w", id, missing(err, "settlement.unknown", "没有这笔结算，请检查编号。", "No such settlement; check its id."))
	}
	return v, nil
}

// SettlementFilter narrows Settlements; a zero field does not.
type SettlementFilter struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	State        ward.SettlementState
	PlaceID      ward.PlaceID
	InsuredID    ward.InsuredID
	Before       string // cursor: the next of an earlier call
	Limit        int    // 1 to 500; 0 means 50
}

// Settlements lists the newest first. next continues the list and is empty
// at its end.
func (s *Store) Settlements(ctx context.Context, f SettlementFilter) (list []ward.Settlement, next string, err error) {
	where, args := scope(f.Institutions, nil)
	and := func(column, value string) {
		if value != "" {
			args = append(args, value)
			where += fmt.Sprintf(` AND %s $%d`, column, len(args))
		}
	}
	and("state =", string(f.State))
	and("place_id =", string(f.PlaceID))
	and("insured_id =", string(f.InsuredID))
	and("id <", f.Before)
	limit := pageSize(f.Limit)
	args = append(args, limit+1)
	rows, err := s.read.QueryContext(ctx, settlementColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", fmt.Errorf("list settlements: %w", err)
	}
	if list, err = collect(rows, scanSettlement); err != nil {
		return nil, "", fmt.Errorf("list settlements: %w", err)
	}
	if len(list) > limit {
		list, next = list[:limit], string(list[limit-1].ID)
	}
	return list, next, nil
}

// SettlementsAt lists at most limit settlements of a place with moments in
// [from, to], in any state, oldest first.
func (s *Store) SettlementsAt(ctx context.Context, place ward.PlaceID, from, to time.Time, limit int) ([]ward.Settlement, error) {
	rows, err := s.read.QueryContext(ctx, settlementColumns+` WHERE place_id = $1 AND at_us BETWEEN $2 AND $3 ORDER BY at_us, id LIMIT $4`, place, us(from), us(to), limit)
	if err != nil {
		return nil, fmt.Errorf("read settlements at %s: %w", place, err)
	}
	list, err := collect(rows, scanSettlement)
	if err != nil {
		return nil, fmt.Errorf("read settlements at %s: %w", place, err)
	}
	return list, nil
}

func scanSettlement(r row) (ward.Settlement, error) {
	var v ward.Settlement
	var when, received, due int64
	var unclear string
	err := r.Scan(&v.ID, &v.InstitutionID, &v.PlaceID, &v.ExternalNo, &v.InsuredID, &v.Kind, &when, &v.AmountFen, &received, &due, &v.State, &v.Reason,
		&v.Revision, &v.Version, &v.Stage, &unclear)
	if err != nil {
		return v, err
	}
	v.At, v.Received, v.Due, v.Unclear = at(when), at(received), at(due), []ward.Unclear{}
	if unclear != "[]" {
		err = json.Unmarshal([]byte(unclear), &v.Unclear)
	}
	return v, err
}
