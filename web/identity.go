package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

const (
	checksPerMinute = 30 // of one terminal's account
	checksOfOne     = 6  // of one insured person by it: nobody tries photo after photo until one passes
	maxChecks       = 2  // at a time
)

// NewIdentityCheck asks whether the person at a counter is the insured.
// Exactly one of photo and camera_id is given.
type NewIdentityCheck struct {
	InsuredID ward.InsuredID `json:"insured_id" minLength:"1" maxLength:"64"`
	PlaceID   ward.PlaceID   `json:"place_id" minLength:"1" maxLength:"64" doc:"The counter where the person stands"`
	Photo     []byte         `json:"photo,omitempty" doc:"A JPEG or PNG taken just now, with this one person; it is not kept"`
	CameraID  ward.CameraID  `json:"camera_id,omitempty" maxLength:"64" doc:"A camera of the counter: the face that it saw last"`
	FreshS    int            `json:"fresh_s,omitempty" minimum:"1" maximum:"30" doc:"How old, in seconds, the camera's face may be; 10 when left out"`
}

// IdentityAnswer is what a terminal is told. It has no score.
type IdentityAnswer struct {
	ID       ward.IdentityCheckID `json:"id" doc:"For identity_check_id of the settlement"`
	At       time.Time            `json:"at"`
	Answer   ward.Match           `json:"answer" doc:"unsure: a human looks at the person and the document"`
	Reason   ward.IdentityReason  `json:"reason" doc:"Why it could not tell; empty for match and no_match"`
	DetailZH string               `json:"detail_zh"`
	DetailEN string               `json:"detail_en"`
}

type identityList struct {
	Paging
	InstitutionFilter
}

func (s *Server) identityRoutes(r *routes) {
	tags := []string{"identity checks"}
	add(r, role(ward.MayIdentify), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/identity-checks", OperationID: "checkIdentity", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:      "Is this the insured? Sealed before it is answered; Idempotency-Key is required",
		MaxBodyBytes: ward.MaxPhoto*4/3 + 16<<10, BodyReadTimeout: uploadTimeout,
	}, s.checkIdentity)
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/identity-checks", OperationID: "listIdentityChecks", Summary: "What terminals in scope asked and were told, newest first", Tags: tags}, s.listIdentityChecks)
}

func (s *Server) checkIdentity(ctx context.Context, in *creation[NewIdentityCheck]) (*created[IdentityAnswer], error) {
	if err := keyRequired(in.Key); err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\n"+string(in.Body.InsuredID)) {
		return nil, tooMany()
	}
	return once(ctx, s, "checkIdentity", in.Key, in.RawBody, func() (IdentityAnswer, error) {
		q, err := s.identityQuestion(ctx, in.Body)
		if err != nil {
			return IdentityAnswer{}, err
		}
		free, err := s.asking.take(ctx, who.ID)
		if err != nil {
			return IdentityAnswer{}, err
		}
		defer free()
		v, zh, en, err := s.counter().Ask(ctx, who.User, q)
		return IdentityAnswer{v.ID, v.At, v.Answer, v.Reason, zh, en}, inBody(err)
	})
}

func (s *Server) counter() *rounds.Counter {
	return &rounds.Counter{Store: s.Store, Face: s.EnrolPhoto, Now: s.now}
}

// identityQuestion checks what is asked: the counter must be in the caller's
// scope, and the camera at that counter.
func (s *Server) identityQuestion(ctx context.Context, b NewIdentityCheck) (rounds.IdentityQuestion, error) {
	q := rounds.IdentityQuestion{Insured: b.InsuredID, Photo: b.Photo, Camera: b.CameraID, Fresh: time.Duration(b.FreshS) * time.Second}
	if (len(b.Photo) > 0) == (b.CameraID != "") {
		return q, &ward.Error{Kind: ward.Invalid, Code: "identity.subject", ZH: "请给出照片或摄像头编号，二者之一。", EN: "Give exactly one of a photo and a camera."}
	}
	p, err := s.Store.Place(ctx, b.PlaceID)
	if missing(err) || err == nil && !callerOf(ctx).May(ward.MayIdentify, p.InstitutionID) {
		return q, unknownPlace()
	}
	if err != nil || b.CameraID == "" {
		q.Place = p
		return q, err
	}
	c, err := s.Store.Camera(ctx, b.CameraID)
	if missing(err) || err == nil && c.PlaceID != p.ID {
		return q, &ward.Error{Kind: ward.Invalid, Code: "identity.camera", ZH: "该点位没有这个摄像头，请检查 camera_id。", EN: "This place has no such camera; check camera_id."}
	}
	q.Place = p
	return q, err
}

func (s *Server) listIdentityChecks(ctx context.Context, in *identityList) (*body[Page[ward.IdentityCheck]], error) {
	v, err := s.Store.IdentityChecks(ctx, callerOf(ctx).narrow(in.InstitutionID), ward.IdentityCheckID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(c ward.IdentityCheck) string { return string(c.ID) }), err)
}

func checksBusy() *Problem {
	return newProblem(http.StatusServiceUnavailable, "identity.busy", "正在核验其他人，请稍后再试。", "Others are being checked; try again shortly.")
}

func checksFull() *Problem {
	return newProblem(http.StatusTooManyRequests, "identity.too_many", "该终端已有一次核验在进行，请等它完成。", "A check of this terminal is under way; wait for it.")
}
