// Package adt reads what hospitals say about stays: HL7 v2 ADT messages
// (2.3 to 2.5.1), FHIR R4 encounters and tables. It maps them to
// ward.AdmissionEvent and stores nothing. What is wrong is told by segment and
// field, or column, or element; never by the value, which may be a person's.
package adt

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/ward"
)

const (
	maxNumber = 64 // runes of a visit number, a person's number, a ward, a name
	maxBed    = 32 // runes of a room or a bed
	maxBands  = 8  // numbers of a stay besides its own
	// MaxItems bounds the messages, encounters or rows of one file.
	MaxItems = 5000
)

// Problem says what is wrong with one field, and what to do about it.
type Problem struct { //nolint:errname // what reports of imports call it
	Field string `json:"field"` // "PV1-19", "Encounter.period", "床号"; empty: the whole of it
	ZH    string `json:"zh"`
	EN    string `json:"en"`
	// Refused: not wrong, but nothing that is taken here.
	Refused bool `json:"-"`
}

// Error implements error, without personal data.
func (p *Problem) Error() string { return p.Field + ": " + p.EN }

// Item is one message, encounter or row.
type Item struct {
	Line     int // where it begins in the file, from 1
	Facility string
	Events   []ward.AdmissionEvent // none when Problems or Skipped
	Problems []Problem
	Skipped  *Problem // why it is none of ours, without being wrong
}

func (i *Item) fail(p *Problem) { i.Problems = append(i.Problems, *p) }

func wrong(field, zh, en string) *Problem { return &Problem{Field: field, ZH: zh, EN: en} }

func missing(field string) *Problem { return wrong(field, "缺少这一项。", "It is missing.") }

func tooLong(field string) *Problem {
	return wrong(field, "内容过长，或含有控制字符。", "It is too long, or has control characters.")
}

func badTime(field string) *Problem {
	return wrong(field, "不是有效的时间；至少要有年月日。", "It is no valid time; year, month and day at least.")
}

// fits says whether s may be stored as a label of at most n runes.
func fits(s string, n int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= n && strings.IndexFunc(s, unicode.IsControl) < 0
}

// check finds what of an event cannot be stored; field names its parts.
func check(e ward.AdmissionEvent, field func(part string) string) []Problem {
	var bad []Problem
	for _, c := range []struct {
		part, value string
		most        int
		must        bool
	}{
		{"control", e.ControlID, 200, true},
		{"visit", e.Visit, maxNumber, true},
		{"ward", e.Place.Ward, maxNumber, e.Kind == ward.AdmitEvent || e.Kind == ward.TransferEvent},
		{"room", e.Place.Room, maxBed, false},
		{"bed", e.Place.Bed, maxBed, false},
		{"physician", e.Physician, maxNumber, false},
		{"name", e.Person.Name, maxNumber, false},
		{"number", e.Person.Number, maxNumber, false},
		{"number", e.Person.Local, maxNumber, false},
	} {
		switch {
		case c.must && c.value == "":
			bad = append(bad, *missing(field(c.part)))
		case !fits(c.value, c.most):
			bad = append(bad, *tooLong(field(c.part)))
		}
	}
	if len(e.Numbers) > maxBands || slices.ContainsFunc(e.Numbers, func(n string) bool { return !fits(n, maxNumber) }) {
		bad = append(bad, *tooLong(field("account")))
	}
	for _, b := range e.Beds {
		if b.Ward == "" || !fits(b.Ward, maxNumber) || !fits(b.Room, maxBed) || !fits(b.Bed, maxBed) {
			bad = append(bad, *tooLong(field("ward")))
		}
	}
	if e.Kind == ward.SnapshotEvent && len(e.Beds) == 0 && !e.Cancelled {
		bad = append(bad, *missing(field("ward")))
	}
	return bad
}

// otherNumbers are those of a stay besides its own, each once.
func otherNumbers(visit string, all ...string) (out []string) {
	for _, n := range all {
		if n != "" && n != visit && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// china is where times without a zone are told.
var china = time.FixedZone("Asia/Shanghai", 8*60*60) // without summer time since 1992

// sane says whether a time can be one of a stay.
func sane(t time.Time) bool { return t.Year() >= 1993 && t.Year() < 2200 }

// joined is a name as it is written: 张三, or Ann Smith.
func joined(family, given string) string {
	family, given = strings.TrimSpace(family), strings.TrimSpace(given)
	if strings.IndexFunc(family+given, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0 {
		return family + given
	}
	return strings.TrimSpace(given + " " + family)
}
