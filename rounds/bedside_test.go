package rounds_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

const (
	sessionMax = 3 * time.Minute
	impostor   = "cap12_edit"
)

func (r *rig) answer(link string, b simbed.Behaviour, name string) (simbed.Result, error) {
	r.t.Helper()
	o := simbed.Options{Server: r.url, Link: "https://ward.example/bedside#" + link, Behaviour: b, Log: r.engine.Log}
	if name != "" {
		o.Clip = clip(r.t, name, false)
	}
	if name == impostor { // this clip lacks a turn to the left; its mirror image has one
		o.Mirrored = clip(r.t, name, true)
	}
	o.Hold, o.Glow = r.hold, r.glow
	return simbed.Run(r.t.Context(), o)
}

func (r *rig) check(id ward.VisitID, kind ward.CheckKind) ward.Outcome {
	r.t.Helper()
	checks, err := r.store.Checks(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range checks {
		if c.Kind == kind {
			return c.Outcome
		}
	}
	return ""
}

func TestGenuinePatientIsPresent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	r.settle()
	r.shine("franck", 125)
	link := r.order(time.Hour)
	res, err := r.answer(link.Token, simbed.Genuine, "franck")
	if err != nil {
		t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
	}
	v := r.sealed(link.Visit.ID, sessionMax)
	if v.Verdict != ward.Present || !res.Thanked {
		t.Fatalf("got %s, thanked %v\n%s", v.Verdict, res.Thanked, r.story(v.ID))
	}
	if res.Notice["name_masked"] != "张*" || res.Notice["asked_by"] != "王稽核" || res.Notice["institution"] != "第一人民医院" {
		t.Errorf("notice %v", res.Notice)
	}
	segs, err := r.store.SegmentsBetween(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}, v.Opened, v.Sealed.Add(time.Second))
	if err != nil || len(segs) == 0 {
		t.Fatalf("recording: %d segments, %v", len(segs), err)
	}
	nonce, err := r.store.VisitNonce(t.Context(), v.ID)
	commitment, err2 := r.store.ChallengeCommitment(t.Context(), v)
	sum := sha256.Sum256(nonce)
	if err != nil || err2 != nil || len(nonce) != 32 || commitment != hex.EncodeToString(sum[:]) {
		t.Errorf("nonce of %d bytes, commitment %q, %v, %v", len(nonce), commitment, err, err2)
	}
	if !strings.Contains(r.story(v.ID), `nonce {"nonce":"`+hex.EncodeToString(nonce)) {
		t.Error("the nonce is not revealed")
	}
	// On a busy machine too few pictures are looked at to tell a reflection.
	if got := r.check(v.ID, ward.CheckColours); got != ward.Pass && got != ward.Unsure || !strings.Contains(strings.Join(res.Commands, " "), "watch_screen colour_") {
		t.Errorf("colours %q after %q", got, res.Commands)
	}
	if moves, err := r.store.TraceMoves(t.Context(), v.ID); err != nil || len(moves) == 0 || r.check(v.ID, ward.CheckSeenBefore) != ward.Pass {
		t.Errorf("trace of %d bytes, %v, seen before: %s", len(moves), err, r.check(v.ID, ward.CheckSeenBefore))
	}
	if wrong := r.unplaced(v.ID); len(wrong) > 0 {
		t.Errorf("the checks of place that did not pass: %q\n%s", wrong, r.story(v.ID))
	}
	r.replays(v)
	if v.SnapshotKey == "" || v.Leaf < 0 {
		t.Errorf("snapshot %q, leaf %d", v.SnapshotKey, v.Leaf)
	}
	if _, err := r.obj.Stat(t.Context(), v.SnapshotKey); err != nil {
		t.Error(err)
	}
	if _, err := r.engine.Session(t.Context(), "x", ""); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("a foreign device: %v", err)
	}
	if testing.Verbose() {
		t.Log(r.story(v.ID))
	}
}

