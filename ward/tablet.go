package ward

import (
	"strings"
	"time"
)

// TabletLost is how long a paired tablet may be silent; it reports four times as often.
const TabletLost = 90 * time.Second

// PairingTime is how long a pairing code may be used.
const PairingTime = 10 * time.Minute

// TabletNetwork is what a tablet says of its network.
type TabletNetwork string

// The networks of a tablet; most browsers do not tell.
const (
	UnknownNetwork  TabletNetwork = "unknown"
	WiFiNetwork     TabletNetwork = "wifi"
	CellularNetwork TabletNetwork = "cellular"
	WiredNetwork    TabletNetwork = "wired"
	OtherNetwork    TabletNetwork = "other"
)

// TabletReport is what a tablet says of itself.
type TabletReport struct {
	Battery  int           `json:"battery" minimum:"-1" maximum:"100" doc:"Per cent; -1 when the browser does not tell"`
	Charging bool          `json:"charging" doc:"Only with a known battery"`
	Network  TabletNetwork `json:"network"`
	Sound    bool          `json:"sound" doc:"The browser lets the page ring aloud"`
}

// Tablet 病区平板 is a device that stands in a ward and rings when a bed is visited.
type Tablet struct {
	TabletReport

	ID            TabletID      `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Ward          string        `json:"ward"`
	Bed           string        `json:"bed"` // empty: rings for every bed of the ward that has no tablet of its own
	Name          string        `json:"name"`
	RegisteredBy  UserID        `json:"registered_by"`
	Created       time.Time     `json:"created"`
	CodeExpires   time.Time     `json:"code_expires,omitzero"` // of a pairing code that was not used
	Paired        time.Time     `json:"paired,omitzero"`
	Revoked       time.Time     `json:"revoked,omitzero"`
	Seen          time.Time     `json:"seen,omitzero"`  // its last report
	Asked         time.Time     `json:"asked,omitzero"` // the last ring test
	Rang          time.Time     `json:"rang,omitzero"`  // the tablet's own receipt of it
}

// Lost says that a tablet which should be there has been silent for too long.
func (t *Tablet) Lost(now time.Time) bool {
	return !t.Paired.IsZero() && t.Revoked.IsZero() && now.Sub(t.Seen) > TabletLost
}

// Serves says whether the tablet stands at a bed, or in its ward.
func (t *Tablet) Serves(inst InstitutionID, ward, bed string) bool {
	return t.InstitutionID == inst && t.Ward == ward && (t.Bed == "" || t.Bed == bed)
}

// Check says what is wrong with what a tablet is registered as.
func (t *Tablet) Check() error {
	long := func(s string) bool { return len([]rune(s)) > 64 }
	if strings.TrimSpace(t.Ward) == "" || long(t.Ward) || long(t.Bed) || long(t.Name) || strings.TrimSpace(t.Name) == "" {
		return &Error{Kind: Invalid, Code: "tablet.place", ZH: "请填写平板名称和病区（各不超过 64 字）。", EN: "Give the tablet's name and ward (at most 64 characters each)."}
	}
	return nil
}

// TellWay is a way by which a bedside is told of a visit.
type TellWay string

// The ways. Only a device makes a way "delivered".
const (
	ByTablet TellWay = "tablet" // a registered tablet was sent the ring
	ByLink   TellWay = "link"   // the inspector copied the link
	ByQR     TellWay = "qr"     // the inspector showed the QR code
	BySMS    TellWay = "sms"    // the inspector handed out the text of a message
)

// Telling is one way by which a bedside was told, and the device's receipts.
type Telling struct {
	VisitID   VisitID   `json:"visit_id"`
	Way       TellWay   `json:"way"`
	TabletID  TabletID  `json:"tablet_id,omitempty"`
	By        UserID    `json:"by,omitempty"` // the person who handed it out
	Told      time.Time `json:"told,omitzero"`
	Delivered time.Time `json:"delivered,omitzero"` // the tablet acknowledged, or the link was fetched
	Opened    time.Time `json:"opened,omitzero"`    // by this way
}
