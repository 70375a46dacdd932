package adt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

func fieldName(segment string, n int) string { return fmt.Sprintf("%s-%d", segment, n) }

// hl7Field says where HL7 has a part of an event.
func hl7Field(part string) string {
	switch part {
	case "control":
		return "MSH-10"
	case "visit":
		return "PV1-19"
	case "account":
		return "PID-18"
	case "physician":
		return "PV1-7"
	case "name":
		return "PID-5"
	case "number":
		return "PID-3"
	default:
		return "PV1-3"
	}
}

// Header is what an acknowledgement repeats.
type Header struct {
	Sender, Facility, ControlID, Version, Processing, Event string
}

// HL7File reads a file of messages, with or without batch segments.
func HL7File(raw []byte) []Item {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	var items []Item
	var one []byte
	begin, line := 0, 0
	end := func() {
		if one != nil {
			_, item := HL7(one)
			item.Line = begin
			items = append(items, item)
		}
		one = nil
	}
	for len(raw) > 0 {
		n := bytes.IndexAny(raw, "\r\n") + 1
		if n == 0 {
			n = len(raw)
		}
		if n < len(raw) && raw[n-1] == '\r' && raw[n] == '\n' {
			n++
		}
		segment := raw[:n]
		raw = raw[n:]
		line++
		switch name := string(segment[:min(3, len(segment))]); {
		case name == "FHS" || name == "BHS" || name == "BTS" || name == "FTS":
			end()
		case name == "MSH":
			end()
			begin, one = line, slices.Clone(segment)
		case one != nil:
			one = append(one, segment...)
		case len(bytes.TrimSpace(segment)) > 0:
			items = append(items, Item{Line: line, Problems: []Problem{*wrong("MSH", "消息应以 MSH 段开始。", "A message begins with the segment MSH.")}})
			return items
		}
		if len(items) > MaxItems {
			break
		}
	}
	end()
	return items
}

// HL7 reads one message. The header is as far as it could be read.
func HL7(raw []byte) (Header, Item) {
	m, bad := parse(raw)
	if bad != nil {
		return Header{}, Item{Problems: []Problem{*bad}}
	}
	r := reader{m: m}
	msh := m.segments[0]
	h := Header{
		Sender: r.text(msh, 3, 1), Facility: r.text(msh, 4, 1), ControlID: r.text(msh, 10, 1),
		Processing: r.text(msh, 11, 1), Version: r.text(msh, 12, 1), Event: r.text(msh, 9, 2),
	}
	item := Item{Facility: h.Facility}
	kind, refused := kindOf(r.text(msh, 9, 1), h)
	if refused != nil {
		r.bad = append(r.bad, *refused)
	}
	if len(r.bad) == 0 {
		r.events(h, kind, &item)
	}
	item.Problems = r.bad
	if len(r.bad) > 0 || item.Skipped != nil {
		item.Events = nil
	}
	return h, item
}

func refuse(field, zh, en string) *Problem {
	return &Problem{Field: field, ZH: zh, EN: en, Refused: true}
}

func kindOf(code string, h Header) (ward.AdmissionEventKind, *Problem) {
	switch {
	case !slices.Contains([]string{"2.3", "2.3.1", "2.4", "2.5", "2.5.1"}, h.Version):
		return "", refuse("MSH-12", "只接受 HL7 2.3 至 2.5.1 版。", "Only HL7 2.3 to 2.5.1 is taken.")
	case h.Processing != "P":
		return "", refuse("MSH-11", "只接受正式消息（P），不接受测试消息。", "Only production messages (P) are taken, none for training or debugging.")
	case code != "ADT":
		return "", refuse("MSH-9", "只接受 ADT 消息。", "Only ADT messages are taken.")
	}
	switch h.Event {
	case "A01", "A04":
		return ward.AdmitEvent, nil
	case "A02", "A17":
		return ward.TransferEvent, nil
	case "A03":
		return ward.DischargeEvent, nil
	case "A08":
		return ward.UpdateEvent, nil
	case "A11":
		return ward.CancelAdmitEvent, nil
	case "A12":
		return ward.CancelTransferEvent, nil
	case "A13":
		return ward.CancelDischargeEvent, nil
	case "A40":
		return "", refuse("MSH-9", "不执行病人合并（A40）：请在参保人登记中处理，并以 A08 更正住院的证件号。", "Patients are not merged (A40): mend the register of insured people, and correct the stay's number by A08.")
	}
	return "", refuse("MSH-9", "不接受这种 ADT 事件；接受 A01 A02 A03 A04 A08 A11 A12 A13 A17。", "This ADT event is not taken; A01 A02 A03 A04 A08 A11 A12 A13 A17 are.")
}

// reader collects what is wrong while fields are read.
type reader struct {
	m   *message
	bad []Problem
}

func (r *reader) text(seg []string, n, c int) string {
	v, bad := r.m.part(seg, n, c)
	if bad != nil {
		r.bad = append(r.bad, *bad)
	}
	return v
}

