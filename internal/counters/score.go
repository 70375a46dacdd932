package counters

import (
	"math"
	"slices"

	"wardwatch/ward"
)

// Answer is what Wardwatch said of one swipe.
type Answer struct {
	State   ward.SettlementState `json:"state"`
	Alerts  []ward.Rule          `json:"alerts"`  // that stand, in shadow or not
	Unclear map[ward.Rule]string `json:"unclear"` // why a rule could not tell
}

// Share is a count out of a number with its 95 % interval (Wilson).
type Share struct {
	N    int     `json:"n"`
	Of   int     `json:"of"`
	Rate float64 `json:"rate"` // 0 when there is nothing
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// ShareOf is n out of of.
func ShareOf(n, of int) Share {
	if of == 0 {
		return Share{High: 1}
	}
	const z = 1.959964
	m, p := float64(of), float64(n)/float64(of)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Share{N: n, Of: of, Rate: p, Low: max(0, centre-half), High: min(1, centre+half)}
}

// RuleScore is how good one rule is. A case that a rule cannot tell of counts as missed.
type RuleScore struct {
	Rule      ward.Rule `json:"rule"`
	Recall    Share     `json:"recall"`    // of the cases that it ought to see
	Precision Share     `json:"precision"` // of all its alerts, in whatever picture quality
	Unsure    int       `json:"unsure"`    // cases that it ought to see and could not tell of
	Unlooked  int       `json:"unlooked"`  // of those, because too few pictures were looked at: the machine was busy
	Poor      Share     `json:"poor"`      // cases that it need not see: alerted all the same
	False     int       `json:"false"`
	Honest    int       `json:"honest"` // swipes that are no case of it
}

// ConditionScore is what became of the swipes of people who could be seen so.
type ConditionScore struct {
	Condition Condition `json:"condition"`
	Swipes    int       `json:"swipes"`
	Cases     int       `json:"cases"`   // of the first three rules
	Found     int       `json:"found"`   // of those
	False     int       `json:"false"`   // alerts of the three that are wrong
	Unclear   Share     `json:"unclear"` // one of the three could not tell
}

// Error is an alert that is wrong or missing, to be looked at.
type Error struct {
	Swipe   int       `json:"swipe"`
	Rule    ward.Rule `json:"rule"`
	Missed  bool      `json:"missed"` // else it is false
	Reason  string    `json:"reason"` // why the rule could not tell
	Counter string    `json:"counter"`
	At      float64   `json:"at"`
	Story   string    `json:"story"`
	Seen    Condition `json:"condition"`
	Who     string    `json:"who"`
	Owner   string    `json:"owner"` // of the card
}

// Report is the result of an evaluation.
type Report struct {
	Settlements int              `json:"settlements"`
	Unjudged    int              `json:"unjudged"`
	People      int              `json:"people"` // who appear
	EastAsian   int              `json:"east_asian"`
	Half        string           `json:"half"`
	Seed        uint64           `json:"seed"`
	Cameras     int              `json:"cameras"`
	Seconds     float64          `json:"seconds"` // of video on each camera
	Rules       []RuleScore      `json:"rules"`
	East        []RuleScore      `json:"east_asian_rules"` // the three of the goal where the customer is East Asian
	Conditions  []ConditionScore `json:"conditions"`
	Stories     []StoryScore     `json:"stories"`
	Errors      []Error          `json:"errors"`
	// Watched counts pictures: what became of them at this load.
	Looked  uint64 `json:"pictures_looked"`
	Dropped uint64 `json:"pictures_dropped"`
	Failed  uint64 `json:"pictures_failed"`
}

// goal are the rules that issue 4 sets a goal for.
func goal() []ward.Rule { return Rules()[:3] }

// Score compares the answers, one for each swipe, with the truth.
func (w *World) Score(answers []Answer) Report {
	r := Report{Settlements: len(w.Swipes), Cameras: len(w.Counters), Seconds: w.Length}
	seen := map[int]bool{}
	for _, c := range w.Counters {
		for _, v := range c.Visits {
			seen[v.Who] = true
		}
	}
	for who := range seen {
		r.People++
		if w.People[who].EastAsian {
			r.EastAsian++
		}
	}
	for _, a := range answers {
		if a.State == ward.Pending || a.State == "" {
			r.Unjudged++
		}
	}
	truth := make([]map[ward.Rule]bool, len(w.Swipes))
	for i := range w.Swipes {
		truth[i] = w.Truth(i)
	}
	for _, rule := range Rules() {
		r.Rules = append(r.Rules, w.scoreRule(rule, answers, truth, func(Swipe) bool { return true }))
	}
	for _, rule := range goal() {
		r.East = append(r.East, w.scoreRule(rule, answers, truth, func(s Swipe) bool { return s.Who >= 0 && w.People[s.Who].EastAsian }))
	}
	r.Conditions = w.scoreConditions(answers, truth)
	r.Stories = w.scoreStories(answers)
	r.Errors = w.errors(answers, truth)
	return r
}

func (w *World) scoreRule(rule ward.Rule, answers []Answer, truth []map[ward.Rule]bool, in func(Swipe) bool) RuleScore {
	s := RuleScore{Rule: rule}
	var found, cases, right, poor, poorFound int
	for i, a := range answers {
		if !in(w.Swipes[i]) {
			continue
		}
		alert, is, can := slices.Contains(a.Alerts, rule), truth[i][rule], w.Judgeable(i, rule)
		switch {
		case !is:
			s.Honest++
			if alert {
				s.False++
			}
			continue
		case can:
			cases++
			if alert {
				found++
			} else if a.Unclear[rule] != "" {
				s.Unsure++
				if a.Unclear[rule] == "not_watched" {
					s.Unlooked++
				}
			}
		default:
			poor++
			if alert {
				poorFound++
			}
		}
		if alert {
			right++
		}
	}
	s.Recall, s.Precision, s.Poor = ShareOf(found, cases), ShareOf(right, right+s.False), ShareOf(poorFound, poor)
	return s
}

func (w *World) scoreConditions(answers []Answer, truth []map[ward.Rule]bool) []ConditionScore {
	var out []ConditionScore
	for _, c := range []Condition{Plain, Compressed, Company, Beside, Unmanned, Back, Masked, Dark, Blurred, Far, Unpowered} {
		s, unclear := ConditionScore{Condition: c}, 0
		for i, a := range answers {
			if w.Swipes[i].Condition != c {
				continue
			}
			s.Swipes++
			cannot := false
			for _, rule := range goal() {
				alert := slices.Contains(a.Alerts, rule)
				cannot = cannot || a.Unclear[rule] != ""
				switch {
				case truth[i][rule]:
					s.Cases++
					if alert {
						s.Found++
					}
				case alert:
					s.False++
				}
			}
			if cannot {
				unclear++
			}
		}
		if s.Swipes > 0 {
			s.Unclear = ShareOf(unclear, s.Swipes)
			out = append(out, s)
		}
	}
	return out
}

// errors are the false alerts of all rules and the missed cases that ought to be seen.
func (w *World) errors(answers []Answer, truth []map[ward.Rule]bool) []Error {
	var out []Error
	for i, a := range answers {
		for _, rule := range Rules() {
			alert, is := slices.Contains(a.Alerts, rule), truth[i][rule]
			if alert == is || is && !w.Judgeable(i, rule) {
				continue
			}
			s := w.Swipes[i]
			e := Error{
				Swipe: i, Rule: rule, Missed: is, Reason: a.Unclear[rule], Counter: string(w.Counters[s.Counter].ID), At: s.At, Story: s.Story, Seen: s.Condition,
			}
			if s.Who >= 0 {
				e.Who = w.People[s.Who].Name
			}
			for _, p := range w.People {
				if p.Card == s.Card {
					e.Owner = p.Name
				}
			}
			out = append(out, e)
		}
	}
	return out
}

// StoryScore is one row of the confusion table: how often each answer was
// given to the swipes of a story.
type StoryScore struct {
	Story   string         `json:"story"`
	Answers map[string]int `json:"answers"` // rules that fired, else the state
}

func (w *World) scoreStories(answers []Answer) []StoryScore {
	rows := map[string]map[string]int{}
	for i, a := range answers {
		s := w.Swipes[i]
		name := s.Story
		if !s.Condition.Usable() && s.Who >= 0 {
			name += " (poor picture)"
		}
		if rows[name] == nil {
			rows[name] = map[string]int{}
		}
		shown := 0
		for _, rule := range goal() {
			if slices.Contains(a.Alerts, rule) {
				rows[name][string(rule)]++
				shown++
			}
		}
		switch {
		case shown > 0:
		case a.State == ward.Suspicious:
			rows[name]["other rule"]++
		default:
			rows[name][string(a.State)]++
		}
	}
	var out []StoryScore
	for name, row := range rows {
		out = append(out, StoryScore{name, row})
	}
	slices.SortFunc(out, func(a, b StoryScore) int {
		if a.Story < b.Story {
			return -1
		}
		return 1
	})
	return out
}
