package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// VisitDetail is everything about one bed of a round.
type VisitDetail struct {
	Visit       ward.Visit          `json:"visit"`
	Checks      []ward.Check        `json:"checks"`
	Events      []ward.VisitEvent   `json:"events"`
	Insured     ward.Insured        `json:"insured" doc:"Masked"`
	Physician   string              `json:"physician,omitempty" doc:"The name, where a physician is verified"`
	Enrolment   *ward.Enrolment     `json:"enrolment,omitempty" doc:"What the face was judged against; absent: nothing yet, or from before versions were kept"`
	Recording   *Recording          `json:"recording,omitempty" doc:"Absent while nothing is recorded"`
	Findings    []ward.VisitFinding `json:"findings" doc:"What other visits show about it, also after its verdict"`
	HasSnapshot bool                `json:"has_snapshot"`
	Ordered     time.Time           `json:"ordered"`
	Told        []ward.Telling      `json:"told" doc:"How the bedside was told, and the devices' own receipts"`
	Rulings     []ward.Ruling       `json:"rulings" doc:"What people proposed and confirmed over it, the oldest first"`
	InForce     ward.Verdict        `json:"in_force" doc:"The verdict that counts now"`
	ByRuling    ward.RulingID       `json:"by_ruling,omitempty" doc:"The ruling that it comes from; none: the visit's own"`
	OneDecides  []ward.Verdict      `json:"one_decides" doc:"The verdicts that one person may give now; others take two"`
	// Circumstances are what a proposal may name, with what each demands.
	Circumstances []ward.CircumstanceRule `json:"circumstances"`
}

// Recording says from when to when there is a recording.
type Recording struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// VisitDecision is a human's verdict.
type VisitDecision struct {
	Verdict ward.Verdict `json:"verdict"`
	Reason  string       `json:"reason" minLength:"1" maxLength:"500"`
}

// VisitPath names a visit in the address.
type VisitPath struct {
	ID ward.VisitID `path:"id" maxLength:"64"`
}

type visitDecisionInput struct {
	VisitPath
	Body VisitDecision
}

func (s *Server) visitRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/visits/{id}", OperationID: "getVisit", Summary: "A visit with its checks and events", Tags: tags}, s.loadVisit, s.getVisit)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/link", OperationID: "reissueLink", Summary: "A new link; the old one is dead from now on", Tags: tags, DefaultStatus: http.StatusCreated}, s.loadVisit, s.reissueLink)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/decision", OperationID: "decideVisit", Summary: "A human's verdict over what the checks left undecided", Tags: tags},
		func(ctx context.Context, in *visitDecisionInput) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.decideVisit)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/visits/{id}/snapshot.jpg", OperationID: "visitSnapshot", Summary: "The face that was compared", Tags: tags}, "image/jpeg"), s.loadVisit, s.visitSnapshot)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/visits/{id}/clip.mp4", OperationID: "visitClip", Summary: "The recording of the session", Tags: tags}, "video/mp4"), func(ctx context.Context, in *visitStretch) (ward.Visit, ward.InstitutionID, error) {
		return s.loadVisit(ctx, &in.VisitPath)
	}, s.visitClip)
}

