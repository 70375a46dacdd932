package rounds

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// conclude stores the outcome of a session that had media: the snapshot, then
// state, checks and verdict in one transaction. cause, when set, says what
// cut the session off before its checks were done.
func (s *session) conclude(ctx context.Context, checks []ward.Check, cause error) error {
	if cause != nil && checks == nil {
		checks = s.undone(cause)
	}
	if err := s.reveal(ctx); err != nil {
		return err
	}
	if err := s.keepTrace(ctx); err != nil { // of a visit that was cut off, too
		return err
	}
	if err := s.keepTape(ctx); err != nil {
		return err
	}
	v := s.visit
	v.Policy, v.Verdict = s.policy.Version, ward.Decide(checks, s.policy)
	if v.Verdict == ward.Undecided {
		return s.await(ctx, checks)
	}
	v.SnapshotKey, v.SnapshotSHA = s.putSnapshot(ctx)
	v.ReasonZH, v.ReasonEN = reasons(v.Verdict, checks, cause)
	if v.Verdict == ward.Present && v.Purpose == ward.ForEnrolment {
		v.ReasonZH, v.ReasonEN = "活体检测通过，已登记本次会话中的面部。", "The live check passed; the face of this session is enrolled."
	}
	if v.Verdict == ward.Interrupted {
		if err := s.event(ctx, "interrupted", map[string]any{"cause": cutBy(cause).name}); err != nil {
			return err
		}
	}
	err := s.e.seal(ctx, v, checks)
	if errors.Is(err, &ward.Error{Code: "visit.flagged"}) { // another visit found something after the checks
		return s.await(ctx, checks)
	}
	return err
}

// reveal tells what the challenges were drawn from, once they are over.
func (s *session) reveal(ctx context.Context) error {
	if s.revealed {
		return nil
	}
	s.revealed = true
	return s.event(ctx, "nonce", map[string]any{"nonce": hex.EncodeToString(s.lots.nonce)})
}

// await leaves the verdict to a human.
func (s *session) await(ctx context.Context, checks []ward.Check) error {
	if err := s.keepTape(ctx); err != nil {
		return err
	}
	v := s.visit
	v.SnapshotKey, v.SnapshotSHA = s.putSnapshot(ctx)
	v.ReasonZH, v.ReasonEN = reasons(ward.Undecided, checks, nil)
	v.Policy, v.DecideBy = s.policy.Version, time.Now().Add(s.policy.DecideWithin())
	v, err := s.e.Store.AwaitDecision(ctx, v, checks)
	if errors.Is(err, &ward.Error{Code: "visit.state"}) {
		return nil // it awaits already, or a human was faster
	}
	if err == nil {
		s.e.notify(v)
	}
	return err
}

// undone are the checks of a session that was cut off. Without eyes a human
// must decide; every other cause leaves the visit interrupted.
func (s *session) undone(cause error) []ward.Check {
	now := time.Now()
	live := ward.Check{VisitID: s.visit.ID, Kind: ward.CheckLive, Outcome: ward.NotDone, At: now}
	face := ward.Check{VisitID: s.visit.ID, Kind: ward.CheckFace, Outcome: ward.NotDone, At: now}
	if errors.Is(cause, errNoEyes) {
		live.Outcome = ward.Unsure
		live.DetailZH, live.DetailEN = "视觉分析不可用，未能检测。", "The pictures could not be analysed."
	}
	return []ward.Check{live, face}
}

func (s *session) putSnapshot(ctx context.Context) (key string, sum [32]byte) {
	if len(s.faces.shot) == 0 {
		return "", sum
	}
	key = fmt.Sprintf("v1/%s/%s/snapshot.jpg", s.visit.InstitutionID, s.visit.ID)
	if err := s.e.Objects.Put(ctx, key, bytes.NewReader(s.faces.shot), int64(len(s.faces.shot))); err != nil {
		s.e.Log.ErrorContext(ctx, "store a visit's snapshot", "visit", s.visit.ID, "error", err)
		return "", sum
	}
	return key, sha256.Sum256(s.faces.shot)
}

// reasons say in a sentence what a verdict rests on. They hold no score.
func reasons(v ward.Verdict, checks []ward.Check, cause error) (zh, en string) {
	switch v {
	case ward.Present:
		return "活体检测通过，且与登记照片一致。", "The live check passed and the face matches the enrolled photo."
	case ward.Interrupted:
		c := cutBy(cause)
		return c.zh, c.en
	case ward.Mismatch, ward.Unable, ward.Undecided, ward.NoVerdict, ward.Absent, ward.Refused, ward.NoAnswer, ward.Discharged:
		for _, c := range checks {
			extra := c.Kind != ward.CheckLive && c.Kind != ward.CheckFace
			proxy := v == ward.Undecided && c.Proxy                                                                                  // may be why: see ward.CheckPolicy
			if proxy || c.Outcome != ward.Pass && (!extra || c.Outcome == ward.Fail) && !slices.Contains(challengeKinds(), c.Kind) { // those are told by the live check
				zh += c.DetailZH
				en += c.DetailEN + " "
			}
		}
	}
	return zh, en
}
