package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// NewCase is opened from exactly one alert or visit, or empty at an institution.
type NewCase struct {
	AlertID       ward.AlertID       `json:"alert_id,omitempty" maxLength:"64"`
	VisitID       ward.VisitID       `json:"visit_id,omitempty" maxLength:"64"`
	InstitutionID ward.InstitutionID `json:"institution_id,omitempty" maxLength:"64"`
	Title         string             `json:"title" minLength:"1" maxLength:"200"`
}

// Evidence is one item of a case with its hash.
type Evidence struct {
	ward.Evidence
	SHA256 string `json:"sha256" doc:"Hex"`
}

// CaseDetail is a case with the beginning of its evidence and the end of its custody.
type CaseDetail struct {
	Case          ward.Case      `json:"case"`
	Evidence      []Evidence     `json:"evidence" doc:"The first 50; all: /cases/{id}/evidence"`
	EvidenceCount int            `json:"evidence_count" doc:"Of all items"`
	Custody       []ward.Custody `json:"custody" doc:"The newest 50, oldest of them first; all: /cases/{id}/custody"`
}

type caseList struct {
	Paging
	InstitutionFilter
	Number string           `query:"number" maxLength:"64" doc:"The whole case number"`
	Kind   ward.SubjectKind `query:"subject_kind" doc:"With subject: the cases whose file names it, all of them"`
	Ref    string           `query:"subject" maxLength:"64" doc:"Id of the insured, physician or institution"`
}

// CasePath names a case in the address.
type CasePath struct {
	ID ward.CaseID `path:"id" maxLength:"64"`
}

// EvidencePath names an item of a case in the address.
type EvidencePath struct {
	ID ward.EvidenceID `path:"id" maxLength:"64"`
}

func (s *Server) caseRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/cases", OperationID: "openCase", Summary: "Open a case from an alert or a visit, or empty", Tags: tags, DefaultStatus: http.StatusCreated}, s.openCase)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/cases", OperationID: "listCases", Summary: "Cases in scope, newest first, or the one with a number", Tags: tags}, s.listCases)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}", OperationID: "getCase", Summary: "A case with its first evidence and newest custody", Tags: tags}, s.loadCase, s.getCase)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/export.zip", OperationID: "exportCase", Summary: "The evidence package", Tags: tags}, "application/zip"),
		func(ctx context.Context, in *exportInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.exportCase)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/exports/{id}/cancel", OperationID: "cancelExport", Summary: "End one's own export for good; its id is the ETag of export.zip", Tags: tags, DefaultStatus: http.StatusNoContent}, s.loadExport, s.cancelExport)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/evidence/{id}/origin", OperationID: "evidenceOrigin", Summary: "How a recording in a case came about: clocks, codec, camera", Tags: tags}, s.loadEvidence, s.evidenceOrigin)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/evidence/{id}/content", OperationID: "evidenceContent", Summary: "One item's bytes", Tags: tags}, "video/mp4", "image/jpeg", "application/json", "application/octet-stream"), s.loadEvidence, s.evidenceContent)
}

func (s *Server) clerk() *evidence.Clerk {
	return &evidence.Clerk{Store: s.Store, Media: s.media(), Software: s.Software, System: s.System, Ask: s.askOutside}
}

func (s *Server) openCase(ctx context.Context, in *creation[NewCase]) (*created[ward.Case], error) {
	return once(ctx, s, "openCase", in.Key, in.RawBody, func() (ward.Case, error) {
		b, who := in.Body, callerOf(ctx)
		unknown := &ward.Error{Kind: ward.Invalid, Code: "case.subject", ZH: "请指定一条疑点、一次查访或一家机构，并确认您有权查看。", EN: "Name exactly one alert, visit or institution that you may see."}
		switch {
		case b.InstitutionID != "" && b.AlertID == "" && b.VisitID == "":
			if _, err := s.Store.Institution(ctx, b.InstitutionID); missing(err) || err == nil && !who.May(ward.MayCase, b.InstitutionID) {
				return ward.Case{}, unknown
			} else if err != nil {
				return ward.Case{}, err
			}
			return s.Store.OpenCase(ctx, ward.Case{InstitutionID: b.InstitutionID, Title: b.Title}, nil, who.User)
		case b.InstitutionID != "":
			return ward.Case{}, unknown
		case b.AlertID != "" && b.VisitID == "":
			a, err := s.Store.Alert(ctx, b.AlertID)
			if missing(err) || err == nil && (!who.May(ward.MayCase, a.InstitutionID) || a.Shadow && !who.Can(ward.MayAdminister)) {
				return ward.Case{}, unknown
			}
			if err != nil {
				return ward.Case{}, err
			}
			return s.clerk().OpenAlert(ctx, b.AlertID, b.Title, who.User)
		case b.VisitID != "" && b.AlertID == "":
			v, err := s.Store.Visit(ctx, b.VisitID)
			if missing(err) || err == nil && !who.May(ward.MayCase, v.InstitutionID) {
				return ward.Case{}, unknown
			}
			if err != nil {
				return ward.Case{}, err
			}
			return s.clerk().OpenVisit(ctx, b.VisitID, b.Title, who.User)
		default:
			return ward.Case{}, unknown
		}
	})
}

