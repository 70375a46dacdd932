package storage

import (
	"context"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// AddStretch seals what there is of a stretch of recording and adds it to the
// case, with the recordings that it names: all or nothing. A recording that is
// being removed is ward.Conflict "hold.removing"; ask again then.
func (s *Store) AddStretch(ctx context.Context, id ward.CaseID, v sealed.Stretch, by ward.User) ([]ward.Evidence, error) {
	var added []ward.Evidence
	err := s.change(ctx, "add a stretch to case "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM case_file WHERE id = $1`, id).Scan(&one); err != nil {
			return noCase(err)
		}
		ref := ward.NewID[string](t.now)
		if _, err := t.sealRecord(ctx, KindStretch, ref, v); err != nil {
			return err
		}
		items := []ward.Evidence{{Kind: ward.EvidenceStretch, Ref: ref}}
		for _, g := range v.Segments {
			items = append(items, ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)})
		}
		var err error
		added, err = t.addEvidence(ctx, id, items, by)
		return err
	})
	return added, err
}

// holdStretch places a hold over all of a stretch.
func (t *tx) holdStretch(ctx context.Context, id ward.CaseID, e ward.Evidence, by ward.User) error {
	r, _, err := latestSealed(ctx, t.Tx, KindStretch, e.Ref)
	if err != nil {
		return err
	}
	var v sealed.Stretch
	if err := r.Into(&v); err != nil {
		return err
	}
	h := ward.Hold{CaseID: id, PlacedBy: by.ID, Source: v.Source, InstitutionID: v.Institution, From: v.From, To: v.To}
	if v.Source.Kind == ward.FromVisit {
		h.From, h.To = wholeFrom, wholeTo
	}
	return t.hold(ctx, h)
}
