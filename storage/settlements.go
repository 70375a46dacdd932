package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

const (
	// settleDelay is how long after the swipe a settlement becomes due: the
	// last picture that its prompt rules look at is 5 s after it.
	settleDelay = 5 * time.Second
	// maxAhead is how far a billing system's clock may run before ours: what
	// is found out about it is at most MaxOffset.
	maxAhead = MaxOffset + time.Minute
)

// AddSettlement stores what billing reports of a settlement and says what
// that changed: see ward.Settlement.Take. v.State is ward.Reversed when billing
// takes it back. What is new or corrected is pending and due settleDelay after
// its moment by the cameras' clock; what is reversed falls with its alerts; the
// settlements that counted it are judged again. A missing ID and Received are
// filled in. An unknown institution or place, an unknown kind or a moment in the
// future is a ward.Invalid; the same revision with other content a
// ward.Conflict "settlement.differs".
func (s *Store) AddSettlement(ctx context.Context, v ward.Settlement) (stored ward.Settlement, change ward.SettlementChange, err error) {
	v.At = at(us(v.At)) // the precision that is stored, so that a repetition compares equal
	err = s.change(ctx, "add settlement", func(t *tx) error {
		offset, err := t.checkSettlement(ctx, v)
		if err != nil {
			return err
		}
		if stored, change, err = t.takeSettlement(ctx, v, offset); err != nil || v.IdentityCheck == "" {
			return err
		}
		return t.linkIdentity(ctx, stored.ID, v)
	})
	if err != nil {
		return ward.Settlement{}, ward.Unchanged, err
	}
	return stored, change, nil
}

func (t *tx) takeSettlement(ctx context.Context, v ward.Settlement, offset time.Duration) (ward.Settlement, ward.SettlementChange, error) {
	if v.ID == "" {
		v.ID = ward.NewID[ward.SettlementID](t.now)
	}
	if v.Received.IsZero() {
		v.Received = t.now
	}
	if v.State != ward.Reversed {
		v.State = ward.Pending
	}
	v.Received, v.Due, v.Reason, v.Unclear = at(us(v.Received)), v.At.Add(offset+settleDelay), "", []ward.Unclear{}
	res, err := t.ExecContext(ctx, `INSERT INTO settlement
		(id, institution_id, place_id, external_no, insured_id, kind, at_us, amount_fen, received_us, due_us, state, reason, revision, waiting)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, $13)
		ON CONFLICT (institution_id, external_no) DO NOTHING`,
		v.ID, v.InstitutionID, v.PlaceID, v.ExternalNo, v.InsuredID, v.Kind, us(v.At), v.AmountFen, us(v.Received), us(v.Due), v.State, v.Revision, flag(v.State == ward.Pending))
	if err != nil {
		return v, "", err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return v, ward.WasAdded, err
	}
	was, now, change, err := t.taken(ctx, v)
	if err == nil && change != ward.Unchanged {
		if err = t.lockJudging(ctx); err == nil {
			was, now, change, err = t.taken(ctx, v) // it may have changed while the lock was waited for
		}
	}
	if err != nil {
		return v, "", err
	}
	if change == ward.Unchanged {
		if v.Revision < was.Revision {
			err = t.keepRevision(ctx, was.ID, v)
		}
		return was, change, err
	}
	now.Received, now.Due, now.Unclear, now.Version = v.Received, now.At.Add(offset+settleDelay), []ward.Unclear{}, was.Version+1
	return now, change, t.changeSettlement(ctx, was, now)
}

// taken is the stored settlement that v reports again, and what v makes of it.
func (t *tx) taken(ctx context.Context, v ward.Settlement) (was, now ward.Settlement, change ward.SettlementChange, err error) {
	was, err = scanSettlement(t.QueryRowContext(ctx, settlementColumns+` WHERE institution_id = $1 AND external_no = $2`, v.InstitutionID, v.ExternalNo))
	if err != nil {
		return was, was, "", err
	}
	now = was
	change, err = now.Take(v)
	return was, now, change, err
}

// changeSettlement replaces was by now; what was judged of it and with it is
// judged again, or falls.
func (t *tx) changeSettlement(ctx context.Context, was, now ward.Settlement) error {
	if now.Revision > was.Revision {
		if err := t.keepRevision(ctx, was.ID, was); err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE settlement SET place_id = $2, insured_id = $3, kind = $4, at_us = $5, amount_fen = $6, received_us = $7, due_us = $8,
			state = $9, reason = '', unclear = '[]', revision = $10, version = $11, stage = 0, waiting = $12 WHERE id = $1`,
		now.ID, now.PlaceID, now.InsuredID, now.Kind, us(now.At), now.AmountFen, us(now.Received), us(now.Due), now.State, now.Revision, now.Version, flag(now.State == ward.Pending))
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM settlement_face WHERE settlement_id = $1`, now.ID); err != nil {
		return err
	}
	if err := t.resealSettlements(ctx, []ward.SettlementID{now.ID}); err != nil {
		return err
	}
	if now.State == ward.Reversed {
		stored, err := t.alertsOf(ctx, []ward.SettlementID{now.ID})
		if err != nil {
			return err
		}
		if _, err := t.withdraw(ctx, stored[now.ID], nil, withdrawnReversed); err != nil {
			return err
		}
	}
	return t.judgeAgain(ctx, was)
}

