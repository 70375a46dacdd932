package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
	"wardwatch/ward"
)

// A sighting, a blind period, a draw and an outage are evidence: sealed, held,
// exported, and proven by both verifiers, which find what is left out.
func TestEveryKindIsEvidence(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		k := clerk(w)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		c, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "各类证据"}, nil, w.By)
		must(err)
		face, _ := w.Picture("v1/h1/snapshots/face-1.jpg")
		lens, lensSum := w.Picture("v1/h1/snapshots/lens-1.jpg")
		seen := w.Start.Add(5 * time.Second)
		must(w.Store.PutSightings(ctx, []ward.Sighting{
			{ID: "s1", CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.FaceSeen, From: seen, To: seen.Add(time.Second), Count: 3, Score: .9, ModelID: "m1", Template: ward.Template{1, 2, 3}, SnapshotKey: face},
			{ID: "s2", CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.LensSeen, From: seen, To: seen, SnapshotKey: lens},
		}))
		must(w.Store.OpenBlind(ctx, ward.BlindPeriod{
			ID: "b1", CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Cause: ward.Covered, From: seen, At: ward.BlindPicture{Sighting: "s2", SHA256: [32]byte(lensSum[:])},
		}))
		o, err := w.Store.ReportOutage(ctx, ward.Outage{InstitutionID: "h1", From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour), Reason: "检修", By: "u-contact"})
		must(err)
		o, err = w.Store.StepOutage(ctx, o.ID, o.Version, ward.OutageWithdraw, "u-contact", "已修好")
		must(err)
		d, err := w.Store.CommitDraw(ctx, storage.NewDraw{InstitutionID: "h1", Source: ward.SourceCoin, By: w.By.ID, Record: func(ward.Draw, *ward.Draw) (any, time.Time, error) {
			return map[string]string{"what": "commitment"}, time.Now().Add(time.Hour), nil
		}})
		must(err)

		add := func(kind ward.EvidenceKind, ref string) ([]ward.Evidence, error) {
			return w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: kind, Ref: ref}}, w.By)
		}
		if _, err := add(ward.EvidenceDraw, string(d.ID)); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "evidence.draw_open"}) {
			t.Errorf("a draw without a result: %v", err)
		}
		_, err = w.Store.StepDraw(ctx, storage.DrawChange{ID: d.ID, Kind: ward.StepResult, Record: func(ward.Draw, []storage.SealedStep, time.Time) (any, error) {
			return map[string]string{"what": "result"}, nil
		}})
		must(err)
		for _, kind := range []ward.EvidenceKind{ward.EvidenceDraw, ward.EvidenceOutage, ward.EvidenceBlind} {
			if _, err := add(kind, "none"); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
				t.Errorf("%s that is not there: %v", kind, err)
			}
		}
		_, err = add(ward.EvidenceDraw, string(d.ID))
		must(err)
		_, err = add(ward.EvidenceOutage, string(o.ID))
		must(err)
		for range 2 { // the second time it is there
			_, err = k.AddSighting(ctx, c.ID, "s1", w.By)
			must(err)
			_, err = k.AddBlind(ctx, c.ID, "b1", w.By)
			must(err)
		}
		items, err := w.Store.Evidence(ctx, c.ID)
		must(err)
		n := map[ward.EvidenceKind]int{}
		for _, e := range items {
			n[e.Kind]++
		}
		if want := (map[ward.EvidenceKind]int{ward.EvidenceDraw: 1, ward.EvidenceOutage: 1, ward.EvidenceSighting: 1, ward.EvidenceBlind: 1, ward.EvidenceSnapshot: 2, ward.EvidenceSegment: 3, ward.EvidenceSettlement: 1}); !maps.Equal(n, want) {
			t.Errorf("the case holds %v, want %v", n, want)
		}

		// Long after, retention takes neither the pictures nor the recording.
		later := w.Start.AddDate(1, 0, 0)
		must(w.Store.SetKnownTime(ctx, later))
		done, err := (&storage.Retention{Store: w.Store, Objects: w.Media.Objects, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return later }}).Once(ctx)
		must(err)
		for _, id := range []ward.SightingID{"s1", "s2"} {
			if v, err := w.Store.Sighting(ctx, id); err != nil || v.SnapshotKey == "" {
				t.Errorf("retention %+v took the picture of %s: %v", done, id, err)
			}
		}
		must(w.Store.CloseBlind(ctx, "b1", seen.Add(time.Minute), ward.BlindPicture{}, ""))
		r, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{})
		must(err)
		for _, p := range r.Problems {
			if !strings.HasPrefix(p.Where, "draw") { // whose steps say nothing here
				t.Errorf("fsck: %+v", p)
			}
		}

		b, _ := export(t, w, c.ID)
		j := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)})
		if r := j.of(t, "every kind", b, false); r.Exit(false) != verify.ExitVerified {
			t.Fatalf("%+v %+v", r.Failures, r.Missing)
		}
		order, files := names(t, b), unpack(t, b)
		records := func(prefix string) []string {
			return slices.DeleteFunc(slices.Clone(order), func(n string) bool { return !strings.HasPrefix(n, "records/"+prefix) })
		}
		for prefix, want := range map[string]int{"draw-": 2, "outage-": 2, "blind-": 2, "sighting-": 1} { // also how the period ended
			if got := records(prefix); len(got) != want {
				t.Errorf("%v, want %d of %s", got, want, prefix)
			}
		}
		if b := files[records("sighting-")[0]]; bytes.Contains(b, []byte("emplate")) || !bytes.Contains(b, []byte("snapshot_sha256")) {
			t.Errorf("the sighting was sealed as %s", b)
		}
		var m pack.Manifest
		must(json.Unmarshal(files[pack.ManifestName], &m))
		for what, left := range map[string]func(*pack.Manifest){
			"the commitment of the draw": func(m *pack.Manifest) {
				m.Records = slices.DeleteFunc(slices.Clone(m.Records), func(r pack.RecordFile) bool { return r.Ref == string(d.ID)+"/1" })
			},
			"the report of the outage": func(m *pack.Manifest) {
				m.Records = slices.DeleteFunc(slices.Clone(m.Records), func(r pack.RecordFile) bool { return r.Ref == string(o.ID)+"/1" })
			},
			"the picture of the sighting": func(m *pack.Manifest) {
				m.Items = slices.DeleteFunc(slices.Clone(m.Items), func(i pack.Item) bool { return i.Ref == face })
			},
		} {
			less := m
			left(&less)
			body, err := json.MarshalIndent(less, "", "  ")
			must(err)
			changed := maps.Clone(files)
			changed[pack.ManifestName] = body
			r := j.of(t, "without "+what, forge(order, changed), false)
			if !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool {
				return strings.Contains(f.EN, "step or version") || strings.Contains(f.EN, "picture that its record")
			}) {
				t.Errorf("without %s: %+v", what, r.Failures)
			}
		}
	})
}
