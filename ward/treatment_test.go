package ward_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

func nonce(n byte) (v ward.Nonce) {
	v[0] = n
	return v
}

func policyOf(kind ward.TreatmentKind) ward.TreatmentPolicy {
	return ward.TreatmentPolicyFor(nil, "h1", kind)
}

// The calls of a session follow from its nonce, are the same however often
// they are asked for, and tell nothing of the next: how long it takes to the
// next call does not depend on how long nobody was called.
func TestCallsAreDrawn(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	p := policyOf(ward.Dialysis)
	gap := time.Duration(2*p.AnswerMinutes+1) * time.Minute
	var between []time.Duration
	firsts := map[time.Duration]bool{}
	for n := range 200 {
		calls := ward.TreatmentCalls(nonce(byte(n)), at, p, at.Add(p.Longest()))
		early := ward.TreatmentCalls(nonce(byte(n)), at, p, at.Add(2*time.Hour))
		if !slices.Equal(early, calls[:len(early)]) || len(calls) > len(early) && calls[len(early)].Before(at.Add(2*time.Hour)) {
			t.Fatalf("nonce %d: the calls change with the moment of asking", n)
		}
		last := at
		for _, c := range calls {
			d := c.Sub(last)
			if d < gap-time.Minute || d > time.Duration(2*p.EveryMinutes+1)*time.Minute {
				t.Fatalf("nonce %d: %v apart", n, d)
			}
			between, last = append(between, d), c
		}
		firsts[calls[0].Sub(at)] = true
	}
	sum, soon, later, soonAfter := time.Duration(0), 0, 0, 0
	for _, d := range between {
		sum += d
		if d < gap+5*time.Minute {
			soon++
		} else if later++; d < gap+10*time.Minute {
			soonAfter++
		}
	}
	if mean := (sum / time.Duration(len(between))).Minutes(); mean < .8*float64(p.EveryMinutes) || mean > 1.1*float64(p.EveryMinutes) {
		t.Errorf("%.1f minutes apart on average", mean)
	}
	if first, then := float64(soon)/float64(len(between)), float64(soonAfter)/float64(later); math.Abs(first-then) > .05 {
		t.Errorf("a call comes within five minutes with %.3f, after five minutes of waiting with %.3f", first, then)
	}
	if len(firsts) < 150 {
		t.Errorf("only %d different first calls of 200", len(firsts))
	}
}

// play is a session whose calls are each answered as said.
func play(p ward.TreatmentPolicy, length time.Duration, answer func(i int, due time.Time) []ward.TreatmentEvent, endFace *ward.TreatmentFace) (*ward.TreatmentSession, []ward.TreatmentEvent) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	s := &ward.TreatmentSession{ID: "t1", Policy: p, At: at, Ended: at.Add(length), Answer: ward.MatchYes, Nonce: nonce(1)}
	events := []ward.TreatmentEvent{{Kind: ward.TreatmentBegun, At: at, Face: face(ward.MatchYes)}}
	for i, due := range ward.TreatmentCalls(s.Nonce, at, p, s.Ended) {
		events = append(events, answer(i+1, due)...)
	}
	return s, append(events, ward.TreatmentEvent{Kind: ward.TreatmentEnded, At: s.Ended, Face: endFace})
}

func face(m ward.Match) *ward.TreatmentFace { return &ward.TreatmentFace{Answer: m} }

func called(n int, at time.Time) ward.TreatmentEvent {
	return ward.TreatmentEvent{Kind: ward.TreatmentCalled, Call: n, At: at, Due: at}
}

func seen(n int, at time.Time, m ward.Match) ward.TreatmentEvent {
	return ward.TreatmentEvent{Kind: ward.TreatmentSeen, Call: n, At: at, Face: face(m)}
}

