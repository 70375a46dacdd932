package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// listRest is how long looking at a case's list again is the same look.
const listRest = 10 * time.Minute

// AccessPolicyDetail is the policy that counts, and what it can name.
type AccessPolicyDetail struct {
	Policy  ward.AccessPolicy `json:"policy"`
	Actions []ward.Action     `json:"actions" doc:"Those that can need a reason"`
	Stated  string            `json:"stated" doc:"The reason that the caller gave in this session for case_id, or for searching; empty: none"`
}

type accessPolicyInput struct {
	CaseID ward.CaseID `query:"case_id" maxLength:"64" doc:"Empty: for searching over cases"`
}

// AccessReason is why the caller looks at the evidence of a case from now on
// in this session, or searches (without a case).
type AccessReason struct {
	CaseID ward.CaseID `json:"case_id,omitempty" maxLength:"64" doc:"Empty: for searching over cases"`
	Reason string      `json:"reason" minLength:"2" maxLength:"200"`
}

func (s *Server) accessRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/access-policy", OperationID: "getAccessPolicy", Summary: "For which actions on evidence a reason must be given", Tags: tags}, s.getAccessPolicy)
	add(r, everywhere(ward.MayAdminister), huma.Operation{Method: http.MethodPut, Path: v1 + "/access-policy", OperationID: "setAccessPolicy", Summary: "The next version of the policy, sealed", Tags: tags}, s.setAccessPolicy)
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/access-reasons", OperationID: "stateReason", Summary: "Say why one looks at a case's evidence in this session: a custody event", Tags: tags, DefaultStatus: http.StatusNoContent}, s.stateReason)
}

func (s *Server) getAccessPolicy(ctx context.Context, in *accessPolicyInput) (*body[AccessPolicyDetail], error) {
	p, err := s.Store.AccessPolicy(ctx)
	if err != nil {
		return nil, err
	}
	p.Actions, p.Usual = list(p.Actions), list(p.Usual)
	who := callerOf(ctx)
	stated, err := s.Store.AccessReason(ctx, in.CaseID, who.ID, sessionObject(who)) // the caller's own: of no case but one in scope
	return answer(AccessPolicyDetail{p, ward.PolicyActions(), stated}, err)
}

// setAccessPolicy: version is the one that was read; who and when are the caller's.
func (s *Server) setAccessPolicy(ctx context.Context, in *struct{ Body ward.AccessPolicy }) (*body[ward.AccessPolicy], error) {
	p := in.Body
	p.By = callerOf(ctx).ID
	return answer(s.Store.SetAccessPolicy(ctx, p))
}

func (s *Server) stateReason(ctx context.Context, in *struct{ Body AccessReason }) (*empty, error) {
	b, who := in.Body, callerOf(ctx)
	if err := ward.CheckAccessReason(b.Reason); err != nil {
		return nil, err
	}
	if b.CaseID != "" {
		c, err := s.Store.Case(ctx, b.CaseID)
		if missing(err) || err == nil && !who.May(ward.MayCase, c.InstitutionID) {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "case.unknown", ZH: "没有这个案件，或您无权查看。", EN: "No such case, or you may not see it."}
		}
		if err != nil {
			return nil, err
		}
	}
	return &empty{}, s.record(ctx, view{object: sessionObject(who), caseID: b.CaseID, action: ward.ActionState, reason: b.Reason})
}

// sessionObject names the caller's session, or token, without revealing it.
func sessionObject(c caller) string {
	sum := sha256.Sum256(append([]byte("access-reason "), c.session[:]...))
	return "session/" + hex.EncodeToString(sum[:8])
}

// reasoned is why the caller takes the action on a case's evidence, as was
// said in this session. ward.Conflict "access.reason" when the policy needs
// one and none was.
func (s *Server) reasoned(ctx context.Context, id ward.CaseID, action ward.Action) (string, error) {
	who := callerOf(ctx)
	reason, err := s.Store.AccessReason(ctx, id, who.ID, sessionObject(who))
	if err != nil || reason != "" {
		return reason, err
	}
	p, err := s.Store.AccessPolicy(ctx)
	if err == nil && p.Needs(action) {
		err = ward.NeedsReason()
	}
	return "", err
}

// looked records that the caller sees the list of a case's evidence. It needs
// no reason: it is where one is asked for.
func (s *Server) looked(ctx context.Context, id ward.CaseID) error {
	who := callerOf(ctx)
	reason, err := s.Store.AccessReason(ctx, id, who.ID, sessionObject(who))
	if err != nil {
		return err
	}
	return s.record(ctx, view{object: "case/" + string(id), caseID: id, reason: reason, rest: listRest})
}

// searched records a search over cases; what is what was looked for, by id.
func (s *Server) searched(ctx context.Context, what string) error {
	reason, err := s.reasoned(ctx, "", ward.ActionSearch)
	if err != nil {
		return err
	}
	return s.record(ctx, view{object: what, action: ward.ActionSearch, reason: reason, rest: viewRest})
}
