// Package evidence opens cases and exports them as one zip file.
//
// It must not know of HTTP. The form of a package is in package pack, and what
// checks one in package verify.
package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// Clerk makes cases and packages from what is stored.
type Clerk struct {
	Store    *storage.Store
	Media    storage.Media
	Software string       // name and version, for the manifest
	System   *pack.System // nil: the manifest does not tell
	// Outside: the package is for somebody outside, to whom no covered item is
	// shown as it is, whoever may see it here.
	Outside bool
	// Ask has the witnesses and the time-stamping authority sign the newest
	// checkpoint, as far as they answer soon; nil: there are none.
	Ask func(context.Context)
}

// OpenAlert opens a case from an alert: the alert, its settlement and
// related ones, its snapshot and every finished segment of its clip. by must
// have an ID and a Role. A segment still being written is added by Complete.
func (c *Clerk) OpenAlert(ctx context.Context, id ward.AlertID, title string, by ward.User) (ward.Case, error) {
	lead, err := c.Store.AlertLead(ctx, id)
	return c.open(ctx, lead, err, title, by)
}

// ConfirmAlerts confirms alerts of one institution and opens one case with what
// belongs to each, all or nothing; see storage.Store.StepAlerts.
func (c *Clerk) ConfirmAlerts(ctx context.Context, chosen []storage.AlertChoice, step ward.AlertStep, title string, by ward.User) ([]ward.Alert, ward.Case, error) {
	file := ward.Case{Title: title}
	var items []ward.Evidence
	have := map[string]bool{}
	for _, choice := range chosen {
		lead, err := c.Store.AlertLead(ctx, choice.ID)
		if err != nil {
			return nil, file, fmt.Errorf("collect evidence: %w", err)
		}
		if file.InstitutionID != "" && file.InstitutionID != lead.InstitutionID {
			return nil, file, &ward.Error{Kind: ward.Invalid, Code: "case.institutions", ZH: "一个案件只能包含同一机构的疑点，请分别立案。", EN: "A case is about one institution; open one for each."}
		}
		file.InstitutionID = lead.InstitutionID
		for _, e := range lead.Items {
			if name := string(e.Kind) + "/" + e.Ref; !have[name] {
				have[name], items = true, append(items, e)
			}
		}
	}
	if err := c.sum(ctx, items); err != nil {
		return nil, file, fmt.Errorf("collect evidence: %w", err)
	}
	return c.Store.ConfirmIntoCase(ctx, chosen, step, file, items, by)
}

// OpenVisit opens a case from a sealed visit: the verdict with its checks,
// the snapshot and the recording.
func (c *Clerk) OpenVisit(ctx context.Context, id ward.VisitID, title string, by ward.User) (ward.Case, error) {
	lead, err := c.Store.VisitLead(ctx, id)
	return c.open(ctx, lead, err, title, by)
}

func (c *Clerk) open(ctx context.Context, lead storage.Lead, err error, title string, by ward.User) (ward.Case, error) {
	if err == nil {
		err = c.sum(ctx, lead.Items)
	}
	if err != nil {
		return ward.Case{}, fmt.Errorf("collect evidence: %w", err)
	}
	return c.Store.OpenCase(ctx, ward.Case{InstitutionID: lead.InstitutionID, Title: title}, lead.Items, by)
}

// Complete adds what belongs to the case's alerts and visits and is not in
// it yet, and returns what it added: above all the segments that were being
// written when the case was opened.
func (c *Clerk) Complete(ctx context.Context, id ward.CaseID, by ward.User) ([]ward.Evidence, error) {
	items, err := c.Store.Evidence(ctx, id)
	if err != nil {
		return nil, err
	}
	leads, err := c.leads(ctx, items)
	if err != nil {
		return nil, fmt.Errorf("complete case %s: %w", id, err)
	}
	have := map[string]bool{}
	for _, e := range items {
		have[string(e.Kind)+"/"+e.Ref] = true
	}
	var fresh []ward.Evidence
	for _, l := range leads {
		for _, e := range l.Items {
			if !have[string(e.Kind)+"/"+e.Ref] {
				fresh = append(fresh, e)
			}
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if err := c.sum(ctx, fresh); err != nil {
		return nil, fmt.Errorf("complete case %s: %w", id, err)
	}
	return c.Store.AddEvidence(ctx, id, fresh, by)
}

// leads returns what belongs to each alert and visit among items.
func (c *Clerk) leads(ctx context.Context, items []ward.Evidence) ([]storage.Lead, error) {
	var leads []storage.Lead
	for _, e := range items {
		var l storage.Lead
		var err error
		switch e.Kind {
		case ward.EvidenceAlert:
			l, err = c.Store.AlertLead(ctx, ward.AlertID(e.Ref))
		case ward.EvidenceVisit:
			l, err = c.Store.VisitLead(ctx, ward.VisitID(e.Ref))
		case ward.EvidenceSighting:
			l, err = c.Store.SightingLead(ctx, ward.SightingID(e.Ref))
		case ward.EvidenceBlind:
			l, err = c.Store.BlindLead(ctx, ward.BlindID(e.Ref))
		case ward.EvidenceSegment, ward.EvidenceSnapshot, ward.EvidenceSettlement, ward.EvidenceStretch, ward.EvidenceFile,
			ward.EvidenceDraw, ward.EvidenceOutage:
			continue
		}
		if err != nil {
			return nil, err
		}
		leads = append(leads, l)
	}
	return leads, nil
}

// sum fills the hashes of the snapshots among items that no sealed record
// holds; that of one that is not there stays zero.
func (c *Clerk) sum(ctx context.Context, items []ward.Evidence) error {
	for i, e := range items {
		if e.Kind != ward.EvidenceSnapshot || e.SHA256 != [32]byte{} {
			continue
		}
		h, _, err := objects.Sum(ctx, c.Media.Objects, e.Ref)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		items[i].SHA256 = h
	}
	return nil
}

// Open returns the bytes of one item and their media type: the recording,
// the picture, or the sealed record. The caller closes the reader, and
// records the view.
func (c *Clerk) Open(ctx context.Context, e ward.Evidence) (io.ReadCloser, string, error) {
	switch e.Kind {
	case ward.EvidenceSegment:
		g, err := c.Store.Segment(ctx, ward.SegmentID(e.Ref))
		if err != nil {
			return nil, "", err
		}
		r, err := c.Media.Segment(ctx, g)
		return r, "video/mp4", err
	case ward.EvidenceSnapshot:
		r, err := c.Media.Objects.Get(ctx, e.Ref, 0, -1)
		return r, "image/jpeg", err
	case ward.EvidenceFile:
		r, err := c.Media.Objects.Get(ctx, e.Ref, 0, -1)
		return r, "application/octet-stream", err
	case ward.EvidenceSettlement, ward.EvidenceAlert, ward.EvidenceVisit, ward.EvidenceStretch,
		ward.EvidenceSighting, ward.EvidenceBlind, ward.EvidenceDraw, ward.EvidenceOutage:
		rec, err := c.Store.Sealed(ctx, e.Leaf)
		return io.NopCloser(bytes.NewReader(rec.Body)), "application/json", err
	default:
		return nil, "", fmt.Errorf("open evidence %s: unknown kind %q", e.ID, e.Kind)
	}
}
