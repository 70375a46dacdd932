package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// RoundOrder orders a surprise round.
type RoundOrder struct {
	InstitutionID ward.InstitutionID `json:"institution_id" maxLength:"64"`
	Reason        string             `json:"reason" minLength:"1" maxLength:"500" doc:"Shown at the bedside"`
	Ward          string             `json:"ward,omitempty" maxLength:"64"`
	AdmissionIDs  []ward.AdmissionID `json:"admission_ids,omitempty" maxItems:"200" doc:"None means every current stay of the ward"`
	Deadline      time.Time          `json:"deadline"`
	RemindMinutes int                `json:"remind_minutes,omitempty" minimum:"0" maximum:"1439" doc:"Before the deadline; 0: no reminder"`
	Notify        []ward.EndpointID  `json:"notify,omitempty" maxItems:"16" doc:"Who is reminded, and told when nobody answered"`
	Method        ward.RoundMethod   `json:"method,omitempty" doc:"How the beds were chosen: hand (default), or risk, which seals their scores with the order"`
}

// OrderedVisit is a visit with its link, which is shown only here.
type OrderedVisit struct {
	Visit ward.Visit `json:"visit"`
	Link  string     `json:"link" doc:"/bedside#TOKEN, to be put behind the server's address; works once"`
}

// OrderedRound is the answer to an order.
type OrderedRound struct {
	Round  ward.Round     `json:"round"`
	Visits []OrderedVisit `json:"visits"`
}

// RoundDetail is a round with its visits.
type RoundDetail struct {
	Round  ward.Round     `json:"round"`
	Visits []VisitSummary `json:"visits"`
}

// VisitSummary is a visit with the masked person.
type VisitSummary struct {
	Visit   ward.Visit   `json:"visit"`
	Insured ward.Insured `json:"insured" doc:"Masked"`
	// Physician is who is verified instead of an insured person.
	Physician string         `json:"physician,omitempty" doc:"The name, where a physician is verified"`
	Told      []ward.Telling `json:"told" doc:"How the bedside was told, and the devices' own receipts"`
	Tablets   []TabletRow    `json:"tablets" doc:"Those that ring for this bed"`
	Waiting   int            `json:"waiting,omitempty" doc:"The bedside's place in the line of those that wait to be checked, from 1"`
	Prompt    string         `json:"prompt,omitempty" doc:"The command that was sent last, while the bed is checked"`
	Flagged   bool           `json:"flagged" doc:"Another visit shows something about it: see its findings"`
	InForce   ward.Verdict   `json:"in_force" doc:"The verdict that counts now: the visit's own, or that of two people over it"`
	// Displaced are the checks of place that failed or are unsure.
	Displaced []ward.CheckKind `json:"displaced"`
	// Ruling is the proposal that waits for its second person, if any.
	Ruling *ward.Ruling `json:"ruling,omitempty"`
}

type roundList struct {
	Paging
	InstitutionFilter
	Purpose ward.Purpose `query:"purpose" doc:"What it was ordered for; left out: ward rounds"`
}

// RoundPath names a round in the address.
type RoundPath struct {
	ID ward.RoundID `path:"id" maxLength:"64"`
}

func (s *Server) roundRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/rounds", OperationID: "orderRound", Summary: "Order a round; the links are shown only in this answer", Tags: tags, DefaultStatus: http.StatusCreated}, s.orderRound)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/rounds", OperationID: "listRounds", Summary: "Rounds in scope, newest first", Tags: tags}, s.listRounds)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/rounds/{id}", OperationID: "getRound", Summary: "A round with its visits", Tags: tags}, s.loadRound, s.getRound)
}

// rounds returns the engine, or says that this process conducts no rounds.
func (s *Server) rounds() (*rounds.Engine, error) {
	if s.Rounds == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "rounds.missing", ZH: "本服务未启用查房功能。", EN: "This process conducts no rounds."}
	}
	return s.Rounds, nil
}

