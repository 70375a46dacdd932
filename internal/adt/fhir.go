package adt

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"wardwatch/ward"
)

// What of FHIR R4 is read.
type (
	resource struct {
		Type        string                       `json:"resourceType"`
		ID          string                       `json:"id"`
		Meta        struct{ LastUpdated string } `json:"meta"`
		Contained   []json.RawMessage            `json:"contained"`
		Identifier  []identifier                 `json:"identifier"`
		Status      string                       `json:"status"`
		Class       coding                       `json:"class"`
		Subject     reference                    `json:"subject"`
		Period      period                       `json:"period"`
		Location    json.RawMessage              `json:"location"`
		Participant []struct {
			Type       []concept `json:"type"`
			Individual reference `json:"individual"`
		} `json:"participant"`
		Name         json.RawMessage `json:"name"`
		PhysicalType concept         `json:"physicalType"`
		PartOf       json.RawMessage `json:"partOf"`
		Timestamp    string          `json:"timestamp"`
		Entry        []struct {
			FullURL  string          `json:"fullUrl"`
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	identifier struct {
		Use   string  `json:"use"`
		Type  concept `json:"type"`
		Value string  `json:"value"`
	}
	concept struct {
		Coding []coding `json:"coding"`
		Text   string   `json:"text"`
	}
	coding    struct{ Code string }
	reference struct{ Reference, Display string }
	period    struct{ Start, End string }
	humanName struct {
		Text, Family string
		Given        []string
	}
	stayedAt struct {
		Location reference `json:"location"`
		Status   string    `json:"status"`
		Period   period    `json:"period"`
	}
)

func (c concept) has(codes ...string) bool {
	return slices.ContainsFunc(c.Coding, func(k coding) bool { return slices.Contains(codes, k.Code) })
}

// FHIR reads a Bundle, one Encounter, or lines of resources (NDJSON). Every
// inpatient Encounter is an item.
func FHIR(raw []byte) []Item {
	b := book{known: map[string]resource{}}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	for d.More() {
		line := 1 + bytes.Count(raw[:min(len(raw), int(d.InputOffset()))], []byte("\n"))
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			b.items = append(b.items, Item{Line: line, Problems: []Problem{*notJSON()}})
			return b.items
		}
		b.take(one, "", "", line)
	}
	for _, e := range b.encounters {
		if len(b.items) > MaxItems {
			break
		}
		item := b.encounter(e)
		item.Line = e.line
		b.items = append(b.items, item)
	}
	return b.items
}

func notJSON() *Problem {
	return wrong("", "不是有效的 FHIR JSON 资源。", "It is no valid FHIR resource in JSON.")
}

type found struct {
	resource
	line int
	at   string // when its bundle was made
}

// book is what the resources of one file refer to.
type book struct {
	known      map[string]resource // by "Location/1" and full URL
	encounters []found
	items      []Item
}

func (b *book) take(raw json.RawMessage, url, at string, line int) {
	var r resource
	if json.Unmarshal(raw, &r) != nil || r.Type == "" {
		b.items = append(b.items, Item{Line: line, Problems: []Problem{*notJSON()}})
		return
	}
	if url != "" {
		b.known[url] = r
	}
	if r.ID != "" {
		b.known[r.Type+"/"+r.ID] = r
	}
	switch r.Type {
	case "Encounter":
		b.encounters = append(b.encounters, found{r, line, at})
	case "Bundle":
		if at != "" {
			return // none within another
		}
		for _, e := range r.Entry {
			if e.Resource != nil {
				b.take(e.Resource, e.FullURL, cmp.Or(r.Timestamp, "-"), line)
			}
		}
	}
}

// find resolves a reference from in: to what it contains, or in the file.
func (b *book) find(in resource, ref string) (resource, bool) {
	if id, ok := strings.CutPrefix(ref, "#"); ok {
		for _, raw := range in.Contained {
			var r resource
			if json.Unmarshal(raw, &r) == nil && r.ID == id {
				return r, true
			}
		}
		return resource{}, false
	}
	r, ok := b.known[ref]
	return r, ok
}

func fhirField(part string) string {
	switch part {
	case "control":
		return "Encounter.id"
	case "visit", "account":
		return "Encounter.identifier"
	case "physician":
		return "Encounter.participant"
	case "name":
		return "Patient.name"
	case "number":
		return "Patient.identifier"
	default:
		return "Encounter.location"
	}
}

func (b *book) encounter(f found) (item Item) {
	if f.Class.Code != "IMP" && f.Class.Code != "ACUTE" && f.Class.Code != "NONAC" {
		item.Skipped = wrong("Encounter.class", "不是住院（IMP），不登记。", "No inpatient encounter (IMP); nothing is registered.")
		return item
	}
	e := ward.AdmissionEvent{Kind: ward.SnapshotEvent, Way: ward.ByFHIR, Sender: "fhir", Visit: visitNumber(f.resource)}
	switch f.Status {
	case "planned", "arrived", "triaged":
		item.Skipped = wrong("Encounter.status", "尚未入院，不登记。", "Not admitted yet; nothing is registered.")
		return item
	case "cancelled", "entered-in-error":
		e.Cancelled = true
	case "in-progress", "onleave", "finished":
	default:
		item.fail(wrong("Encounter.status", "状态不明。", "The status is none that is known."))
	}
	t := times{item: &item}
	e.At, e.Precision = t.read("Encounter.period", f.Period.Start)
	if e.At.IsZero() && f.Period.Start == "" {
		item.fail(missing("Encounter.period"))
	}
	e.Began = e.At
	e.Ended, _ = t.read("Encounter.period", f.Period.End)
	if f.Status == "finished" && e.Ended.IsZero() {
		item.fail(missing("Encounter.period"))
	}
	b.beds(f, &e, &t)
	b.people(f, &e)
	e.Recorded, _ = t.read("Encounter.meta.lastUpdated", f.Meta.LastUpdated)
	if e.Recorded.IsZero() && f.at != "" && f.at != "-" {
		e.Recorded, _ = t.read("Bundle.timestamp", f.at)
	}
	if e.Recorded.IsZero() {
		e.Recorded = t.latest
	}
	var all []string
	for _, id := range f.Identifier {
		if id.Use != "old" {
			all = append(all, strings.TrimSpace(id.Value))
		}
	}
	e.Numbers = otherNumbers(e.Visit, all...)
	e.ControlID = digest("fhir", e)
	item.Problems = append(item.Problems, check(e, fhirField)...)
	if len(item.Problems) == 0 {
		item.Events = []ward.AdmissionEvent{e}
	}
	return item
}

// visitNumber is the identifier typed VN, or else the first that is not old.
func visitNumber(r resource) string {
	first := ""
	for _, id := range r.Identifier {
		if id.Type.has("VN") {
			return strings.TrimSpace(id.Value)
		}
		if first == "" && id.Use != "old" {
			first = strings.TrimSpace(id.Value)
		}
	}
	return first
}
