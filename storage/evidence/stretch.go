package evidence

import (
	"context"
	"encoding/hex"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// CauseDeleted is a stretch whose recording was deleted when its retention ended.
const CauseDeleted ward.Cause = "deleted"

// MaxStretch bounds a stretch of a camera's recording in a case: a day.
const MaxStretch = 24 * time.Hour

// AddStretch adds what a source recorded of [from, to) to a case: the
// recordings that there are, and an item that says, sealed, which those are and
// where and why there is none. When there is none at all that is the answer. A
// visit's recording is taken whole, whatever from and to are. The case's hold
// covers all of it, also what is stored later. ward.Invalid: a stretch that is
// empty, too long or not over, and a source of another institution.
func (c *Clerk) AddStretch(ctx context.Context, file ward.Case, src ward.Source, inst ward.InstitutionID, from, to time.Time, by ward.User) ([]ward.Evidence, error) {
	if src.Kind == ward.FromVisit {
		lead, err := c.Store.VisitLead(ctx, ward.VisitID(src.ID))
		if err != nil {
			return nil, err
		}
		from, to = lead.From, lead.To
	}
	now := time.Now()
	switch {
	case inst != file.InstitutionID:
		return nil, OtherInstitution()
	case from.IsZero() || !from.Before(to) || to.Sub(from) > MaxStretch && src.Kind != ward.FromVisit || to.After(now):
		return nil, &ward.Error{Kind: ward.Invalid, Code: "stretch.times", ZH: "请指定已经结束、不超过 24 小时的时段；没有开始的查访没有录像。", EN: "Give a stretch that is over and of at most 24 hours; a visit that never began has no recording."}
	}
	s := sealed.Stretch{Source: src, Institution: inst, From: from.UTC().Truncate(time.Microsecond), To: to.UTC().Truncate(time.Microsecond), Segments: []sealed.Part{}, Gaps: []sealed.Gap{}, By: by.ID}
	segs, err := c.Store.SegmentsBetween(ctx, src, s.From, s.To)
	if err != nil {
		return nil, err
	}
	gaps, err := c.Store.GapsBetween(ctx, src, s.From, s.To)
	if err != nil {
		return nil, err
	}
	var there []ward.Segment
	for _, g := range segs {
		switch {
		case g.State.Readable():
			there = append(there, g)
			s.Segments = append(s.Segments, sealed.Part{ID: g.ID, SHA256: hex.EncodeToString(g.SHA256[:])})
		case g.State != ward.Evicted: // of that one there is a gap
			gaps = append(gaps, ward.Gap{Source: src, From: g.Start, To: g.End, Cause: CauseDeleted})
		}
	}
	recorded, filled, without := cover(s.From, s.To, there, gaps)
	s.RecordedMS, s.FilledMS = int64(recorded*1000), int64(filled*1000)
	for _, g := range without {
		s.Gaps = append(s.Gaps, sealed.Gap{From: g.From.UTC(), To: g.To.UTC(), Cause: g.Cause})
	}
	return c.Store.AddStretch(ctx, file.ID, s, by)
}

// OtherInstitution is the error of adding to a case what is another institution's.
func OtherInstitution() error {
	return &ward.Error{Kind: ward.Invalid, Code: "case.institutions", ZH: "一个案件只能包含同一机构的证据，请分别立案。", EN: "A case is about one institution; open one for each."}
}