func (s *Server) orderRound(ctx context.Context, in *creation[RoundOrder]) (*created[OrderedRound], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !who.May(ward.MayRound, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	if err := s.mayTell(ctx, b.InstitutionID, b.Notify); err != nil {
		return nil, err
	}
	return once(ctx, s, "orderRound", in.Key, in.RawBody, func() (OrderedRound, error) {
		round, links, err := e.Order(ctx, who.User, rounds.Order{
			InstitutionID: b.InstitutionID, Reason: b.Reason, Ward: b.Ward, Admissions: b.AdmissionIDs, Deadline: b.Deadline.UTC(), Method: b.Method,
			Remind: time.Duration(b.RemindMinutes) * time.Minute, Notify: b.Notify,
		})
		return ordered(round, links), inBody(err)
	})
}

func ordered(round ward.Round, links []rounds.VisitLink) OrderedRound {
	out := OrderedRound{Round: round, Visits: make([]OrderedVisit, len(links))}
	for i, l := range links {
		out.Visits[i] = linked(l)
	}
	return out
}

// linked shows the link; the token is in the fragment, which browsers send nowhere.
func linked(l rounds.VisitLink) OrderedVisit {
	return OrderedVisit{l.Visit, "/bedside#" + l.Token}
}

func (s *Server) listRounds(ctx context.Context, in *roundList) (*body[Page[ward.Round]], error) {
	purpose := in.Purpose
	if purpose == "" {
		purpose = ward.ForVisit
	}
	v, err := s.Store.Rounds(ctx, callerOf(ctx).narrow(in.InstitutionID), []ward.Purpose{purpose}, ward.RoundID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(r ward.Round) string { return string(r.ID) }), err)
}

func (s *Server) loadRound(ctx context.Context, in *RoundPath) (ward.Round, ward.InstitutionID, error) {
	v, err := s.Store.Round(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) getRound(ctx context.Context, _ *RoundPath, round ward.Round) (*body[RoundDetail], error) {
	visits, err := s.Store.Visits(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]ward.InsuredID, len(visits))
	for i, v := range visits {
		ids[i] = v.InsuredID
	}
	rulings, err := s.Store.RulingsOfRound(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	physicians, err := s.physicianNames(ctx, visits)
	if err != nil {
		return nil, err
	}
	tellings, err := s.Store.Tellings(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	told := map[ward.VisitID][]ward.Telling{}
	for _, w := range tellings {
		told[w.VisitID] = append(told[w.VisitID], w)
	}
	prompts, err := s.Store.Prompts(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	findings, err := s.Store.FindingsOfRound(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	displaced, err := s.Store.Displaced(ctx, round.ID)
	if err != nil {
		return nil, err
	}
	tablets, err := s.Store.Tablets(ctx, []ward.InstitutionID{round.InstitutionID})
	var waiting map[ward.VisitID]int
	if s.Rounds != nil {
		waiting = s.Rounds.Waiting()
	}
	out := RoundDetail{Round: round, Visits: make([]VisitSummary, len(visits))}
	for i, v := range visits {
		out.Visits[i] = VisitSummary{Visit: v, Insured: people[v.InsuredID].Masked(), Physician: physicians[v.PhysicianID], Told: list(told[v.ID]), Tablets: s.tabletsOf(v, tablets), Waiting: waiting[v.ID], Prompt: prompts[v.ID], Flagged: len(findings[v.ID]) > 0, Displaced: list(displaced[v.ID])}
		out.Visits[i].InForce, out.Visits[i].Ruling = ruled(v, rulings[v.ID])
	}
	return answer(out, err)
}

// tabletsOf are the paired tablets that stand at v's bed, or in its ward when none does.
func (s *Server) tabletsOf(v ward.Visit, all []ward.Tablet) []TabletRow {
	own, wards := []TabletRow{}, []TabletRow{}
	for _, t := range all {
		switch {
		case t.Paired.IsZero() || !t.Serves(v.InstitutionID, v.Ward, v.Bed):
		case t.Bed != "":
			own = append(own, s.tabletRow(t))
		default:
			wards = append(wards, s.tabletRow(t))
		}
	}
	if len(own) > 0 {
		return own
	}
	return wards
}

// ruled is the verdict that counts over v, and the proposal that waits.
func ruled(v ward.Visit, rulings []ward.Ruling) (ward.Verdict, *ward.Ruling) {
	verdict, _, _ := ward.InForce(v, rulings)
	for _, r := range rulings {
		if r.State == ward.RulingProposed {
			return verdict, &r
		}
	}
	return verdict, nil
}
