package adt

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// beds are those of Encounter.location; what is planned or reserved is left out.
func (b *book) beds(f found, e *ward.AdmissionEvent, t *times) {
	var all []stayedAt
	if len(f.Location) > 0 && json.Unmarshal(f.Location, &all) != nil {
		t.item.fail(wrong("Encounter.location", "不是有效的位置列表。", "It is no valid list of locations."))
		return
	}
	for _, l := range all {
		if l.Status == "planned" || l.Status == "reserved" {
			continue
		}
		place, ok := b.place(f.resource, l.Location)
		if !ok {
			t.item.fail(wrong("Encounter.location", "文件里没有所指的位置，或看不出病区。", "The location it refers to is not in the file, or has no ward."))
			continue
		}
		s := ward.BedStay{BedPlace: place, From: e.At, Precision: e.Precision}
		if l.Period.Start != "" {
			s.From, s.Precision = t.read("Encounter.location.period", l.Period.Start)
		}
		s.To, _ = t.read("Encounter.location.period", l.Period.End)
		e.Beds = append(e.Beds, s)
	}
	slices.SortStableFunc(e.Beds, func(a, b ward.BedStay) int { return a.From.Compare(b.From) })
	if len(e.Beds) > 200 {
		t.item.fail(tooLong("Encounter.location"))
	}
	if n := len(e.Beds); n > 0 {
		e.Place = e.Beds[n-1].BedPlace
	}
}

// place follows partOf from a bed to its room and ward.
func (b *book) place(in resource, ref reference) (p ward.BedPlace, ok bool) {
	for range 6 {
		r, found := b.find(in, ref.Reference)
		if !found {
			break
		}
		name := locationName(r)
		switch {
		case r.PhysicalType.has("bd"):
			p.Bed = name
		case r.PhysicalType.has("ro"):
			p.Room = name
		case r.PhysicalType.has("wa"), p.Ward == "" && !r.PhysicalType.has("bu", "si", "lvl", "wi"):
			p.Ward = name
		}
		ref = reference{}
		if len(r.PartOf) == 0 || json.Unmarshal(r.PartOf, &ref) != nil || ref.Reference == "" {
			break
		}
	}
	if p.Ward == "" { // the ward may only be named: bed.partOf.display
		p.Ward = strings.TrimSpace(ref.Display)
	}
	return p, p.Ward != ""
}

func locationName(r resource) string {
	var name string
	if json.Unmarshal(r.Name, &name) == nil && name != "" {
		return strings.TrimSpace(name)
	}
	if len(r.Identifier) > 0 {
		return strings.TrimSpace(r.Identifier[0].Value)
	}
	return ""
}

// people are the attending physician and the patient.
func (b *book) people(f found, e *ward.AdmissionEvent) {
	for _, p := range f.Participant {
		if !slices.ContainsFunc(p.Type, func(c concept) bool { return c.has("ATND") }) {
			continue
		}
		e.Physician = strings.TrimSpace(p.Individual.Display)
		if r, ok := b.find(f.resource, p.Individual.Reference); ok {
			e.Physician = cmp.Or(nameOf(r), e.Physician)
		}
	}
	e.Person.Name = strings.TrimSpace(f.Subject.Display)
	r, ok := b.find(f.resource, f.Subject.Reference)
	if !ok {
		return
	}
	e.Person.Name = cmp.Or(nameOf(r), e.Person.Name)
	rank := 0
	for _, id := range r.Identifier {
		switch {
		case id.Type.has("NI", "NNCHN") && rank < 2:
			e.Person.Number, rank = ward.PlainNumber(id.Value), 2
		case id.Type.has("SS", "MC", "HC", "SB") && rank < 1:
			e.Person.Number, rank = ward.PlainNumber(id.Value), 1
		case id.Type.has("MR", "PI", "PT") && e.Person.Local == "":
			e.Person.Local = strings.TrimSpace(id.Value)
		}
	}
}

func nameOf(r resource) string {
	var names []humanName
	if json.Unmarshal(r.Name, &names) != nil || len(names) == 0 {
		return ""
	}
	n := names[0]
	return cmp.Or(strings.TrimSpace(n.Text), joined(n.Family, strings.Join(n.Given, " ")))
}

// times reads times and keeps the latest.
type times struct {
	item   *Item
	latest time.Time
}

// read is a FHIR date or dateTime; one to the month or year is too coarse.
func (t *times) read(field, s string) (time.Time, ward.TimePrecision) {
	if s == "" {
		return time.Time{}, ""
	}
	at, err := time.ParseInLocation(time.DateOnly, s, china)
	p := ward.ToTheDay
	if err != nil {
		at, err = time.Parse(time.RFC3339, s)
		p = ward.ToTheSecond
	}
	if err != nil || !sane(at) {
		t.item.fail(badTime(field))
		return time.Time{}, ""
	}
	if at.After(t.latest) {
		t.latest = at.UTC()
	}
	return at.UTC().Truncate(time.Microsecond), p
}
