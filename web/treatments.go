package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// TreatmentPicture is how a terminal shows who is there.
type TreatmentPicture struct {
	Photo    []byte        `json:"photo,omitempty" doc:"A JPEG or PNG taken just now, with this one person; it is not kept"`
	CameraID ward.CameraID `json:"camera_id,omitempty" maxLength:"64" doc:"A camera of the place: the face that it saw last"`
	FreshS   int           `json:"fresh_s,omitempty" minimum:"1" maximum:"30" doc:"How old, in seconds, the camera's face may be; 10 when left out"`
}

// NewTreatment begins a session. Exactly one of photo and camera_id is given.
type NewTreatment struct {
	TreatmentPicture

	InsuredID ward.InsuredID     `json:"insured_id" minLength:"1" maxLength:"64"`
	PlaceID   ward.PlaceID       `json:"place_id" minLength:"1" maxLength:"64" doc:"Where the treatment is"`
	Kind      ward.TreatmentKind `json:"kind"`
	Station   string             `json:"station,omitempty" maxLength:"32" doc:"Which machine or bed, shown with the calls; no name"`
	TabletID  ward.TabletID      `json:"tablet_id,omitempty" maxLength:"64" doc:"A ward tablet of the institution that rings for the calls; left out: the terminal asks for them"`
}

// NewTreatmentAnswer answers a call. Exactly one of photo and camera_id is given.
type NewTreatmentAnswer struct {
	TreatmentPicture

	Call int `json:"call" minimum:"1" maximum:"1000"`
}

// TreatmentBegin is what a terminal is told. It has no score.
type TreatmentBegin struct {
	ID         ward.TreatmentID `json:"id"`
	At         time.Time        `json:"at"`
	Answer     ward.Match       `json:"answer" doc:"no_match: nothing began; unsure: it began, and its start proves nothing"`
	Commitment string           `json:"commitment"`
	DetailZH   string           `json:"detail_zh"`
	DetailEN   string           `json:"detail_en"`
}

// TreatmentAnswer is what whoever answered is told.
type TreatmentAnswer struct {
	Answer   ward.Match `json:"answer"`
	DetailZH string     `json:"detail_zh"`
	DetailEN string     `json:"detail_en"`
}

// TreatmentEnd is what a terminal is told at the end.
type TreatmentEnd struct {
	At       time.Time  `json:"at"`
	Answer   ward.Match `json:"answer,omitempty" doc:"Left out: no face was asked for, or it had ended before"`
	DetailZH string     `json:"detail_zh"`
	DetailEN string     `json:"detail_en"`
}

// CallNow is the call that may be answered now. Until it is due, nothing is known of it.
type CallNow struct {
	Call  int       `json:"call" doc:"0: none"`
	Until time.Time `json:"until,omitzero" doc:"For the answer"`
	Late  bool      `json:"late" doc:"It was missed; the patient may still come back"`
}

// TreatmentPath names a session in the address.
type TreatmentPath struct {
	ID ward.TreatmentID `path:"id" maxLength:"64"`
}

type (
	treatmentAnswerInput struct {
		TreatmentPath
		RawBody []byte
		Body    NewTreatmentAnswer
	}
	treatmentEndInput struct {
		TreatmentPath
		Body TreatmentPicture
	}
)

// treatmentBody bounds what has a photo.
const treatmentBody = ward.MaxPhoto*4/3 + 16<<10

func (s *Server) treatmentRoutes(r *routes) {
	tags, may := []string{"treatments"}, ward.MayIdentify
	add(r, role(may), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/treatments", OperationID: "beginTreatment", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:      "Begin a treatment session: the patient's face, and a commitment to when it is asked for again. Idempotency-Key is required",
		MaxBodyBytes: treatmentBody, BodyReadTimeout: uploadTimeout,
	}, s.beginTreatment)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/treatments/{id}/calls", OperationID: "treatmentCall", Summary: "Is the patient called for now? To be asked every half minute: a call is sealed as shown when it is told here first", Tags: tags}, s.loadTreatment, s.treatmentCall)
	on(r, may, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/treatments/{id}/answers", OperationID: "answerTreatment", Summary: "Answer a call with the patient's face", Tags: tags,
		MaxBodyBytes: treatmentBody, BodyReadTimeout: uploadTimeout,
	}, func(ctx context.Context, in *treatmentAnswerInput) (ward.TreatmentSession, ward.InstitutionID, error) {
		return s.loadTreatment(ctx, &in.TreatmentPath)
	}, s.answerTreatment)
	on(r, may, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/treatments/{id}/end", OperationID: "endTreatment", Summary: "End a session, with the patient's face or, when the patient has left, without", Tags: tags,
		MaxBodyBytes: treatmentBody, BodyReadTimeout: uploadTimeout,
	}, func(ctx context.Context, in *treatmentEndInput) (ward.TreatmentSession, ward.InstitutionID, error) {
		return s.loadTreatment(ctx, &in.TreatmentPath)
	}, s.endTreatment)
	s.treatmentLinkRoutes(r)
	s.treatmentResultRoutes(r)
}

