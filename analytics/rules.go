package analytics

import (
	"cmp"
	"slices"
	"time"

	"wardwatch/ward"
)

// Outcome is what one rule says about one settlement.
type Outcome string

// The outcomes of a rule.
const (
	Fired         Outcome = "fired"
	Fine          Outcome = "clear"
	Blind         Outcome = "cannot_tell"    // the camera was missing, blind or too poor, or a fact is not known
	NotApplicable Outcome = "not_applicable" // nothing to compare with
	Later         Outcome = "later"          // it looks at what is still to come
)

// Finding is the answer of one rule. It holds no personal data but Face,
// which is not stored.
type Finding struct {
	Rule      ward.Rule
	Outcome   Outcome
	Reason    string // why Blind or NotApplicable: a code such as "no_camera"
	Severity  ward.Severity
	Version   int // of the setting that it was judged by
	Shadow    bool
	ZH, EN    string // what was seen, for people; when Fired
	Sightings []ward.SightingID
	Related   []ward.SettlementID
	Camera    ward.CameraID // that saw it; empty when the rule does not know one
	Face      ward.Template // whose picture the alert should show; nil for any
}

// Window is everything that the rules may look at for one settlement. All
// moments are those of the cameras' clock, the settlement's too. The order of
// the lists does not matter.
type Window struct {
	// Now is up to when everything is known that the window can hold.
	Now time.Time
	// Place is where the settlement was; Location where its institution is, nil when unknown.
	Place    ward.Place
	Location *ward.Location
	// Cameras are the enabled cameras of the place that existed by then;
	// StaffCameras those of them with a zone of the staff, drawn before any
	// rule looks into it.
	Cameras, StaffCameras []ward.CameraID
	// Sightings are those at the place around the settlement; those elsewhere in time are ignored.
	Sightings []ward.Sighting
	// Blind are the periods in which a camera of the place saw nothing.
	Blind []BlindPeriod
	// Insured is whose card it was; without enrolment when unknown.
	Insured ward.Insured
	// AtPlace are the other settlements at the place, OfCard those with the
	// same card anywhere, OfFace those at which the face of this settlement
	// was found. Reversed ones are in none of them.
	AtPlace, OfCard, OfFace []Use
	// Searched says that OfFace is complete: the search takes its time.
	Searched bool
	// Pharmacies are the pharmacy counters of the institution, for a drug sale.
	Pharmacies []Counter

	// person is who stood there, by personAt; else unnamed says why nobody can be named.
	person  *ward.Sighting
	unnamed Finding
}

// BlindPeriod is a stretch in which a camera saw nothing; a zero To lasts.
type BlindPeriod struct {
	Camera   ward.CameraID
	From, To time.Time
	Reported bool // by the institution, in advance, for the settlement's moment
}

// Counter is a place with what its cameras saw.
type Counter struct {
	Cameras   []ward.CameraID
	Sightings []ward.Sighting
}

// Use is a settlement with the person who stood there, as far as known.
type Use struct {
	Settlement  ward.SettlementID
	Insured     ward.InsuredID
	Institution ward.InstitutionID
	Location    *ward.Location
	Place       ward.PlaceID
	PlaceKind   ward.PlaceKind
	At          time.Time
	Person      Person // without a template when nobody can be named
}

// Person is the nearest face at a settlement.
type Person struct {
	Sighting ward.SightingID
	ModelID  string
	Template ward.Template
}

// before says whether u counts as before the settlement s: by moment, then by id.
func (u Use) before(s ward.Settlement) bool {
	return u.At.Before(s.At) || u.At.Equal(s.At) && u.Settlement < s.ID
}

// earlier returns those of the uses that were before s and at most within
// before it, without s itself, oldest first.
func earlier(s ward.Settlement, uses []Use, within time.Duration) []Use {
	var out []Use
	for _, u := range uses {
		if u.before(s) && u.Settlement != s.ID && s.At.Sub(u.At) <= within {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b Use) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Settlement, b.Settlement))
	})
	return out
}

// Judge asks every rule that is not off. It has no clock and does no I/O.
func Judge(s ward.Settlement, win Window, book Rulebook) []Finding {
	var out []Finding
	win.person, win.unnamed = personAt(s, win, book[ward.OneFaceManyCards])
	for _, info := range ward.Rules() {
		if r := book[info.Rule]; r.Mode != ward.RuleOff && !r.Rule.OfStay() && !r.Rule.OfBlind() {
			f := ask(s, win, r)
			f.Rule, f.Severity, f.Version, f.Shadow = r.Rule, r.Severity, r.Version, r.Mode == ward.RuleShadow
			out = append(out, f)
		}
	}
	return out
}

func ask(s ward.Settlement, win Window, r Rule) Finding {
	switch r.Rule {
	case ward.NobodyAtCounter:
		return nobodyAtCounter(s, win, r)
	case ward.MoreCardsThanFolk:
		return moreCardsThanFolk(s, win, r)
	case ward.OneFaceManyCards:
		return oneFaceManyCards(s, win, r)
	case ward.CardsHoarded:
		return cardsHoarded(s, win, r)
	case ward.OneCardManyFaces:
		return oneCardManyFaces(s, win, r)
	case ward.FaceMismatch:
		return faceMismatch(s, win, r)
	case ward.ImpossibleTravel:
		return impossibleTravel(s, win, r)
	case ward.BatchSwiping:
		return batchSwiping(s, win, r)
	case ward.OutOfHours:
		return outOfHours(s, win, r)
	case ward.DrugNotCollected:
		return drugNotCollected(s, win, r)
	case ward.KnownCollector:
		return knownCollector(s, win, r)
	case ward.SettledBlind:
		return settledBlind(s, win, r)
	case ward.NoPhysician:
		return noPhysician(s, win, r)
	case ward.Loitering: // stays are about no settlement
	case ward.BlindUnreported: // storage judges it where blind periods change
	}
	return Finding{Outcome: NotApplicable, Reason: "unknown_rule"}
}

// Conclude is the settlement's state and the reason of cannot_tell. An alert
// that is shown makes it suspicious; else it cannot be told when a rule of
// the counter itself was blind: who stood there, and whether anybody did.
// What another rule cannot tell (a map position is missing, say) is listed
// with it and does not make the settlement unclear.
func Conclude(fs []Finding) (ward.SettlementState, string) {
	state, reason := ward.Clear, ""
	for _, f := range fs {
		switch f.Outcome {
		case Fired:
			if !f.Shadow {
				return ward.Suspicious, ""
			}
		case Blind:
			if state == ward.Clear && (f.Rule == ward.NobodyAtCounter || f.Rule == ward.FaceMismatch) {
				state, reason = ward.CannotTell, f.Reason
			}
		case Fine, NotApplicable, Later:
		}
	}
	return state, reason
}

// fine, blind, none and later are the findings without an accusation.
func fine() Finding               { return Finding{Outcome: Fine} }
func later() Finding              { return Finding{Outcome: Later} }
func blind(reason string) Finding { return Finding{Outcome: Blind, Reason: reason} }
func none(reason string) Finding  { return Finding{Outcome: NotApplicable, Reason: reason} }
