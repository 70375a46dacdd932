package evidence

import (
	"context"
	"fmt"

	"wardwatch/storage"
	"wardwatch/ward"
)

// AddAlert adds an alert, and what belongs to it, to a case that is open. One
// that is in a case already is ward.Conflict "case.exists".
func (c *Clerk) AddAlert(ctx context.Context, id ward.CaseID, alert ward.AlertID, by ward.User) ([]ward.Evidence, error) {
	lead, err := c.Store.AlertLead(ctx, alert)
	return c.add(ctx, id, lead, err, by)
}

// AddVisit adds a sealed visit, with its recording, likewise.
func (c *Clerk) AddVisit(ctx context.Context, id ward.CaseID, visit ward.VisitID, by ward.User) ([]ward.Evidence, error) {
	lead, err := c.Store.VisitLead(ctx, visit)
	return c.add(ctx, id, lead, err, by)
}

func (c *Clerk) add(ctx context.Context, id ward.CaseID, lead storage.Lead, err error, by ward.User) ([]ward.Evidence, error) {
	if err == nil {
		err = c.sum(ctx, lead.Items)
	}
	if err != nil {
		return nil, fmt.Errorf("collect evidence: %w", err)
	}
	return c.Store.AddToCase(ctx, id, lead.Items, by)
}

// AddSegment adds one recording that is there still.
func (c *Clerk) AddSegment(ctx context.Context, id ward.CaseID, segment ward.SegmentID, by ward.User) ([]ward.Evidence, error) {
	g, err := c.Store.Segment(ctx, segment)
	if err != nil {
		return nil, err
	}
	if !g.State.Readable() {
		return nil, &ward.Error{Kind: ward.Conflict, Code: "segment.gone", ZH: "该录像已不在存储中；请改为加入时段，缺失会写明原因。", EN: "The recording is not there any more; add the stretch instead, which says why."}
	}
	return c.Store.AddEvidence(ctx, id, []ward.Evidence{{Kind: ward.EvidenceSegment, Ref: string(segment)}}, by)
}
