package ward

import (
	"slices"
	"time"
	"unicode/utf8"
)

// OutageID is the id of a 停机报备.
type OutageID string

// OutageAction is what was done with an outage.
type OutageAction string

// The actions. The first is the institution's, as is the second; the others
// are a reviewer's.
const (
	OutageReport   OutageAction = "report"
	OutageWithdraw OutageAction = "withdraw" // it ends with this, or never comes
	OutageRefuse   OutageAction = "refuse"   // not accepted: it covers nothing
	OutageAccept   OutageAction = "accept"   // accepted after all
)

// Outage 停机报备: an institution says that cameras of it will see nothing for a
// while, and why. It is one version of it, the newest counts; none is ever
// changed.
type Outage struct {
	ID            OutageID      `json:"id"`
	Version       int           `json:"version"` // from 1
	InstitutionID InstitutionID `json:"institution_id"`
	Places        []PlaceID     `json:"places"`  // all their cameras
	Cameras       []CameraID    `json:"cameras"` // and these; all of the institution when both are empty
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`
	Reason        string        `json:"reason"`
	By            UserID        `json:"by"`
	Reported      time.Time     `json:"reported"`
	// Late: it was reported after its beginning, and counts for nothing.
	Late bool `json:"late"`

	Action    OutageAction `json:"action"` // that made this version
	ChangedBy UserID       `json:"changed_by"`
	Changed   time.Time    `json:"changed"`
	Note      string       `json:"note"`               // why, of a withdrawal or a refusal
	Withdrawn time.Time    `json:"withdrawn,omitzero"` // it covers nothing from then on
	Refused   bool         `json:"refused"`
	Leaf      int64        `json:"-"`
}

// Bounds of what an institution can report.
const (
	MaxOutage       = 31 * 24 * time.Hour  // how long it lasts
	maxOutageAhead  = 366 * 24 * time.Hour // how long before it begins it is reported
	maxOutageOld    = 31 * 24 * time.Hour  // how long after its beginning it is reported, as an explanation
	maxOutageThings = 200                  // places and cameras each
	maxOutageReason = 1000                 // characters
)

// Check says what is wrong with an outage that is reported at now.
func (o *Outage) Check(now time.Time) error {
	bad := func(code, zh, en string) error { return &Error{Kind: Invalid, Code: "outage." + code, ZH: zh, EN: en} }
	switch n := utf8.RuneCountInString(o.Reason); {
	case !o.To.After(o.From) || o.To.Sub(o.From) > MaxOutage:
		return bad("window", "结束时间应晚于开始时间，且不超过 31 天。", "It must end after it begins, and last at most 31 days.")
	case o.From.After(now.Add(maxOutageAhead)) || o.From.Before(now.Add(-maxOutageOld)):
		return bad("from", "开始时间应在过去 31 天至未来一年之内。", "It must begin within a year from now, or have begun within 31 days.")
	case n == 0 || n > maxOutageReason:
		return bad("reason", "请填写停机原因，最多 1000 字。", "Give the reason, in at most 1000 characters.")
	case len(o.Places) > maxOutageThings || len(o.Cameras) > maxOutageThings:
		return bad("too_many", "场所和摄像头各最多 200 个；全部停机时请留空。", "At most 200 places and 200 cameras; leave both empty for all of them.")
	}
	return nil
}

// Apply makes the next version of an outage, or says why it cannot be made.
func (o *Outage) Apply(action OutageAction, by UserID, at time.Time, note string) error {
	bad := func(kind Kind, code, zh, en string) error {
		return &Error{Kind: kind, Code: "outage." + code, ZH: zh, EN: en}
	}
	switch action {
	case OutageWithdraw:
		switch {
		case !o.Withdrawn.IsZero():
			return bad(Conflict, "withdrawn", "该报备已撤回。", "It was withdrawn already.")
		case !at.Before(o.To):
			return bad(Conflict, "over", "报备的时段已结束，不能撤回。", "It is over and cannot be withdrawn.")
		}
		o.Withdrawn = at
	case OutageRefuse:
		switch {
		case o.Refused:
			return bad(Conflict, "refused", "该报备已被标记为不予认可。", "It is marked as not accepted already.")
		case note == "":
			return bad(Invalid, "note", "请填写不予认可的理由。", "Say why it is not accepted.")
		}
		o.Refused = true
	case OutageAccept:
		if !o.Refused {
			return bad(Conflict, "accepted", "该报备未被标记为不予认可。", "It is not marked as not accepted.")
		}
		o.Refused = false
	case OutageReport:
		return bad(Invalid, "action", "没有这种处理方式。", "There is no such action.")
	}
	o.Version, o.Action, o.ChangedBy, o.Changed, o.Note = o.Version+1, action, by, at, note
	return nil
}

// Of says whether the outage is of a camera of its institution.
func (o *Outage) Of(camera CameraID, place PlaceID) bool {
	return len(o.Places) == 0 && len(o.Cameras) == 0 || slices.Contains(o.Places, place) || slices.Contains(o.Cameras, camera)
}

// end is when the outage ends; not after its beginning when it counts for nothing.
func (o *Outage) end() time.Time {
	switch {
	case o.Refused || o.Late:
		return o.From
	case !o.Withdrawn.IsZero() && o.Withdrawn.Before(o.To):
		return o.Withdrawn
	}
	return o.To
}
