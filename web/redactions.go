package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// Redactor makes the redactions that are queued.
type Redactor interface {
	// Wake says that the queue has something.
	Wake()
	// Progress is how far one is that is being made, 0 to 1.
	Progress(id ward.RedactionID) float64
	// Cancel ends one that has not ended, or is a ward.Conflict "redaction.ended".
	Cancel(ctx context.Context, id ward.RedactionID) error
}

// NewRedaction asks for a derivative of an item in which parts cannot be recognised.
type NewRedaction struct {
	ward.RedactionPlan

	EvidenceID ward.EvidenceID `json:"evidence_id" maxLength:"64"`
	Reason     string          `json:"reason" minLength:"1" maxLength:"1000"`
}

// CaseRedactions are what is covered in a case, and who asked to see it.
type CaseRedactions struct {
	Redactions []CaseRedaction   `json:"redactions" doc:"The oldest first"`
	Unmaskings []ward.Unmasking  `json:"unmaskings" doc:"The oldest first"`
	Covered    []ward.EvidenceID `json:"covered" doc:"Items that are covered"`
	Open       []ward.EvidenceID `json:"open" doc:"Of these, those that the caller may see as they are now"`
}

// CaseRedaction is one with its progress.
type CaseRedaction struct {
	ward.Redaction

	Progress float64 `json:"progress" doc:"0 to 1, while it is being made"`
}

// NewUnmasking asks to see a covered item as it is.
type NewUnmasking struct {
	EvidenceID ward.EvidenceID `json:"evidence_id" maxLength:"64"`
	Reason     string          `json:"reason" minLength:"1" maxLength:"1000"`
}

// RedactionPath names a redaction in the address.
type RedactionPath struct {
	ID ward.RedactionID `path:"id" maxLength:"64"`
}

// UnmaskingPath names a request to see a covered item in the address.
type UnmaskingPath struct {
	ID ward.UnmaskingID `path:"id" maxLength:"64"`
}

type newRedactionInput struct {
	CasePath
	Keyed
	RawBody []byte
	Body    NewRedaction
}

type newUnmaskingInput struct {
	CasePath
	Keyed
	RawBody []byte
	Body    NewUnmasking
}

type unmaskReplyInput struct {
	UnmaskingPath
	Body ReleaseReply
}

func (s *Server) redactionRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/redactions", OperationID: "caseRedactions", Summary: "What is covered in a case, what is being covered, and who asked to see it", Tags: tags}, s.loadCase, s.caseRedactions)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/cases/{id}/redactions", OperationID: "redact", Summary: "Cover faces or parts of the picture in a derivative of an item", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *newRedactionInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.redact)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/redactions/{id}/cancel", OperationID: "cancelRedaction", Summary: "End a redaction that waits or is being made", Tags: tags, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RedactionPath) (ward.Redaction, ward.InstitutionID, error) {
			v, err := s.Store.Redaction(ctx, in.ID)
			return v, v.InstitutionID, err
		}, s.cancelRedaction)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/cases/{id}/unmaskings", OperationID: "requestUnmasking", Summary: "Request to see a covered item as it is; another person agrees", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *newUnmaskingInput) (ward.Case, ward.InstitutionID, error) {
			return s.loadCase(ctx, &in.CasePath)
		}, s.requestUnmasking)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/unmaskings/{id}/answer", OperationID: "answerUnmasking", Summary: "Agree to or refuse what somebody else requested; or take back one's own request", Tags: tags},
		func(ctx context.Context, in *unmaskReplyInput) (ward.Unmasking, ward.InstitutionID, error) {
			v, err := s.Store.Unmasking(ctx, in.ID)
			return v, v.InstitutionID, err
		}, s.answerUnmasking)
}

