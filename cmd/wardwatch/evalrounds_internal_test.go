package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"wardwatch/ward"
)

// Who is left to a human is counted apart, what failed counts nowhere else,
// and the worst attack and the goals follow.
func TestRoundsAreCounted(t *testing.T) {
	t.Parallel()
	var all []evalResult
	add := func(n int, r evalResult) {
		for range n {
			all = append(all, r)
		}
	}
	add(38, evalResult{condition: "dark", network: "no loss", verdict: ward.Present})
	add(1, evalResult{condition: "dark", network: "no loss", verdict: ward.Undecided, seenBefore: true})
	add(1, evalResult{condition: "plain", verdict: ward.Unable, slow: true})
	add(2, evalResult{condition: "plain", err: errors.New("died")})
	add(10, evalResult{kind: attackLoop, verdict: ward.Unable})
	add(9, evalResult{kind: attackSwitch, verdict: ward.Mismatch})
	add(1, evalResult{kind: attackSwitch, verdict: ward.Present})
	add(5, evalResult{kind: attackEarlier, verdict: ward.Undecided, seenBefore: true})
	add(2, evalResult{kind: attackSpeed, verdict: ward.Unable})
	add(1, evalResult{kind: attackImpostor, err: errors.New("died")})

	r := evalReport{Simulated: true, ZH: evalNoticeZH, EN: evalNoticeEN, Visits: count(all)}
	r.judge()
	g := r.Visits.Genuine[0]
	if g.Wrong.N != 2 || g.Wrong.Of != 40 || g.Present != 38 || g.Human != 1 || g.Rejected != 1 || g.Errors != 2 || g.SeenBefore != 1 || g.Slow != 1 {
		t.Errorf("genuine %+v", g)
	}
	if len(r.Visits.Genuine) != 4 || len(r.Visits.Attacks) != 5 { // all, plain, dark, no loss; those that were played
		t.Errorf("rows %+v", r.Visits)
	}
	if w := r.Visits.Worst; w.Kind != string(attackSwitch) || w.Wrong.N != 1 || w.Wrong.Of != 10 || w.Wrong.High < .4 {
		t.Errorf("worst %+v", w)
	}
	var met []bool
	for _, g := range r.Goals {
		met = append(met, g.Met)
	}
	if len(met) != 3 || met[0] || !met[1] || !met[2] || r.Goals[1].Got.Of != 7 || r.met() {
		t.Errorf("goals %+v", r.Goals)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"模拟", "SIMULATED", "0.050 [", "switch of person", "MISSED"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

// Attacks that came to no end are not attacks that were stopped.
func TestNothingMeasuredMeetsNoGoal(t *testing.T) {
	t.Parallel()
	r := evalReport{Visits: count([]evalResult{{kind: attackEarlier, err: errors.New("died")}, {err: errors.New("died")}})}
	r.judge()
	if len(r.Goals) != 3 || r.met() {
		t.Errorf("goals %+v", r.Goals)
	}
	for _, g := range r.Goals {
		if g.Met {
			t.Errorf("met: %+v", g)
		}
	}
	if (evalReport{}).met() {
		t.Error("nothing at all meets the goals")
	}
}
