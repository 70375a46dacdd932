package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// What is kept around a sighting and a blind period: enough to see somebody
// come and go, and the picture before the camera went blind.
const (
	aroundSighting = 15 * time.Second
	aroundBlind    = 30 * time.Second
)

// maxBlindClip bounds how much of the recording of a blind period goes into a
// case with it. All of the period is held; more of it is added as a stretch.
const maxBlindClip = 10 * time.Minute

// SightingLead collects what a detector saw, its picture and the recording around it.
func (s *Store) SightingLead(ctx context.Context, id ward.SightingID) (Lead, error) {
	v, err := s.Sighting(ctx, id)
	if err != nil {
		return Lead{}, err
	}
	l := Lead{InstitutionID: v.InstitutionID, Source: ward.Source{Kind: ward.FromCamera, ID: string(v.CameraID)}, From: v.From.Add(-aroundSighting), To: v.To.Add(aroundSighting)}
	l.add(ward.EvidenceSighting, string(id))
	l.add(ward.EvidenceSnapshot, v.SnapshotKey)
	if v.ModelID != "" {
		l.ModelIDs = []string{v.ModelID}
	}
	return l, s.addSegments(ctx, &l)
}

// BlindLead collects a blind period, its pictures that are kept, what was
// settled meanwhile, and the recording of its first minutes.
func (s *Store) BlindLead(ctx context.Context, id ward.BlindID) (Lead, error) {
	b, err := s.BlindPeriod(ctx, id)
	if err != nil {
		return Lead{}, err
	}
	l := Lead{InstitutionID: b.InstitutionID, Source: ward.Source{Kind: ward.FromCamera, ID: string(b.CameraID)}, From: b.From.Add(-aroundBlind)}
	l.To = b.From.Add(min(b.Lasts(time.Now()), maxBlindClip)).Add(aroundBlind)
	l.add(ward.EvidenceBlind, string(id))
	if err := s.addBlind(ctx, &l, id, b.From); err != nil {
		return l, err
	}
	return l, s.addSegments(ctx, &l)
}

// AddSighting seals a sighting as it stands and adds it to the case with the
// other items, all or nothing. v.Snapshot is the hash of its picture, empty
// when none is kept.
func (s *Store) AddSighting(ctx context.Context, id ward.CaseID, v sealed.Sighting, items []ward.Evidence, by ward.User) ([]ward.Evidence, error) {
	var added []ward.Evidence
	err := s.change(ctx, "add a sighting to case "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var one, has int
		err := t.QueryRowContext(ctx, `SELECT 1, (SELECT COUNT(*) FROM evidence WHERE case_id = $1 AND kind = 'sighting' AND ref = $2) FROM case_file WHERE id = $1`, id, v.ID).Scan(&one, &has)
		if err != nil {
			return noCase(err)
		}
		if has == 0 {
			if _, err := t.sealRecord(ctx, KindSighting, string(v.ID), v); err != nil {
				return err
			}
		}
		added, err = t.addEvidence(ctx, id, items, by)
		return err
	})
	return added, err
}

// endedDraw is the last sealed step of a draw whose result, or end without
// one, is known: before that it proves nothing.
func (t *tx) endedDraw(ctx context.Context, id ward.DrawID) (SealedRecord, error) {
	d, err := scanDraw(t.QueryRowContext(ctx, drawColumns+` WHERE id = $1`, id))
	if err != nil {
		return SealedRecord{}, drawUnknown(err)
	}
	if d.State == ward.DrawCommitted {
		return SealedRecord{}, &ward.Error{Kind: ward.Conflict, Code: "evidence.draw_open", ZH: "该抽取尚未出结果，出结果或作废后才能入案。", EN: "This draw has no result yet; add it once it has, or was given up."}
	}
	steps, err := drawSteps(ctx, t.Tx, id)
	if err != nil || len(steps) == 0 {
		return SealedRecord{}, fmt.Errorf("read steps of draw %s: %w", id, drawUnknown(err))
	}
	return steps[len(steps)-1].SealedRecord, nil
}

// sealedOutage is the newest version of an outage as it was sealed.
func (t *tx) sealedOutage(ctx context.Context, id ward.OutageID) (SealedRecord, error) {
	o, err := scanOutage(t.QueryRowContext(ctx, outageColumns+` AND o.id = $1`, id))
	if err != nil {
		return SealedRecord{}, outageMissing(err)
	}
	r, ok, err := latestSealed(ctx, t.Tx, KindOutage, fmt.Sprintf("%s/%d", id, o.Version))
	if err == nil && !ok {
		err = fmt.Errorf("outage %s: version %d is not sealed", id, o.Version)
	}
	return r, err
}

// seenAround is the stretch of a camera's recording that bears on a sighting
// or a blind period; one that lasts is held until now.
func (t *tx) seenAround(ctx context.Context, e ward.Evidence) (camera string, inst ward.InstitutionID, from, to int64, err error) {
	query, around := `SELECT camera_id, institution_id, from_us, to_us FROM sighting WHERE id = $1`, aroundSighting
	if e.Kind == ward.EvidenceBlind {
		query, around = `SELECT camera_id, institution_id, from_us, to_us FROM blind_period WHERE id = $1`, aroundBlind
	}
	err = t.QueryRowContext(ctx, query, e.Ref).Scan(&camera, &inst, &from, &to)
	if to == 0 {
		to = us(t.now)
	}
	return camera, inst, from - around.Microseconds(), to + around.Microseconds(), err
}