func (s *Server) caseRedactions(ctx context.Context, _ *CasePath, c ward.Case) (*body[CaseRedactions], error) {
	out := CaseRedactions{Redactions: []CaseRedaction{}, Covered: []ward.EvidenceID{}, Open: []ward.EvidenceID{}}
	all, err := s.Store.Redactions(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	mine, err := s.Store.Covered(ctx, c.ID, callerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		v := CaseRedaction{Redaction: r}
		if r.State == ward.RedactionQueued && s.Redactions != nil {
			v.Progress = s.Redactions.Progress(r.ID)
		}
		out.Redactions = append(out.Redactions, v)
	}
	covered, err := s.Store.Covered(ctx, c.ID, "")
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Sorted(maps.Keys(covered)) {
		out.Covered = append(out.Covered, e)
		if !mine[e] {
			out.Open = append(out.Open, e)
		}
	}
	u, err := s.Store.Unmaskings(ctx, c.ID)
	out.Unmaskings = list(u)
	return answer(out, err)
}

// itemOf is an item of the case, or a ward.Invalid "evidence.unknown".
func (s *Server) itemOf(ctx context.Context, c ward.Case, id ward.EvidenceID) (ward.Evidence, error) {
	e, err := s.Store.EvidenceItem(ctx, id)
	if missing(err) || err == nil && e.CaseID != c.ID {
		return e, &ward.Error{Kind: ward.Invalid, Code: "evidence.unknown", ZH: "案件中没有这件证据，请刷新页面。", EN: "The case has no such item; reload the page."}
	}
	return e, err
}

func (s *Server) redact(ctx context.Context, in *newRedactionInput, c ward.Case) (*created[ward.Redaction], error) {
	if s.Redactions == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "redaction.off", ZH: "未启用视觉进程，无法遮挡。", EN: "There are no vision workers, so nothing can be covered."}
	}
	return once(ctx, s, "redact/"+string(c.ID), in.Key, in.RawBody, func() (ward.Redaction, error) {
		e, err := s.itemOf(ctx, c, in.Body.EvidenceID)
		if err != nil {
			return ward.Redaction{}, err
		}
		r, err := s.Store.QueueRedaction(ctx, e, c.InstitutionID, in.Body.RedactionPlan, in.Body.Reason, callerOf(ctx).User)
		if err == nil {
			s.Redactions.Wake()
		}
		return r, err
	})
}

func (s *Server) cancelRedaction(ctx context.Context, _ *RedactionPath, r ward.Redaction) (*empty, error) {
	if s.Redactions != nil {
		return &empty{}, s.Redactions.Cancel(ctx, r.ID)
	}
	return &empty{}, s.Store.EndRedaction(ctx, r.ID, ward.RedactionCancelled, "")
}

func (s *Server) requestUnmasking(ctx context.Context, in *newUnmaskingInput, c ward.Case) (*created[ward.Unmasking], error) {
	return once(ctx, s, "requestUnmasking/"+string(c.ID), in.Key, in.RawBody, func() (ward.Unmasking, error) {
		e, err := s.itemOf(ctx, c, in.Body.EvidenceID)
		if err != nil {
			return ward.Unmasking{}, err
		}
		return s.Store.RequestUnmasking(ctx, e, c.InstitutionID, in.Body.Reason, callerOf(ctx).User)
	})
}

func (s *Server) answerUnmasking(ctx context.Context, in *unmaskReplyInput, v ward.Unmasking) (*body[ward.Unmasking], error) {
	b, by := in.Body, callerOf(ctx).User
	if b.Agree {
		err := v.MayAnswer(by.ID, true, b.Reason)
		if err == nil {
			err = s.again(ctx, b.Password)
		}
		if err != nil {
			return nil, s.refused(ctx, view{object: "evidence/" + string(v.EvidenceID), caseID: v.CaseID, action: ward.ActionLiftMask}, err)
		}
	}
	return answer(s.Store.AnswerUnmasking(ctx, v.ID, by, b.Agree, b.Reason))
}

// uncovered says how the caller sees an item of a case: covered, which is an
// error, as it is though it is covered, or just so.
func (s *Server) uncovered(ctx context.Context, e ward.Evidence) (lifted bool, err error) {
	all, err := s.Store.Covered(ctx, e.CaseID, "")
	if err != nil || !all[e.ID] {
		return false, err
	}
	mine, err := s.Store.Covered(ctx, e.CaseID, callerOf(ctx).ID)
	if err == nil && mine[e.ID] {
		err = ward.Masked()
	}
	return true, err
}

// uncoveredSpan refuses a stretch of recording of which a part is covered in a
// case for the caller.
func (s *Server) uncoveredSpan(ctx context.Context, src ward.Source, from, to time.Time) error {
	covered, err := s.Store.CoveredSpan(ctx, src, from, to, callerOf(ctx).ID)
	if err == nil && covered {
		err = s.refused(ctx, view{object: src.String()}, ward.Masked())
	}
	return err
}
