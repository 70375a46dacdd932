package ward_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

var update = flag.Bool("update", false, "write the tables of rounds/DECIDE.md; then read them")

var outcomes = []ward.Outcome{ward.Pass, ward.Unsure, ward.Fail, ward.NotDone}

// decided is Decide for a pair of outcomes.
func decided(live, face ward.Outcome, p ward.CheckPolicy) ward.Verdict {
	return ward.Decide([]ward.Check{{Kind: ward.CheckLive, Outcome: live}, {Kind: ward.CheckFace, Outcome: face}}, p)
}

// TestDecide is the whole table of Decide under the built-in policy.
func TestDecide(t *testing.T) {
	p := ward.DefaultCheckPolicy()
	want := map[ward.Outcome][]ward.Verdict{ // by liveness; the columns are the face's outcomes in the order above
		ward.Pass:    {ward.Present, ward.Undecided, ward.Mismatch, ward.Undecided},
		ward.Fail:    {ward.Unable, ward.Unable, ward.Mismatch, ward.Unable},
		ward.Unsure:  {ward.Undecided, ward.Undecided, ward.Mismatch, ward.Undecided},
		ward.NotDone: {ward.Interrupted, ward.Interrupted, ward.Interrupted, ward.Interrupted},
	}
	for live, row := range want {
		for i, face := range outcomes {
			if got := decided(live, face, p); got != row[i] {
				t.Errorf("liveness %s, face %s: got %s, want %s", live, face, got, row[i])
			}
		}
	}
	if got := ward.Decide(nil, p); got != ward.Interrupted {
		t.Errorf("no checks: got %s", got)
	}
	if got := ward.Decide([]ward.Check{{Kind: ward.CheckFace, Outcome: ward.Pass}}, p); got != ward.Interrupted {
		t.Errorf("a face without a live check: got %s", got)
	}
}

// TestNoPolicyMakesPresent: whatever a policy says, nobody is present
// without two passed checks, and a further check that is required and did
// not pass leaves it to a human.
func TestNoPolicyMakesPresent(t *testing.T) {
	for _, live := range []ward.Need{ward.Required, ward.Advisory, ""} {
		for _, face := range []ward.Need{ward.Required, ward.Advisory, ""} {
			p := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckLive: live, ward.CheckFace: face}}
			for _, l := range outcomes {
				for _, f := range outcomes {
					if got := decided(l, f, p); got == ward.Present && (l != ward.Pass || f != ward.Pass) {
						t.Errorf("%s/%s with liveness %s, face %s: present", live, face, l, f)
					}
				}
			}
		}
	}
	p := ward.DefaultCheckPolicy()
	p.Checks["further"] = ward.Required
	if got := decided(ward.Pass, ward.Pass, p); got != ward.Undecided {
		t.Errorf("a required check is missing: %s", got)
	}
	if got := decided(ward.Pass, ward.Fail, p); got != ward.Mismatch {
		t.Errorf("somebody else, and a required check is missing: %s", got)
	}
	for _, need := range []ward.Need{ward.Required, ward.Advisory, ""} { // one person in two beds
		p := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckOtherBed: need}}
		two := []ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: ward.Pass}, {Kind: ward.CheckOtherBed, Outcome: ward.Fail}}
		if got := ward.Decide(two, p); got != ward.Undecided {
			t.Errorf("the same person in another bed, the check is %q: %s", need, got)
		}
	}
	again := []ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: ward.Pass}, {Kind: ward.CheckSeenBefore, Outcome: ward.Fail}}
	if got := ward.Decide(again, ward.DefaultCheckPolicy()); got != ward.Undecided {
		t.Errorf("an earlier visit shown again: %s", got)
	}
	for outcome, want := range map[ward.Outcome][2]ward.Verdict{ // of the colours: advisory, required
		ward.Pass: {ward.Present, ward.Present}, ward.Unsure: {ward.Present, ward.Undecided},
		ward.NotDone: {ward.Present, ward.Undecided}, ward.Fail: {ward.Undecided, ward.Undecided},
	} {
		checks := []ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: ward.Pass}, {Kind: ward.CheckColours, Outcome: outcome}}
		for i, policy := range []ward.CheckPolicy{ward.DefaultCheckPolicy(), {Checks: map[ward.CheckKind]ward.Need{ward.CheckColours: ward.Required}}} {
			if got := ward.Decide(checks, policy); got != want[i] {
				t.Errorf("colours %s, policy %d: %s, want %s", outcome, i, got, want[i])
			}
		}
	}
	for kind, ok := range map[ward.CheckKind]bool{ward.CheckColours: true, ward.CheckLive: false, ward.CheckOtherBed: false} {
		off := ward.DefaultCheckPolicy()
		off.Reason, off.Checks[kind] = "试点", ward.Off
		if err := off.Check(); (err == nil) != ok {
			t.Errorf("%s turned off: %v", kind, err)
		}
	}
	p.Checks["further"] = ward.Advisory
	for part, want := range map[ward.Outcome]ward.Verdict{ward.Pass: ward.Present, ward.Fail: ward.Undecided, ward.NotDone: ward.Undecided} {
		strict := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckNod: ward.Required, ward.CheckEyes: ward.Required}}
		if got := ward.Decide([]ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: ward.Pass}, {Kind: ward.CheckNod, Outcome: part}}, strict); got != want {
			t.Errorf("a required nod ended %s, and shut eyes were not drawn: %s, want %s", part, got, want)
		}
	}
	if got := decided(ward.Pass, ward.Pass, p); got != ward.Present {
		t.Errorf("an advisory check is missing: %s", got)
	}
}

