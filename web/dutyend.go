package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// NewDutyEnd ends a window early: with the physician's face, by one of photo
// and camera_id, or as an administrator with a reason.
type NewDutyEnd struct {
	Photo    []byte        `json:"photo,omitempty" doc:"A JPEG or PNG taken just now, with the physician; it is not kept"`
	CameraID ward.CameraID `json:"camera_id,omitempty" maxLength:"64" doc:"A camera of the place: the face that it saw last"`
	FreshS   int           `json:"fresh_s,omitempty" minimum:"1" maximum:"30" doc:"How old, in seconds, the camera's face may be; 10 when left out"`
	Reason   string        `json:"reason,omitempty" maxLength:"500" doc:"Without a face: an administrator's"`
}

// DutyEnded is what whoever ended a window is told.
type DutyEnded struct {
	At time.Time `json:"at" doc:"What is prescribed from then on may not be billed"`
}

type dutyEndInput struct {
	ID   ward.DutyID `path:"id" maxLength:"64"`
	Body NewDutyEnd
}

func (s *Server) dutyEndRoutes(r *routes) {
	on(r, ward.MayIdentify, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/duties/{id}/end", OperationID: "endDuty", Tags: []string{"physicians"},
		Summary:      "End the physician's windows at this institution now, by the physician's face or as an administrator with a reason; sealed",
		MaxBodyBytes: ward.MaxPhoto*4/3 + 16<<10, BodyReadTimeout: uploadTimeout,
	}, func(ctx context.Context, in *dutyEndInput) (ward.Duty, ward.InstitutionID, error) {
		d, err := s.Store.Duty(ctx, in.ID)
		return d, d.InstitutionID, err
	}, s.endDuty)
}

func (s *Server) endDuty(ctx context.Context, in *dutyEndInput, d ward.Duty) (*body[DutyEnded], error) {
	who, b := callerOf(ctx), in.Body
	if !s.terminals.allow(string(who.ID)) || !s.guesses.allow(string(who.ID)+"\nphysician\n"+string(d.PhysicianID)) {
		return nil, tooMany()
	}
	if len(b.Photo) == 0 && b.CameraID == "" {
		if !who.May(ward.MayAdminister, d.InstitutionID) {
			return nil, &ward.Error{Kind: ward.Forbidden, Code: "duty.end_face", ZH: "请由医师本人核验人脸，或由管理员填写理由结束。", EN: "The physician's face ends it, or an administrator with a reason."}
		}
		e := ward.DutyEnd{Reason: b.Reason}
		if err := e.CheckReason(); err != nil {
			return nil, err
		}
		e, err := s.Store.EndDuty(ctx, who.User, d, e, nil)
		return answer(DutyEnded{e.At}, err)
	}
	at, err := s.identityQuestion(ctx, NewIdentityCheck{PlaceID: d.PlaceID, Photo: b.Photo, CameraID: b.CameraID, FreshS: b.FreshS})
	if err != nil {
		return nil, err
	}
	free, err := s.asking.take(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	defer free()
	e, err := s.counter().EndDuty(ctx, who.User, d, rounds.IdentityQuestion{Place: at.Place, Photo: at.Photo, Camera: at.Camera, Fresh: at.Fresh})
	return answer(DutyEnded{e.At}, err)
}
