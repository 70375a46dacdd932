package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// maxHoldsShown bounds the list of a case's holds; the counts are of all.
const maxHoldsShown = 200

// CaseHolds is what a case holds, and who asked to let it go.
type CaseHolds struct {
	Holds    []CaseHold         `json:"holds" doc:"The newest first, at most 200"`
	InForce  int                `json:"in_force" doc:"Stretches of recording that are held"`
	Ended    int                `json:"ended" doc:"Stretches that were released"`
	Pictures int                `json:"pictures" doc:"Pictures that are held"`
	Objects  storage.HoldCount  `json:"objects" doc:"Files in the object store that are held, by how far the store is with withholding them"`
	Releases []ward.HoldRelease `json:"releases" doc:"The newest first"`
}

// CaseHold is a stretch with the release that ended it, if any.
type CaseHold struct {
	ward.Hold
	Release ward.ReleaseID `json:"release,omitempty" doc:"That ended it"`
}

// ReleaseRequest asks that a case hold no more what it holds now.
type ReleaseRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1000"`
}

// ReleaseReply answers a request for release.
type ReleaseReply struct {
	Agree    bool   `json:"agree"`
	Reason   string `json:"reason,omitempty" maxLength:"1000" doc:"Needed for a refusal"`
	Password string `json:"password,omitempty" maxLength:"256" writeOnly:"true" doc:"One's own, to agree: whoever sits down at somebody's open browser confirms nothing"`
}

// ReleasePath names a request for release in the address.
type ReleasePath struct {
	ID ward.ReleaseID `path:"id" maxLength:"64"`
}

type releaseInput struct {
	CasePath
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"The same key with the same body repeats the stored answer for 24 h; with another body it is refused"`
	RawBody []byte
	Body    ReleaseRequest
}

type releaseReplyInput struct {
	ReleasePath
	Body ReleaseReply
}

func (s *Server) holdRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/cases/{id}/holds", OperationID: "caseHolds", Summary: "What a case holds, how far the object store is with it, and requests for release", Tags: tags}, s.loadCase, s.caseHolds)
	on(r, may, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cases/{id}/releases", OperationID: "requestRelease",
		Summary: "Request that a case hold no more what it holds now; another person confirms it", Tags: tags, DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *releaseInput) (ward.Case, ward.InstitutionID, error) {
		return s.loadCase(ctx, &in.CasePath)
	}, s.requestRelease)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/releases/{id}/answer", OperationID: "answerRelease", Summary: "Confirm or refuse what somebody else requested; or take back one's own request", Tags: tags},
		func(ctx context.Context, in *releaseReplyInput) (ward.HoldRelease, ward.InstitutionID, error) {
			v, err := s.Store.Release(ctx, in.ID)
			return v, v.InstitutionID, err
		}, s.answerRelease)
}

func (s *Server) caseHolds(ctx context.Context, _ *CasePath, c ward.Case) (*body[CaseHolds], error) {
	v, err := s.Store.CaseHolds(ctx, c.ID)
	out := CaseHolds{Holds: []CaseHold{}, Pictures: v.Pictures, Objects: v.Objects, Releases: []ward.HoldRelease{}}
	for _, h := range slices.Backward(v.Holds) {
		if h.Release == "" {
			out.InForce++
		} else {
			out.Ended++
		}
		if len(out.Holds) < maxHoldsShown {
			out.Holds = append(out.Holds, CaseHold{h, h.Release})
		}
	}
	for _, r := range slices.Backward(v.Releases) {
		out.Releases = append(out.Releases, r)
	}
	return answer(out, err)
}

func (s *Server) requestRelease(ctx context.Context, in *releaseInput, c ward.Case) (*created[ward.HoldRelease], error) {
	return once(ctx, s, "requestRelease/"+string(c.ID), in.Key, in.RawBody, func() (ward.HoldRelease, error) {
		return s.Store.RequestRelease(ctx, c.ID, in.Body.Reason, callerOf(ctx).User)
	})
}

func (s *Server) answerRelease(ctx context.Context, in *releaseReplyInput, v ward.HoldRelease) (*body[ward.HoldRelease], error) {
	b, by := in.Body, callerOf(ctx).User
	if b.Agree {
		err := v.MayAnswer(by.ID, true, b.Reason)
		if err == nil {
			err = s.again(ctx, b.Password)
		}
		if err != nil {
			return nil, s.refused(ctx, view{object: "hold_release/" + string(v.ID), caseID: v.CaseID, action: ward.ActionRelease}, err)
		}
	}
	return answer(s.Store.AnswerRelease(ctx, v.ID, by, b.Agree, b.Reason))
}
