package ward

import "time"

// IdentitySource says where the face of an identity check comes from.
type IdentitySource string

// The sources.
const (
	IdentityByPhoto  IdentitySource = "photo"  // the terminal took and sent it
	IdentityByCamera IdentitySource = "camera" // a camera of the counter saw it just now
	IdentityByVisit  IdentitySource = "visit"  // a live check by a link; of a start of a shift only
)

// IdentityReason says why an identity check could not tell; empty when it could.
type IdentityReason string

// The reasons. With each of them the answer is MatchUnsure.
const (
	IdentityTold        IdentityReason = ""
	IdentityNotEnrolled IdentityReason = "not_enrolled" // no face of the insured is stored
	IdentityOtherModel  IdentityReason = "other_model"  // the enrolment was made by another model
	IdentityNoFace      IdentityReason = "no_face"      // the picture shows nobody's
	IdentityManyFaces   IdentityReason = "many_faces"   // more than one person
	IdentityPoor        IdentityReason = "poor_picture" // too small, turned, dark, covered or blurred
	IdentityNoPicture   IdentityReason = "no_picture"   // the camera saw nothing lately
	IdentityClose       IdentityReason = "close"        // between the two thresholds: a human decides
)

// Told are the reason's words for whoever stands at the terminal.
func (r IdentityReason) Told() (zh, en string) {
	switch r {
	case IdentityTold:
	case IdentityNotEnrolled:
		return "该参保人尚未登记人脸照片，请人工核对证件。", "No face is enrolled for this person; check the document by eye."
	case IdentityOtherModel:
		return "登记照片由另一个模型提取，请重新登记后再核验。", "The enrolment was made with another model; enrol the photo again."
	case IdentityNoFace:
		return "画面中没有人脸，请正对镜头重试。", "No face is in the picture; look into the camera and try again."
	case IdentityManyFaces:
		return "画面中有多人，请只留本人后重试。", "There is more than one face; let the person stand alone and try again."
	case IdentityPoor:
		return "人脸不清晰，请正对镜头、光线均匀、不戴口罩墨镜后重试。", "The face is not clear enough; face the camera in even light without mask or sunglasses."
	case IdentityNoPicture:
		return "该摄像头近期没有可用画面，请改用照片或人工核对。", "The camera gave no usable picture just now; use a photo, or check by eye."
	case IdentityClose:
		return "与登记照片相近但不足以确认，请人工核对证件。", "Close to the enrolled photo, but not enough; check the document by eye."
	}
	return "", ""
}

// IdentityCheck is one answer to "is this the insured?", as it is sealed. It
// holds no face. Score is for those who review; a terminal never sees it.
type IdentityCheck struct {
	ID            IdentityCheckID `json:"id"`
	At            time.Time       `json:"at"`
	By            UserID          `json:"by"`
	InstitutionID InstitutionID   `json:"institution_id"`
	PlaceID       PlaceID         `json:"place_id"`
	CameraID      CameraID        `json:"camera_id"` // empty: a photo
	InsuredID     InsuredID       `json:"insured_id"`
	Source        IdentitySource  `json:"source"`
	Seen          time.Time       `json:"seen"` // when the face was seen last; of a photo, At
	Answer        Match           `json:"answer"`
	Reason        IdentityReason  `json:"reason"`
	Score         float32         `json:"score"` // cosine; 0 when nothing was compared
	ModelID       string          `json:"-"`
	Thresholds    FaceThresholds  `json:"-"` // that judged it
	Leaf          int64           `json:"leaf"`
}

// Judge compares a face with a person's enrolment and fills in the answer.
func (c *IdentityCheck) Judge(enrolled Template, enrolledBy string, face Template, modelID string, t FaceThresholds) {
	c.Answer, c.ModelID, c.Thresholds = MatchUnsure, modelID, t
	switch {
	case len(enrolled) == 0:
		c.Reason = IdentityNotEnrolled
		return
	case len(face) == 0:
		c.Reason = IdentityPoor
		return
	case enrolledBy != modelID || len(enrolled) != len(face):
		c.Reason = IdentityOtherModel
		return
	}
	c.Score = face.Cosine(enrolled)
	if c.Answer = t.Judge(c.Score); c.Answer == MatchUnsure {
		c.Reason = IdentityClose
	}
}

// The window in which a camera's face counts as the person who stands there.
const (
	IdentityFresh   = 10 * time.Second // how old a camera's face may be unless the terminal says otherwise
	IdentityOldest  = 30 * time.Second // what it may say at most
	identityAbreast = 3 * time.Second  // seen within this of the newest: at the counter together
	identityAhead   = 2 * time.Second  // sightings' clock before ours
)

// FaceAtCounter chooses, among what a camera saw up to now, the face of the one
// person in front of it who was seen at most fresh ago. Faces in zones of the
// staff and of those who wait are not looked at. With a reason there is none.
func FaceAtCounter(seen []Sighting, camera CameraID, now time.Time, fresh time.Duration, t FaceThresholds) (Sighting, IdentityReason) {
	var best Sighting
	var faces []Sighting
	watched := false
	for _, v := range seen {
		if v.CameraID != camera || v.To.Before(now.Add(-fresh)) || v.To.After(now.Add(identityAhead)) {
			continue
		}
		watched = watched || v.Kind == Watched
		if v.Kind != FaceSeen || v.Zone != NoZone && v.Zone != CustomerZone {
			continue
		}
		faces = append(faces, v)
		if best.ID == "" || v.To.After(best.To) {
			best = v
		}
	}
	switch {
	case best.ID == "" && !watched:
		return best, IdentityNoPicture
	case best.ID == "":
		return best, IdentityNoFace
	case len(best.Template) == 0:
		return best, IdentityPoor
	}
	for _, v := range faces {
		if v.ID == best.ID || best.To.Sub(v.To) > identityAbreast {
			continue
		}
		if len(v.Template) == 0 || v.ModelID != best.ModelID || t.Judge(v.Template.Cosine(best.Template)) != MatchYes {
			return Sighting{}, IdentityManyFaces
		}
	}
	return best, IdentityTold
}
