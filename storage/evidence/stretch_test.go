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

// What a camera recorded of a stretch, and that it recorded nothing, is
// evidence: held, exported, proven by both verifiers, and told.
func TestAStretchWithoutRecordingIsAnAnswer(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		k := clerk(w)
		c, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "调取录像"}, nil, w.By)
		if err != nil {
			t.Fatal(err)
		}
		w.Keep = time.Hour
		old := w.Start.AddDate(0, 0, -50)
		w.Record(w.Camera, old, time.Minute, true)
		if err := w.Store.SetKnownTime(ctx, w.Start); err != nil {
			t.Fatal(err)
		}
		if done, err := (&storage.Retention{Store: w.Store, Objects: w.Media.Objects, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.Start }}).Once(ctx); err != nil || done.Segments != 1 {
			t.Fatal(done, err)
		}
		add := func(from, to time.Time, want int) {
			t.Helper()
			if items, err := k.AddStretch(ctx, c, w.Camera, "h1", from, to, w.By); err != nil || len(items) != want || items[0].Kind != ward.EvidenceStretch {
				t.Fatalf("%v, %v, want %d items", items, err, want)
			}
		}
		add(w.Start, w.Start.Add(40*time.Second), 4)               // three segments, a gap, and what nobody noted
		add(w.Start.Add(-time.Hour), w.Start.Add(-time.Minute), 1) // nothing at all
		add(old, old.Add(time.Minute), 1)                          // deleted
		for what, bad := range map[string]func() error{
			"backwards": func() error { _, err := k.AddStretch(ctx, c, w.Camera, "h1", w.Start, w.Start, w.By); return err },
			"long":      func() error { _, err := k.AddStretch(ctx, c, w.Camera, "h1", old, w.Start, w.By); return err },
			"to come": func() error {
				_, err := k.AddStretch(ctx, c, w.Camera, "h1", w.Start, time.Now().Add(time.Minute), w.By)
				return err
			},
			"other": func() error {
				_, err := k.AddStretch(ctx, c, w.Camera, "h2", w.Start, w.Start.Add(1), w.By)
				return err
			},
		} {
			if err := bad(); !errors.Is(err, &ward.Error{Kind: ward.Invalid}) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if held, err := w.Store.Held(ctx, w.Camera, w.Start.Add(-30*time.Minute), w.Start.Add(-29*time.Minute)); err != nil || len(held) != 1 {
			t.Errorf("the empty stretch is not held: %v, %v", held, err)
		}
		if r, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{}); err != nil || !r.OK() {
			t.Errorf("fsck: %+v, %v", r.Problems, err)
		}

		bill := []byte("%PDF-1.7 a bill")
		if items, err := k.AddFile(ctx, c, "票据.pdf", bytes.NewReader(bill), int64(len(bill)), w.By); err != nil || len(items) != 1 {
			t.Fatal(items, err)
		}
		b, _ := export(t, w, c.ID)
		j := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)})
		r := j.of(t, "stretches", b, false)
		var out strings.Builder
		if err := verify.Print(&out, r); err != nil || r.Exit(false) != verify.ExitVerified || len(r.Stretches) != 3 {
			t.Errorf("%v: %+v\n%s", err, r.Failures, out.String())
		}
		for _, want := range []string{"recorded 30.0", "cause: stalled", "cause: unknown", "cause: deleted", "THERE IS NO RECORDING"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, out.String())
			}
		}

		// An uploaded file is in it as it is, under a name of ours; another in its place is found.
		at := slices.IndexFunc(names(t, b), func(n string) bool { return strings.HasPrefix(n, "uploads/") })
		if at < 0 || !bytes.Equal(unpack(t, b)[names(t, b)[at]], bill) {
			t.Fatalf("no file: %v", names(t, b))
		}
		exchanged := unpack(t, b)
		exchanged[names(t, b)[at]] = []byte("%PDF-1.7 A bill")
		if r := j.of(t, "another bill", forge(names(t, b), exchanged), false); r.Authentic() {
			t.Error("another bill passes")
		}

		// Who drops the recordings that a stretch names, or its gap, is found.
		order, files := names(t, b), unpack(t, b)
		i := slices.IndexFunc(order, func(n string) bool { return strings.HasPrefix(n, "records/stretch-") })
		if i < 0 || !bytes.Contains(files[order[i]], []byte("stalled")) {
			t.Fatalf("no record of the stretch: %v", order)
		}
		changed := maps.Clone(files)
		changed[order[i]] = bytes.Replace(files[order[i]], []byte("stalled"), []byte("unknown"), 1)
		if r := j.of(t, "another cause", forge(order, changed), false); r.Authentic() {
			t.Error("another cause passes")
		}
		var m pack.Manifest
		if err := json.Unmarshal(files[pack.ManifestName], &m); err != nil {
			t.Fatal(err)
		}
		m.Items = slices.DeleteFunc(m.Items, func(i pack.Item) bool { return i.Kind == ward.EvidenceSegment })
		body, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		changed = maps.Clone(files)
		changed[pack.ManifestName] = body
		r = j.of(t, "without its recordings", forge(order, changed), false)
		if !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == order[i] && strings.Contains(f.EN, "stretch's record") }) {
			t.Errorf("without its recordings: %+v", r.Failures)
		}
	})
}
