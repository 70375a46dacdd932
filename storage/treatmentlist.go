package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

const treatmentFields = `id, institution_id, place_id, insured_id, kind, station, tablet_id, policy, actor, at_us, ended_us, answer, nonce, salt, leaf, proven`

const treatmentColumns = `SELECT ` + treatmentFields + ` FROM treatment`

const treatmentEvents = `SELECT event, leaf FROM treatment_event WHERE treatment_id = $1 ORDER BY n`

func scanTreatment(r row) (v storedTreatment, err error) {
	var when, ended int64
	var policy, nonce, salt string
	if err = r.Scan(&v.ID, &v.InstitutionID, &v.PlaceID, &v.InsuredID, &v.Kind, &v.Station, &v.TabletID, &policy, &v.By, &when, &ended, &v.Answer, &nonce, &salt, &v.Leaf, &v.proven); err != nil {
		return v, err
	}
	v.At, v.Ended = at(when), at(ended)
	n, _ := hex.DecodeString(nonce) // one that was changed commits to something else: fsck finds it
	copy(v.Nonce[:], n)
	v.salt, _ = hex.DecodeString(salt)
	v.Commitment = v.Nonce.Commitment()
	return v, json.Unmarshal([]byte(policy), &v.Policy)
}

func scanSession(r row) (ward.TreatmentSession, error) {
	v, err := scanTreatment(r)
	return v.TreatmentSession, err
}

func scanTreatmentEvent(r row) (e ward.TreatmentEvent, err error) {
	var event string
	var leaf int64
	if err = r.Scan(&event, &leaf); err == nil {
		err = json.Unmarshal([]byte(event), &e)
	}
	e.Leaf = leaf
	return e, err
}

func unknownTreatment(err error) error {
	return missing(err, "treatment.unknown", "没有这次治疗，请检查编号。", "No such treatment session; check its id.")
}

// Treatment returns one session, or ward.NotFound.
func (s *Store) Treatment(ctx context.Context, id ward.TreatmentID) (ward.TreatmentSession, error) {
	v, err := scanSession(s.read.QueryRowContext(ctx, treatmentColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read treatment %s: %w", id, unknownTreatment(err))
	}
	return v, nil
}

// Treatments lists the sessions at institutions (nil: all) before the one
// given ("" begins the list), the newest first; 1 to 500, 0 means 50.
func (s *Store) Treatments(ctx context.Context, insts []ward.InstitutionID, before ward.TreatmentID, limit int) ([]ward.TreatmentSession, error) {
	where, args := scope(insts, []any{before, pageSize(limit)})
	return listed(ctx, s, "list treatments", scanSession, treatmentColumns+where+` AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2`, args...)
}

// mostOnTablet is how many sessions one tablet calls for at a time.
const mostOnTablet = 40

// TreatmentsOn lists the sessions that run at now and whose calls a tablet shows, at most 40.
func (s *Store) TreatmentsOn(ctx context.Context, tablet ward.TabletID, now time.Time) ([]ward.TreatmentSession, error) {
	return listed(ctx, s, "list treatments of a tablet", scanSession, treatmentColumns+` WHERE tablet_id = $1 AND ended_us = 0 AND last_us > $2 AND answer <> 'no_match' ORDER BY id LIMIT $3`, tablet, us(now), mostOnTablet)
}

// TreatmentEvents returns what happened in sessions, each in order.
func (s *Store) TreatmentEvents(ctx context.Context, ids []ward.TreatmentID) (map[ward.TreatmentID][]ward.TreatmentEvent, error) {
	out := map[ward.TreatmentID][]ward.TreatmentEvent{}
	for _, id := range ids {
		e, err := listed(ctx, s, "list events of treatment "+string(id), scanTreatmentEvent, treatmentEvents, id)
		if err != nil {
			return nil, err
		}
		out[id] = e
	}
	return out, nil
}

// treatmentRows compares every session and its events with what was sealed,
// and its calls with its nonce.
func (f *fsck) treatmentRows(ctx context.Context) error {
	id := func(v storedTreatment) string { return string(v.ID) }
	return each(ctx, f, "list treatments", treatmentColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanTreatment, id, func(v storedTreatment) error {
		if err := f.agree(ctx, "treatment", string(v.ID), KindTreatment, string(v.ID), v.Leaf, v.record()); err != nil {
			return err
		}
		events, err := listed(ctx, f.s, "list events of treatment "+string(v.ID), scanTreatmentEvent, treatmentEvents, v.ID)
		if err != nil {
			return err
		}
		ended, proven := time.Time{}, 0
		if v.Answer == ward.MatchNo {
			ended = v.At
		}
		calls := ward.TreatmentCalls(v.Nonce, v.At, v.Policy, v.At.Add(v.Policy.Longest()))
		for i, e := range events {
			leaf := e.Leaf
			e.Leaf = 0
			ref := fmt.Sprintf("%s/%d", v.ID, i+1)
			if err := f.agree(ctx, "treatment_event", ref, KindTreatment, ref, leaf, e); err != nil {
				return err
			}
			if e.Kind == ward.TreatmentEnded {
				ended = e.At
			}
			if e.Face != nil && e.Face.Answer == ward.MatchYes {
				proven = 1
			}
			if e.Kind == ward.TreatmentCalled && (e.Call < 1 || e.Call > len(calls) || !e.Due.Equal(calls[e.Call-1])) {
				f.bad("treatment_event/"+ref, "呼叫时刻与开始时封存的随机数不符。", "The call is not at the moment that the nonce says")
			}
		}
		if !ended.Equal(v.Ended) || proven != v.proven {
			f.bad("treatment/"+string(v.ID), "治疗的结束或在场标记与封存的事件不一致。", "The session's end, or that the patient was there, differs from its events")
		}
		return nil
	})
}
