package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// NewDuty begins a physician's shift. Exactly one of photo and camera_id is given.
type NewDuty struct {
	PhysicianID ward.PhysicianID `json:"physician_id" minLength:"1" maxLength:"64"`
	PlaceID     ward.PlaceID     `json:"place_id" minLength:"1" maxLength:"64" doc:"Where the terminal stands"`
	Photo       []byte           `json:"photo,omitempty" doc:"A JPEG or PNG taken just now, with this one person; it is not kept"`
	CameraID    ward.CameraID    `json:"camera_id,omitempty" maxLength:"64" doc:"A camera of the place: the face that it saw last"`
	FreshS      int              `json:"fresh_s,omitempty" minimum:"1" maximum:"30" doc:"How old, in seconds, the camera's face may be; 10 when left out"`
	Position    *DutyFix         `json:"position,omitempty" doc:"Where the terminal is; judged by the institution's fence and not kept"`
}

// DutyFix is a position as a terminal knows it.
type DutyFix struct {
	ward.GeoPoint

	Accuracy float64 `json:"accuracy_m" minimum:"0" doc:"Metres, radius of 95 % confidence"`
}

// DutyAnswer is what a terminal is told. It has no score.
type DutyAnswer struct {
	ID       ward.DutyID         `json:"id"`
	At       time.Time           `json:"at"`
	Until    time.Time           `json:"until" doc:"Of the window; at when none began"`
	Outcome  ward.DutyOutcome    `json:"outcome"`
	Answer   ward.Match          `json:"answer" doc:"Of the face"`
	Reason   ward.IdentityReason `json:"reason"`
	Position ward.DutyPlace      `json:"position"`
	DetailZH string              `json:"detail_zh"`
	DetailEN string              `json:"detail_en"`
}

// ListedDuty is a start with who it was.
type ListedDuty struct {
	ward.Duty
	Name   string       `json:"name" doc:"Of the physician"`
	Checks []ward.Visit `json:"checks" doc:"By surprise, during this shift; the newest first"`
}

