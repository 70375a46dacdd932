package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// KioskCall is a call for a patient at a treatment session. It names nobody.
type KioskCall struct {
	TreatmentID ward.TreatmentID `json:"treatment_id"`
	Call        int              `json:"call"`
	Station     string           `json:"station"`
	Until       time.Time        `json:"until" doc:"For the answer"`
	Late        bool             `json:"late" doc:"It was missed; the patient may still come back"`
}

type kioskAnswerInput struct {
	TreatmentPath
	Body NewKioskAnswer
}

// NewKioskAnswer is a picture that the tablet took for a call.
type NewKioskAnswer struct {
	Call  int    `json:"call" minimum:"1" maximum:"1000"`
	Photo []byte `json:"photo" doc:"A JPEG taken just now, with this one person; it is not kept"`
}

// mostKioskPhoto is the size of a tablet's picture, in bytes: about ten times what 1280x720 takes.
const mostKioskPhoto = 2 << 20

func (s *Server) kioskTreatmentRoutes(r *routes) {
	add(r, wardTablet(), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/tablet/treatments/{id}/answers", OperationID: "tabletAnswerTreatment", Summary: "Answer a call of a treatment session that this tablet shows", Tags: []string{"tablet"},
		MaxBodyBytes: mostKioskPhoto*4/3 + 16<<10, BodyReadTimeout: uploadTimeout,
	}, s.tabletAnswerTreatment)
}

// kioskCalls are the calls that a tablet shows now, each sealed as shown.
func (s *Server) kioskCalls(ctx context.Context, tablet ward.Tablet) ([]KioskCall, error) {
	out := []KioskCall{}
	running, err := s.Store.TreatmentsOn(ctx, tablet.ID, s.now())
	for _, v := range running {
		c, ok, err := s.counter().TreatmentCall(ctx, ward.User{}, tablet.ID, v.ID)
		if err != nil {
			return out, err
		}
		if ok {
			now := callNow(c, ok)
			out = append(out, KioskCall{v.ID, now.Call, v.Station, now.Until, now.Late})
		}
	}
	return out, err
}

func (s *Server) tabletAnswerTreatment(ctx context.Context, in *kioskAnswerInput) (*body[TreatmentAnswer], error) {
	tablet := tabletOn(ctx)
	v, err := s.Store.Treatment(ctx, in.ID)
	if missing(err) || err == nil && v.TabletID != tablet.ID {
		return nil, notFound()
	}
	if err != nil {
		return nil, err
	}
	if !s.terminals.allow(string(tablet.ID)) || !s.guesses.allow(string(tablet.ID)+"\n"+string(v.ID)) {
		return nil, tooMany()
	}
	return s.answered(ctx, ward.User{}, tablet.ID, v, NewTreatmentAnswer{Call: in.Body.Call, TreatmentPicture: TreatmentPicture{Photo: in.Body.Photo}})
}