// keepRevision keeps what billing said of a settlement under an older revision.
func (t *tx) keepRevision(ctx context.Context, id ward.SettlementID, v ward.Settlement) error {
	_, err := t.ExecContext(ctx, `INSERT INTO settlement_revision (settlement_id, revision, place_id, insured_id, kind, at_us, amount_fen, received_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`, id, v.Revision, v.PlaceID, v.InsuredID, v.Kind, us(v.At), v.AmountFen, us(v.Received))
	return err
}

// checkSettlement says what is wrong with v, if anything, and how far the
// cameras' clock is ahead of the institution's.
func (t *tx) checkSettlement(ctx context.Context, v ward.Settlement) (offset time.Duration, err error) {
	invalid := func(code, zh, en string) (time.Duration, error) {
		return 0, &ward.Error{Kind: ward.Invalid, Code: "settlement." + code, ZH: zh, EN: en}
	}
	switch v.Kind {
	case ward.Outpatient, ward.DrugSale, ward.TreatmentFee, ward.Inpatient:
	default:
		return invalid("kind", "结算类型不正确，应为 outpatient、drug_sale、treatment 或 inpatient。", "The kind must be outpatient, drug_sale, treatment or inpatient.")
	}
	switch {
	case v.ExternalNo == "" || len(v.ExternalNo) > 128:
		return invalid("external_no", "结算单号不能为空，且不超过 128 字节。", "The settlement number must be 1 to 128 bytes.")
	case v.InsuredID == "":
		return invalid("insured", "缺少参保人编号。", "The insured person's id is missing.")
	case v.AmountFen < 0:
		return invalid("amount", "金额不能为负数。", "The amount must not be negative.")
	case v.Revision < 0:
		return invalid("revision", "更正次数不能为负数。", "The revision must not be negative.")
	case v.At.IsZero():
		return invalid("at", "缺少结算时间。", "The time of the settlement is missing.")
	case v.At.After(t.now.Add(maxAhead)):
		return invalid("future", "结算时间在未来，请校准结算系统的时钟。", "The settlement lies in the future; set the billing system's clock.")
	}
	var offsetUS int64
	err = t.QueryRowContext(ctx, `SELECT COALESCE(o.offset_us, 0) FROM place p LEFT JOIN clock_offset o ON o.institution_id = p.institution_id
		WHERE p.id = $1 AND p.institution_id = $2`, v.PlaceID, v.InstitutionID).Scan(&offsetUS)
	if !errors.Is(err, sql.ErrNoRows) {
		return time.Duration(offsetUS) * time.Microsecond, err
	}
	var one int
	err = t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, v.InstitutionID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return invalid("unknown_institution", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
	} else if err != nil {
		return 0, err
	}
	return invalid("unknown_place", "该机构没有这个点位，请检查点位编号。", "The institution has no such place; check its id.")
}

const settlementColumns = `SELECT id, institution_id, place_id, external_no, insured_id, kind, at_us, amount_fen, received_us, due_us, state, reason, revision, version, stage, unclear FROM settlement`

// DueSettlements lists at most limit settlements that wait to be judged and
// are due at now: those that were never judged before those that wait to be
// judged again, however many they are, and the longest due first.
func (s *Store) DueSettlements(ctx context.Context, now time.Time, limit int) ([]ward.Settlement, error) {
	var list []ward.Settlement
	for _, stage := range []string{`stage = 0`, `stage > 0`} {
		if len(list) == limit {
			break
		}
		rows, err := s.read.QueryContext(ctx, settlementColumns+` WHERE waiting = 1 AND `+stage+` AND due_us <= $1 ORDER BY due_us, id LIMIT $2`, us(now), limit-len(list))
		if err != nil {
			return nil, fmt.Errorf("read due settlements: %w", err)
		}
		some, err := collect(rows, scanSettlement)
		if err != nil {
			return nil, fmt.Errorf("read due settlements: %w", err)
		}
		list = append(list, some...)
	}
	return list, nil
}

// PostponeSettlements makes waiting settlements due again at due, so that
// those that wait for pictures do not stand before others.
func (s *Store) PostponeSettlements(ctx context.Context, ids []ward.SettlementID, due time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	marks, args := placeholders(ids)
	args = append(args, us(due))
	return s.change(ctx, "postpone settlements", func(t *tx) error {
		if err := t.lockJudging(ctx); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, fmt.Sprintf(`UPDATE settlement SET due_us = $%d WHERE waiting = 1 AND id IN (%s)`, len(args), marks), args...)
		return err
	})
}

// placeholders is "$1, $2, …" and the ids as arguments; no ids match nothing.
func placeholders[T ~string](ids []T) (string, []any) {
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), string(id)
	}
	if len(ids) == 0 {
		return "''", nil
	}
	return strings.Join(marks, ", "), args
}

// pageSize is limit within 1 to 500, 50 when not set.
func pageSize(limit int) int {
	if limit <= 0 {
		return 50
	}
	return min(limit, 500)
}