// TestProxyUnsure: a match with an enrolment by proxy ends nothing as
// present where the policy says so, and one person may settle it; whatever
// else is the case, it decides as without.
func TestProxyUnsure(t *testing.T) {
	for _, live := range outcomes {
		for _, face := range outcomes {
			for _, proxy := range []bool{false, true} {
				for _, need := range []ward.Need{ward.Required, ward.Advisory} {
					checks := []ward.Check{{Kind: ward.CheckLive, Outcome: live}, {Kind: ward.CheckFace, Outcome: face, Proxy: proxy}}
					p := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckLive: ward.Required, ward.CheckFace: need}}
					want := ward.Decide(checks, p)
					if proxy && want == ward.Present {
						want = ward.Undecided
					}
					p.ProxyUnsure = true
					if got := ward.Decide(checks, p); got != want {
						t.Errorf("liveness %s, face %s (%s), proxy %v: %s, want %s", live, face, need, proxy, got, want)
					}
					if want == ward.Undecided && face == ward.Pass && live == ward.Pass && ward.TakesTwo(ward.VisitDeciding, checks, ward.Present) {
						t.Errorf("it takes two to say that a match with a proxy enrolment is right")
					}
				}
			}
		}
	}
}

func TestPolicyForTheNarrowestCounts(t *testing.T) {
	all := []ward.CheckPolicy{
		{Version: 1, Purpose: ward.ForVisit, DecideMinutes: 10},
		{Version: 2, Purpose: ward.ForVisit, InstitutionID: "h", Ward: "w", DecideMinutes: 30},
		{Version: 3, Purpose: ward.ForVisit, InstitutionID: "h", DecideMinutes: 20},
		{Version: 4, Purpose: ward.ForVisit, InstitutionID: "g", Ward: "w", Off: true},
	}
	for _, c := range []struct {
		inst ward.InstitutionID
		ward string
		want int
	}{{"h", "w", 2}, {"h", "x", 3}, {"g", "w", 1}} {
		if got := ward.PolicyFor(all, ward.ForVisit, c.inst, c.ward); got.Version != c.want {
			t.Errorf("%s/%s: version %d, want %d", c.inst, c.ward, got.Version, c.want)
		}
	}
	if got := ward.PolicyFor(nil, ward.ForVisit, "h", "w"); got.Version != 0 || got.Need(ward.CheckFace) != ward.Required {
		t.Errorf("nothing set: %+v", got)
	}
}

