package storage

import (
	"context"
	"slices"

	"wardwatch/ward"
)

// again makes a settlement that was judged wait, and be due since it happened;
// the version makes whoever is just judging it, on what was known before, be
// passed over.
const again = `UPDATE settlement SET waiting = 1, due_us = at_us, version = version + 1 WHERE stage > 0 AND state <> 'reversed' AND `

// first makes whoever is just judging a settlement for the first time be passed
// over; when it is due stays as it was.
const first = `UPDATE settlement SET version = version + 1 WHERE stage = 0 AND waiting = 1 AND `

// judgeAgain lets the settlements wait that were judged already, or are just
// being, and may have counted v, which is no longer what it was: later ones at its place or with its
// card, as far as a rule can be set to look back, and those with an alert
// that rests on it.
func (t *tx) judgeAgain(ctx context.Context, v ward.Settlement) error {
	for _, what := range []string{again, first} {
		_, err := t.ExecContext(ctx, what+`(place_id = $1 AND at_us BETWEEN $2 AND $3 AND (at_us > $2 OR id > $4) OR insured_id = $5 AND at_us BETWEEN $6 AND $7 AND id <> $4)`,
			v.PlaceID, us(v.At), us(v.At.Add(ward.PlaceReach)), v.ID, v.InsuredID, us(v.At.Add(-maxAhead)), us(v.At.Add(ward.CardReach)))
		if err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, again+`id IN (SELECT a.subject_id FROM alert_related r JOIN alert a ON a.id = r.alert_id WHERE r.settlement_id = $1)`, v.ID)
	return err
}

// judgeOthers lets those wait again that the judgements of settlements which
// were not judged before concern. Those judged in the same call saw each other.
func (t *tx) judgeOthers(ctx context.Context, js []Judgement) error {
	own := map[ward.SettlementID]bool{}
	wait := map[ward.SettlementID]bool{}
	for _, j := range js {
		own[j.Settlement.ID] = true
		for _, id := range j.Others {
			wait[id] = true
		}
	}
	var known []ward.SettlementID // what was sealed of them may have changed
	for some := range slices.Chunk(js, judgedTogether) {
		var rows values
		for _, j := range some {
			if v := j.Settlement; v.Stage == ward.NotJudged {
				rows.add("text text text bigint bigint bigint bigint text", v.ID, v.PlaceID, v.InsuredID, us(v.At), us(v.At.Add(ward.PlaceReach)), us(v.At.Add(-maxAhead)), us(v.At.Add(ward.CardReach)), v.InstitutionID)
			} else {
				known = append(known, v.ID)
			}
		}
		if len(rows.args) == 0 {
			continue
		}
		from := `SELECT s.id FROM (VALUES ` + rows.marks() + `) AS j JOIN settlement s ON s.stage > 0 AND s.state <> 'reversed' AND s.id <> column1 AND `
		for _, on := range []string{
			`s.place_id = column2 AND s.at_us BETWEEN column4 AND column5 AND (s.at_us > column4 OR s.id > column1)`,
			`s.insured_id = column3 AND s.at_us BETWEEN column6 AND column7
				LEFT JOIN clock_offset o ON o.institution_id = s.institution_id LEFT JOIN clock_offset jo ON jo.institution_id = column8
				WHERE s.at_us + COALESCE(o.offset_us, 0) >= column4 + COALESCE(jo.offset_us, 0)`,
		} {
			found, err := t.QueryContext(ctx, from+on, rows.args...)
			if err != nil {
				return err
			}
			if _, err := collect(found, func(r row) (struct{}, error) {
				var id ward.SettlementID
				err := r.Scan(&id)
				wait[id] = true
				return struct{}{}, err
			}); err != nil {
				return err
			}
		}
	}
	for id := range wait {
		if own[id] {
			continue
		}
		if _, err := t.ExecContext(ctx, again+`id = $1`, id); err != nil {
			return err
		}
	}
	return t.resealSettlements(ctx, known)
}
