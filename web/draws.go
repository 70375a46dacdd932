package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/rounds/drand"
	"wardwatch/rounds/draw"
	"wardwatch/ward"
)

// DrawOrder asks for an auditable draw.
type DrawOrder struct {
	InstitutionID ward.InstitutionID  `json:"institution_id" maxLength:"64"`
	Source        ward.DrawSource     `json:"source"`
	Strata        []DrawTake          `json:"strata" minItems:"1" maxItems:"200" doc:"One with an empty ward draws from the whole institution"`
	Excluded      []DrawExcluded      `json:"excluded,omitempty" maxItems:"2000"`
	Inspectors    int                 `json:"inspectors" minimum:"1" maximum:"20" doc:"How many are drawn"`
	Conflicts     []InspectorConflict `json:"conflicts,omitempty" maxItems:"200" doc:"Available inspectors who may not take part"`
	Previous      ward.DrawID         `json:"previous,omitempty" maxLength:"64" doc:"The institution's last draw of the day, when there is one"`
	Reason        string              `json:"reason,omitempty" maxLength:"200" doc:"Why it is drawn again"`
}

// DrawTake is how many beds of a ward are drawn.
type DrawTake struct {
	Ward string `json:"ward" maxLength:"64"`
	Take int    `json:"take" minimum:"1" maximum:"200"`
}

// DrawExcluded is a stay that is not drawn from, and why.
type DrawExcluded struct {
	AdmissionID ward.AdmissionID `json:"admission_id" maxLength:"64"`
	Reason      string           `json:"reason" minLength:"1" maxLength:"200" doc:"No names"`
}

// InspectorConflict is an inspector with a conflict of interest.
type InspectorConflict struct {
	InspectorID ward.UserID `json:"inspector_id" maxLength:"64"`
	Reason      string      `json:"reason" minLength:"1" maxLength:"200"`
}

// DrawPerson is a stay of a draw with the masked person; with the salt, the
// commitment to the person can be opened.
type DrawPerson struct {
	Admission
	Salt string `json:"salt"`
}

// DrawDetail is a draw as its sealed steps tell it.
type DrawDetail struct {
	Draw       ward.Draw       `json:"draw"`
	Steps      []ward.DrawStep `json:"steps"`
	Commitment DrawCommitment  `json:"commitment"`
	Result     *DrawResult     `json:"result,omitempty"`
	Order      *DrawOrdered    `json:"order,omitempty"`
	End        *DrawEnd        `json:"end,omitempty"`
	People     []DrawPerson    `json:"people"`
}

// The sealed records under their names in the API document.
type (
	// DrawCommitment is what was committed before the seed.
	DrawCommitment draw.Commitment
	// DrawResult is what was drawn, and the revealed secret.
	DrawResult draw.Result
	// DrawOrdered is what was ordered of the result.
	DrawOrdered draw.Order
	// DrawEnd says why a draw failed or was abandoned.
	DrawEnd draw.End
)

// DrawReason is why something is given up.
type DrawReason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// DrawRound orders the round of a draw.
type DrawRound struct {
	Reason   string         `json:"reason" minLength:"1" maxLength:"500" doc:"Shown at the bedside"`
	Deadline time.Time      `json:"deadline"`
	LeftOut  []draw.LeftOut `json:"left_out,omitempty" maxItems:"220"`
}

// DrawPath names a draw in the address.
type DrawPath struct {
	ID ward.DrawID `path:"id" maxLength:"64"`
}

type drawList struct {
	Paging
	InstitutionFilter
}

type drawBeacon struct {
	DrawPath
	Body drand.Beacon
}

type drawReason struct {
	DrawPath
	Body DrawReason
}