func (s *Server) loadVisit(ctx context.Context, in *VisitPath) (ward.Visit, ward.InstitutionID, error) {
	v, err := s.Store.Visit(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) getVisit(ctx context.Context, _ *VisitPath, v ward.Visit) (*body[VisitDetail], error) {
	out := VisitDetail{Visit: v, HasSnapshot: v.SnapshotKey != ""}
	var err error
	if out.Checks, err = s.Store.Checks(ctx, v.ID); err != nil {
		return nil, err
	}
	if out.Events, err = s.Store.VisitEvents(ctx, v.ID); err != nil {
		return nil, err
	}
	if out.Rulings, err = s.Store.Rulings(ctx, v.ID); err != nil {
		return nil, err
	}
	if out.Findings, err = s.Store.FindingsOf(ctx, v.ID); err != nil {
		return nil, err
	}
	out.Findings = list(out.Findings)
	out.InForce, _, out.ByRuling = ward.InForce(v, out.Rulings)
	out.Circumstances, out.OneDecides = ward.Circumstances(), []ward.Verdict{}
	for _, verdict := range out.Circumstances[0].Verdicts {
		if !ward.TakesTwo(v.State, out.Checks, verdict) {
			out.OneDecides = append(out.OneDecides, verdict)
		}
	}
	if out.Enrolment, err = s.judgedAgainst(ctx, v, out.Checks); err != nil {
		return nil, err
	}
	p, err := s.Store.Insured(ctx, v.InsuredID)
	if err != nil && !missing(err) {
		return nil, err
	}
	physicians, err := s.physicianNames(ctx, []ward.Visit{v})
	if err != nil {
		return nil, err
	}
	out.Physician = physicians[v.PhysicianID]
	r, err := s.Store.Round(ctx, v.RoundID)
	if err != nil {
		return nil, err
	}
	out.Ordered = r.Ordered
	if out.Told, err = s.Store.TellingsOf(ctx, v.ID); err != nil {
		return nil, err
	}
	out.Checks, out.Events, out.Insured = list(out.Checks), list(out.Events), p.Masked()
	out.Recording, err = s.recordingOf(ctx, v)
	return answer(out, err)
}

// recordingOf is the span of a visit's finished segments, nil when it has none.
func (s *Server) recordingOf(ctx context.Context, v ward.Visit) (*Recording, error) {
	src := ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}
	segments, err := s.Store.SegmentsBetween(ctx, src, time.Unix(0, 0), s.now().Add(time.Minute))
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	return &Recording{segments[0].Start, segments[len(segments)-1].End}, nil
}

func (s *Server) reissueLink(ctx context.Context, _ *VisitPath, v ward.Visit) (*body[OrderedVisit], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	l, err := e.Reissue(ctx, v.ID)
	return answer(linked(l), err)
}

func (s *Server) decideVisit(ctx context.Context, in *visitDecisionInput, v ward.Visit) (*body[ward.Visit], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return answer(e.Decide(ctx, v.ID, callerOf(ctx).User, in.Body.Verdict, in.Body.Reason))
}

func (s *Server) callVisit(ctx context.Context, in *visitOffer, v ward.Visit) (*sdpOutput, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	reply, id, err := e.Call(ctx, v.ID, callerOf(ctx).User, string(in.RawBody))
	return &sdpOutput{Location: v1 + "/calls/" + id, ContentType: sdpType, Body: []byte(reply)}, err
}

func (s *Server) visitICE(ctx context.Context, _ *VisitPath, v ward.Visit) (*body[rounds.ICE], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return answer(e.CallICE(v, callerOf(ctx).User))
}

func (s *Server) endCall(ctx context.Context, in *ViewerPath) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return &empty{}, e.EndCall(ctx, in.ID, callerOf(ctx).ID)
}

func (s *Server) visitSnapshot(ctx context.Context, _ *VisitPath, v ward.Visit) (*huma.StreamResponse, error) {
	return s.showObject(ctx, view{object: "visit/" + string(v.ID) + "/snapshot", caseID: v.CaseID}, v.SnapshotKey, "image/jpeg")
}

type visitStretch struct {
	VisitPath
	From time.Time `query:"from" doc:"Default: the beginning"`
	To   time.Time `query:"to" doc:"Default: the end, at most ten minutes after from"`
}

func (s *Server) visitClip(ctx context.Context, in *visitStretch, v ward.Visit) (*huma.StreamResponse, error) {
	span, err := s.recordingOf(ctx, v)
	if err != nil {
		return nil, err
	}
	if span == nil { // the session runs: its first segment is still being written
		if v.Consented.IsZero() {
			return nil, notFound()
		}
		span = &Recording{v.Consented, s.now()}
	}
	if !in.From.IsZero() {
		span.From = in.From
	}
	if !in.To.IsZero() {
		span.To = in.To
	} else if last := span.From.Add(ingest.MaxClip); span.To.After(last) {
		span.To = last
	}
	src := ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}
	return s.showClip(ctx, view{object: "visit/" + string(v.ID) + "/clip", caseID: v.CaseID}, v.InstitutionID, src, span.From, span.To)
}
