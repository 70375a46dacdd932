package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// EnrolmentID names one enrolment.
type EnrolmentID string

// EnrolmentWay is where the picture of an enrolment came from.
type EnrolmentWay string

// The ways.
const (
	EnrolByPhoto  EnrolmentWay = "photo"  // handed in
	EnrolByCamera EnrolmentWay = "camera" // taken at the desk
	EnrolByVisit  EnrolmentWay = "visit"  // from a live check by the bedside's own link; nobody hands such a picture in
)

// maxProxyReason bounds a reason, in runes.
const maxProxyReason = 200

// Enrolment is one version of an insured person's reference face: the newest counts.
type Enrolment struct {
	ID          EnrolmentID  `json:"id"`
	InsuredID   InsuredID    `json:"insured_id"`
	Version     int          `json:"version"` // of the person, from 1
	At          time.Time    `json:"at"`
	By          UserID       `json:"by"`
	Way         EnrolmentWay `json:"way"`
	Proxy       bool         `json:"proxy"`        // the person was not there
	Reason      string       `json:"reason"`       // why by proxy; empty otherwise
	AdmissionID AdmissionID  `json:"admission_id"` // empty: not at an admission
	ModelID     string       `json:"model_id"`
	VisitID     VisitID      `json:"visit_id,omitempty" doc:"The live check that it was taken from"`
	Leaf        int64        `json:"leaf"`
}

// Check says what is wrong with what was asked: ward.Invalid "enrol.way" or "enrol.reason".
func (e Enrolment) Check() error {
	switch {
	case e.Way != EnrolByPhoto && e.Way != EnrolByCamera:
		return &Error{Kind: Invalid, Code: "enrol.way", ZH: "登记方式只能是照片或现场拍照。", EN: "A face is enrolled by photo or by camera."}
	case e.Proxy && (strings.TrimSpace(e.Reason) == "" || utf8.RuneCountInString(e.Reason) > maxProxyReason):
		return &Error{Kind: Invalid, Code: "enrol.reason", ZH: "代办登记必须写明原因，最多 200 字。", EN: "An enrolment by proxy needs a reason of at most 200 characters."}
	case !e.Proxy && e.Reason != "":
		return &Error{Kind: Invalid, Code: "enrol.reason", ZH: "只有代办登记才写原因。", EN: "Only an enrolment by proxy has a reason."}
	}
	return nil
}