func TestSessionsCoverWhatIsBilled(t *testing.T) {
	p := policyOf(ward.Dialysis)
	later := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	prompt := func(n int, due time.Time) []ward.TreatmentEvent {
		return []ward.TreatmentEvent{called(n, due), seen(n, due.Add(time.Minute), ward.MatchYes)}
	}
	unshown := func(int, time.Time) []ward.TreatmentEvent { return nil }
	nobody := func(n int, due time.Time) []ward.TreatmentEvent { return []ward.TreatmentEvent{called(n, due)} }
	stranger := func(n int, due time.Time) []ward.TreatmentEvent {
		return []ward.TreatmentEvent{called(n, due), seen(n, due.Add(time.Minute), ward.MatchNo)}
	}
	blurred := func(n int, due time.Time) []ward.TreatmentEvent {
		return []ward.TreatmentEvent{called(n, due), seen(n, due.Add(time.Minute), ward.MatchUnsure)}
	}
	again := func(n int, due time.Time) []ward.TreatmentEvent {
		return append(blurred(n, due), seen(n, due.Add(2*time.Minute), ward.MatchYes))
	}
	only := func(which int, do, els func(int, time.Time) []ward.TreatmentEvent) func(int, time.Time) []ward.TreatmentEvent {
		return func(n int, due time.Time) []ward.TreatmentEvent {
			if n == which {
				return do(n, due)
			}
			return els(n, due)
		}
	}
	back := func(after time.Duration) func(int, time.Time) []ward.TreatmentEvent {
		return func(n int, due time.Time) []ward.TreatmentEvent {
			return []ward.TreatmentEvent{called(n, due), seen(n, due.Add(after), ward.MatchYes)}
		}
	}
	yes := face(ward.MatchYes)
	for name, c := range map[string]struct {
		answer func(int, time.Time) []ward.TreatmentEvent
		end    *ward.TreatmentFace
		billed int
		want   ward.Billable
		reason ward.TreatmentReason
	}{
		"there throughout":                 {prompt, yes, 240, ward.BillYes, ""},
		"a minute too many":                {prompt, yes, 241, ward.BillNo, ward.TreatmentShort},
		"nothing billed":                   {nobody, nil, 0, ward.BillYes, ""},
		"nobody was called":                {unshown, yes, 240, ward.CannotSay, ward.TreatmentUnproven},
		"nobody came":                      {nobody, yes, 240, ward.BillNo, ward.TreatmentShort},
		"somebody else":                    {stranger, yes, 240, ward.BillNo, ward.TreatmentShort},
		"the face is not told":             {blurred, yes, 240, ward.CannotSay, ward.TreatmentUnproven},
		"told at the second try":           {again, yes, 240, ward.BillYes, ""},
		"away once, and back soon":         {only(3, back(15*time.Minute), prompt), yes, 240, ward.BillYes, ""},
		"away once, and back too late":     {only(3, back(21*time.Minute), prompt), yes, 240, ward.BillNo, ward.TreatmentShort},
		"one call was not shown":           {only(3, unshown, prompt), yes, 240, ward.CannotSay, ward.TreatmentUnproven},
		"left without the face at the end": {prompt, nil, 240, ward.CannotSay, ward.TreatmentUnproven},
		"somebody else at the end":         {prompt, face(ward.MatchNo), 240, ward.BillNo, ward.TreatmentShort},
	} {
		s, events := play(p, 4*time.Hour, c.answer, c.end)
		if got, why := s.Covers(events, c.billed, later); got != c.want || why != c.reason {
			t.Errorf("%s: got %s %q, want %s %q; %+v", name, got, why, c.want, c.reason, s.Minutes(events, later))
		}
		sum := time.Duration(0)
		for _, span := range s.Spans(events, later) {
			sum += span.To.Sub(span.From)
		}
		if sum != 4*time.Hour {
			t.Errorf("%s: the spans are %v long", name, sum)
		}
	}
}

// What is still running, refused or forgotten, and who is called for when.
func TestSessionsAsTheyGo(t *testing.T) {
	p := policyOf(ward.Dialysis)
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	s := &ward.TreatmentSession{Policy: p, At: at, Answer: ward.MatchYes, Nonce: nonce(1)}
	events := []ward.TreatmentEvent{{Kind: ward.TreatmentBegun, At: at, Face: face(ward.MatchYes)}}
	due := ward.TreatmentCalls(s.Nonce, at, p, at.Add(p.Longest()))
	if _, _, ok := s.Waiting(events, due[0].Add(-time.Second)); ok {
		t.Error("a call waits before its moment")
	}
	if c, show, ok := s.Waiting(events, due[0].Add(time.Second)); !ok || !show || c.N != 1 {
		t.Errorf("due: %+v %v %v", c, show, ok)
	}
	if _, _, ok := s.Waiting(events, due[0].Add(5*time.Minute)); ok {
		t.Error("a call that was not shown in time is shown")
	}
	events = append(events, called(1, due[0].Add(4*time.Minute)))
	if c, show, ok := s.Waiting(events, due[0].Add(8*time.Minute)); !ok || show || c.State != ward.CallOpen || !c.Until.Equal(due[0].Add(9*time.Minute)) {
		t.Errorf("shown: %+v %v %v", c, show, ok)
	}
	if c, _, ok := s.Waiting(events, due[0].Add(10*time.Minute)); !ok || c.State != ward.CallMissed {
		t.Errorf("missed, and may come back: %+v %v", c, ok)
	}
	if got, why := s.Covers(events, 1, due[0]); got != ward.CannotSay || why != ward.TreatmentRunning {
		t.Errorf("running: %s %s", got, why)
	}
	forgotten := at.Add(p.Longest())
	if end, over := s.Over(forgotten); !over || !end.Equal(forgotten) {
		t.Errorf("forgotten: over at %v %v", end, over)
	}
	s.Answer, s.Ended = ward.MatchNo, at
	if got, why := s.Covers(events, 1, forgotten); got != ward.BillNo || why != ward.TreatmentRefused {
		t.Errorf("refused: %s %s", got, why)
	}
}

