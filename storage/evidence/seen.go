package evidence

import (
	"context"
	"encoding/hex"
	"fmt"

	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// AddSighting adds what a detector saw to a case, sealed as it stands now, with
// its picture and the recording around it. The face's template stays out.
func (c *Clerk) AddSighting(ctx context.Context, id ward.CaseID, sighting ward.SightingID, by ward.User) ([]ward.Evidence, error) {
	v, err := c.Store.Sighting(ctx, sighting)
	if err != nil {
		return nil, err
	}
	lead, err := c.Store.SightingLead(ctx, sighting)
	if err == nil {
		err = c.sum(ctx, lead.Items)
	}
	if err != nil {
		return nil, fmt.Errorf("collect evidence: %w", err)
	}
	s := sealed.Sighting{
		ID: v.ID, Camera: v.CameraID, Place: v.PlaceID, Institution: v.InstitutionID, Kind: v.Kind, From: v.From.UTC(), To: v.To.UTC(),
		Count: v.Count, Score: v.Score, Box: v.Box, Zone: v.Zone, Model: v.ModelID, By: by.ID,
	}
	for _, e := range lead.Items {
		if e.Kind == ward.EvidenceSnapshot && e.SHA256 != [32]byte{} {
			s.Snapshot = hex.EncodeToString(e.SHA256[:])
		}
	}
	return c.Store.AddSighting(ctx, id, s, lead.Items, by)
}

// AddBlind adds a blind period to a case: what was sealed of it, its pictures
// that are kept, what was settled meanwhile and the recording of its first
// minutes. What it ended with is in the package when it lasts still.
func (c *Clerk) AddBlind(ctx context.Context, id ward.CaseID, blind ward.BlindID, by ward.User) ([]ward.Evidence, error) {
	lead, err := c.Store.BlindLead(ctx, blind)
	if err == nil {
		err = c.sum(ctx, lead.Items)
	}
	if err != nil {
		return nil, fmt.Errorf("collect evidence: %w", err)
	}
	return c.Store.AddEvidence(ctx, id, lead.Items, by)
}

// blind adds every record of a blind period, and of the outage that covers it.
func (d *draft) blind(ctx context.Context, id ward.BlindID) error {
	if err := d.about(ctx, storage.KindBlind, string(id)); err != nil {
		return err
	}
	b, err := d.Store.BlindPeriod(ctx, id)
	if err != nil || b.OutageID == "" {
		return err
	}
	return d.outage(ctx, b.OutageID)
}

// draw adds every sealed step of a draw: commitment, seed, result. With their
// proofs in the package they are the draw's own proof.
func (d *draft) draw(ctx context.Context, id ward.DrawID) error {
	steps, err := d.Store.DrawSteps(ctx, id)
	for _, s := range steps {
		d.record(s.SealedRecord)
	}
	return err
}

// outage adds every version of an outage.
func (d *draft) outage(ctx context.Context, id ward.OutageID) error {
	versions, err := d.Store.OutageVersions(ctx, id)
	if err != nil {
		return err
	}
	for _, o := range versions {
		if err := d.about(ctx, storage.KindOutage, fmt.Sprintf("%s/%d", id, o.Version)); err != nil {
			return err
		}
	}
	return nil
}
