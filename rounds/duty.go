package rounds

import (
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

// DutyStart is what a terminal sends when a physician's shift begins: a photo,
// or the face that Camera saw at most Fresh ago, and a position, if it has one.
type DutyStart struct {
	Physician ward.PhysicianID
	Place     ward.Place // where the terminal stands; that By may ask there is for the caller to know
	Photo     []byte
	Camera    ward.CameraID
	Fresh     time.Duration
	Position  *ward.Fix
}

// Begin compares the face, judges the position, and seals and returns what
// came of it; zh and en say it to whoever stands there. The position is not
// kept. A broken photo, and a physician who is not registered there, is an error.
func (c *Counter) Begin(ctx context.Context, by ward.User, q DutyStart) (d ward.Duty, zh, en string, err error) {
	now, t := c.settings()
	p, err := c.Store.Physician(ctx, q.Physician)
	if err != nil {
		return d, "", "", err
	}
	inst := q.Place.InstitutionID
	if p.Left || !slices.Contains(p.Institutions, inst) {
		return d, "", "", &ward.Error{Kind: ward.NotFound, Code: "physician.unknown", ZH: "没有这位医师，或其未登记在本机构执业，请检查编号。", EN: "No such physician, or not registered to practise here; check the id."}
	}
	policy, err := c.Store.DutyPolicyFor(ctx, inst)
	if err != nil {
		return d, "", "", err
	}
	face := ward.IdentityCheck{PlaceID: q.Place.ID, CameraID: q.Camera, Source: ward.IdentityByPhoto, Answer: ward.MatchUnsure, Thresholds: t}
	picture, zh, en, err := c.look(ctx, &face, enrolment{p.Template, p.ModelID}, IdentityQuestion{Place: q.Place, Photo: q.Photo, Camera: q.Camera, Fresh: q.Fresh}, now)
	if err != nil {
		return d, "", "", err
	}
	place := ward.DutyPlaceOf(policy.Fence, q.Position)
	d, err = c.Store.AddDuty(ctx, by, ward.Duty{
		ID: ward.NewID[ward.DutyID](now), InstitutionID: inst, PlaceID: q.Place.ID, CameraID: q.Camera, PhysicianID: p.ID, Source: face.Source, Seen: face.Seen,
		Answer: face.Answer, Reason: face.Reason, Score: face.Score, ModelID: face.ModelID, Thresholds: face.Thresholds,
		Position: place, Outcome: ward.DutyOutcomeOf(face.Answer, place), Policy: policy.Version,
	}, policy.Window(), picture)
	if zh == "" {
		zh, en = d.Told()
	}
	return d, zh, en, err
}

// EndDuty ends a physician's windows at the institution of d when the face is
// the physician's; any other answer is a ward.Conflict "duty.face" and ends nothing.
func (c *Counter) EndDuty(ctx context.Context, by ward.User, d ward.Duty, q IdentityQuestion) (ward.DutyEnd, error) {
	now, t := c.settings()
	p, err := c.Store.Physician(ctx, d.PhysicianID)
	if err != nil {
		return ward.DutyEnd{}, err
	}
	face := ward.IdentityCheck{PlaceID: q.Place.ID, CameraID: q.Camera, Source: ward.IdentityByPhoto, Answer: ward.MatchUnsure, Thresholds: t}
	picture, _, _, err := c.look(ctx, &face, enrolment{p.Template, p.ModelID}, q, now)
	if err != nil {
		return ward.DutyEnd{}, err
	}
	if face.Answer != ward.MatchYes {
		return ward.DutyEnd{}, &ward.Error{Kind: ward.Conflict, Code: "duty.face", ZH: "未能确认是该医师本人，在岗时段没有结束。", EN: "The face was not told to be the physician's; the window was not ended."}
	}
	return c.Store.EndDuty(ctx, by, d, ward.DutyEnd{Score: face.Score}, picture)
}

// The stretch around a start in which cameras of the place are asked who stood there.
const (
	seenBefore = 15 * time.Minute
	seenAfter  = 30 * time.Minute
	mostSeen   = 20
)

// Corroborate returns the sightings by the place's cameras, at most 20, that
// are the physician's at the thresholds of the start. They are shown and
// decide nothing.
func (c *Counter) Corroborate(ctx context.Context, d ward.Duty) ([]ward.Sighting, error) {
	p, err := c.Store.Physician(ctx, d.PhysicianID)
	if err != nil || !p.Enrolled {
		return nil, err
	}
	seen, err := c.Store.SightingsAt(ctx, d.PlaceID, d.At.Add(-seenBefore), d.At.Add(seenAfter))
	if err != nil {
		return nil, err
	}
	var out []ward.Sighting
	for _, v := range seen {
		if v.Kind == ward.FaceSeen && len(v.Template) == len(p.Template) && v.ModelID == p.ModelID && d.Thresholds.Judge(v.Template.Cosine(p.Template)) == ward.MatchYes && len(out) < mostSeen {
			out = append(out, v)
		}
	}
	return out, nil
}
