package ward

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Circumstance is why people decide over a visit: what kept a check from
// being done, or Review, when nothing did.
type Circumstance string

// The circumstances.
const (
	Review    Circumstance = "review"    // the checks and the recording were looked at
	Bedridden Circumstance = "bedridden" // cannot raise or turn the head
	HardHear  Circumstance = "deaf"      // does not hear the prompts
	Demented  Circumstance = "demented"  // does not follow the prompts
	Palsy     Circumstance = "palsy"     // facial palsy
	Child     Circumstance = "child"     // cannot follow the prompts
	Asleep    Circumstance = "asleep"    // is not to be woken
	ICU       Circumstance = "icu"       // in intensive care
	Surgery   Circumstance = "surgery"   // in the operating theatre
	OnLeave   Circumstance = "leave"     // on leave with the ward's knowledge
	Refusing  Circumstance = "refusing"  // declines
)

// Proof is what the picture that a ruling needs must show.
type Proof string

// The proofs.
const (
	NoProof        Proof = "none"
	ProofPatient   Proof = "patient"    // the patient together with the bed card
	ProofBedCard   Proof = "bed_card"   // the bed card, shown by a nurse
	ProofSchedule  Proof = "schedule"   // the operation's schedule or notice
	ProofLeaveSlip Proof = "leave_slip" // the signed leave slip
)

// CircumstanceRule is what a circumstance allows and demands.
type CircumstanceRule struct {
	Circumstance Circumstance `json:"circumstance"`
	Verdicts     []Verdict    `json:"verdicts"`
	Proof        Proof        `json:"proof"`
	People       int          `json:"people"` // to be named at the bedside, at least
}

// Circumstances is the table of what each circumstance allows and demands.
// rounds/DECIDE.md shows it. None of them is "present" by itself.
func Circumstances() []CircumstanceRule {
	seen := []Verdict{Present, Mismatch, Unable}
	return []CircumstanceRule{
		{Review, []Verdict{Present, Mismatch, Absent, Unable, Refused}, NoProof, 0},
		{Bedridden, seen, ProofPatient, 1},
		{HardHear, seen, ProofPatient, 1},
		{Demented, seen, ProofPatient, 1},
		{Palsy, seen, ProofPatient, 1},
		{Child, seen, ProofPatient, 1},
		{Asleep, seen, ProofPatient, 1},
		{ICU, []Verdict{Present, Unable}, ProofBedCard, 2},
		{Surgery, []Verdict{Unable}, ProofSchedule, 1},
		{OnLeave, []Verdict{Absent}, ProofLeaveSlip, 1},
		{Refusing, []Verdict{Refused}, NoProof, 1},
	}
}

// RulingState is where a ruling stands.
type RulingState string

// The states of a Ruling.
const (
	RulingProposed  RulingState = "proposed"  // waits for another person
	RulingConfirmed RulingState = "confirmed" // counts
	RulingRejected  RulingState = "rejected"  // by another person, or taken back
	RulingLapsed    RulingState = "lapsed"    // nobody answered in time
)

// The bounds of a ruling.
const (
	MaxProofs     = 3
	MaxProof      = 2 << 20 // bytes of a picture
	maxPeople     = 5
	maxRulingText = 1000 // characters
)

