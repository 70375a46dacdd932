package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// A covered item leaves the house only as its derivative, until two people lift
// the cover for one of them and an hour; both verifiers prove the derivative
// and name what was left out.
func TestCoveredItemsAreLeftOut(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := openAlert(t, w)
		items, err := w.Store.Evidence(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var original ward.Evidence
		for _, e := range items {
			if e.Kind == ward.EvidenceSegment {
				original = e
			}
			if e.Kind == ward.EvidenceAlert {
				if _, err := w.Store.QueueRedaction(ctx, e, "h1", ward.RedactionPlan{Faces: true}, "隐私", w.By); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "redaction.kind"}) {
					t.Errorf("an alert was to be covered: %v", err)
				}
			}
		}
		r, err := w.Store.QueueRedaction(ctx, original, "h1", ward.RedactionPlan{Faces: true}, "保护患者隐私", w.By)
		if err != nil {
			t.Fatal(err)
		}
		body := []byte("a covered film")
		sum := sha256.Sum256(body)
		if err := w.Media.Objects.Put(ctx, r.Key, bytes.NewReader(body), int64(len(body))); err != nil {
			t.Fatal(err)
		}
		made := sealed.Upload{
			Institution: "h1", Name: "遮挡件", MediaType: "video/mp4", Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:]), By: w.By.ID,
			Derived: &sealed.Derived{From: "segment/" + original.Ref, SHA256: hex.EncodeToString(original.SHA256[:]), Tool: "test/1", Plan: r.Plan, Reason: r.Reason},
		}
		other := made
		other.Derived = &sealed.Derived{From: made.Derived.From, SHA256: strings.Repeat("00", 32)}
		if _, err := w.Store.FinishRedaction(ctx, r.ID, other); err == nil {
			t.Error("a derivative of something else covers the item")
		}
		if r, err = w.Store.FinishRedaction(ctx, r.ID, made); err != nil || r.State != ward.RedactionDone {
			t.Fatalf("finish: %+v, %v", r, err)
		}
		if _, err := w.Store.FinishRedaction(ctx, r.ID, made); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "redaction.ended"}) {
			t.Errorf("finished twice: %v", err)
		}
		j := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)})
		has := func(what string, outside, want bool) []byte {
			t.Helper()
			k := clerk(w)
			k.Outside = outside
			p, err := k.Prepare(ctx, c.ID, w.By, what)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := p.Write(ctx, &b); err != nil {
				t.Fatal(err)
			}
			rep := j.of(t, what, b.Bytes(), false)
			left := ""
			for _, m := range rep.Missing {
				left += m.File + m.EN
			}
			if len(rep.Failures) != 0 || rep.Derivatives != 1 || strings.Contains(left, original.Ref+"The original is covered") == want {
				t.Errorf("%s: %+v", what, rep)
			}
			is := false
			for _, f := range unpack(t, b.Bytes()) {
				is = is || sha256.Sum256(f) == original.SHA256
			}
			if is != want {
				t.Errorf("%s: the original is in the package: %v", what, is)
			}
			return b.Bytes()
		}
		b := has("covered", false, false)

		// A derivative that is called an upload, or whose original is gone, is rejected by both.
		files := unpack(t, b)
		files["manifest.json"] = bytes.Replace(files["manifest.json"], []byte(`"role": "derivative"`), []byte(`"role": "upload"`), 1)
		if rep := j.of(t, "called an upload", forge(names(t, b), files), true); rep.Authentic() {
			t.Error("a derivative passes as an upload")
		}

		asked, err := w.Store.RequestUnmasking(ctx, original, "h1", "庭审质证", w.By)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.RequestUnmasking(ctx, original, "h1", "再申请", w.By); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "unmask.open"}) {
			t.Errorf("asked twice: %v", err)
		}
		has("asked", false, false)
		if _, err := w.Store.AnswerUnmasking(ctx, asked.ID, w.By, true, ""); !errors.Is(err, &ward.Error{Kind: ward.Forbidden, Code: "unmask.same_person"}) {
			t.Errorf("agreed with oneself: %v", err)
		}
		second := w.By
		second.ID = "u-second"
		if asked, err = w.Store.AnswerUnmasking(ctx, asked.ID, second, true, ""); err != nil || asked.Until.Sub(asked.Answered) != time.Hour {
			t.Fatalf("agreed: %+v, %v", asked, err)
		}
		has("agreed", false, true)
		has("for somebody outside", true, false)
		w.Exec(`UPDATE unmasking SET until_us = $1`, time.Now().UnixMicro())
		has("after its hour", false, false)
		if covered, err := w.Store.Covered(ctx, c.ID, w.By.ID); err != nil || !covered[original.ID] {
			t.Errorf("seen after the hour: %v, %v", covered, err)
		}
		w.Exec(`UPDATE unmasking SET until_us = $1`, asked.Until.UnixMicro())
		if covered, err := w.Store.Covered(ctx, c.ID, second.ID); err != nil || !covered[original.ID] {
			t.Errorf("who agreed sees it too: %v, %v", covered, err)
		}
		if rep, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{}); err != nil || !rep.OK() {
			t.Errorf("fsck: %+v, %v", rep.Problems, err)
		}
		for change, want := range map[string]string{
			`UPDATE redaction SET state = 'failed'`:               "evidence/" + string(r.ResultID),
			`UPDATE redaction SET state = 'done', result = 'x'`:   "redaction/" + string(r.ID),
			`UPDATE unmasking SET until_us = until_us + 1`:        "unmasking/" + string(asked.ID),
			`UPDATE unmasking SET answered_by = requested_by`:     "unmasking/" + string(asked.ID),
			`UPDATE unmasking SET requested_by = 'somebody-else'`: "unmasking/" + string(asked.ID),
		} {
			w.Exec(change)
			rep, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{})
			if err != nil || !slices.ContainsFunc(rep.Problems, func(p storage.FsckProblem) bool { return p.Where == want }) {
				t.Errorf("%s: fsck names %+v, %v; want %s", change, rep.Problems, err, want)
			}
		}
	})
}
