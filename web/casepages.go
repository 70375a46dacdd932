package web

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// firstPage is how much of a case's lists comes with the case itself.
const firstPage = 50

type caseEvidenceList struct {
	CasePath
	Paging
}

type caseCustodyList struct {
	CasePath
	Before int64 `query:"cursor" minimum:"0" doc:"Next of the page before"`
	Limit  int   `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) casePageRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/evidence", OperationID: "listCaseEvidence", Summary: "A case's items in the order in which they were added", Tags: tags},
		func(ctx context.Context, in *caseEvidenceList) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.listCaseEvidence)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/custody", OperationID: "listCaseCustody", Summary: "A case's custody events, newest first", Tags: tags},
		func(ctx context.Context, in *caseCustodyList) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.listCaseCustody)
}

func (s *Server) getCase(ctx context.Context, _ *CasePath, c ward.Case) (*body[CaseDetail], error) {
	if err := s.looked(ctx, c.ID); err != nil {
		return nil, err
	}
	n, err := s.Store.EvidenceCount(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	evidence, err := s.evidencePage(ctx, c.ID, "", firstPage)
	if err != nil {
		return nil, err
	}
	custody, err := s.Store.CustodyPage(ctx, c.ID, 0, firstPage)
	slices.Reverse(custody)
	return answer(CaseDetail{Case: c, Evidence: evidence.Items, EvidenceCount: n, Custody: list(custody)}, err)
}

func (s *Server) evidencePage(ctx context.Context, id ward.CaseID, after ward.EvidenceID, limit int) (Page[Evidence], error) {
	v, err := s.Store.EvidencePage(ctx, id, after, limit)
	out := make([]Evidence, len(v))
	for i, e := range v {
		out[i] = Evidence{e, hex.EncodeToString(e.SHA256[:])}
	}
	return pageAfter(out, limit, func(e Evidence) string { return string(e.ID) }), err
}

func (s *Server) listCaseEvidence(ctx context.Context, in *caseEvidenceList, c ward.Case) (*body[Page[Evidence]], error) {
	if err := s.looked(ctx, c.ID); err != nil {
		return nil, err
	}
	return answer(s.evidencePage(ctx, c.ID, ward.EvidenceID(in.Cursor), in.Limit))
}

func (s *Server) listCaseCustody(ctx context.Context, in *caseCustodyList, c ward.Case) (*body[Page[ward.Custody]], error) {
	v, err := s.Store.CustodyPage(ctx, c.ID, in.Before, in.Limit)
	return answer(pageAfter(v, in.Limit, func(e ward.Custody) string { return strconv.FormatInt(e.Seq, 10) }), err)
}
