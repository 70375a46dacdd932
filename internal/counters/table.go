package counters

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes the report for people.
func (r Report) Print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	row("%d settlements at %d counters in %.0f s of video; %d people (%d East Asian), half: %s, seed %d; %d pictures looked at, %d dropped, %d failed; %d settlements not judged",
		r.Settlements, r.Cameras, r.Seconds, r.People, r.EastAsian, r.Half, r.Seed, r.Looked, r.Dropped, r.Failed, r.Unjudged)
	row("\nrule\trecall, usable picture\tcannot tell (too busy)\tprecision, every picture\tfalse\talerted, poor picture")
	rules := func(rs []RuleScore) {
		for _, s := range rs {
			row("%s\t%s\t%d (%d)\t%s\t%d of %d\t%d of %d", s.Rule, s.Recall, s.Unsure, s.Unlooked, s.Precision, s.False, s.Honest, s.Poor.N, s.Poor.Of)
		}
	}
	rules(r.Rules)
	if r.EastAsian > 0 {
		row("where the customer is East Asian:")
		rules(r.East)
	}
	row("\nseen so\tswipes\tcases of the first three rules\tfound\tfalse\tcannot tell")
	for _, c := range r.Conditions {
		row("%s\t%d\t%d\t%d\t%d\t%s", c.Condition, c.Swipes, c.Cases, c.Found, c.False, c.Unclear)
	}
	row("\nstory\tanswers")
	for _, s := range r.Stories {
		var words []string
		for _, k := range slices.Sorted(maps.Keys(s.Answers)) {
			words = append(words, fmt.Sprintf("%s %d", k, s.Answers[k]))
		}
		row("%s\t%s", s.Story, strings.Join(words, ", "))
	}
	if len(r.Errors) > 0 {
		row("\nwrong\trule\twhere\tat\tstory\tseen\twhy\twho\tcard of")
	}
	for _, e := range r.Errors {
		what := "false alert"
		if e.Missed {
			what = "missed"
		}
		row("%s\t%s\t%s\t%.1f s\t%s\t%s\t%s\t%s\t%s", what, e.Rule, e.Counter, e.At, e.Story, e.Seen, e.Reason, e.Who, e.Owner)
	}
	return t.Flush()
}

func (s Share) String() string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f] (%d/%d)", s.Rate, s.Low, s.High, s.N, s.Of)
}
