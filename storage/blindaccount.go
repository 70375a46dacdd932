package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// withdrawnAnswered is the note of an alert about a blind period that falls.
const withdrawnAnswered = "核对报备和盲区起止时间后，规则不再成立。With what was reported, and the period's beginning and end, the rule no longer holds."

// maxSealedBills is how many settlements an alert about a blind period names; its sum is of all.
const maxSealedBills = 100

// account compares a blind period with what its institution reported in
// advance, fills in its outage and when it is due, and returns what is
// unreported of it. It is called with the ledger locked, before b is stored.
func (t *tx) account(ctx context.Context, b *ward.BlindPeriod) (ward.Accounting, ward.RuleSetting, error) {
	rule, err := t.blindRule(ctx, b.InstitutionID)
	if err != nil {
		return ward.Accounting{}, rule, err
	}
	rows, err := t.QueryContext(ctx, outageColumns+` AND o.institution_id = $1 AND o.to_us > $2`, b.InstitutionID, us(b.From))
	if err != nil {
		return ward.Accounting{}, rule, err
	}
	outages, err := collect(rows, scanOutage)
	if err != nil {
		return ward.Accounting{}, rule, err
	}
	acc := b.Account(outages, time.Duration(rule.Params["least"]*float64(time.Second)), b.Seen)
	b.OutageID, b.Due = acc.Planned, at(us(acc.Due))
	return acc, rule, nil
}

// blindRule is how the rule of unreported blind periods is set for an institution.
func (t *tx) blindRule(ctx context.Context, inst ward.InstitutionID) (ward.RuleSetting, error) {
	info, ok := ward.RuleOf(ward.BlindUnreported)
	if !ok {
		return ward.RuleSetting{}, errors.New("no rule for unreported blind periods")
	}
	rows, err := t.QueryContext(ctx, ruleColumns+` WHERE rule = $1 AND institution_id IN ('', $2)`, ward.BlindUnreported, inst)
	if err != nil {
		return ward.RuleSetting{}, err
	}
	all, err := collect(rows, scanRuleSetting)
	return info.For(inst, all), err
}

// accuse makes the alert about a stored blind period what the accounting
// says: raised, stated again, or fallen. One that stands, or that a person
// decided, is left as it is, so that nobody is accused twice.
func (t *tx) accuse(ctx context.Context, b ward.BlindPeriod, acc ward.Accounting, rule ward.RuleSetting) error {
	old, err := scanAlert(t.QueryRowContext(ctx, alertColumns+` WHERE rule = $1 AND subject_id = $2`, ward.BlindUnreported, b.ID))
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	unreported := !acc.Unreported.From.IsZero()
	switch {
	case !unreported && known && old.Withdrawable():
		if err := t.step(ctx, &old, ward.AlertStep{Action: ward.AlertWithdraw, At: t.now, Note: withdrawnAnswered}); err != nil {
			return err
		}
		t.alerts = append(t.alerts, old)
		return nil
	case !unreported || known && old.State != ward.AlertWithdrawn || rule.Mode == ward.RuleOff:
		return nil
	}
	a, err := t.blindAlert(ctx, b, acc, rule)
	if err != nil {
		return err
	}
	if known {
		if _, err := t.ExecContext(ctx, `DELETE FROM alert_related WHERE alert_id = $1`, old.ID); err != nil {
			return err
		}
		a, err = t.raise(ctx, a, &old)
	} else {
		a, err = t.raise(ctx, a, nil)
	}
	if err != nil {
		return fmt.Errorf("raise alert on blind period %s: %w", b.ID, err)
	}
	t.alerts = append(t.alerts, a)
	return nil
}

// blindAlert is the alert about a blind period, with the picture at it or
// before it if it is stored by now, and what was settled meanwhile.
func (t *tx) blindAlert(ctx context.Context, b ward.BlindPeriod, acc ward.Accounting, rule ward.RuleSetting) (ward.Alert, error) {
	info, _ := ward.RuleOf(ward.BlindUnreported)
	from, to := acc.Unreported.From, acc.Unreported.To
	if to.IsZero() {
		to = b.Seen
	}
	a := ward.Alert{
		ID: ward.NewID[ward.AlertID](t.now), InstitutionID: b.InstitutionID, PlaceID: b.PlaceID, CameraID: b.CameraID,
		Rule: ward.BlindUnreported, RuleVersion: rule.Version, BlindID: b.ID, At: from, Raised: t.now, Severity: info.Severity,
		Shadow: rule.Mode == ward.RuleShadow, ClipFrom: from.Add(-ward.ClipBefore), ClipTo: from.Add(ward.ClipAfter),
	}
	bills, count, sum, err := t.settledDuring(ctx, b, from, to)
	if err != nil {
		return a, err
	}
	a.Related = bills
	a.ExplainZH, a.ExplainEN = explainBlind(b.Cause, to.Sub(from), count, sum, b.From.Before(from))
	for _, p := range []ward.BlindPicture{b.At, b.Before} {
		if p.Sighting == "" {
			continue
		}
		a.Sightings = append(a.Sightings, p.Sighting)
		var key string
		err := t.QueryRowContext(ctx, `SELECT snapshot_key FROM sighting WHERE id = $1 AND picture_state = ''`, p.Sighting).Scan(&key)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return a, err
		}
		if a.SnapshotKey == "" && key != "" {
			a.SnapshotKey, a.SnapshotSHA = key, p.SHA256
		}
	}
	return a, nil
}

