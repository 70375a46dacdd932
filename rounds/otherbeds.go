package rounds

import (
	"context"
	"errors"
	"time"

	"wardwatch/ward"
)

const eraseEvery = time.Minute

// checkOtherBeds asks whether the same person answered, or is enrolled, for
// another bed of the round. Only a match by the thresholds of the face check
// is one: relatives look alike.
func (s *session) checkOtherBeds(ctx context.Context) (ward.Check, error) {
	c := ward.Check{VisitID: s.visit.ID, Kind: ward.CheckOtherBed, Outcome: ward.NotDone, At: time.Now()}
	face := s.faces.fused()
	if len(face) == 0 {
		c.DetailZH, c.DetailEN = "合格的正面人脸画面不足。", "Too few usable frontal pictures of the face."
		return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
	}
	found, err := s.e.Store.CompareBeds(ctx, s.visit, s.faces.modelID, face, func(cosine float32) bool {
		return s.e.Thresholds.Judge(cosine) == ward.MatchYes
	})
	if err != nil {
		return c, err
	}
	c.Outcome, c.Score = ward.Pass, 1
	c.DetailZH, c.DetailEN = "未发现同一人应答本轮其他床位。", "Nobody else's bed of this round was answered by the same face."
	if len(found) > 0 {
		c = found[0].Failed()
	}
	for _, f := range found { // the other visit's page shows it, too
		if s.e.Notify != nil {
			s.e.Notify("visit", string(f.Other), s.visit.InstitutionID)
		}
	}
	return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
}

// erase removes what is kept for comparing visits and no longer needed.
func (e *Engine) erase(ctx context.Context, now time.Time) error {
	if now.Sub(e.erased) < eraseEvery && !now.Before(e.erased) {
		return nil
	}
	e.erased = now
	e.earlier.forget(now)
	return errors.Join(e.Store.EraseCompared(ctx, now), e.Store.EraseMessages(ctx, now))
}