// Ruling is a verdict that one person proposed and another confirms. What
// was sealed before stays: the latest confirmed ruling counts.
type Ruling struct {
	ID            RulingID      `json:"id"`
	VisitID       VisitID       `json:"visit_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Circumstance  Circumstance  `json:"circumstance"`
	Verdict       Verdict       `json:"verdict"`
	Reason        string        `json:"reason"`
	People        []string      `json:"people"` // named at the bedside; never in the ledger
	Proofs        []RulingProof `json:"proofs"`
	State         RulingState   `json:"state"`
	Over          Verdict       `json:"over"` // what counted when it was proposed; empty before a seal
	OverLeaf      int64         `json:"over_leaf"`
	ProposedBy    UserID        `json:"proposed_by"`
	Proposed      time.Time     `json:"proposed"`
	Due           time.Time     `json:"due"`
	AnsweredBy    UserID        `json:"answered_by,omitempty"`
	Answered      time.Time     `json:"answered,omitzero"`
	Answer        string        `json:"answer,omitempty"`
	Leaf          int64         `json:"leaf"`        // of the proposal
	AnswerLeaf    int64         `json:"answer_leaf"` // -1 until it is answered
}

// RulingProof is one picture of a ruling.
type RulingProof struct {
	SHA256    string `json:"sha256"` // hex
	MediaType string `json:"media_type"`
	Key       string `json:"-"` // in the object store
}

// Check says what is wrong with a proposal.
func (r Ruling) Check() error {
	bad := func(code, zh, en string) error { return &Error{Kind: Invalid, Code: "ruling." + code, ZH: zh, EN: en} }
	i := slices.IndexFunc(Circumstances(), func(c CircumstanceRule) bool { return c.Circumstance == r.Circumstance })
	if i < 0 {
		return bad("circumstance", "情形无效。", "There is no such circumstance.")
	}
	rule := Circumstances()[i]
	switch {
	case !slices.Contains(rule.Verdicts, r.Verdict):
		return bad("verdict", "该情形下不能作出此结论。", "This circumstance does not allow this verdict.")
	case strings.TrimSpace(r.Reason) == "" || utf8.RuneCountInString(r.Reason) > maxRulingText:
		return bad("reason", "请填写理由（不超过 1000 字）。", "Give the reason (at most 1000 characters).")
	case len(r.Proofs) > MaxProofs:
		return bad("proofs", fmt.Sprintf("佐证照片最多 %d 张。", MaxProofs), fmt.Sprintf("At most %d pictures.", MaxProofs))
	case rule.Proof != NoProof && len(r.Proofs) == 0:
		return bad("proof", "该情形须附佐证照片。", "This circumstance needs a picture as its proof.")
	case len(r.People) > maxPeople:
		return bad("people", "在场人员过多。", "Too many people are named.")
	}
	names := map[string]bool{}
	for _, p := range r.People {
		p = strings.TrimSpace(p)
		if p == "" || utf8.RuneCountInString(p) > 64 {
			return bad("people", "请填写在场人员姓名（不超过 64 字）。", "Name the people at the bedside (at most 64 characters each).")
		}
		names[p] = true
	}
	if len(names) < rule.People {
		return bad("people", fmt.Sprintf("该情形须写明 %d 名在场人员。", rule.People), fmt.Sprintf("This circumstance needs %d people named.", rule.People))
	}
	return nil
}

// MayAnswer says why a person may not answer a proposal at now. Whoever
// proposed it may only take it back.
func (r Ruling) MayAnswer(by UserID, agree bool, now time.Time) error {
	switch {
	case r.State != RulingProposed:
		return &Error{Kind: Conflict, Code: "ruling.answered", ZH: "该提议已有答复。", EN: "The proposal has been answered."}
	case !r.Due.After(now):
		return &Error{Kind: Conflict, Code: "ruling.lapsed", ZH: "提议已超过确认时限，请重新提出。", EN: "The proposal was not confirmed in time; make a new one."}
	case agree && by == r.ProposedBy:
		return &Error{Kind: Forbidden, Code: "ruling.same_person", ZH: "提议人不能自己确认，须由另一人确认。", EN: "Another person must confirm; not the one who proposed."}
	}
	return nil
}

// InForce is the verdict that counts, the leaf that says so, and the ruling
// that it comes from, if any. rulings are the visit's, in any order.
func InForce(v Visit, rulings []Ruling) (Verdict, int64, RulingID) {
	verdict, leaf, id := v.Verdict, v.Leaf, RulingID("")
	for _, r := range rulings {
		if r.State == RulingConfirmed && r.AnswerLeaf > leaf {
			verdict, leaf, id = r.Verdict, r.AnswerLeaf, r.ID
		}
	}
	return verdict, leaf, id
}

// TakesTwo says whether a verdict over these checks takes two people: one
// human settles what the checks left unsure; where a check failed, nobody
// alone says that the person is present, and where none was done nobody
// alone says anything.
func TakesTwo(state VisitState, checks []Check, verdict Verdict) bool {
	if state != VisitDeciding {
		return true
	}
	return verdict == Present && slices.ContainsFunc(checks, func(c Check) bool { return c.Outcome == Fail && !slices.Contains(LiveParts(), c.Kind) })
}
