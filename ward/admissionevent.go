package ward

import (
	"strings"
	"time"
)

// AdmissionEventKind is what a hospital says happened to a stay.
type AdmissionEventKind string

// The kinds of AdmissionEvent. HL7's trigger events stand beside them.
const (
	AdmitEvent           AdmissionEventKind = "admit"            // A01, A04
	TransferEvent        AdmissionEventKind = "transfer"         // A02, and each side of A17
	DischargeEvent       AdmissionEventKind = "discharge"        // A03
	UpdateEvent          AdmissionEventKind = "update"           // A08: the physician and the person, never the bed
	CancelAdmitEvent     AdmissionEventKind = "cancel_admit"     // A11
	CancelTransferEvent  AdmissionEventKind = "cancel_transfer"  // A12
	CancelDischargeEvent AdmissionEventKind = "cancel_discharge" // A13
	SnapshotEvent        AdmissionEventKind = "snapshot"         // FHIR: the whole stay as it is now
)

// AdmissionEvent is one message about one stay. It holds personal data: it is
// stored sealed and never logged.
type AdmissionEvent struct {
	Kind      AdmissionEventKind `json:"kind"`
	Sender    string             `json:"sender"`            // who numbers the messages
	ControlID string             `json:"control_id"`        // the message's number at its sender
	Visit     string             `json:"visit"`             // the hospital's number of the stay
	Numbers   []string           `json:"numbers,omitempty"` // others of the stay that a wristband may carry
	Recorded  time.Time          `json:"recorded"`          // when the hospital wrote it: what is newer wins
	At        time.Time          `json:"at"`                // when it happened
	Precision TimePrecision      `json:"precision"`         // of At
	Place     BedPlace           `json:"place"`             // admit, transfer; of others where the person lies
	Physician string             `json:"physician,omitempty"`
	Person    AdmittedPerson     `json:"person"`
	Began     time.Time          `json:"began,omitzero"` // when the stay began, if the message tells it
	Beds      []BedStay          `json:"beds,omitempty"` // of a snapshot
	Ended     time.Time          `json:"ended,omitzero"` // of a snapshot
	Cancelled bool               `json:"cancelled,omitempty"`
	Way       AdmissionWay       `json:"-"` // how it came in: the same message is the same by every way
}

// TimePrecision is how exactly a hospital told a time.
type TimePrecision string

// The precisions. A time is the beginning of what it tells.
const (
	ToTheDay    TimePrecision = "day"
	ToTheHour   TimePrecision = "hour"
	ToTheMinute TimePrecision = "minute"
	ToTheSecond TimePrecision = "second"
)

// BedPlace is where somebody lies. Ward is the point of care; Room may be
// empty, and Bed too while none is given.
type BedPlace struct {
	Ward string `json:"ward"`
	Room string `json:"room,omitempty"`
	Bed  string `json:"bed"`
}

// AdmittedPerson is who lies there, in the hospital's words. Number is the
// national or insurance number, by which the insured person is found; Local
// is the hospital's own.
type AdmittedPerson struct {
	Number string `json:"number,omitempty"`
	Local  string `json:"local,omitempty"`
	Name   string `json:"name,omitempty"`
}

// BedStay is a bed that somebody lay in; To is zero while it lasts.
type BedStay struct {
	BedPlace
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to,omitzero"`
	Precision TimePrecision `json:"precision"` // of From
}

// Stay is what all events about an admission come to.
type Stay struct {
	From, To  time.Time // To is zero while it lasts
	Cancelled bool      // it never was: To is From
	Physician string
	Person    AdmittedPerson
	Beds      []BedStay // by From, without overlaps
	Numbers   []string  // all that were told, that of the stay among them; sorted
}

// Place is where the stay is, or was last.
func (s Stay) Place() BedPlace {
	if len(s.Beds) == 0 {
		return BedPlace{}
	}
	return s.Beds[len(s.Beds)-1].BedPlace
}

// PlainNumber is a person's number as it is compared.
func PlainNumber(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
