package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// maxWaiting bounds the list of visits that wait for a human.
const maxWaiting = 500

// RulingProposal is a verdict for another person to confirm.
type RulingProposal struct {
	Circumstance ward.Circumstance `json:"circumstance"`
	Verdict      ward.Verdict      `json:"verdict"`
	Reason       string            `json:"reason" minLength:"1" maxLength:"1000"`
	People       []string          `json:"people" maxItems:"5" doc:"Names of those at the bedside; they are stored encrypted and not in the ledger"`
	Pictures     []RulingPicture   `json:"pictures" maxItems:"3" doc:"JPEG or PNG of at most 2 MB each"`
}

// RulingPicture is the bytes of one picture, base64.
type RulingPicture struct {
	Bytes []byte `json:"bytes" maxLength:"2796204"`
}

// RulingReply is another person's answer to a proposal.
type RulingReply struct {
	Agree    bool   `json:"agree"`
	Reason   string `json:"reason,omitempty" maxLength:"1000" doc:"Needed for a refusal"`
	Password string `json:"password,omitempty" maxLength:"256" writeOnly:"true" doc:"One's own, to agree: whoever sits down at somebody's open browser confirms nothing"`
}

// WaitingVisit is a visit that waits for a human.
type WaitingVisit struct {
	Visit   ward.Visit   `json:"visit"`
	Insured ward.Insured `json:"insured" doc:"Masked"`
	InForce ward.Verdict `json:"in_force" doc:"The verdict that counts until then"`
	// Ruling is the proposal that waits for its second person, if any.
	Ruling *ward.Ruling `json:"ruling,omitempty"`
}

// WaitingVisits are visits that wait for a human.
type WaitingVisits struct {
	Items []WaitingVisit `json:"items"`
}

// RulingPath names a ruling over a visit in the address.
type RulingPath struct {
	VisitPath
	Ruling ward.RulingID `path:"ruling" maxLength:"64"`
}

type rulingProposalInput struct {
	VisitPath
	Keyed
	RawBody []byte
	Body    RulingProposal
}

type rulingReplyInput struct {
	RulingPath
	Body RulingReply
}

type rulingPictureInput struct {
	RulingPath
	Number int `path:"number" minimum:"1" maximum:"3"`
}

func (s *Server) rulingRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/waiting-visits", OperationID: "listWaitingVisits", Summary: "Visits in scope that wait for a human: for a verdict, or for the second person", Tags: tags}, s.listWaiting)
	on(r, may, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/visits/{id}/rulings", OperationID: "proposeRuling", Summary: "Propose a verdict that another person is to confirm", Tags: tags,
		DefaultStatus: http.StatusCreated, MaxBodyBytes: 9 << 20, BodyReadTimeout: uploadTimeout,
	}, func(ctx context.Context, in *rulingProposalInput) (ward.Visit, ward.InstitutionID, error) {
		return s.loadVisit(ctx, &in.VisitPath)
	}, s.proposeRuling)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/rulings/{ruling}/answer", OperationID: "answerRuling", Summary: "Confirm or refuse what somebody else proposed; or take back one's own", Tags: tags},
		func(ctx context.Context, in *rulingReplyInput) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.answerRuling)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/visits/{id}/rulings/{ruling}/proofs/{number}", OperationID: "rulingProof", Summary: "A picture that supports a ruling", Tags: tags}, "image/jpeg", "image/png"),
		func(ctx context.Context, in *rulingPictureInput) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.rulingProof)
}

func (s *Server) listWaiting(ctx context.Context, in *InstitutionFilter) (*body[WaitingVisits], error) {
	visits, err := s.Store.WaitingVisits(ctx, callerOf(ctx).narrow(in.InstitutionID), maxWaiting)
	if err != nil {
		return nil, err
	}
	ids := make([]ward.InsuredID, len(visits))
	for i, v := range visits {
		ids[i] = v.InsuredID
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := WaitingVisits{Items: make([]WaitingVisit, len(visits))}
	for i, v := range visits {
		rulings, err := s.Store.Rulings(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		out.Items[i] = WaitingVisit{Visit: v, Insured: people[v.InsuredID].Masked()}
		out.Items[i].InForce, out.Items[i].Ruling = ruled(v, rulings)
	}
	return answer(out, nil)
}

func (s *Server) proposeRuling(ctx context.Context, in *rulingProposalInput, v ward.Visit) (*created[ward.Ruling], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	b := in.Body
	p := rounds.Proposal{Circumstance: b.Circumstance, Verdict: b.Verdict, Reason: b.Reason, People: b.People}
	for _, picture := range b.Pictures {
		p.Pictures = append(p.Pictures, picture.Bytes)
	}
	return once(ctx, s, "proposeRuling/"+string(v.ID), in.Key, in.RawBody, func() (ward.Ruling, error) {
		r, err := e.Propose(ctx, v.ID, callerOf(ctx).User, p)
		r.People, r.Proofs = list(r.People), list(r.Proofs)
		return r, inBody(err)
	})
}

func (s *Server) answerRuling(ctx context.Context, in *rulingReplyInput, v ward.Visit) (*body[ward.Ruling], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	if in.Body.Agree {
		if err := s.again(ctx, in.Body.Password); err != nil {
			return nil, err
		}
	}
	return answer(e.Answer(ctx, v.ID, in.Ruling, callerOf(ctx).User, in.Body.Agree, in.Body.Reason))
}

func (s *Server) rulingProof(ctx context.Context, in *rulingPictureInput, v ward.Visit) (*huma.StreamResponse, error) {
	r, err := s.Store.Ruling(ctx, in.Ruling)
	if err != nil {
		return nil, err
	}
	if r.VisitID != v.ID || in.Number < 1 || in.Number > len(r.Proofs) {
		return nil, notFound()
	}
	p := r.Proofs[in.Number-1]
	sum, err := hex.DecodeString(p.SHA256)
	if err != nil {
		return nil, fmt.Errorf("proof of ruling %s: %w", r.ID, err)
	}
	return s.showObject(ctx, view{object: fmt.Sprintf("ruling/%s/%d", r.ID, in.Number), caseID: v.CaseID, sha256: sum}, p.Key, p.MediaType)
}