func (s *Server) listCases(ctx context.Context, in *caseList) (*body[Page[ward.Case]], error) {
	who := callerOf(ctx)
	if in.Number != "" {
		c, err := s.Store.CaseByNumber(ctx, in.Number)
		found := "case/none"
		if err == nil && who.May(ward.MayCase, c.InstitutionID) {
			found = "case/" + string(c.ID)
		}
		if err := s.searched(ctx, found); err != nil {
			return nil, err
		}
		if missing(err) || err == nil && !who.May(ward.MayCase, c.InstitutionID) {
			return items[ward.Case](nil, nil)
		}
		return items([]ward.Case{c}, err)
	}
	if in.Kind != "" && in.Ref != "" {
		if err := s.searched(ctx, string(in.Kind)+"/"+in.Ref); err != nil {
			return nil, err
		}
		return items(s.Store.CasesAbout(ctx, ward.CaseSubject{Kind: in.Kind, Ref: in.Ref}, who.narrow(in.InstitutionID)))
	}
	v, err := s.Store.Cases(ctx, who.narrow(in.InstitutionID), ward.CaseID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(c ward.Case) string { return string(c.ID) }), err)
}

func (s *Server) loadCase(ctx context.Context, in *CasePath) (ward.Case, ward.InstitutionID, error) {
	c, err := s.Store.Case(ctx, in.ID)
	return c, c.InstitutionID, err
}

// exportCase streams the package. Preparing it records the export.
func (s *Server) exportCase(ctx context.Context, in *exportInput, c ward.Case) (*huma.StreamResponse, error) {
	return s.sendPackage(ctx, &in.Resuming, c.ID, callerOf(ctx).User, "", func() (string, error) { return s.reasoned(ctx, c.ID, ward.ActionExport) })
}

// loadEvidence: an item belongs to the institution of its case.
func (s *Server) loadEvidence(ctx context.Context, in *EvidencePath) (ward.Evidence, ward.InstitutionID, error) {
	e, err := s.Store.EvidenceItem(ctx, in.ID)
	if err != nil {
		return e, "", err
	}
	c, err := s.Store.Case(ctx, e.CaseID)
	return e, c.InstitutionID, err
}

func (s *Server) evidenceContent(ctx context.Context, _ *EvidencePath, e ward.Evidence) (*huma.StreamResponse, error) {
	v := view{object: "evidence/" + string(e.ID), caseID: e.CaseID, sha256: e.SHA256[:], action: ward.ActionView}
	if e.Kind == ward.EvidenceSegment {
		v.action = ward.ActionPlay
	}
	lifted, err := s.uncovered(ctx, e)
	if err != nil {
		v.action = ward.ActionUnmask
		return nil, s.refused(ctx, v, err)
	}
	if lifted {
		v.action = ward.ActionUnmask
	}
	if v.reason, err = s.reasoned(ctx, e.CaseID, v.action); err != nil {
		return nil, err
	}
	if e.Kind == ward.EvidenceSegment {
		g, err := s.Store.Segment(ctx, ward.SegmentID(e.Ref))
		if err != nil {
			return nil, err
		}
		return s.showSegment(ctx, v, g)
	}
	if storage.IsDerivative(e) { // this system made it: it can be shown
		return s.showObject(ctx, v, e.Ref, pack.FormatOf(e.Ref))
	}
	if e.Kind == ward.EvidenceFile {
		return s.saveFile(ctx, v, e)
	}
	r, contentType, err := s.clerk().Open(ctx, e)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r) // a picture or a record: at most a few MB
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if err := s.record(ctx, v); err != nil {
		return nil, err
	}
	return serve(contentType, "", nopCloser{bytes.NewReader(b)}), nil
}

// saveFile serves an uploaded file from the store, as it is read.
func (s *Server) saveFile(ctx context.Context, v view, e ward.Evidence) (*huma.StreamResponse, error) {
	info, err := s.Objects.Stat(ctx, e.Ref)
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, v); err != nil {
		return nil, err
	}
	return download("evidence-"+string(e.ID)+path.Ext(e.Ref), &objectReader{ctx: ctx, objects: s.Objects, key: e.Ref, size: info.Size}), nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
