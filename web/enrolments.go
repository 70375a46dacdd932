package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// NewEnrolment is a patient's reference face, taken at an admission.
type NewEnrolment struct {
	Photo  []byte            `json:"photo" doc:"A JPEG or PNG with exactly one face, at most 8 MB"`
	Way    ward.EnrolmentWay `json:"way"`
	Proxy  bool              `json:"proxy,omitempty" doc:"The patient is not there: somebody else brought the picture"`
	Reason string            `json:"reason,omitempty" maxLength:"200" doc:"Why by proxy; kept encrypted"`
}

type enrolmentInput struct {
	AdmissionPath

	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"As of other creations"`
	RawBody []byte
	Body    NewEnrolment
}

func (s *Server) enrolmentRoutes(r *routes) {
	tags := []string{"rounds"}
	on(r, ward.MayAdmit, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/admissions/{id}/enrolments", OperationID: "enrolAdmitted", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:      "Enrol the patient of a stay: the next version of the reference face, sealed with who did it and whether by proxy",
		MaxBodyBytes: treatmentBody, BodyReadTimeout: uploadTimeout,
	}, func(ctx context.Context, in *enrolmentInput) (ward.Admission, ward.InstitutionID, error) {
		return s.loadAdmission(ctx, &in.AdmissionPath)
	}, s.enrolAdmitted)
	s.enrolmentLinkRoutes(r)
	on(r, ward.MayRound, huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions/{id}/enrolments", OperationID: "listEnrolments", Summary: "The versions of the patient's reference face, the newest first; empty: none since versions are kept", Tags: tags}, s.loadAdmission, s.listEnrolments)
}

func (s *Server) enrolAdmitted(ctx context.Context, in *enrolmentInput, a ward.Admission) (*created[ward.Enrolment], error) {
	return once(ctx, s, "enrolAdmitted/"+string(a.ID), in.Key, in.RawBody, func() (ward.Enrolment, error) {
		b := in.Body
		if a.InsuredID == "" {
			return ward.Enrolment{}, &ward.Error{
				Kind: ward.Conflict, Code: "enrol.unmatched",
				ZH: "这次住院还没有对应的参保人，不能登记人脸。请先登记参保人（证件号相同即自动对应）。",
				EN: "No insured person belongs to this stay yet. Register the person first; the same number joins them.",
			}
		}
		p, err := s.Store.Insured(ctx, a.InsuredID)
		if err != nil {
			return ward.Enrolment{}, inBody(err)
		}
		return s.enrol(ctx, p, ward.Enrolment{Way: b.Way, Proxy: b.Proxy, Reason: b.Reason, AdmissionID: a.ID}, b.Photo)
	})
}

func (s *Server) listEnrolments(ctx context.Context, _ *AdmissionPath, a ward.Admission) (*body[Page[ward.Enrolment]], error) {
	return items(s.Store.Enrolments(ctx, a.InsuredID))
}

// judgedAgainst is the version that a visit's face check names; nil: none.
func (s *Server) judgedAgainst(ctx context.Context, v ward.Visit, checks []ward.Check) (*ward.Enrolment, error) {
	i := slices.IndexFunc(checks, func(c ward.Check) bool { return c.Enrolment > 0 })
	if i < 0 {
		return nil, nil
	}
	e, _, err := s.Store.EnrolmentVersion(ctx, v.InsuredID, checks[i].Enrolment)
	return &e, err
}

// enrol keeps the photo under its hash, so that the same photo again is
// the same object, and stores the face that the vision worker found in it.
func (s *Server) enrol(ctx context.Context, p ward.Insured, e ward.Enrolment, photo []byte) (ward.Enrolment, error) {
	if err := e.Check(); err != nil {
		return e, err
	}
	if s.EnrolPhoto == nil {
		return e, &ward.Error{Kind: ward.Unavailable, Code: "vision.missing", ZH: "视觉分析程序未运行，暂时不能登记照片。", EN: "No vision worker runs; photos cannot be enrolled now."}
	}
	if len(photo) > ward.MaxPhoto {
		return e, &ward.Error{Kind: ward.Invalid, Code: "photo.too_big", ZH: "照片超过 8 MB，请缩小后重试。", EN: "The photo has more than 8 MB; make it smaller and try again."}
	}
	template, model, err := s.EnrolPhoto(ctx, photo)
	if err != nil {
		return e, err
	}
	sum := sha256.Sum256(photo)
	key := fmt.Sprintf("v1/photos/%s/%s", p.ID, hex.EncodeToString(sum[:]))
	if err = s.Objects.Put(ctx, key, bytes.NewReader(photo), int64(len(photo))); err != nil {
		return e, err
	}
	e.InsuredID, e.ModelID = p.ID, model
	if e, err = s.Store.EnrolBy(ctx, callerOf(ctx).User, e, template, key, photo); err != nil {
		return e, err
	}
	if old := p.PhotoKey; old != "" && old != key { // a face is kept no longer than it is needed
		err = s.Objects.Delete(ctx, old)
	}
	return e, err
}
