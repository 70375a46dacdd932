package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// DrawOptions is what the form of a draw needs.
type DrawOptions struct {
	Inspectors []storage.UserName `json:"inspectors" doc:"Who may be drawn"`
	Contacts   int                `json:"contacts" doc:"Who can answer a coin flip"`
	Previous   ward.DrawID        `json:"previous,omitempty" doc:"The last draw of today: another must name it and say why"`
	Open       ward.DrawID        `json:"open,omitempty" doc:"A draw that still waits for its seed"`
	Network    bool               `json:"network" doc:"Relays of the beacon are configured; else its round is given by hand"`
}

// RankedStay is a current stay with its risk.
type RankedStay struct {
	Admission
	Risk ward.Risk `json:"risk"`
}

// CoinFlip is a draw as the institution's contact may know of it: that it is
// committed, and nothing of who may be visited.
type CoinFlip struct {
	ID            ward.DrawID        `json:"id"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
	Day           string             `json:"day"`
	Number        int                `json:"number"`
	State         ward.DrawState     `json:"state"`
	Committed     time.Time          `json:"committed"`
	Due           time.Time          `json:"due"`
	Commitment    string             `json:"commitment" doc:"SHA-256 of the sealed commitment: note it before you answer"`
	Leaf          int64              `json:"leaf" doc:"Its place in the ledger"`
	SecretSHA256  string             `json:"secret_sha256"`
	Value         string             `json:"value,omitempty" doc:"The number that was given"`
	Secret        string             `json:"secret,omitempty" doc:"Ours, once nothing can be learned from it any more: the round was ordered, or the draw ended"`
}

// CoinAnswer is the contact's number, or the refusal to give one.
type CoinAnswer struct {
	Commitment string `json:"commitment" minLength:"64" maxLength:"64" doc:"As it was shown"`
	Value      string `json:"value,omitempty" maxLength:"64" doc:"64 lower-case hex digits"`
	Refuse     string `json:"refuse,omitempty" maxLength:"200" doc:"Why no number is given"`
}

type riskList struct {
	InstitutionID ward.InstitutionID `query:"institution_id" required:"true" maxLength:"64"`
}

type coinAnswer struct {
	DrawPath
	Body CoinAnswer
}

func (s *Server) flipRoutes(r *routes) {
	tags := []string{"draws"}
	add(r, role(ward.MayRound), huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions/risk", OperationID: "rankAdmissions", Summary: "The current stays of an institution by risk, the highest first, with the reasons", Tags: []string{"rounds"}}, s.rankAdmissions)
	add(r, role(ward.MayFlip), huma.Operation{Method: http.MethodGet, Path: v1 + "/coin-flips", OperationID: "listCoinFlips", Summary: "The coin flips that the institution's contact is or was asked for, newest first", Tags: tags}, s.listFlips)
	on(r, ward.MayFlip, huma.Operation{Method: http.MethodPost, Path: v1 + "/coin-flips/{id}", OperationID: "answerCoinFlip", Summary: "Give the contact's random number, or refuse", Tags: tags},
		func(ctx context.Context, in *coinAnswer) (ward.Draw, ward.InstitutionID, error) {
			return s.loadDraw(ctx, &in.DrawPath)
		}, s.answerFlip)
}

func (s *Server) drawOptions(ctx context.Context, in *riskList) (*body[DrawOptions], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	if !callerOf(ctx).May(ward.MayRound, in.InstitutionID) {
		return nil, notFound()
	}
	out := DrawOptions{Inspectors: []storage.UserName{}, Network: len(d.Relays) > 0}
	available, err := d.Available(ctx, in.InstitutionID)
	if err != nil {
		return nil, err
	}
	for _, u := range available {
		out.Inspectors = append(out.Inspectors, storage.UserName{ID: u.ID, Name: u.Name})
	}
	if out.Contacts, err = d.Contacts(ctx, in.InstitutionID); err != nil {
		return nil, err
	}
	last, err := s.Store.Draws(ctx, []ward.InstitutionID{in.InstitutionID}, "", 1)
	for _, v := range last {
		if v.Day == ward.ChinaDay(s.now()) {
			out.Previous = v.ID
		}
		if v.State == ward.DrawCommitted {
			out.Open = v.ID
		}
	}
	return answer(out, err)
}

func (s *Server) rankAdmissions(ctx context.Context, in *riskList) (*body[Page[RankedStay]], error) {
	who := callerOf(ctx)
	if !who.May(ward.MayRound, in.InstitutionID) {
		return nil, notFound()
	}
	facts, err := s.Store.RiskFacts(ctx, in.InstitutionID, who.scope(), s.now())
	if err != nil {
		return nil, err
	}
	stays, err := s.Store.Admissions(ctx, []ward.InstitutionID{in.InstitutionID}, "")
	if err != nil {
		return nil, err
	}
	ids := make([]ward.InsuredID, len(stays))
	for i, a := range stays {
		ids[i] = a.InsuredID
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	out := make([]RankedStay, 0, len(facts))
	for _, a := range stays {
		if f, ok := facts[a.ID]; ok {
			out = append(out, RankedStay{Admission{Admission: a, Insured: people[a.InsuredID].Masked()}, ward.RiskOf(f)})
		}
	}
	slices.SortStableFunc(out, func(a, b RankedStay) int { return cmp.Compare(b.Risk.Score, a.Risk.Score) })
	return items(out, err)
}

func (s *Server) listFlips(ctx context.Context, in *drawList) (*body[Page[CoinFlip]], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Draws(ctx, callerOf(ctx).narrow(in.InstitutionID), ward.DrawID(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	page := Page[CoinFlip]{Items: []CoinFlip{}, Next: pageAfter(all, in.Limit, func(v ward.Draw) string { return string(v.ID) }).Next}
	for _, v := range all {
		if v.Source != ward.SourceCoin {
			continue
		}
		view, err := d.View(ctx, v)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, flipOf(view))
	}
	return answer(page, nil)
}

// flipOf tells a contact of a draw. Our secret stays hidden while a result is
// not ordered: with it and the list of inpatients the beds could be guessed.
func flipOf(v rounds.DrawView) CoinFlip {
	f := CoinFlip{
		ID: v.Draw.ID, InstitutionID: v.Draw.InstitutionID, Day: v.Draw.Day, Number: v.Draw.Number, State: v.Draw.State, Committed: v.Draw.Committed,
		Due: v.Draw.Due, Commitment: v.Draw.Commitment, Leaf: v.Draw.Leaf, SecretSHA256: v.Commitment.SecretSHA256,
	}
	if v.Result != nil && v.Result.Coin != nil {
		f.Value = v.Result.Coin.Value
	}
	switch v.Draw.State {
	case ward.DrawCommitted, ward.DrawDrawn:
	case ward.DrawOrdered, ward.DrawFailed, ward.DrawAbandoned:
		if v.Result != nil {
			f.Secret = v.Result.Secret
		} else if v.End != nil {
			f.Secret = v.End.Secret
		}
	}
	return f
}

func (s *Server) answerFlip(ctx context.Context, in *coinAnswer, v ward.Draw) (*body[CoinFlip], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	v, err = d.Answer(ctx, callerOf(ctx).User, v.ID, rounds.Flip{Commitment: in.Body.Commitment, Value: in.Body.Value, Refuse: in.Body.Refuse})
	if err != nil {
		return nil, err
	}
	view, err := d.View(ctx, v)
	return answer(flipOf(view), err)
}
