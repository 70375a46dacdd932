package ward

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// The checks of where a visit is. They are shown to whoever decides.
const (
	CheckWardCode CheckKind = "ward_code" // the rotating code of the ward's display, seen by the camera
	CheckBed      CheckKind = "bed_code"  // the wristband or bed card, read from the video
	CheckPosition CheckKind = "position"  // the browser's position against the fence
	CheckNetwork  CheckKind = "network"   // the address that the bedside comes from
)

// PlaceChecks are the checks of where a visit is.
func PlaceChecks() []CheckKind {
	return []CheckKind{CheckPosition, CheckNetwork, CheckWardCode, CheckBed}
}

// Site is what is known of where an institution's bedsides are, and so which
// checks of place its visits have: none until an administrator says more. It
// is never changed: a new version takes its place.
type Site struct {
	Version       int           `json:"version"` // 0: nothing was set
	InstitutionID InstitutionID `json:"institution_id" maxLength:"64"`
	Fence         *Fence        `json:"fence,omitempty" doc:"Left out: no position is asked for"`
	Networks      []string      `json:"networks" maxItems:"50" doc:"CIDR prefixes of the institution; empty: the address is not checked"`
	WardCode      bool          `json:"ward_code" doc:"The bedside is asked to film the code on a tablet of the ward"`
	BedCode       bool          `json:"bed_code" doc:"The bedside is asked to film the wristband or bed card with the admission's number"`
	Reason        string        `json:"reason" maxLength:"500"`
	By            UserID        `json:"by,omitempty"`
	At            time.Time     `json:"at,omitzero"`
}

const maxNetworks = 50

// Check says what is wrong with the site.
func (s Site) Check() error {
	bad := func(zh, en string) error { return &Error{Kind: Invalid, Code: "site.invalid", ZH: zh, EN: en} }
	if s.Fence != nil {
		if err := s.Fence.Check(); err != nil {
			return err
		}
	}
	if len(s.Networks) > maxNetworks {
		return bad("网段最多 50 个。", "At most 50 networks.")
	}
	for _, n := range s.Networks {
		if p, err := netip.ParsePrefix(n); err != nil || p.Masked() != p || p.Bits() == 0 {
			return bad("网段无效，请填写如 10.8.0.0/16 的形式。", "A network is not valid; write it like 10.8.0.0/16.")
		}
	}
	if strings.TrimSpace(s.Reason) == "" || utf8.RuneCountInString(s.Reason) > 500 {
		return bad("请填写设置理由（不超过 500 字）。", "Give the reason (at most 500 characters).")
	}
	return nil
}

// Asks says whether the bedside page has anything to report: its address, or its position too.
func (s Site) Asks() bool { return s.Fence != nil || len(s.Networks) > 0 }

// Network is the outcome for an address: NotDone for one of the server
// itself, where a proxy on the same machine hides the bedside's.
func (s Site) Network(a netip.Addr) Outcome {
	a = a.Unmap()
	if !a.IsValid() || a.IsLoopback() {
		return NotDone
	}
	for _, n := range s.Networks {
		if p, err := netip.ParsePrefix(n); err == nil && p.Contains(a) {
			return Pass
		}
	}
	return Fail
}

// PositionState says whether a browser told its position.
type PositionState string

// The states. Refused is the person's right and proves nothing.
const (
	PositionGiven       PositionState = "given"
	PositionRefused     PositionState = "refused"
	PositionUnavailable PositionState = "unavailable"
)

// Band is a distance in metres that does not give a position away: the least
// of 100, 500, 2000 and 10000 that it is below, or 0 when it is farther.
func Band(metres float64) int {
	for _, b := range []int{100, 500, 2000, 10_000} {
		if metres < float64(b) {
			return b
		}
	}
	return 0
}
