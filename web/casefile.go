package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// CaseFileChange is the next version of a case's file.
type CaseFileChange struct {
	Version  int                `json:"version" minimum:"0" doc:"The version that is replaced; 0: there is none"`
	Subjects []ward.CaseSubject `json:"subjects" maxItems:"100"`
	Cause    string             `json:"cause" maxLength:"200"`
	Basis    []string           `json:"basis" maxItems:"20"`
	Officers []ward.CaseOfficer `json:"officers" maxItems:"2" doc:"None, or two different users"`
	Deadline time.Time          `json:"deadline,omitzero"`
	Links    []ward.CaseLink    `json:"links" maxItems:"50"`
	Reason   string             `json:"reason" minLength:"1" maxLength:"500"`
}

// CaseFileDetail is a case's file and how it went through its reviews.
type CaseFileDetail struct {
	File   ward.CaseFile   `json:"file"`
	State  ward.CaseState  `json:"state"`
	Steps  []ward.CaseStep `json:"steps" doc:"The oldest first"`
	Linked []ward.CaseLink `json:"linked" doc:"Other cases, in scope, that name this one"`
}

// CaseStepTaken is a step of a case's reviews.
type CaseStepTaken struct {
	Seen   int64           `json:"seen" minimum:"0" doc:"How many steps whoever takes it has seen"`
	Action ward.CaseAction `json:"action"`
	Note   string          `json:"note" maxLength:"2000" doc:"The opinion; needed but where the case is handed in"`
}

type caseFileInput struct {
	CasePath
	Body CaseFileChange
}

type caseStepInput struct {
	CasePath
	Body CaseStepTaken
}

func (s *Server) caseFileRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/file", OperationID: "getCaseFile", Summary: "What a case is about, who works on it, and its reviews", Tags: tags}, s.loadCase, s.getCaseFile)
	on(r, may, huma.Operation{Method: http.MethodPut, Path: v1 + "/cases/{id}/file", OperationID: "setCaseFile", Summary: "The next version of a case's file, sealed", Tags: tags},
		func(ctx context.Context, in *caseFileInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.setCaseFile)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/cases/{id}/steps", OperationID: "stepCase", Summary: "Hand a case in, pass it, return it, note an appeal, close it", Tags: tags},
		func(ctx context.Context, in *caseStepInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.stepCase)
}

func (s *Server) getCaseFile(ctx context.Context, _ *CasePath, c ward.Case) (*body[CaseFileDetail], error) {
	return answer(s.caseFile(ctx, c))
}

func (s *Server) caseFile(ctx context.Context, c ward.Case) (out CaseFileDetail, err error) {
	if out.File, err = s.Store.CaseFile(ctx, c.ID); err != nil {
		return out, err
	}
	if out.Steps, err = s.Store.CaseSteps(ctx, c.ID); err != nil {
		return out, err
	}
	out.Steps, out.State = list(out.Steps), ward.CaseStateOf(out.Steps)
	links, err := s.Store.LinkedFrom(ctx, c.ID)
	if err != nil {
		return out, err
	}
	out.Linked, err = s.visible(ctx, links)
	if err == nil {
		out.File.Links, err = s.visible(ctx, out.File.Links)
	}
	return out, err
}

// visible are the links to cases that the caller may see.
func (s *Server) visible(ctx context.Context, links []ward.CaseLink) ([]ward.CaseLink, error) {
	out := []ward.CaseLink{}
	for _, l := range links {
		c, err := s.Store.Case(ctx, l.CaseID)
		if err != nil {
			return nil, err
		}
		if callerOf(ctx).May(ward.MayCase, c.InstitutionID) {
			out = append(out, l)
		}
	}
	return out, nil
}

// setCaseFile keeps the links that the caller cannot see.
func (s *Server) setCaseFile(ctx context.Context, in *caseFileInput, c ward.Case) (*body[CaseFileDetail], error) {
	b := in.Body
	seen, err := s.visible(ctx, slices.DeleteFunc(slices.Clone(b.Links), func(l ward.CaseLink) bool {
		_, err := s.Store.Case(ctx, l.CaseID)
		return missing(err)
	}))
	if err != nil {
		return nil, err
	}
	if len(seen) != len(b.Links) {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "case_file.link", ZH: "关联的案件不存在，或您无权查看。", EN: "A linked case does not exist, or you may not see it."}
	}
	now, err := s.Store.CaseFile(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	shown, err := s.visible(ctx, now.Links)
	if err != nil {
		return nil, err
	}
	hidden := slices.DeleteFunc(slices.Clone(now.Links), func(l ward.CaseLink) bool { return slices.Contains(shown, l) })
	_, err = s.Store.SetCaseFile(ctx, ward.CaseFile{
		CaseID: c.ID, Version: b.Version, Subjects: list(b.Subjects), Cause: b.Cause, Basis: list(b.Basis), Officers: list(b.Officers),
		Deadline: b.Deadline.UTC(), Links: append(list(b.Links), hidden...), Reason: b.Reason,
	}, callerOf(ctx).User)
	if err != nil {
		return nil, err
	}
	return answer(s.caseFile(ctx, c))
}

func (s *Server) stepCase(ctx context.Context, in *caseStepInput, c ward.Case) (*body[CaseFileDetail], error) {
	if _, err := s.Store.StepCase(ctx, c.ID, in.Body.Seen, in.Body.Action, in.Body.Note, callerOf(ctx).User); err != nil {
		return nil, err
	}
	return answer(s.caseFile(ctx, c))
}
