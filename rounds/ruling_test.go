package rounds_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wardwatch/rounds"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// TestNobodyDecidedInTime: what no human decides is sealed as unable, never
// as present, and a proposal that nobody answers lapses.
func TestNobodyDecidedInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	ctx := t.Context()
	link := r.order(time.Hour)
	device, _, _, err := r.engine.Open(ctx, link.Token)
	if err == nil {
		err = r.engine.Consent(ctx, device, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.store.BeginChecking(ctx, link.Visit.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.DecideBy = time.Now().Add(30 * time.Second)
	if _, err = r.store.AwaitDecision(ctx, v, []ward.Check{{Kind: ward.CheckLive, Outcome: ward.Pass}, {Kind: ward.CheckFace, Outcome: ward.Unsure}}); err != nil {
		t.Fatal(err)
	}
	p, err := r.engine.Propose(ctx, v.ID, inspector, rounds.Proposal{Circumstance: ward.Review, Verdict: ward.Present, Reason: "看过"})
	if err != nil || p.Due.After(v.DecideBy) {
		t.Fatalf("propose: %+v, %v", p, err)
	}
	if v = r.sealed(v.ID, 3*time.Minute); v.Verdict != ward.Unable || v.DecidedBy != "" {
		t.Errorf("nobody decided: %s by %q", v.Verdict, v.DecidedBy)
	}
	if p, err = r.store.Ruling(ctx, p.ID); err != nil || p.State != ward.RulingLapsed {
		t.Errorf("nobody confirmed: %s, %v", p.State, err)
	}
	second := inspector
	second.ID = "second"
	if _, err := r.engine.Answer(ctx, v.ID, p.ID, second, true, ""); !errors.Is(err, &ward.Error{Kind: ward.Conflict}) {
		t.Errorf("confirmed too late: %v", err)
	}
}

// TestARefusedProposalKeepsNoPicture: no object stays without its row.
func TestARefusedProposalKeepsNoPicture(t *testing.T) {
	t.Parallel()
	var store objects.Objects
	r := newRig(t, func(e *rounds.Engine) { store = e.Objects })
	r.admit("", 0)
	v := r.order(time.Hour).Visit
	p := rounds.Proposal{Circumstance: ward.Surgery, Verdict: ward.Unable, Reason: "手术中", People: []string{"护士"}, Pictures: [][]byte{tinyPNG}}
	first, err := r.engine.Propose(t.Context(), v.ID, inspector, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.engine.Propose(t.Context(), v.ID, inspector, p); !errors.Is(err, &ward.Error{Code: "ruling.open"}) {
		t.Errorf("a second proposal: %v", err)
	}
	var kept []string
	for o, err := range store.List(t.Context(), "v1/"+string(r.inst)+"/") {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, o.Key)
	}
	if !slices.Equal(kept, []string{first.Proofs[0].Key}) {
		t.Errorf("kept: %v", kept)
	}
	stranger := ward.User{ID: "x", Role: ward.Inspector, Institutions: []ward.InstitutionID{"other"}}
	if _, err := r.engine.Propose(t.Context(), v.ID, stranger, p); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("of another institution: %v", err)
	}
	if _, err := r.engine.Answer(t.Context(), v.ID, first.ID, stranger, true, ""); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("answered from another institution: %v", err)
	}
}

// tinyPNG is one grey pixel.
var tinyPNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82")
