package ward

import "time"

// AdmissionWay is how something about a stay came in.
type AdmissionWay string

// The ways.
const (
	UnknownWay AdmissionWay = "" // before it was kept
	ByAPI      AdmissionWay = "api"
	ByCSV      AdmissionWay = "csv"
	ByHL7      AdmissionWay = "hl7" // a file of HL7 v2 messages
	ByFHIR     AdmissionWay = "fhir"
	ByMLLP     AdmissionWay = "mllp"
)

// StayState is how a stay stands at a moment.
type StayState string

// The states.
const (
	StayToCome     StayState = "to_come"
	StayInHouse    StayState = "in_house"
	StayDischarged StayState = "discharged"
	StayCancelled  StayState = "cancelled" // it never was
)

// StateAt is how a stay stands at now.
func (a Admission) StateAt(now time.Time, cancelled bool) StayState {
	switch {
	case cancelled:
		return StayCancelled
	case a.From.After(now):
		return StayToCome
	case a.To.IsZero() || a.To.After(now):
		return StayInHouse
	}
	return StayDischarged
}
