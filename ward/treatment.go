package ward

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// TreatmentKind is what a treatment session is.
type TreatmentKind string

// The kinds of treatment.
const (
	Dialysis       TreatmentKind = "dialysis"
	Rehabilitation TreatmentKind = "rehabilitation"
	Examination    TreatmentKind = "examination" // a large one
)

// TreatmentPolicy says how often patients of one kind of treatment are called
// for at random, and what is tolerated; the institution's own one counts before
// that of all. It is never changed: a new version takes its place, and a
// session keeps the one it began with.
type TreatmentPolicy struct {
	Version        int           `json:"version"`                                 // 0: built in
	InstitutionID  InstitutionID `json:"institution_id,omitempty" maxLength:"64"` // none: all
	Kind           TreatmentKind `json:"kind"`
	EveryMinutes   int           `json:"every_minutes" minimum:"10" maximum:"120" doc:"Calls are so far apart on average, and at most twice that"`
	AnswerMinutes  int           `json:"answer_minutes" minimum:"2" maximum:"15" doc:"A call that nobody answers for so long is missed"`
	Absences       int           `json:"absences" minimum:"0" maximum:"10" doc:"Missed calls that are tolerated in a session"`
	AbsenceMinutes int           `json:"absence_minutes" minimum:"0" maximum:"60" doc:"A tolerated absence ends, with the face, within so long of its call"`
	LongestMinutes int           `json:"longest_minutes" minimum:"30" maximum:"720" doc:"A session that nobody ends is over then"`
	Reason         string        `json:"reason" maxLength:"500"`
	By             UserID        `json:"by,omitempty"`
	At             time.Time     `json:"at,omitzero"`
}

// DefaultTreatmentPolicies count until somebody sets others.
func DefaultTreatmentPolicies() []TreatmentPolicy {
	return []TreatmentPolicy{
		{Kind: Dialysis, EveryMinutes: 30, AnswerMinutes: 5, Absences: 1, AbsenceMinutes: 20, LongestMinutes: 6 * 60},
		{Kind: Rehabilitation, EveryMinutes: 15, AnswerMinutes: 4, Absences: 1, AbsenceMinutes: 10, LongestMinutes: 3 * 60},
		{Kind: Examination, EveryMinutes: 10, AnswerMinutes: 3, LongestMinutes: 2 * 60},
	}
}

// TreatmentPolicyFor is the newest policy of the institution for a kind, or
// that of all, or the one that is built in.
func TreatmentPolicyFor(all []TreatmentPolicy, inst InstitutionID, kind TreatmentKind) TreatmentPolicy {
	best := TreatmentPolicy{Kind: kind}
	for _, p := range append(DefaultTreatmentPolicies(), all...) {
		own, was := p.InstitutionID == inst, best.InstitutionID == inst
		if p.Kind == kind && (own || p.InstitutionID == "") && (own && !was || own == was && p.Version >= best.Version) {
			best = p
		}
	}
	return best
}

// Check says what is wrong with the policy.
func (p TreatmentPolicy) Check() error {
	bad := func(zh, en string) error {
		return &Error{Kind: Invalid, Code: "treatment_policy.invalid", ZH: zh, EN: en}
	}
	out := func(v, least, most int) bool { return v < least || v > most }
	switch {
	case p.Kind != Dialysis && p.Kind != Rehabilitation && p.Kind != Examination:
		return bad("没有这种治疗。", "There is no such kind of treatment.")
	case out(p.EveryMinutes, 10, 120) || out(p.AnswerMinutes, 2, 15) || out(p.Absences, 0, 10) || out(p.AbsenceMinutes, 0, 60) || out(p.LongestMinutes, 30, 720):
		return bad("时长或次数超出范围。", "A time or a number is out of its range.")
	case p.EveryMinutes < p.gap()+1:
		return bad(fmt.Sprintf("抽查平均间隔须至少为 %d 分钟（两倍应答时限加二）。", p.gap()+1), fmt.Sprintf("With this time to answer, calls are at least %d minutes apart on average.", p.gap()+1))
	case p.Absences > 0 && p.AbsenceMinutes <= p.AnswerMinutes:
		return bad("容忍离开的时长须大于应答时限。", "A tolerated absence must be longer than the time to answer.")
	case strings.TrimSpace(p.Reason) == "" || utf8.RuneCountInString(p.Reason) > 500:
		return bad("请填写设置理由（不超过 500 字）。", "Give the reason (at most 500 characters).")
	}
	return nil
}

// gap is how many minutes lie between two calls at least: one may be shown
// when its time to answer is nearly over, and be answered for as long again.
func (p TreatmentPolicy) gap() int { return 2*p.AnswerMinutes + 1 }

func (p TreatmentPolicy) answer() time.Duration { return minutes(p.AnswerMinutes) }

// Longest is when a session that nobody ends is over.
func (p TreatmentPolicy) Longest() time.Duration { return minutes(p.LongestMinutes) }

// Tolerance is how the policy counts. Two answered calls that follow each
// other, however late, are never too far apart.
func (p TreatmentPolicy) Tolerance() TreatmentTolerance {
	return TreatmentTolerance{Apart: minutes(2*p.EveryMinutes + p.gap()), Absences: p.Absences, Absence: minutes(p.AbsenceMinutes)}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// Nonce is the secret of a session from which its calls follow. Only its
// commitment is known until the session has ended.
type Nonce [32]byte

// Commitment is what is sealed of the nonce when the session begins.
func (n Nonce) Commitment() string {
	h := sha256.Sum256(append([]byte("treatment\n"), n[:]...))
	return hex.EncodeToString(h[:])
}

// minute says of one minute of the session whether it has a call, once in
// about so many, and at which second of it. Minutes know nothing of each
// other, so that whoever waits for a call has learned nothing of the next.
func (n Nonce) minute(m, once int) (bool, time.Duration) {
	h := hmac.New(sha256.New, n[:])
	_, _ = fmt.Fprintf(h, "call in minute %d", m) // a hash never fails
	sum := h.Sum(nil)
	return binary.BigEndian.Uint64(sum) <= math.MaxUint64/uint64(max(1, once)), time.Duration(sum[8]) * time.Minute / 256 // #nosec G115 -- at least 1
}

// TreatmentCalls returns the moments before until at which the patient of a
// session is called for. They follow from the nonce alone.
func TreatmentCalls(n Nonce, start time.Time, p TreatmentPolicy, until time.Time) []time.Time {
	var calls []time.Time
	for m, last := 1, 0; m < p.LongestMinutes && start.Add(minutes(m)).Before(until); m++ {
		if m-last < p.gap() {
			continue
		}
		now, second := n.minute(m, p.EveryMinutes-p.gap()+1)
		if at := start.Add(minutes(m) + second); (now || m-last >= 2*p.EveryMinutes) && at.Before(until) {
			calls, last = append(calls, at), m
		}
	}
	return calls
}
