package analytics

import (
	"time"

	"wardwatch/ward"
)

// What no setting changes, because storing and waiting rest on it.
const (
	// coreBefore and coreAfter: a face that touches [At−coreBefore, At+coreAfter] was there at the swipe.
	coreBefore, coreAfter = 3 * time.Second, 2 * time.Second
	// picturesBefore and picturesAfter bound what the prompt rules look at around a swipe.
	picturesBefore, picturesAfter = 33 * time.Second, 6 * time.Second
	// deadline is how long after its moment a settlement waits for the pictures.
	deadline = 20 * time.Second
	// searchAfter is how long after a settlement its face is searched for: by
	// then those before it are judged, and their faces known.
	searchAfter = time.Minute
	// oldestJudged is how late a settlement may arrive and still be judged.
	oldestJudged = 30 * 24 * time.Hour
	// snapshotWithin is how far from its moment an alert's picture may be taken.
	snapshotWithin = 2 * time.Second
)

// Rule is how one rule is set: its row and the figures of it.
type Rule struct {
	ward.RuleSetting
	Severity ward.Severity
}

func (r Rule) seconds(name string) time.Duration { return scaled(r.Params[name], time.Second) }
func (r Rule) minutes(name string) time.Duration { return scaled(r.Params[name], time.Minute) }
func (r Rule) days(name string) time.Duration    { return scaled(r.Params[name], 24*time.Hour) }
func (r Rule) count(name string) int             { return int(r.Params[name]) }
func (r Rule) cosine(name string) float32        { return float32(r.Params[name]) }

func (r Rule) faces() ward.FaceThresholds {
	return ward.FaceThresholds{Match: r.cosine("match"), NoMatch: r.cosine("no_match")}
}

func scaled(v float64, unit time.Duration) time.Duration { return time.Duration(v * float64(unit)) }

// Rulebook is how every rule is set for one institution.
type Rulebook map[ward.Rule]Rule

// NewRulebook has what counts for an institution: see ward.RuleInfo.For.
func NewRulebook(inst ward.InstitutionID, settings []ward.RuleSetting) Rulebook {
	book := Rulebook{}
	for _, info := range ward.Rules() {
		book[info.Rule] = Rule{info.For(inst, settings), info.Severity}
	}
	return book
}

// on says whether any of the rules is asked.
func (b Rulebook) on(rules ...ward.Rule) bool {
	for _, r := range rules {
		if b[r].Mode != ward.RuleOff {
			return true
		}
	}
	return false
}
