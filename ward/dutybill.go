package ward

import "time"

// Billable is the answer whether a prescription may be billed.
type Billable string

// The answers. CannotSay is for a human, and no yes.
const (
	BillYes   Billable = "yes"
	BillNo    Billable = "no"
	CannotSay Billable = "cannot_tell"
)

// DutyReason says why a prescription may not be billed, or why that cannot be
// told; empty for yes.
type DutyReason string

// The reasons.
const (
	DutyProven      DutyReason = ""
	DutyNone        DutyReason = "none"         // no start counts at that moment
	DutyAway        DutyReason = "elsewhere"    // on duty at another institution
	DutyNotHere     DutyReason = "not_here"     // not registered to practise here, or not any more
	DutyPlaceless   DutyReason = "position"     // the face matched; the position was not checked or proves nothing
	DutyFaceUnsure  DutyReason = "face"         // the face could not be told
	DutyNotEnrolled DutyReason = "not_enrolled" // no face of the physician is stored
	DutyFuture      DutyReason = "future"       // the moment is still to come
)

// MayBill says whether what the physician prescribed at inst at the moment t
// may be billed, by the starts that were tried up to now. A later start does
// not heal an earlier moment.
func MayBill(p Physician, tried []Duty, inst InstitutionID, t, now time.Time) (Billable, DutyReason, Duty) {
	here := false
	for _, i := range p.Institutions {
		here = here || i == inst
	}
	var best Duty
	away := false
	for _, d := range tried {
		if d.PhysicianID != p.ID || t.Before(d.At) || !t.Before(d.Over()) {
			continue
		}
		if d.InstitutionID != inst {
			away = away || d.Outcome.Open()
			continue
		}
		if best.ID == "" || dutyRank(d.Outcome) > dutyRank(best.Outcome) || d.Outcome == best.Outcome && d.At.After(best.At) {
			best = d
		}
	}
	switch {
	case !here && best.ID == "":
		return BillNo, DutyNotHere, Duty{}
	case t.After(now):
		return CannotSay, DutyFuture, Duty{}
	case best.Outcome == DutyVerified:
		return BillYes, DutyProven, best
	case away:
		return BillNo, DutyAway, Duty{}
	case best.Outcome == DutyUnplaced:
		return CannotSay, DutyPlaceless, best
	case best.Outcome == DutyUnsure && best.Answer == MatchYes:
		return CannotSay, DutyPlaceless, best
	case best.Outcome == DutyUnsure && best.Reason == IdentityNotEnrolled:
		return CannotSay, DutyNotEnrolled, best
	case best.Outcome == DutyUnsure:
		return CannotSay, DutyFaceUnsure, best
	case p.Left:
		return BillNo, DutyNotHere, Duty{}
	}
	return BillNo, DutyNone, Duty{}
}

func dutyRank(o DutyOutcome) int {
	switch o {
	case DutyVerified:
		return 3
	case DutyUnplaced:
		return 2
	case DutyUnsure:
		return 1
	case DutyRefused, DutyElsewhere:
	}
	return 0
}

// Told are the reason's words for the settlement system's user.
func (r DutyReason) Told() (zh, en string) {
	switch r {
	case DutyProven:
		return "医师在岗：人脸与位置均已核验。", "The physician is on duty: face and position were verified."
	case DutyNone:
		return "该时刻没有有效的上岗核验。", "No start of a shift counts at that moment."
	case DutyAway:
		return "该医师当时在其他机构在岗。", "The physician was on duty at another institution then."
	case DutyNotHere:
		return "该医师未登记在本机构执业。", "The physician is not registered to practise at this institution."
	case DutyPlaceless:
		return "人脸一致，但位置未核验或不能证明，请人工核对。", "The face matched, but the position was not checked or proves nothing; a human must look."
	case DutyFaceUnsure:
		return "上岗时人脸无法确认，请人工核对。", "The face could not be told at the start; a human must look."
	case DutyNotEnrolled:
		return "该医师尚未登记人脸，请人工核对。", "No face of the physician is enrolled; a human must look."
	case DutyFuture:
		return "该时刻尚未到来。", "That moment is still to come."
	}
	return "", ""
}

// Told are the outcome's words for whoever stands at the terminal.
func (d *Duty) Told() (zh, en string) {
	switch d.Outcome {
	case DutyVerified:
		return "上岗核验通过。", "On duty."
	case DutyUnplaced:
		return "人脸一致，但位置未核验或不能证明：处方能否结算须人工核对。", "The face matches, but the position was not checked or proves nothing: a human must look before prescriptions are billed."
	case DutyElsewhere:
		return "该医师正在其他机构在岗，本次不能上岗。", "The physician is on duty at another institution; this start does not count."
	case DutyUnsure:
		if zh, en = d.Reason.physician(); zh != "" {
			return zh, en
		}
	case DutyRefused:
		if d.Answer == MatchNo {
			return "人脸与登记不一致。", "The face is not that of the physician."
		}
		return "所在位置在机构围栏之外。", "The position is outside the institution's fence."
	}
	return "", ""
}

// physician are the words of a face's reason where a physician is meant.
func (r IdentityReason) physician() (zh, en string) {
	switch r {
	case IdentityNotEnrolled:
		return "该医师尚未登记人脸，请联系管理员。", "No face of this physician is enrolled; ask the administrator."
	case IdentityClose:
		return "与登记照片相近但不足以确认，请正对镜头重试。", "Close to the enrolled photo, but not enough; face the camera and try again."
	case IdentityTold, IdentityOtherModel, IdentityNoFace, IdentityManyFaces, IdentityPoor, IdentityNoPicture:
	}
	return r.Told()
}
