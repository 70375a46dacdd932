package storage_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// proposal is one that "first" makes over a visit.
func proposal(v ward.Visit, verdict ward.Verdict) ward.Ruling {
	return ward.Ruling{
		ID: ward.NewID[ward.RulingID](time.Now()), VisitID: v.ID, Circumstance: ward.Review, Verdict: verdict, Reason: "看过录像",
		People: []string{"护士甲"}, ProposedBy: "first", Due: time.Now().Add(time.Hour),
	}
}

func person(id ward.UserID) ward.User {
	return ward.User{ID: id, Role: ward.Inspector, AllInstitutions: true}
}

func TestTwoPeopleRuleOverASealedVisit(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderOne(t, s, "two", time.Now(), time.Minute)
		v.Verdict, v.ReasonZH, v.ReasonEN = ward.Mismatch, "不是本人", "somebody else"
		v, err := s.SealVisit(ctx, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.ProposeRuling(ctx, proposal(v, ward.Present))
		if err != nil || r.Over != ward.Mismatch || r.OverLeaf != v.Leaf || r.State != ward.RulingProposed {
			t.Fatalf("propose: %+v, %v", r, err)
		}
		if _, err := s.ProposeRuling(ctx, proposal(v, ward.Absent)); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "ruling.open"}) {
			t.Errorf("a second proposal: %v", err)
		}
		if _, _, err := s.AnswerRuling(ctx, r.ID, person("first"), true, ""); !errors.Is(err, &ward.Error{Code: "ruling.same_person"}) {
			t.Errorf("the same person twice: %v", err)
		}
		if now, _, _ := inForce(t, s, v.ID); now != ward.Mismatch {
			t.Errorf("before a confirmation %s counts", now)
		}
		// Of several who confirm at once exactly one does.
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = s.AnswerRuling(ctx, r.ID, person(ward.UserID(rune('a'+i))), true, "") })
		}
		wg.Wait()
		confirmed := 0
		for _, err := range errs {
			if err == nil {
				confirmed++
			} else if !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "ruling.answered"}) {
				t.Errorf("confirmed at once: %v", err)
			}
		}
		now, leaf, by := inForce(t, s, v.ID)
		if confirmed != 1 || now != ward.Present || leaf <= v.Leaf || by != r.ID {
			t.Errorf("%d confirmed; %s counts, leaf %d by %q", confirmed, now, leaf, by)
		}
		if same, err := s.Visit(ctx, v.ID); err != nil || same.Verdict != ward.Mismatch || same.Leaf != v.Leaf {
			t.Errorf("the sealed verdict changed: %+v, %v", same, err)
		}
		all, err := s.Rulings(ctx, v.ID)
		if err != nil || len(all) != 1 || !slices.Equal(all[0].People, []string{"护士甲"}) || all[0].AnsweredBy == "first" {
			t.Errorf("rulings: %+v, %v", all, err)
		}
		healthy(t, s)
	})
}

// inForce is the verdict that counts.
func inForce(t *testing.T, s *storage.Store, id ward.VisitID) (ward.Verdict, int64, ward.RulingID) {
	t.Helper()
	v, err := s.Visit(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Rulings(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return ward.InForce(v, all)
}

func TestARulingSealsAVisitWithoutVerdict(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderOne(t, s, "manual", time.Now(), time.Minute)
		r, err := s.ProposeRuling(ctx, proposal(v, ward.Unable))
		if err != nil || r.OverLeaf != -1 {
			t.Fatalf("propose: %+v, %v", r, err)
		}
		if list, err := s.WaitingVisits(ctx, []ward.InstitutionID{v.InstitutionID}, 10); err != nil || len(list) != 1 {
			t.Errorf("waiting: %v, %v", list, err)
		}
		if list, err := s.WaitingVisits(ctx, []ward.InstitutionID{"other"}, 10); err != nil || len(list) != 0 {
			t.Errorf("waiting elsewhere: %v, %v", list, err)
		}
		r, v, err = s.AnswerRuling(ctx, r.ID, person("second"), true, "属实")
		if err != nil || v.State != ward.VisitSealed || v.Verdict != ward.Unable || v.DecidedBy != "first" || r.AnsweredBy != "second" || r.AnswerLeaf <= v.Leaf {
			t.Fatalf("confirm: %+v, %+v, %v", r, v, err)
		}

		// Over what its proposer did not see nothing is confirmed.
		_, o := orderOne(t, s, "changed", time.Now(), time.Minute)
		if r, err = s.ProposeRuling(ctx, proposal(o, ward.Present)); err != nil {
			t.Fatal(err)
		}
		o.Verdict = ward.Refused
		if o, err = s.SealVisit(ctx, o, nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err = s.AnswerRuling(ctx, r.ID, person("second"), true, ""); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "ruling.changed"}) {
			t.Errorf("over a newer verdict: %v", err)
		}
		if r, _, err = s.AnswerRuling(ctx, r.ID, person("first"), false, "已拒绝"); err != nil || r.State != ward.RulingRejected {
			t.Errorf("taken back: %+v, %v", r, err)
		}
		if now, _, by := inForce(t, s, o.ID); now != ward.Refused || by != "" {
			t.Errorf("a rejected ruling counts: %s by %q", now, by)
		}
		// What only says that nobody answered does not stand in the way.
		_, n := orderOne(t, s, "late", time.Now(), time.Minute)
		if r, err = s.ProposeRuling(ctx, proposal(n, ward.Unable)); err != nil {
			t.Fatal(err)
		}
		n.Verdict = ward.NoAnswer
		if _, err = s.SealVisit(ctx, n, nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err = s.AnswerRuling(ctx, r.ID, person("second"), true, ""); err != nil {
			t.Errorf("over no answer: %v", err)
		}
		if now, _, by := inForce(t, s, n.ID); now != ward.Unable || by != r.ID {
			t.Errorf("over no answer %s counts", now)
		}
		healthy(t, s)
	})
}