type drawRound struct {
	DrawPath
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"As in creations"`
	RawBody []byte
	Body    DrawRound
}

func (s *Server) drawRoutes(r *routes) {
	tags, may := []string{"draws"}, ward.MayRound
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/draw-options", OperationID: "drawOptions", Summary: "Who and what can be drawn at an institution", Tags: tags}, s.drawOptions)
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/draws", OperationID: "commitDraw", Summary: "Commit an auditable draw of beds and inspectors; its seed comes afterwards", Tags: tags, DefaultStatus: http.StatusCreated}, s.commitDraw)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/draws", OperationID: "listDraws", Summary: "Draws in scope, whatever became of them, newest first", Tags: tags}, s.listDraws)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/draws/{id}", OperationID: "getDraw", Summary: "A draw as its sealed steps tell it", Tags: tags}, s.loadDraw, s.getDraw)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/draws/{id}/proof", OperationID: "drawProof", Summary: "The proof for wardwatch draw verify; it holds ids and no names", Tags: tags}, "application/json"), s.loadDraw, s.drawProof)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/draws/{id}/beacon", OperationID: "drawBeacon", Summary: "Give the beacon's round, where there is no network", Tags: tags},
		func(ctx context.Context, in *drawBeacon) (ward.Draw, ward.InstitutionID, error) {
			return s.loadDraw(ctx, &in.DrawPath)
		}, s.drawBeacon)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/draws/{id}/abandon", OperationID: "abandonDraw", Summary: "Give a draw up; it stays in the list", Tags: tags},
		func(ctx context.Context, in *drawReason) (ward.Draw, ward.InstitutionID, error) {
			return s.loadDraw(ctx, &in.DrawPath)
		}, s.abandonDraw)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/draws/{id}/round", OperationID: "orderDrawn", Summary: "Order the round of a draw; the links are shown only in this answer", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *drawRound) (ward.Draw, ward.InstitutionID, error) {
			return s.loadDraw(ctx, &in.DrawPath)
		}, s.orderDrawn)
}

// draws returns the drawer, or says that this process draws nothing.
func (s *Server) draws() (*rounds.Drawer, error) {
	if s.Draws == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "draws.missing", ZH: "本服务未启用抽取功能。", EN: "This process makes no draws."}
	}
	return s.Draws, nil
}

func (s *Server) loadDraw(ctx context.Context, in *DrawPath) (ward.Draw, ward.InstitutionID, error) {
	v, err := s.Store.Draw(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) commitDraw(ctx context.Context, in *creation[DrawOrder]) (*created[ward.Draw], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !who.May(ward.MayRound, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	o := rounds.DrawOrder{
		InstitutionID: b.InstitutionID, Source: b.Source, Inspectors: b.Inspectors, Previous: b.Previous, Reason: b.Reason,
		Excluded: map[ward.AdmissionID]string{}, Conflicts: map[ward.UserID]string{},
	}
	for _, t := range b.Strata {
		o.Strata = append(o.Strata, rounds.DrawStratum{Ward: t.Ward, Take: t.Take})
	}
	for _, e := range b.Excluded {
		o.Excluded[e.AdmissionID] = e.Reason
	}
	for _, c := range b.Conflicts {
		o.Conflicts[c.InspectorID] = c.Reason
	}
	return once(ctx, s, "commitDraw", in.Key, in.RawBody, func() (ward.Draw, error) {
		v, err := d.Commit(ctx, who.User, o)
		return v, inBody(err)
	})
}

func (s *Server) listDraws(ctx context.Context, in *drawList) (*body[Page[ward.Draw]], error) {
	v, err := s.Store.Draws(ctx, callerOf(ctx).narrow(in.InstitutionID), ward.DrawID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(d ward.Draw) string { return string(d.ID) }), err)
}

func (s *Server) getDraw(ctx context.Context, _ *DrawPath, v ward.Draw) (*body[DrawDetail], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	view, err := d.View(ctx, v)
	if err != nil {
		return nil, err
	}
	people, err := s.drawPeople(ctx, d, view)
	return answer(DrawDetail{
		Draw: v, Steps: list(view.Steps), Commitment: DrawCommitment(view.Commitment), Result: (*DrawResult)(view.Result),
		Order: (*DrawOrdered)(view.Order), End: (*DrawEnd)(view.End), People: list(people),
	}, err)
}

// drawPeople are the stays of a draw with the masked people.
func (s *Server) drawPeople(ctx context.Context, d *rounds.Drawer, v rounds.DrawView) ([]DrawPerson, error) {
	salts, err := d.Salts(ctx, v.Commitment)
	if err != nil {
		return nil, err
	}
	stays, err := s.Store.Admissions(ctx, []ward.InstitutionID{v.Draw.InstitutionID}, "")
	if err != nil {
		return nil, err
	}
	var ids []ward.InsuredID
	var out []DrawPerson
	for _, a := range stays {
		if salt, ok := salts[a.ID]; ok {
			ids = append(ids, a.InsuredID)
			out = append(out, DrawPerson{Admission{Admission: a}, salt})
		}
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	for i := range out {
		out[i].Insured = people[out[i].InsuredID].Masked()
	}
	return out, err
}

func (s *Server) drawProof(ctx context.Context, _ *DrawPath, v ward.Draw) (*csvFile, error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	b, err := d.Proof(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	if err := s.record(ctx, view{object: "draw/" + string(v.ID), sha256: sum[:]}); err != nil {
		return nil, err
	}
	return &csvFile{Type: "application/json", Disposition: fmt.Sprintf(`attachment; filename="draw-%s-%d.json"`, v.Day, v.Number), Body: b}, nil
}

func (s *Server) drawBeacon(ctx context.Context, in *drawBeacon, v ward.Draw) (*body[ward.Draw], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in.Body)
	if err != nil {
		return nil, fmt.Errorf("marshal beacon: %w", err)
	}
	return answer(d.Beacon(ctx, v.ID, raw))
}

func (s *Server) abandonDraw(ctx context.Context, in *drawReason, v ward.Draw) (*body[ward.Draw], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	return answer(d.Abandon(ctx, callerOf(ctx).User, v.ID, in.Body.Reason))
}

func (s *Server) orderDrawn(ctx context.Context, in *drawRound, v ward.Draw) (*created[OrderedRound], error) {
	d, err := s.draws()
	if err != nil {
		return nil, err
	}
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return once(ctx, s, "orderDrawn/"+string(v.ID), in.Key, in.RawBody, func() (OrderedRound, error) {
		round, links, err := e.OrderDrawn(ctx, callerOf(ctx).User, d, rounds.DrawnOrder{Draw: v.ID, Reason: in.Body.Reason, Deadline: in.Body.Deadline.UTC(), LeftOut: in.Body.LeftOut})
		return ordered(round, links), inBody(err)
	})
}