// DutySight is a sighting that fits the physician's face.
type DutySight struct {
	ID       ward.SightingID `json:"id"`
	CameraID ward.CameraID   `json:"camera_id"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
}

// DutyDetail is a start with what cameras of the place saw around it.
type DutyDetail struct {
	ListedDuty
	End  *ward.DutyEnd `json:"end,omitempty" doc:"When its window was ended early"`
	Seen []DutySight   `json:"seen" doc:"From 15 minutes before to 30 after, at most 20; shown, and decides nothing"`
}

// Billing is the answer whether a prescription may be billed.
type Billing struct {
	Billable ward.Billable   `json:"billable"`
	Reason   ward.DutyReason `json:"reason"`
	DutyID   ward.DutyID     `json:"duty_id" doc:"The start that the answer rests on, if any"`
	At       time.Time       `json:"at"`
	DetailZH string          `json:"detail_zh"`
	DetailEN string          `json:"detail_en"`
}

type dutyList struct {
	Paging
	InstitutionFilter
	Now bool `query:"now" doc:"Only who is on duty now"`
}

type dutyPath struct {
	ID ward.DutyID `path:"id" maxLength:"64"`
}

type billingQuery struct {
	PhysicianPath
	InstitutionID ward.InstitutionID `query:"institution_id" required:"true" maxLength:"64" doc:"Who bills"`
	At            time.Time          `query:"at" doc:"When it was prescribed; now when left out"`
}

func (s *Server) dutyRoutes(r *routes) {
	tags := []string{"physicians"}
	add(r, role(ward.MayIdentify), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/duties", OperationID: "beginDuty", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:      "Begin a physician's shift: face and position. Sealed before it is answered; Idempotency-Key is required",
		MaxBodyBytes: ward.MaxPhoto*4/3 + 16<<10, BodyReadTimeout: uploadTimeout,
	}, s.beginDuty)
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/duties", OperationID: "listDuties", Summary: "Starts of physicians' shifts in scope, newest first", Tags: tags}, s.listDuties)
	on(r, ward.MayReview, huma.Operation{Method: http.MethodGet, Path: v1 + "/duties/{id}", OperationID: "getDuty", Summary: "A start, and which cameras of the place saw the physician around it", Tags: tags},
		func(ctx context.Context, in *dutyPath) (ward.Duty, ward.InstitutionID, error) {
			d, err := s.Store.Duty(ctx, in.ID)
			return d, d.InstitutionID, err
		}, s.getDuty)
	s.dutyEndRoutes(r)
	s.dutyLinkRoutes(r)
	add(r, role(ward.MaySettle), huma.Operation{Method: http.MethodGet, Path: v1 + "/physicians/{id}/duty", OperationID: "mayBill", Summary: "May what this physician prescribed here be billed?", Tags: tags}, s.mayBill)
	who := everywhere(ward.MayAdminister)
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/duty-policies", OperationID: "listDutyPolicies", Summary: "For how long a start counts, and where", Tags: tags}, s.listDutyPolicies)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/duty-policies", OperationID: "setDutyPolicy", Summary: "Set an institution's window and fence, or the window of all: a new version, sealed in the ledger", Tags: tags}, s.setDutyPolicy)
}

func (s *Server) beginDuty(ctx context.Context, in *creation[NewDuty]) (*created[DutyAnswer], error) {
	if err := keyRequired(in.Key); err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\nphysician\n"+string(b.PhysicianID)) {
		return nil, tooMany()
	}
	return once(ctx, s, "beginDuty", in.Key, in.RawBody, func() (DutyAnswer, error) {
		at, err := s.identityQuestion(ctx, NewIdentityCheck{PlaceID: b.PlaceID, Photo: b.Photo, CameraID: b.CameraID, FreshS: b.FreshS})
		if err != nil {
			return DutyAnswer{}, err
		}
		free, err := s.asking.take(ctx, who.ID)
		if err != nil {
			return DutyAnswer{}, err
		}
		defer free()
		q := rounds.DutyStart{Physician: b.PhysicianID, Place: at.Place, Photo: at.Photo, Camera: at.Camera, Fresh: at.Fresh}
		if p := b.Position; p != nil {
			q.Position = &ward.Fix{At: p.GeoPoint, Accuracy: p.Accuracy}
		}
		d, zh, en, err := s.counter().Begin(ctx, who.User, q)
		return DutyAnswer{d.ID, d.At, d.Until, d.Outcome, d.Answer, d.Reason, d.Position, zh, en}, inBody(err)
	})
}

func (s *Server) listDuties(ctx context.Context, in *dutyList) (*body[Page[ListedDuty]], error) {
	scope, before := callerOf(ctx).narrow(in.InstitutionID), ward.DutyID(in.Cursor)
	var v []ward.Duty
	var err error
	if in.Now {
		v, err = s.Store.OnDuty(ctx, scope, s.now(), before, in.Limit)
	} else {
		v, err = s.Store.Duties(ctx, scope, before, in.Limit)
	}
	if err != nil {
		return nil, err
	}
	ids := make([]ward.PhysicianID, len(v))
	for i := range v {
		ids[i] = v[i].PhysicianID
	}
	who, err := s.Store.PhysiciansOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	starts := make([]ward.DutyID, len(v))
	for i := range v {
		starts[i] = v[i].ID
	}
	checks, err := s.Store.DutyChecks(ctx, starts)
	out := make([]ListedDuty, len(v))
	for i := range v {
		out[i] = ListedDuty{v[i], who[v[i].PhysicianID].Name, list(checks[v[i].ID])}
	}
	return answer(pageAfter(out, in.Limit, func(d ListedDuty) string { return string(d.ID) }), err)
}

func (s *Server) getDuty(ctx context.Context, _ *dutyPath, d ward.Duty) (*body[DutyDetail], error) {
	p, err := s.Store.Physician(ctx, d.PhysicianID)
	if err != nil {
		return nil, err
	}
	seen, err := s.counter().Corroborate(ctx, d)
	if err != nil {
		return nil, err
	}
	checks, err := s.Store.DutyChecks(ctx, []ward.DutyID{d.ID})
	if err != nil {
		return nil, err
	}
	out := DutyDetail{ListedDuty: ListedDuty{d, p.Name, list(checks[d.ID])}, Seen: make([]DutySight, len(seen))}
	if !d.Ended.IsZero() {
		var e ward.DutyEnd
		e, err = s.Store.DutyEnd(ctx, d.ID)
		out.End = &e
	}
	for i, v := range seen {
		out.Seen[i] = DutySight{v.ID, v.CameraID, v.From, v.To}
	}
	return answer(out, err)
}

// mayBill tells nobody more of a physician of other institutions than that
// none is registered here.
func (s *Server) mayBill(ctx context.Context, in *billingQuery) (*body[Billing], error) {
	if !callerOf(ctx).May(ward.MaySettle, in.InstitutionID) {
		return nil, notFound()
	}
	now := s.now()
	if in.At.IsZero() {
		in.At = now
	}
	p, err := s.Store.Physician(ctx, in.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	tried, err := s.Store.DutiesAt(ctx, in.ID, in.At)
	if err != nil {
		return nil, err
	}
	yes, why, d := ward.MayBill(p, tried, in.InstitutionID, in.At, now)
	zh, en := why.Told()
	return &body[Billing]{Billing{yes, why, d.ID, in.At.UTC(), zh, en}}, nil
}

func (s *Server) listDutyPolicies(ctx context.Context, _ *none) (*body[Page[ward.DutyPolicy]], error) {
	return items(s.Store.DutyPolicies(ctx))
}

// setDutyPolicy: version is the one of the scope that was read; who and when are the caller's.
func (s *Server) setDutyPolicy(ctx context.Context, in *dutyPolicyInput) (*body[ward.DutyPolicy], error) {
	p := in.Body
	p.By = callerOf(ctx).ID
	got, err := s.Store.SetDutyPolicy(ctx, p)
	return answer(got, inBody(err))
}

type dutyPolicyInput struct{ Body ward.DutyPolicy }