func TestAProposalLapses(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderOne(t, s, "lapse", time.Now(), time.Minute)
		p := proposal(v, ward.Unable)
		r, err := s.ProposeRuling(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if gone, err := s.LapseRulings(ctx, r.Due.Add(-time.Second)); err != nil || len(gone) != 0 {
			t.Errorf("before its time: %v, %v", gone, err)
		}
		if gone, err := s.LapseRulings(ctx, r.Due); err != nil || len(gone) != 1 || gone[0].State != ward.RulingLapsed {
			t.Errorf("lapsed: %v, %v", gone, err)
		}
		if _, _, err := s.AnswerRuling(ctx, r.ID, person("second"), true, ""); !errors.Is(err, &ward.Error{Code: "ruling.answered"}) {
			t.Errorf("confirmed after it lapsed: %v", err)
		}
		if _, err := s.ProposeRuling(ctx, proposal(v, ward.Unable)); err != nil {
			t.Errorf("another proposal: %v", err)
		}
		healthy(t, s)
	})
}

func TestCheckPolicyIsAVersionPerScope(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderOne(t, s, "policy", time.Now(), time.Minute)
		p := ward.DefaultCheckPolicy()
		p.InstitutionID, p.Ward, p.Reason, p.By = v.InstitutionID, v.Ward, "神经内科", "admin"
		p.Checks = map[ward.CheckKind]ward.Need{ward.CheckLive: ward.Advisory, ward.CheckFace: ward.Required}
		set, err := s.SetCheckPolicy(ctx, p)
		if err != nil || set.Version == 0 {
			t.Fatalf("set: %+v, %v", set, err)
		}
		if _, err := s.SetCheckPolicy(ctx, p); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "check_policy.changed"}) {
			t.Errorf("set by one who saw none: %v", err)
		}
		if now, err := s.CheckPolicyFor(ctx, ward.ForVisit, v.InstitutionID, v.Ward); err != nil || now.Version != set.Version || now.Need(ward.CheckLive) != ward.Advisory {
			t.Errorf("in force: %+v, %v", now, err)
		}
		if now, err := s.CheckPolicyFor(ctx, ward.ForVisit, v.InstitutionID, "别处"); err != nil || now.Version != 0 {
			t.Errorf("elsewhere: %+v, %v", now, err)
		}
		set.Off = true
		if _, err := s.SetCheckPolicy(ctx, set); err != nil {
			t.Fatal(err)
		}
		if now, err := s.CheckPolicyFor(ctx, ward.ForVisit, v.InstitutionID, v.Ward); err != nil || now.Version != 0 {
			t.Errorf("withdrawn: %+v, %v", now, err)
		}
		p.InstitutionID = "nowhere"
		if _, err := s.SetCheckPolicy(ctx, p); ward.KindOf(err) != ward.NotFound {
			t.Errorf("of no institution: %v", err)
		}
		healthy(t, s)
	})
}

// healthy fails unless fsck finds all as it was sealed.
func healthy(t *testing.T, s *storage.Store) {
	t.Helper()
	objs, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Fsck(t.Context(), storage.Media{Objects: objs}, storage.FsckOptions{})
	if err != nil || !r.OK() {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
}

// TestFsckNamesChangedRulings: whatever is changed of a ruling or of a policy is named.
func TestFsckNamesChangedRulings(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		v, err := w.Store.Visit(ctx, w.Visit)
		if err != nil {
			t.Fatal(err)
		}
		p := proposal(v, ward.Absent)
		picture := []byte("a picture")
		sum := sha256.Sum256(picture)
		p.Proofs = []ward.RulingProof{{SHA256: hex.EncodeToString(sum[:]), MediaType: "image/jpeg", Key: "v1/h/v/ruling-1"}}
		if err := w.Media.Objects.Put(ctx, p.Proofs[0].Key, bytes.NewReader(picture), int64(len(picture))); err != nil {
			t.Fatal(err)
		}
		r, err := w.Store.ProposeRuling(ctx, p)
		if err == nil {
			r, _, err = w.Store.AnswerRuling(ctx, r.ID, person("second"), true, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		policy := ward.DefaultCheckPolicy()
		policy.Reason, policy.By = "试行", "admin"
		if _, err := w.Store.SetCheckPolicy(ctx, policy); err != nil {
			t.Fatal(err)
		}
		if r := check(t, w); !r.OK() {
			t.Fatalf("before: %+v", r.Problems)
		}
		for _, c := range []struct{ what, change, back string }{
			{"ruling/" + string(r.ID), `UPDATE ruling SET verdict = 'present'`, `UPDATE ruling SET verdict = 'absent'`},
			{"ruling/" + string(r.ID), `UPDATE ruling SET answered_by = 'first'`, `UPDATE ruling SET answered_by = 'second'`},
			{"ruling/" + string(r.ID) + "/2", `UPDATE ruling SET state = 'proposed', answer_leaf = answer_leaf + 1000`, `UPDATE ruling SET state = 'confirmed', answer_leaf = answer_leaf - 1000`},
			{"ruling/" + string(r.ID) + "/1", `UPDATE ruling_proof SET object_key = 'elsewhere'`, `UPDATE ruling_proof SET object_key = 'v1/h/v/ruling-1'`},
			{"check_policy/1", `UPDATE check_policy SET params = '{}'`, ""},
		} {
			w.Exec(c.change)
			if got := where(check(t, w)); !slices.Contains(got, c.what) {
				t.Errorf("%s: fsck names %v", c.change, got)
			}
			if c.back != "" {
				w.Exec(c.back)
			}
		}
	})
}
