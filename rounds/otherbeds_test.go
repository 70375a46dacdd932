package rounds_test

import (
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// The rightful, live patient who has answered for another bed, too, is left
// to a human, and the other bed's verdict, sealed before, has a finding beside it.
func TestSamePersonInTwoBedsIsDecidedByAHuman(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	ctx := t.Context()
	if err := r.store.PutInsured(ctx, ward.Insured{ID: "p2", Name: "李四"}); err != nil {
		t.Fatal(err)
	}
	if err := r.store.AddAdmission(ctx, ward.Admission{ID: "a2", InstitutionID: r.inst, InsuredID: "p2", Ward: "内一", Bed: "13", From: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	_, links, err := r.engine.Order(ctx, inspector, rounds.Order{
		InstitutionID: r.inst, Reason: "例行抽查", Ward: "内一", Admissions: []ward.AdmissionID{r.stay, "a2"}, Deadline: time.Now().Add(time.Hour),
	})
	if err != nil || len(links) != 2 {
		t.Fatalf("%d links, %v", len(links), err)
	}
	one, other := links[0], links[1]
	if one.Visit.AdmissionID != r.stay {
		one, other = other, one
	}
	// Bed 13 has been answered by the man of another moment of the same film.
	eye := pool.NewSession(ward.H264)
	defer eye.Close()
	seen, _, err := eye.See(ctx, clip(t, "franck", false).Frames[300], true, vision.WantTemplates)
	if err != nil || len(seen.Faces) != 1 {
		t.Fatalf("%+v, %v", seen, err)
	}
	if found, err := r.store.CompareBeds(ctx, other.Visit, seen.ModelID, seen.Faces[0].Template, func(c float32) bool { return c >= ward.DefaultFaceThresholds.Match }); err != nil || len(found) != 0 && found[0].Basis != ward.SameEnrolment {
		t.Fatalf("%+v, %v", found, err)
	}
	other.Visit.Verdict, other.Visit.DecidedBy, other.Visit.ReasonEN = ward.Present, inspector.ID, "seen"
	sealed, err := r.store.SealVisit(ctx, other.Visit, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.answer(one.Token, simbed.Genuine, "franck"); err != nil {
		t.Fatal(err)
	}
	v := r.until(one.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
	if v.State != ward.VisitDeciding || r.check(v.ID, ward.CheckOtherBed) != ward.Fail || r.check(v.ID, ward.CheckFace) != ward.Pass {
		t.Fatalf("got %s %s\n%s", v.State, v.Verdict, r.story(v.ID))
	}
	found, err := r.store.FindingsOf(ctx, sealed.ID)
	if err != nil || found[len(found)-1].Other != v.ID || found[len(found)-1].Basis != ward.SameFace {
		t.Errorf("beside the sealed verdict: %+v, %v", found, err)
	}
	if again, err := r.store.Visit(ctx, sealed.ID); err != nil || again.Leaf != sealed.Leaf || again.Verdict != ward.Present {
		t.Errorf("the sealed verdict: %+v, %v", again, err)
	}
}
