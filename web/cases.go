package web

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// NewCase is opened from exactly one alert or visit.
type NewCase struct {
	AlertID ward.AlertID `json:"alert_id,omitempty" maxLength:"64"`
	VisitID ward.VisitID `json:"visit_id,omitempty" maxLength:"64"`
	Title   string       `json:"title" minLength:"1" maxLength:"200"`
}

// Evidence is one item of a case with its hash.
type Evidence struct {
	ward.Evidence
	SHA256 string `json:"sha256" doc:"Hex"`
}

// CaseDetail is a case with its evidence and who touched it.
type CaseDetail struct {
	Case     ward.Case      `json:"case"`
	Evidence []Evidence     `json:"evidence"`
	Custody  []ward.Custody `json:"custody"`
}

// LedgerKey is what a court compares with a package.
type LedgerKey struct {
	Fingerprint string `json:"fingerprint" doc:"SHA-256 of the public key, hex: wardwatch verify FILE --key FINGERPRINT"`
	Verifier    string `json:"verifier" doc:"The key as signed-note verifiers write it"`
}

type caseList struct {
	Paging
	InstitutionFilter
	Number string `query:"number" maxLength:"64" doc:"The whole case number"`
}

type CasePath struct {
	ID ward.CaseID `path:"id" maxLength:"64"`
}

type EvidencePath struct {
	ID ward.EvidenceID `path:"id" maxLength:"64"`
}

func (s *Server) caseRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/cases", OperationID: "openCase", Summary: "Open a case from an alert or a visit", Tags: tags, DefaultStatus: http.StatusCreated}, s.openCase)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/cases", OperationID: "listCases", Summary: "Cases in scope, newest first, or the one with a number", Tags: tags}, s.listCases)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}", OperationID: "getCase", Summary: "A case with evidence and custody", Tags: tags}, s.loadCase, s.getCase)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/export.zip", OperationID: "exportCase", Summary: "The evidence package", Tags: tags}, "application/zip"), s.loadCase, s.exportCase)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/evidence/{id}/content", OperationID: "evidenceContent", Summary: "One item's bytes", Tags: tags}, "video/mp4", "image/jpeg", "application/json"), s.loadEvidence, s.evidenceContent)
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/ledger/key", OperationID: "ledgerKey", Summary: "The key that signs the ledger", Tags: tags}, s.ledgerKey)
}

func (s *Server) listCases(ctx context.Context, in *caseList) (*body[Page[ward.Case]], error) {
	who := callerOf(ctx)
	if in.Number != "" {
		c, err := s.Store.CaseByNumber(ctx, in.Number)
		if missing(err) || err == nil && !who.May(ward.MayCase, c.InstitutionID) {
			return items[ward.Case](nil, nil)
		}
		return items([]ward.Case{c}, err)
	}
	v, err := s.Store.Cases(ctx, who.narrow(in.InstitutionID), ward.CaseID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(c ward.Case) string { return string(c.ID) }), err)
}

func (s *Server) loadCase(ctx context.Context, in *CasePath) (ward.Case, ward.InstitutionID, error) {
	c, err := s.Store.Case(ctx, in.ID)
	return c, c.InstitutionID, err
}

func (s *Server) getCase(ctx context.Context, _ *CasePath, c ward.Case) (*body[CaseDetail], error) {
	evidence, err := s.Store.Evidence(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	custody, err := s.Store.Custody(ctx, c.ID)
	out := CaseDetail{Case: c, Evidence: make([]Evidence, len(evidence)), Custody: list(custody)}
	for i, e := range evidence {
		out.Evidence[i] = Evidence{e, hex.EncodeToString(e.SHA256[:])}
	}
	return answer(out, err)
}
