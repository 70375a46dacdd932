package ward

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Physician is a 医师. Name is personal data, stored sealed, and so is the face.
type Physician struct {
	ID           PhysicianID     `json:"id"`
	Name         string          `json:"name"`
	Institutions []InstitutionID `json:"institutions"` // where the physician is registered to practise
	Left         bool            `json:"left"`         // practises no more
	Enrolled     bool            `json:"enrolled"`
	Template     Template        `json:"-"`
	ModelID      string          `json:"-"`
}

// maxPractices is at how many institutions one physician practises at most.
const maxPractices = 50

// Check says what is wrong with the physician.
func (p Physician) Check() *Error {
	if LooksNational(string(p.ID)) {
		return &Error{
			Kind: Invalid, Code: "physician.id",
			ZH: "编号不能是身份证号：编号会出现在地址和日志中，请使用假名编号。",
			EN: "The id must not be a national ID number, since ids are seen in addresses and logs; use a pseudonymous id.",
		}
	}
	if !ValidID(string(p.ID)) || p.Name == "" || utf8.RuneCountInString(p.Name) > 64 || len(p.Institutions) == 0 || len(p.Institutions) > maxPractices {
		return &Error{
			Kind: Invalid, Code: "physician.invalid",
			ZH: "医师编号、姓名或机构不正确：编号为 1 到 64 位小写字母、数字、- 或 _，姓名为 1 到 64 字，须有 1 到 50 家机构。",
			EN: "The physician's id, name or institutions are not right: the id is 1 to 64 of a-z, 0-9, - and _, the name 1 to 64 characters, and there are 1 to 50 institutions.",
		}
	}
	return nil
}

// DutyPlace says what is known of where a physician was at the start.
type DutyPlace string

// The answers: those of a fence (see Whereabouts), and two that are none.
const (
	DutyUnchecked DutyPlace = "unchecked" // the institution has no fence
	DutyNotGiven  DutyPlace = "not_given" // it has one, and the terminal gave no position
	DutyInside    DutyPlace = "inside"
	DutyOutside   DutyPlace = "outside"
	DutyVague     DutyPlace = "vague"
	DutyShifted   DutyPlace = "shifted"
	DutyBadFix    DutyPlace = "bad"
)

const mostDutyWindow = 12 * 60 // minutes

// DutyPlaceOf judges a position, which may be missing, by a fence, which may too.
func DutyPlaceOf(f *Fence, x *Fix) DutyPlace {
	if f == nil {
		return DutyUnchecked
	}
	if x == nil {
		return DutyNotGiven
	}
	w, _ := f.Judge(*x)
	return DutyPlace(w)
}

// DutyOutcome is what came of a start.
type DutyOutcome string

// The outcomes. Verified and Unplaced are windows at one institution: no other
// begins elsewhere before they end.
const (
	DutyVerified  DutyOutcome = "verified"  // the face matches, inside the fence
	DutyUnplaced  DutyOutcome = "unplaced"  // the face matches; the position was not checked or proves nothing
	DutyUnsure    DutyOutcome = "unsure"    // the face could not be told; by a link also: the position was not
	DutyRefused   DutyOutcome = "refused"   // another face, outside the fence, or by a link nobody live
	DutyElsewhere DutyOutcome = "elsewhere" // on duty at another institution
)

// Open says whether the outcome puts the physician on duty.
func (o DutyOutcome) Open() bool { return o == DutyVerified || o == DutyUnplaced }

// DutyOutcomeOf is the table: the face first, then the place. That the
// physician is not on duty elsewhere is for the store to know.
func DutyOutcomeOf(face Match, place DutyPlace) DutyOutcome {
	switch {
	case face == MatchNo || face == MatchYes && place == DutyOutside:
		return DutyRefused
	case face != MatchYes:
		return DutyUnsure
	case place == DutyInside:
		return DutyVerified
	}
	return DutyUnplaced
}