func (r *reader) time(seg []string, n int) (time.Time, ward.TimePrecision) {
	v := r.text(seg, n, 1)
	if v == "" {
		return time.Time{}, ""
	}
	t, p, ok := hl7Time(v)
	if !ok {
		r.bad = append(r.bad, *badTime(fieldName(seg[0], n)))
	}
	return t, p
}

// events reads each pair of PID and PV1; only a swap has two.
func (r *reader) events(h Header, kind ward.AdmissionEventKind, item *Item) {
	var evn, pid []string
	pairs := 0
	for _, seg := range r.m.segments {
		switch seg[0] {
		case "EVN":
			evn = seg
		case "PID":
			pid = seg
		case "PV1":
			pairs++
			if pid == nil {
				r.bad = append(r.bad, *missing("PID"))
				return
			}
			if class := strings.ToUpper(r.text(seg, 2, 1)); class != "I" && class != "B" {
				item.Skipped = wrong("PV1-2", "不是住院病人（I、B），不登记。", "No inpatient (I, B); nothing is registered.")
				if class == "" {
					item.Skipped = nil
					r.bad = append(r.bad, *missing("PV1-2"))
				}
				return
			}
			e := r.event(h, kind, evn, pid, seg)
			if h.Event == "A17" {
				e.ControlID += fmt.Sprintf("#%d", pairs)
			}
			item.Events = append(item.Events, e)
			r.bad = append(r.bad, check(e, hl7Field)...)
			pid = nil
		}
	}
	want := 1
	if h.Event == "A17" {
		want = 2
	}
	if pairs != want {
		r.bad = append(r.bad, *wrong("PV1", fmt.Sprintf("这种消息应有 %d 个 PV1 段。", want), fmt.Sprintf("Such a message has %d PV1.", want)))
	}
}

func (r *reader) event(h Header, kind ward.AdmissionEventKind, evn, pid, pv1 []string) ward.AdmissionEvent {
	e := ward.AdmissionEvent{
		Kind: kind, Way: ward.ByHL7, Sender: h.Sender + "|" + h.Facility, ControlID: h.ControlID, Visit: r.text(pv1, 19, 1),
		Place:     ward.BedPlace{Ward: r.text(pv1, 3, 1), Room: r.text(pv1, 3, 2), Bed: r.text(pv1, 3, 3)},
		Physician: cmp.Or(joined(r.text(pv1, 7, 2), r.text(pv1, 7, 3)), r.text(pv1, 7, 1)),
		Person:    ward.AdmittedPerson{Name: joined(r.text(pid, 5, 1), r.text(pid, 5, 2))},
	}
	e.Person.Number, e.Person.Local = r.numbers(pid)
	e.Numbers = otherNumbers(e.Visit, r.text(pid, 18, 1))
	sent, sentP := r.time(r.m.segments[0], 7)
	var noted, occurred time.Time
	var notedP, occurredP ward.TimePrecision
	if evn != nil {
		noted, notedP = r.time(evn, 2)
		occurred, occurredP = r.time(evn, 6)
	}
	admitted, admittedP := r.time(pv1, 44)
	discharged, dischargedP := r.time(pv1, 45)
	e.Began = admitted
	e.Recorded = noted
	if noted.IsZero() {
		e.Recorded, notedP = sent, sentP
	}
	if e.Recorded.IsZero() {
		r.bad = append(r.bad, *missing("EVN-2"))
	}
	e.At, e.Precision = e.Recorded, notedP
	if !occurred.IsZero() {
		e.At, e.Precision = occurred, occurredP
	}
	switch {
	case kind == ward.AdmitEvent && !admitted.IsZero():
		e.At, e.Precision = admitted, admittedP
	case kind == ward.DischargeEvent && !discharged.IsZero():
		e.At, e.Precision = discharged, dischargedP
	}
	return e
}

// numbers are the person's in PID-3: the national or else the insurance
// number, and the hospital's own.
func (r *reader) numbers(pid []string) (person, local string) {
	rank := 0
	for id := range strings.SplitSeq(r.m.raw(pid, 3), string(r.m.repeat)) {
		part := func(c int) string {
			v, bad := r.m.component1("PID", 3, id, c)
			if bad != nil {
				r.bad = append(r.bad, *bad)
			}
			return v
		}
		v, kind := part(1), strings.ToUpper(part(5))
		switch {
		case v == "":
		case (kind == "NI" || kind == "NNCHN" || kind == "NNCN") && rank < 2:
			person, rank = ward.PlainNumber(v), 2
		case (kind == "SS" || kind == "MC" || kind == "HC") && rank < 1:
			person, rank = ward.PlainNumber(v), 1
		case local == "" && (kind == "" || kind == "MR" || kind == "PI" || kind == "PT"):
			local = v
		}
	}
	if person == "" {
		person = ward.PlainNumber(r.text(pid, 19, 1))
	}
	return person, local
}