// settledDuring returns the settlements at the place of a blind period in [from,
// to] by the cameras' clock without those reversed: the first ids, how many
// there are, and their sum in 分.
func (t *tx) settledDuring(ctx context.Context, b ward.BlindPeriod, from, to time.Time) (ids []ward.SettlementID, count int, sumFen int64, err error) {
	w, err := settledIn(ctx, t.Tx, b, from, to)
	if err != nil {
		return nil, 0, 0, err
	}
	if err = t.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(amount_fen), 0) FROM settlement`+settledWhere, w...).Scan(&count, &sumFen); err != nil {
		return nil, 0, 0, err
	}
	rows, err := t.QueryContext(ctx, `SELECT id FROM settlement`+settledWhere+` ORDER BY at_us, id LIMIT $4`, append(w, maxSealedBills)...)
	if err != nil {
		return nil, 0, 0, err
	}
	ids, err = collect(rows, func(r row) (id ward.SettlementID, err error) { return id, r.Scan(&id) })
	return ids, count, sumFen, err
}

// explainBlind says what an alert about a blind period is: no personal data.
func explainBlind(cause ward.BlindCause, lasted time.Duration, count int, sumFen int64, overran bool) (zh, en string) {
	why := map[ward.BlindCause][2]string{
		ward.SignalLost: {"信号中断", "no signal"},
		ward.Frozen:     {"画面冻结", "a frozen picture"},
		ward.Black:      {"画面全黑", "a black picture"},
		ward.Covered:    {"镜头被遮挡", "a covered lens"},
		ward.Defocused:  {"画面失焦", "a defocused picture"},
		ward.Moved:      {"镜头被移动", "a moved camera"},
		ward.Glare:      {"强光过曝", "glare"},
		ward.WrongClock: {"时钟错误", "a wrong clock"},
	}[cause]
	seconds := int(lasted.Seconds())
	zh = fmt.Sprintf("摄像头%s，已有 %d 秒未事先报备。", why[0], seconds)
	en = fmt.Sprintf("The camera had %s for %d s that nobody had reported in advance.", why[1], seconds)
	if overran {
		zh = fmt.Sprintf("摄像头%s，已超出报备时段 %d 秒。", why[0], seconds)
		en = fmt.Sprintf("The camera had %s, %d s beyond what was reported in advance.", why[1], seconds)
	}
	zh += fmt.Sprintf("截至此时，期间该处结算 %d 笔，合计 %d.%02d 元。", count, sumFen/100, sumFen%100)
	en += fmt.Sprintf(" Settled there meanwhile, so far: %d, %d.%02d yuan in all.", count, sumFen/100, sumFen%100)
	return zh, en
}

// accountAgain looks again at the blind periods that an outage may cover;
// lasting: only at those that last.
func (t *tx) accountAgain(ctx context.Context, o ward.Outage, lasting bool) error {
	query := blindColumns + ` WHERE institution_id = $1 AND from_us <= $2 AND (to_us = 0 OR to_us >= $3 AND from_us >= $4)`
	args := []any{o.InstitutionID, us(o.To), us(o.From), us(o.From.Add(-maxBlind))}
	if lasting {
		query, args = blindColumns+` WHERE institution_id = $1 AND to_us = 0`, args[:1]
	}
	rows, err := t.QueryContext(ctx, query+` ORDER BY id`, args...)
	if err != nil {
		return err
	}
	all, err := collect(rows, scanBlind)
	if err != nil {
		return err
	}
	for _, b := range all {
		if !o.Of(b.CameraID, b.PlaceID) {
			continue
		}
		if err := t.reaccount(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// reaccount looks again at a stored blind period, read with the ledger
// locked: it is sealed again when its outage is another.
func (t *tx) reaccount(ctx context.Context, b ward.BlindPeriod) error {
	was := b
	acc, rule, err := t.account(ctx, &b)
	if err != nil {
		return err
	}
	if b.OutageID != was.OutageID {
		if b.Leaf, err = t.sealRecord(ctx, KindBlind, string(b.ID), recordOfBlind(b)); err != nil {
			return err
		}
	}
	if b != was {
		if _, err := t.ExecContext(ctx, `UPDATE blind_period SET outage_id = $2, due_us = $3, leaf = $4 WHERE id = $1`, b.ID, b.OutageID, us(b.Due), b.Leaf); err != nil {
			return err
		}
	}
	return t.accuse(ctx, b, acc, rule)
}
