package rounds_test

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// TestProxyEnrolment is a genuine visit that is compared with a face that was
// handed in by proxy, where the policy wants a human for that. The verdict
// names the version, and a replay compares with that one, not with today's.
func TestProxyEnrolment(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r.admit("franck", 125)
	p, err := r.store.Insured(ctx, "p1")
	check(err)
	enrolled := p.Template
	first, err := r.store.EnrolBy(ctx, inspector, ward.Enrolment{InsuredID: "p1", Way: ward.EnrolByPhoto, Proxy: true, Reason: "女儿代办", ModelID: p.ModelID}, enrolled, "photo", []byte("photo"))
	check(err)
	policy := ward.DefaultCheckPolicy()
	policy.ProxyUnsure, policy.Reason, policy.By = true, "试点", inspector.ID
	policy, err = r.store.SetCheckPolicy(ctx, policy)
	check(err)

	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Genuine, "franck"); err != nil {
		t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
	}
	v := r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
	if v.State != ward.VisitDeciding || r.check(v.ID, ward.CheckFace) != ward.Pass || r.check(v.ID, ward.CheckLive) != ward.Pass || v.Policy != policy.Version {
		t.Fatalf("%s %s by policy %d\n%s", v.State, v.Verdict, v.Policy, r.story(v.ID))
	}
	if !strings.Contains(v.ReasonZH, "代办") || !strings.Contains(v.ReasonEN, "by proxy") {
		t.Errorf("why a human decides: %q, %q", v.ReasonZH, v.ReasonEN)
	}

	// Meanwhile somebody else's face is enrolled in person.
	other := slices.Clone(enrolled)
	for i := range other {
		other[i] = -other[i]
	}
	_, err = r.store.EnrolBy(ctx, inspector, ward.Enrolment{InsuredID: "p1", Way: ward.EnrolByCamera, ModelID: p.ModelID}, other, "photo2", []byte("photo2"))
	check(err)
	if v, err = r.engine.Decide(ctx, v.ID, inspector, ward.Present, "已视频核对本人"); err != nil || v.Verdict != ward.Present {
		t.Fatalf("%s, %v", v.Verdict, err)
	}
	rec, err := r.store.Sealed(ctx, v.Leaf)
	check(err)
	var was sealed.Verdict
	check(rec.Into(&was))
	i := slices.IndexFunc(was.Checks, func(c sealed.Check) bool { return c.Kind == ward.CheckFace })
	if b, _ := json.Marshal(was); i < 0 || was.Checks[i].Enrolment != first.Version || !was.Checks[i].Proxy || strings.Contains(string(b), "代办登记") {
		t.Errorf("sealed: %s", b)
	}
	again := &rounds.Replayer{
		Store: r.store, Library: &ingest.Library{Store: r.store, Objects: r.obj, Spool: r.spool, Log: slog.New(slog.DiscardHandler)},
		NewEye: r.engine.NewEye, ReadCodes: readCodes,
	}
	got, err := again.Replay(ctx, v.ID)
	if err != nil || len(got.Differ) > 0 || got.Verdict != ward.Undecided {
		t.Errorf("replayed as %s: %q, %v", got.Verdict, got.Differ, err)
	}
	check(r.store.EraseCompared(ctx, time.Now().AddDate(1, 0, 0))) // the recording is still there, so its tape and the face are
	if got, err = again.Replay(ctx, v.ID); err != nil || len(got.Differ) > 0 {
		t.Errorf("a year later: %q, %v", got.Differ, err)
	}
}