func TestRulingsNeedTheirProof(t *testing.T) {
	photo := []ward.RulingProof{{SHA256: "x"}}
	for _, c := range []struct {
		r    ward.Ruling
		want string
	}{
		{ward.Ruling{Circumstance: ward.OnLeave, Verdict: ward.Absent, Reason: "r", People: []string{"甲"}, Proofs: photo}, ""},
		{ward.Ruling{Circumstance: ward.OnLeave, Verdict: ward.Absent, Reason: "r", People: []string{"甲"}}, "ruling.proof"},
		{ward.Ruling{Circumstance: ward.OnLeave, Verdict: ward.Present, Reason: "r", People: []string{"甲"}, Proofs: photo}, "ruling.verdict"},
		{ward.Ruling{Circumstance: ward.ICU, Verdict: ward.Unable, Reason: "r", People: []string{"甲", " 甲"}, Proofs: photo}, "ruling.people"},
		{ward.Ruling{Circumstance: ward.ICU, Verdict: ward.Unable, Reason: "r", People: []string{"甲", "乙"}, Proofs: photo}, ""},
		{ward.Ruling{Circumstance: ward.Refusing, Verdict: ward.Refused, Reason: " ", People: []string{"甲"}}, "ruling.reason"},
		{ward.Ruling{Circumstance: "other", Verdict: ward.Refused, Reason: "r"}, "ruling.circumstance"},
		{ward.Ruling{Circumstance: ward.Review, Verdict: ward.NoAnswer, Reason: "r"}, "ruling.verdict"},
		{ward.Ruling{Circumstance: ward.Review, Verdict: ward.Present, Reason: "r", Proofs: make([]ward.RulingProof, 4)}, "ruling.proofs"},
	} {
		if err := c.r.Check(); c.want == "" && err != nil || c.want != "" && !errors.Is(err, &ward.Error{Code: c.want}) {
			t.Errorf("%+v: got %v, want %q", c.r, err, c.want)
		}
	}
	now := time.Now()
	r := ward.Ruling{State: ward.RulingProposed, ProposedBy: "a", Due: now.Add(time.Minute)}
	if err := r.MayAnswer("a", true, now); ward.KindOf(err) != ward.Forbidden {
		t.Errorf("the same person confirms: %v", err)
	}
	if err := r.MayAnswer("a", false, now); err != nil {
		t.Errorf("taken back: %v", err)
	}
	if err := r.MayAnswer("b", true, now.Add(time.Minute)); ward.KindOf(err) != ward.Conflict {
		t.Errorf("too late: %v", err)
	}
}

// TestDecideDoc compares the tables of the document with the functions.
func TestDecideDoc(t *testing.T) {
	const path = "../rounds/DECIDE.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, table := range map[string]string{"verdicts": verdictTable(), "proxies": proxyTable(), "circumstances": circumstanceTable()} {
		from, to := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(text, from)
		_, after, closed := strings.Cut(rest, to)
		if !ok || !closed {
			t.Fatalf("%s has no place for the %s", path, name)
		}
		text = before + from + table + to + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(b) {
		t.Errorf("the tables of %s are not those of the code; run go test ./ward -run TestDecideDoc -update", path)
	}
}

func verdictTable() string {
	var b strings.Builder
	b.WriteString("| liveness is | face is | liveness | face pass | face unsure | face fail | face not done |\n|---|---|---|---|---|---|---|\n")
	for _, live := range []ward.Need{ward.Required, ward.Advisory} {
		for _, face := range []ward.Need{ward.Required, ward.Advisory} {
			p := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckLive: live, ward.CheckFace: face}}
			strict := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckLive: live, ward.CheckFace: face, "further": ward.Required}}
			for _, l := range outcomes {
				fmt.Fprintf(&b, "| %s | %s | %s |", live, face, l)
				for _, f := range outcomes {
					cell := string(decided(l, f, p))
					if other := decided(l, f, strict); string(other) != cell {
						cell += " (" + string(other) + ")"
					}
					b.WriteString(" " + cell + " |")
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

func proxyTable() string {
	var b strings.Builder
	b.WriteString("| enrolled | proxy_unsure | face pass | face unsure | face fail | face not done |\n|---|---|---|---|---|---|\n")
	for _, proxy := range []bool{false, true} {
		for _, unsure := range []bool{false, true} {
			p := ward.DefaultCheckPolicy()
			p.ProxyUnsure = unsure
			fmt.Fprintf(&b, "| %s | %s |", map[bool]string{true: "by proxy", false: "in person"}[proxy], map[bool]string{true: "on", false: "off"}[unsure])
			for _, f := range outcomes {
				b.WriteString(" " + string(ward.Decide([]ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: f, Enrolment: 1, Proxy: proxy}}, p)) + " |")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func circumstanceTable() string {
	var b strings.Builder
	b.WriteString("| circumstance | verdicts | picture | people named |\n|---|---|---|---|\n")
	for _, r := range ward.Circumstances() {
		verdicts := make([]string, len(r.Verdicts))
		for i, v := range r.Verdicts {
			verdicts[i] = string(v)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d |\n", r.Circumstance, strings.Join(verdicts, ", "), r.Proof, r.People)
	}
	return b.String()
}
