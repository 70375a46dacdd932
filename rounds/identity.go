package rounds

import (
	"context"
	"errors"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// Counter answers terminals that ask whether the person in front of them is
// the insured. It has no state.
type Counter struct {
	Store *storage.Store
	// Face finds the one face in a JPEG or PNG; nil: no vision worker.
	Face func(ctx context.Context, photo []byte) (t ward.Template, modelID string, err error)
	// Thresholds of the face; zero means ward.DefaultFaceThresholds, as for visits.
	Thresholds ward.FaceThresholds
	Now        func() time.Time // nil means time.Now
}

// IdentityQuestion is what a terminal asks: about a photo, or about the face
// that Camera saw at most Fresh ago (zero means ward.IdentityFresh).
type IdentityQuestion struct {
	Insured ward.InsuredID
	Place   ward.Place // the counter; that By may ask there is for the caller to know
	Photo   []byte
	Camera  ward.CameraID
	Fresh   time.Duration
}

// Ask compares, seals and returns the answer; zh and en say why when it could
// not tell. A broken photo or an unknown person is an error, and no answer.
func (c *Counter) Ask(ctx context.Context, by ward.User, q IdentityQuestion) (v ward.IdentityCheck, zh, en string, err error) {
	now, t := c.settings()
	p, err := c.Store.Insured(ctx, q.Insured)
	if err != nil {
		return v, "", "", err
	}
	v = ward.IdentityCheck{
		ID: ward.NewID[ward.IdentityCheckID](now), InstitutionID: q.Place.InstitutionID, PlaceID: q.Place.ID, CameraID: q.Camera, InsuredID: p.ID, Source: ward.IdentityByPhoto,
		Answer: ward.MatchUnsure, Thresholds: t,
	}
	picture, zh, en, err := c.look(ctx, &v, enrolment{p.Template, p.ModelID}, q, now)
	if err != nil {
		return v, "", "", err
	}
	if zh == "" {
		zh, en = v.Reason.Told()
	}
	v, err = c.Store.AddIdentityCheck(ctx, by, v, picture)
	return v, zh, en, err
}

func (c *Counter) settings() (now time.Time, t ward.FaceThresholds) {
	now, t = time.Now(), c.Thresholds
	if c.Now != nil {
		now = c.Now()
	}
	if t == (ward.FaceThresholds{}) {
		t = ward.DefaultFaceThresholds
	}
	return now, t
}

// enrolment is a face that is stored of somebody.
type enrolment struct {
	template ward.Template
	modelID  string
}

// look fills in what the photo or the camera says of the enrolled person; zh
// and en say more than the reason of v does, where there is more. The picture
// is what the answer rests on: the photo, or the id of the sighting.
func (c *Counter) look(ctx context.Context, v *ward.IdentityCheck, p enrolment, q IdentityQuestion, now time.Time) (picture []byte, zh, en string, err error) {
	if q.Camera == "" {
		zh, en, err = c.byPhoto(ctx, v, p, q.Photo)
		return q.Photo, zh, en, err
	}
	picture, err = c.byCamera(ctx, v, p, now, q.Fresh)
	return picture, "", "", err
}

// photoReasons are the faults of a photo that are an answer: a terminal's next
// picture may be better.
var photoReasons = map[string]ward.IdentityReason{
	"photo.no_face": ward.IdentityNoFace, "photo.many_faces": ward.IdentityManyFaces, "photo.too_poor": ward.IdentityPoor,
}

func (c *Counter) byPhoto(ctx context.Context, v *ward.IdentityCheck, p enrolment, photo []byte) (zh, en string, err error) {
	if c.Face == nil {
		return "", "", &ward.Error{Kind: ward.Unavailable, Code: "vision.missing", ZH: "视觉分析程序未运行，暂时不能核验照片。", EN: "No vision worker runs; photos cannot be compared now."}
	}
	face, model, err := c.Face(ctx, photo)
	if e, ok := errors.AsType[*ward.Error](err); ok && photoReasons[e.Code] != "" {
		v.Reason = photoReasons[e.Code]
		return e.ZH, e.EN, nil
	}
	if err != nil {
		return "", "", err
	}
	v.Judge(p.template, p.modelID, face, model, v.Thresholds)
	return "", "", nil
}

// byCamera judges the face that the camera's analysed pictures show now. It
// returns the id of the sighting, which the check commits to.
func (c *Counter) byCamera(ctx context.Context, v *ward.IdentityCheck, p enrolment, now time.Time, fresh time.Duration) ([]byte, error) {
	v.Source = ward.IdentityByCamera
	if fresh == 0 {
		fresh = ward.IdentityFresh
	}
	seen, err := c.Store.SightingsAt(ctx, v.PlaceID, now.Add(-fresh), now)
	if err != nil {
		return nil, err
	}
	f, why := ward.FaceAtCounter(seen, v.CameraID, now, fresh, v.Thresholds)
	if why != ward.IdentityTold {
		v.Reason = why
		return nil, nil
	}
	v.Seen = f.To
	v.Judge(p.template, p.modelID, f.Template, f.ModelID, v.Thresholds)
	return []byte(f.ID), nil
}
