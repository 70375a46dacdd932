package ward

import (
	"slices"
	"time"
)

// TreatmentReason says why billed minutes are not covered, or why that cannot
// be told; empty for yes.
type TreatmentReason string

// The reasons.
const (
	TreatmentCovered  TreatmentReason = ""
	TreatmentRefused  TreatmentReason = "refused"  // another face at the start
	TreatmentRunning  TreatmentReason = "running"  // the session is not over
	TreatmentShort    TreatmentReason = "short"    // more was billed than the patient can have been there
	TreatmentUnproven TreatmentReason = "unproven" // stretches that nothing proves or contradicts would cover it
)

// Covers says whether the minutes that were billed of a session, by what
// happened until now, are covered by those at which the patient was present.
// A minute that was begun counts as one.
func (t *TreatmentSession) Covers(events []TreatmentEvent, billed int, now time.Time) (Billable, TreatmentReason) {
	m, want := t.Minutes(events, now), minutes(billed)
	_, over := t.Over(now)
	switch {
	case billed == 0:
		return BillYes, TreatmentCovered
	case t.Answer == MatchNo:
		return BillNo, TreatmentRefused
	case !over:
		return CannotSay, TreatmentRunning
	case want <= wholeMinutes(m.Present):
		return BillYes, TreatmentCovered
	case want <= wholeMinutes(m.Present+m.Open):
		return CannotSay, TreatmentUnproven
	}
	return BillNo, TreatmentShort
}

func wholeMinutes(d time.Duration) time.Duration {
	return (d + time.Minute - 1).Truncate(time.Minute)
}

// MinutesOf is d in minutes, begun ones counted.
func MinutesOf(d time.Duration) int { return int(wholeMinutes(d) / time.Minute) }

// Billed is the minutes of all bills of a session; of one number the newest counts.
func Billed(events []TreatmentEvent) int {
	newest := map[string]int{}
	for _, e := range events {
		if e.Bill != nil {
			newest[e.Bill.ExternalNo] = e.Bill.Minutes
		}
	}
	sum := 0
	for _, n := range newest {
		sum += n
	}
	return sum
}

// TakeBill is the bill with what was proven when it came. A repetition of what
// is known, once the session is over, changes nothing: it returns what was said.
func (t *TreatmentSession) TakeBill(events []TreatmentEvent, no string, billed int, now time.Time) (b TreatmentBill, known bool) {
	for _, e := range events {
		if e.Bill != nil && e.Bill.ExternalNo == no {
			b, known = *e.Bill, e.Bill.Minutes == billed && e.Bill.Reason != TreatmentRunning
		}
	}
	if known {
		return b, true
	}
	m := t.Minutes(events, now)
	b = TreatmentBill{ExternalNo: no, Minutes: billed, Present: MinutesOf(m.Present), Open: MinutesOf(m.Open), Absent: MinutesOf(m.Absent)}
	b.Billed = Billed(append(slices.Clip(events), TreatmentEvent{Bill: &b}))
	b.Covered, b.Reason = t.Covers(events, b.Billed, now)
	return b, false
}

// Told are the reason's words for the settlement system's user.
func (r TreatmentReason) Told() (zh, en string) {
	switch r {
	case TreatmentCovered:
		return "计费时长均有在场证明。", "The billed minutes are covered by proven presence."
	case TreatmentRefused:
		return "治疗开始时的人脸与参保人不一致。", "The face at the start was not that of the insured."
	case TreatmentRunning:
		return "治疗尚未结束。", "The session is not over."
	case TreatmentShort:
		return "计费时长超过在场时长。", "More minutes were billed than the patient was present."
	case TreatmentUnproven:
		return "部分时段无法证明在场，请人工核对。", "Part of the session is neither proven nor contradicted; a human must look."
	}
	return "", ""
}