// Bills of one session count together; a repetition says what was said.
func TestBillsOfOneSessionCountTogether(t *testing.T) {
	later := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	s, events := play(policyOf(ward.Dialysis), 4*time.Hour, func(n int, due time.Time) []ward.TreatmentEvent {
		return []ward.TreatmentEvent{called(n, due), seen(n, due.Add(time.Minute), ward.MatchYes)}
	}, face(ward.MatchYes))
	bill := func(no string, minutes int) (ward.TreatmentBill, bool) {
		b, known := s.TakeBill(events, no, minutes, later)
		if !known {
			events = append(events, ward.TreatmentEvent{Kind: ward.TreatmentBilled, At: later, Bill: &b})
		}
		return b, known
	}
	if b, known := bill("a", 240); known || b.Covered != ward.BillYes || b.Present != 240 {
		t.Errorf("the first: %+v %v", b, known)
	}
	if b, known := bill("a", 240); !known || b.Covered != ward.BillYes {
		t.Errorf("again: %+v %v", b, known)
	}
	if b, _ := bill("b", 240); b.Covered != ward.BillNo || b.Billed != 480 {
		t.Errorf("a second bill of the same hours: %+v", b)
	}
	if b, _ := bill("b", 0); b.Covered != ward.BillYes || b.Billed != 240 {
		t.Errorf("taken back: %+v", b)
	}
}

func TestTreatmentPolicies(t *testing.T) {
	for _, p := range ward.DefaultTreatmentPolicies() {
		p.Reason = "x"
		if err := p.Check(); err != nil {
			t.Errorf("built in for %s: %v", p.Kind, err)
		}
	}
	good := policyOf(ward.Dialysis)
	good.Reason = "试行"
	for name, change := range map[string]func(*ward.TreatmentPolicy){
		"kind":                           func(p *ward.TreatmentPolicy) { p.Kind = "massage" },
		"too often":                      func(p *ward.TreatmentPolicy) { p.EveryMinutes = 9 },
		"no time between":                func(p *ward.TreatmentPolicy) { p.EveryMinutes, p.AnswerMinutes = 20, 10 },
		"tolerates less than the answer": func(p *ward.TreatmentPolicy) { p.AbsenceMinutes = p.AnswerMinutes },
		"no reason":                      func(p *ward.TreatmentPolicy) { p.Reason = " " },
		"endless":                        func(p *ward.TreatmentPolicy) { p.LongestMinutes = 721 },
	} {
		p := good
		change(&p)
		if err := p.Check(); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "treatment_policy.invalid"}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	all := []ward.TreatmentPolicy{{Version: 1, Kind: ward.Dialysis, EveryMinutes: 21}, {Version: 2, InstitutionID: "h1", Kind: ward.Dialysis, EveryMinutes: 22}, {Version: 3, Kind: ward.Dialysis, EveryMinutes: 23}, {Version: 4, InstitutionID: "h2", Kind: ward.Rehabilitation, EveryMinutes: 24}}
	for _, c := range []struct {
		inst ward.InstitutionID
		kind ward.TreatmentKind
		want int
	}{{"h1", ward.Dialysis, 22}, {"h2", ward.Dialysis, 23}, {"h2", ward.Rehabilitation, 24}, {"h1", ward.Rehabilitation, 15}} {
		if got := ward.TreatmentPolicyFor(all, c.inst, c.kind); got.EveryMinutes != c.want {
			t.Errorf("%s %s: every %d, want %d", c.inst, c.kind, got.EveryMinutes, c.want)
		}
	}
}
