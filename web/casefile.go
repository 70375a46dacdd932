package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// CaseFileChange is the next version of a case's file.
type CaseFileChange struct {
	Version   int                `json:"version" minimum:"0" doc:"The version that is replaced; 0: there is none"`
	Subjects  []ward.CaseSubject `json:"subjects" maxItems:"100"`
	Cause     string             `json:"cause" maxLength:"200"`
	Basis     []string           `json:"basis" maxItems:"20"`
	Officers  []ward.CaseOfficer `json:"officers" maxItems:"2" doc:"None, or two different users"`
	Witnesses []ward.CaseWitness `json:"witnesses,omitempty" maxItems:"10" doc:"Holders of the evidence and witnesses: each with signature, the ref of an uploaded file of the case, or absent, why there is none; sha256 is filled in"`
	Deadline  time.Time          `json:"deadline,omitzero"`
	Links     []CaseLinkChange   `json:"links" maxItems:"50"`
	Reason    string             `json:"reason" minLength:"1" maxLength:"500"`
}

// CaseLinkChange names another case by its number, and why it belongs together with this one.
type CaseLinkChange struct {
	Number string `json:"number" minLength:"1" maxLength:"64"`
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// LinkedCase is the other case of a link.
type LinkedCase struct {
	ward.CaseLink
	Number string `json:"number"`
	Title  string `json:"title"`
}

// CaseFileDetail is a case's file and how it went through its reviews.
type CaseFileDetail struct {
	File   ward.CaseFile   `json:"file"`
	State  ward.CaseState  `json:"state"`
	Steps  []ward.CaseStep `json:"steps" doc:"The oldest first"`
	Links  []LinkedCase    `json:"links" doc:"Other cases, in scope, that the file names"`
	Linked []LinkedCase    `json:"linked" doc:"Other cases, in scope, that name this one"`
}

// CasePeople are whom a case may be about.
type CasePeople struct {
	People     []ward.Insured   `json:"people"`
	Physicians []ward.Physician `json:"physicians"`
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
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/people", OperationID: "listCasePeople", Summary: "Whom a case's evidence and file concern, masked", Tags: tags}, s.loadCase, s.listCasePeople)
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
	if out.Linked, err = s.visible(ctx, links); err != nil {
		return out, err
	}
	out.Links, err = s.visible(ctx, out.File.Links)
	out.File.Links = []ward.CaseLink{}
	for _, l := range out.Links {
		out.File.Links = append(out.File.Links, l.CaseLink)
	}
	return out, err
}

// visible are the links to cases that the caller may see.
func (s *Server) visible(ctx context.Context, links []ward.CaseLink) ([]LinkedCase, error) {
	out := []LinkedCase{}
	for _, l := range links {
		c, err := s.Store.Case(ctx, l.CaseID)
		if err != nil {
			return nil, err
		}
		if callerOf(ctx).May(ward.MayCase, c.InstitutionID) {
			out = append(out, LinkedCase{CaseLink: l, Number: c.Number, Title: c.Title})
		}
	}
	return out, nil
}

// setCaseFile keeps the links that the caller cannot see.
func (s *Server) setCaseFile(ctx context.Context, in *caseFileInput, c ward.Case) (*body[CaseFileDetail], error) {
	b := in.Body
	links := []ward.CaseLink{}
	for _, l := range b.Links {
		other, err := s.Store.CaseByNumber(ctx, strings.TrimSpace(l.Number))
		if missing(err) || err == nil && !callerOf(ctx).May(ward.MayCase, other.InstitutionID) {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "case_file.link.unknown", ZH: "没有案件号为“" + l.Number + "”的案件，或您无权查看；请核对案件号。", EN: "There is no case with the number " + l.Number + ", or you may not see it; check the number."}
		}
		if err != nil {
			return nil, err
		}
		links = append(links, ward.CaseLink{CaseID: other.ID, Reason: l.Reason})
	}
	now, err := s.Store.CaseFile(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	shown, err := s.visible(ctx, now.Links)
	if err != nil {
		return nil, err
	}
	for _, l := range now.Links {
		if !slices.ContainsFunc(shown, func(v LinkedCase) bool { return v.CaseID == l.CaseID }) {
			links = append(links, l)
		}
	}
	_, err = s.Store.SetCaseFile(ctx, ward.CaseFile{
		CaseID: c.ID, Version: b.Version, Subjects: list(b.Subjects), Cause: b.Cause, Basis: list(b.Basis), Officers: list(b.Officers), Witnesses: b.Witnesses,
		Deadline: b.Deadline.UTC(), Links: links, Reason: b.Reason,
	}, callerOf(ctx).User)
	if err != nil {
		return nil, err
	}
	return answer(s.caseFile(ctx, c))
}

// listCasePeople: the physicians are those who practise at the case's institution.
func (s *Server) listCasePeople(ctx context.Context, _ *CasePath, c ward.Case) (*body[CasePeople], error) {
	people, err := s.Store.CasePeople(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for i := range people {
		people[i] = people[i].Masked()
	}
	physicians, err := s.Store.Physicians(ctx, []ward.InstitutionID{c.InstitutionID}, "", 500)
	return answer(CasePeople{People: list(people), Physicians: list(physicians)}, err)
}

func (s *Server) stepCase(ctx context.Context, in *caseStepInput, c ward.Case) (*body[CaseFileDetail], error) {
	if _, err := s.Store.StepCase(ctx, c.ID, in.Body.Seen, in.Body.Action, in.Body.Note, callerOf(ctx).User); err != nil {
		return nil, err
	}
	return answer(s.caseFile(ctx, c))
}
