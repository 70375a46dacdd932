package ward

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// FoldAdmission is the stay that events come to. Their order in the slice,
// and repeats of one, make no difference: it is the hospital's Recorded time
// that orders them, and where that is the same (a table tells days) what must come first, then
// the control id.
func FoldAdmission(events []AdmissionEvent) Stay {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b AdmissionEvent) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.Kind.turn(), b.Kind.turn()), strings.Compare(a.ControlID, b.ControlID), strings.Compare(a.Sender, b.Sender))
	})
	events = slices.CompactFunc(events, func(a, b AdmissionEvent) bool { return a.Sender == b.Sender && a.ControlID == b.ControlID })
	f := fold{}
	var numbers []string
	for _, e := range events {
		f.apply(e)
		numbers = append(append(numbers, e.Visit), e.Numbers...)
	}
	s := f.stay()
	slices.Sort(numbers)
	s.Numbers = slices.Compact(numbers)
	return s
}

// turn is the place of a kind among events that were recorded at one time.
func (k AdmissionEventKind) turn() int {
	return slices.Index([]AdmissionEventKind{
		SnapshotEvent, AdmitEvent, TransferEvent, CancelTransferEvent, UpdateEvent, DischargeEvent, CancelDischargeEvent, CancelAdmitEvent,
	}, k)
}

// move is that somebody came to lie somewhere.
type move struct {
	BedPlace
	at        time.Time
	precision TimePrecision
}

// fold is a stay in the making.
type fold struct {
	begun     bool
	from, to  time.Time
	first     move   // where the stay began
	moves     []move // transfers, in the order in which they were recorded
	cancelled bool
	physician string
	person    AdmittedPerson
}

func (f *fold) apply(e AdmissionEvent) {
	if e.Physician != "" {
		f.physician = e.Physician
	}
	f.person.Number = cmp.Or(e.Person.Number, f.person.Number)
	f.person.Local = cmp.Or(e.Person.Local, f.person.Local)
	f.person.Name = cmp.Or(e.Person.Name, f.person.Name)
	switch e.Kind {
	case SnapshotEvent:
		f.snapshot(e)
	case AdmitEvent:
		if !f.to.IsZero() && !e.At.Before(f.to) { // back under the same number
			f.to, f.moves = time.Time{}, nil
		}
		f.begun, f.cancelled = true, false
		f.from = e.At
		f.first = move{e.Place, e.At, e.Precision}
	case TransferEvent:
		f.begin(e)
		f.moves = append(f.moves, move{e.Place, e.At, e.Precision})
	case DischargeEvent:
		f.begin(e)
		f.to = e.At
	case UpdateEvent:
		f.begin(e)
	case CancelAdmitEvent:
		f.begin(e)
		f.cancelled = true
	case CancelTransferEvent:
		f.begin(e)
		if n := len(f.moves); n > 0 {
			f.moves = f.moves[:n-1]
		}
		if len(f.moves) == 0 && f.first.BedPlace == (BedPlace{}) { // it says where they are again
			f.first = move{e.Place, f.from, e.Precision}
		}
	case CancelDischargeEvent:
		f.begin(e)
		f.to = time.Time{}
	}
}

// begin makes a stay of which the admission was never told: the sender was
// connected while it lasted.
func (f *fold) begin(e AdmissionEvent) {
	if f.begun {
		return
	}
	f.begun, f.from = true, e.At
	if !e.Began.IsZero() && e.Began.Before(e.At) {
		f.from = e.Began
	}
	if e.Kind != TransferEvent { // where a transfer came from is not known
		f.first = move{e.Place, f.from, e.Precision}
	}
}

func (f *fold) snapshot(e AdmissionEvent) {
	*f = fold{begun: true, from: e.At, to: e.Ended, cancelled: e.Cancelled, physician: f.physician, person: f.person}
	for i, b := range e.Beds {
		m := move{b.BedPlace, b.From, b.Precision}
		if i == 0 {
			f.first = m
			continue
		}
		f.moves = append(f.moves, m)
	}
}

// stay puts the moves in the order in which they happened. One that came late
// stands where it belongs; one before the admission counts from there.
func (f *fold) stay() Stay {
	s := Stay{From: f.from, To: f.to, Cancelled: f.cancelled, Physician: f.physician, Person: f.person}
	if s.Cancelled || !s.To.IsZero() && s.To.Before(s.From) {
		s.To = s.From
	}
	moves := f.moves
	if f.first.BedPlace != (BedPlace{}) {
		moves = append([]move{f.first}, moves...)
	}
	moves = slices.Clone(moves)
	for i := range moves {
		if moves[i].at.Before(f.from) {
			moves[i].at = f.from
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return a.at.Compare(b.at) })
	for _, m := range moves {
		if !s.To.IsZero() && m.at.After(s.To) {
			continue // after the end
		}
		if n := len(s.Beds); n > 0 {
			last := &s.Beds[n-1]
			if last.BedPlace == m.BedPlace {
				continue
			}
			last.To = m.at
			if last.To.Equal(last.From) {
				s.Beds = s.Beds[:n-1]
			}
		}
		s.Beds = append(s.Beds, BedStay{BedPlace: m.BedPlace, From: m.at, Precision: m.precision})
	}
	if n := len(s.Beds); n > 0 {
		s.Beds[n-1].To = s.To
	}
	return s
}