// Duty is one start of a physician's shift, or the try of it, as it is
// sealed. It holds no face and no position.
type Duty struct {
	ID            DutyID         `json:"id"`
	At            time.Time      `json:"at"`
	By            UserID         `json:"by"`
	InstitutionID InstitutionID  `json:"institution_id"`
	PlaceID       PlaceID        `json:"place_id"`
	CameraID      CameraID       `json:"camera_id"` // empty: a photo
	PhysicianID   PhysicianID    `json:"physician_id"`
	Source        IdentitySource `json:"source"`
	Seen          time.Time      `json:"seen"`
	Answer        Match          `json:"answer"`
	Reason        IdentityReason `json:"reason"`
	Score         float32        `json:"score"`
	Position      DutyPlace      `json:"position"`
	Outcome       DutyOutcome    `json:"outcome"`
	Until         time.Time      `json:"until"` // of the window; At when nothing could begin
	Ended         time.Time      `json:"ended,omitzero" doc:"The window was ended early"`
	Policy        int            `json:"policy"` // the version whose window and fence counted
	ModelID       string         `json:"-"`
	Thresholds    FaceThresholds `json:"-"`
	VisitID       VisitID        `json:"visit_id,omitempty" doc:"The live check by a link that it comes from"`
	Leaf          int64          `json:"leaf"`
}

// DutyByVisit is what the checks of a sealed visit by a physician's own link
// say of a start: the window opens only for a live face that matches, inside
// the fence. tried is false when the physician never came to be judged.
func DutyByVisit(v Verdict, checks []Check) (d Duty, tried bool) {
	d = Duty{Source: IdentityByVisit, Answer: MatchUnsure, Position: DutyUnchecked, Outcome: DutyRefused}
	for _, c := range checks {
		switch c.Kind { //nolint:exhaustive // the others are the visit's to tell
		case CheckFace:
			d.Score = c.Score
			d.Seen = c.At
		case CheckPosition:
			d.Position = map[Outcome]DutyPlace{Pass: DutyInside, Fail: DutyOutside, Unsure: DutyVague, NotDone: DutyNotGiven}[c.Outcome]
		}
	}
	switch v {
	case Present:
		d.Answer = MatchYes
		if d.Outcome = DutyOutcomeOf(d.Answer, d.Position); d.Outcome == DutyUnplaced {
			d.Outcome = DutyUnsure
		}
	case Mismatch:
		d.Answer = MatchNo
	case Unable, Absent:
	case NoVerdict, Undecided, Refused, NoAnswer, Discharged, Interrupted:
		return d, false
	}
	return d, true
}

// DutyPolicy says for how long a start counts, and where an institution's
// physicians must be; the institution's own one counts before that of all. It
// is never changed: a new version takes its place.
type DutyPolicy struct {
	Version       int           `json:"version"`                                 // 0: built in
	InstitutionID InstitutionID `json:"institution_id,omitempty" maxLength:"64"` // none: all
	WindowMinutes int           `json:"window_minutes" minimum:"10" maximum:"720"`
	Fence         *Fence        `json:"fence,omitempty" doc:"Only of one institution; left out: positions are not checked, and nothing is verified"`
	Reason        string        `json:"reason" maxLength:"500"`
	By            UserID        `json:"by,omitempty"`
	At            time.Time     `json:"at,omitzero"`
}

// DefaultDutyPolicy counts until somebody sets another: half a day.
func DefaultDutyPolicy() DutyPolicy { return DutyPolicy{WindowMinutes: 4 * 60} }

// Window is how long a start counts.
func (p DutyPolicy) Window() time.Duration { return time.Duration(p.WindowMinutes) * time.Minute }

// Check says what is wrong with the policy.
func (p DutyPolicy) Check() error {
	bad := func(zh, en string) error { return &Error{Kind: Invalid, Code: "duty_policy.invalid", ZH: zh, EN: en} }
	switch {
	case p.WindowMinutes < 10 || p.WindowMinutes > mostDutyWindow:
		return bad(fmt.Sprintf("有效时长应为 10 至 %d 分钟。", mostDutyWindow), fmt.Sprintf("A start counts for 10 to %d minutes.", mostDutyWindow))
	case p.Fence != nil && p.InstitutionID == "":
		return bad("围栏须属于一家机构。", "A fence belongs to one institution.")
	case strings.TrimSpace(p.Reason) == "" || utf8.RuneCountInString(p.Reason) > 500:
		return bad("请填写设置理由（不超过 500 字）。", "Give the reason (at most 500 characters).")
	case p.Fence != nil:
		return p.Fence.Check()
	}
	return nil
}

// DutyPolicyFor is the newest policy of the institution, or that of all, or
// the one that is built in.
func DutyPolicyFor(all []DutyPolicy, inst InstitutionID) DutyPolicy {
	best := DefaultDutyPolicy()
	for _, p := range all {
		own, was := p.InstitutionID == inst, best.InstitutionID == inst
		if (own || p.InstitutionID == "") && (own && !was || own == was && p.Version > best.Version) {
			best = p
		}
	}
	return best
}