func (s *Server) loadTreatment(ctx context.Context, in *TreatmentPath) (ward.TreatmentSession, ward.InstitutionID, error) {
	v, err := s.Store.Treatment(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) beginTreatment(ctx context.Context, in *creation[NewTreatment]) (*created[TreatmentBegin], error) {
	if err := keyRequired(in.Key); err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\n"+string(b.InsuredID)) {
		return nil, tooMany()
	}
	return once(ctx, s, "beginTreatment", in.Key, in.RawBody, func() (TreatmentBegin, error) {
		at, err := s.identityQuestion(ctx, NewIdentityCheck{PlaceID: b.PlaceID, Photo: b.Photo, CameraID: b.CameraID, FreshS: b.FreshS})
		if err != nil {
			return TreatmentBegin{}, err
		}
		free, err := s.asking.take(ctx, who.ID)
		if err != nil {
			return TreatmentBegin{}, err
		}
		defer free()
		v, zh, en, err := s.counter().BeginTreatment(ctx, who.User, ward.TreatmentSession{InsuredID: b.InsuredID, Kind: b.Kind, Station: b.Station, TabletID: b.TabletID}, at.Place, asked(at))
		return TreatmentBegin{v.ID, v.At, v.Answer, v.Commitment, zh, en}, inBody(err)
	})
}

func asked(q rounds.IdentityQuestion) rounds.TreatmentFaceAsked {
	return rounds.TreatmentFaceAsked{Photo: q.Photo, Camera: q.Camera, Fresh: q.Fresh}
}

func (s *Server) treatmentCall(ctx context.Context, _ *TreatmentPath, v ward.TreatmentSession) (*body[CallNow], error) {
	c, ok, err := s.counter().TreatmentCall(ctx, callerOf(ctx).User, "", v.ID)
	return answer(callNow(c, ok), err)
}

func callNow(c ward.TreatmentCall, ok bool) CallNow {
	if !ok {
		return CallNow{}
	}
	return CallNow{c.N, c.Until, c.State != ward.CallOpen}
}

func (s *Server) answerTreatment(ctx context.Context, in *treatmentAnswerInput, v ward.TreatmentSession) (*body[TreatmentAnswer], error) {
	who := callerOf(ctx)
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\n"+string(v.InsuredID)) {
		return nil, tooMany()
	}
	return s.answered(ctx, who.User, "", v, in.Body)
}

// answered answers a call for a terminal's account, or for a tablet.
func (s *Server) answered(ctx context.Context, who ward.User, tablet ward.TabletID, v ward.TreatmentSession, b NewTreatmentAnswer) (*body[TreatmentAnswer], error) {
	q, free, err := s.treatmentPicture(ctx, who.ID+ward.UserID(tablet), v, b.TreatmentPicture)
	if err != nil {
		return nil, err
	}
	defer free()
	a, zh, en, err := s.counter().AnswerTreatment(ctx, who, tablet, v.ID, b.Call, q)
	if err == nil {
		s.Hub.Notify(string(VisitEvent), string(v.ID), v.InstitutionID) // tablets show what is still to be answered
	}
	return answer(TreatmentAnswer{a, zh, en}, err)
}

// treatmentPicture checks what a face is asked with, and waits for a turn.
func (s *Server) treatmentPicture(ctx context.Context, who ward.UserID, v ward.TreatmentSession, b TreatmentPicture) (rounds.TreatmentFaceAsked, func(), error) {
	q := rounds.TreatmentFaceAsked{Photo: b.Photo, Camera: b.CameraID, Fresh: time.Duration(b.FreshS) * time.Second}
	if (len(b.Photo) > 0) == (b.CameraID != "") {
		return q, nil, &ward.Error{Kind: ward.Invalid, Code: "identity.subject", ZH: "请给出照片或摄像头编号，二者之一。", EN: "Give exactly one of a photo and a camera."}
	}
	if b.CameraID != "" {
		c, err := s.Store.Camera(ctx, b.CameraID)
		if missing(err) || err == nil && c.PlaceID != v.PlaceID {
			err = &ward.Error{Kind: ward.Invalid, Code: "identity.camera", ZH: "该点位没有这个摄像头，请检查 camera_id。", EN: "This place has no such camera; check camera_id."}
		}
		if err != nil {
			return q, nil, err
		}
	}
	free, err := s.asking.take(ctx, who)
	return q, free, err
}

func (s *Server) endTreatment(ctx context.Context, in *treatmentEndInput, v ward.TreatmentSession) (*body[TreatmentEnd], error) {
	who := callerOf(ctx)
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\n"+string(v.InsuredID)) {
		return nil, tooMany()
	}
	var q rounds.TreatmentFaceAsked
	if len(in.Body.Photo) > 0 || in.Body.CameraID != "" {
		asked, free, err := s.treatmentPicture(ctx, who.ID, v, in.Body)
		if err != nil {
			return nil, err
		}
		defer free()
		q = asked
	}
	v, a, zh, en, err := s.counter().EndTreatment(ctx, who.User, v.ID, q)
	if err == nil {
		s.Hub.Notify(string(VisitEvent), string(v.ID), v.InstitutionID)
	}
	return answer(TreatmentEnd{v.Ended.UTC(), a, zh, en}, err)
}