func TestLoopIsNotPresent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Loop, "franck"); err != nil {
		t.Fatal(err)
	}
	v := r.sealed(link.Visit.ID, sessionMax)
	if v.Verdict != ward.Unable || r.check(v.ID, ward.CheckLive) != ward.Fail || r.check(v.ID, ward.CheckColours) != ward.NotDone {
		t.Fatalf("got %s\n%s", v.Verdict, r.story(v.ID))
	}
	if testing.Verbose() {
		t.Log(r.story(v.ID))
	}
}

func TestImpostorIsMismatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Impostor, impostor); err != nil {
		t.Fatal(err)
	}
	v := r.sealed(link.Visit.ID, sessionMax)
	if v.Verdict != ward.Mismatch || r.check(v.ID, ward.CheckFace) != ward.Fail {
		t.Fatalf("got %s\n%s", v.Verdict, r.story(v.ID))
	}
	r.replays(v)
	if testing.Verbose() {
		t.Log(r.story(v.ID))
	}
}

func TestNotEnrolledIsDecidedByAHuman(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Genuine, "franck"); err != nil {
		t.Fatal(err)
	}
	v := r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
	if v.State != ward.VisitDeciding {
		t.Fatalf("got %s %s\n%s", v.State, v.Verdict, r.story(v.ID))
	}
	if _, err := r.engine.Decide(t.Context(), v.ID, ward.User{ID: "x", Role: ward.Operator, AllInstitutions: true}, ward.Present, "看到本人"); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("an operator decides: %v", err)
	}
	v, err := r.engine.Decide(t.Context(), v.ID, inspector, ward.Present, "核对了腕带")
	if err != nil || v.Verdict != ward.Present || v.DecidedBy != inspector.ID {
		t.Fatalf("decide: %+v, %v", v, err)
	}
	if _, err := r.engine.Decide(t.Context(), v.ID, inspector, ward.Absent, "改主意"); !errors.Is(err, &ward.Error{Code: "visit.two_people"}) {
		t.Errorf("decide again: %v", err)
	}
}

func TestCutIsInterruptedAndKeepsTheRecording(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Cut, "franck"); err != nil {
		t.Fatal(err)
	}
	v := r.sealed(link.Visit.ID, 30*time.Second)
	if v.Verdict != ward.Interrupted {
		t.Fatalf("got %s\n%s", v.Verdict, r.story(v.ID))
	}
	segs, err := r.store.SegmentsBetween(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}, v.Opened, v.Sealed.Add(time.Second))
	if err != nil || len(segs) == 0 {
		t.Errorf("recording: %d segments, %v", len(segs), err)
	}
}

func TestStopInterruptsAndSeals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	link := r.order(time.Hour)
	done := make(chan error, 1)
	go func() {
		_, err := simbed.Run(t.Context(), simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Loop, Clip: clip(t, "franck", false)})
		done <- err
	}()
	r.until(link.Visit.ID, 30*time.Second, func(v ward.Visit) bool { return v.State == ward.VisitChecking })
	r.stop()
	v, err := r.store.Visit(t.Context(), link.Visit.ID)
	if err != nil || v.Verdict != ward.Interrupted {
		t.Errorf("after the stop: %s %s, %v", v.State, v.Verdict, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRestartSealsWhatADeadProcessLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	device, _, _, err := r.engine.Open(t.Context(), link.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.engine.Consent(t.Context(), device, true); err != nil {
		t.Fatal(err)
	}
	r.stop()
	// A killed process leaves the row as it was.
	if _, err := r.store.BeginChecking(t.Context(), link.Visit.ID); err != nil {
		t.Fatal(err)
	}
	second := rigOn(t, r.store, nil)
	if v := second.sealed(link.Visit.ID, 10*time.Second); v.Verdict != ward.Interrupted {
		t.Errorf("got %s", v.Verdict)
	}
}
