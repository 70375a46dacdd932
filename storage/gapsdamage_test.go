package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// Damage that a crash left open ends with what was recorded last, not with
// what a device gave afterwards for an older gap.
func TestDamageEndsWithWhatWasRecorded(t *testing.T) {
	t.Parallel()
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-7"}
		last := w.Record(src, w.Start, time.Minute, true)
		given := last
		given.ID, given.Seq, given.Key, given.Origin = "given", 0, "", ward.FromDevice
		given.Start, given.End = w.Start.Add(-time.Hour), w.Start.Add(-time.Hour+time.Minute)
		if _, err := w.Store.CommitSegment(ctx, given); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.OpenGap(ctx, ward.Gap{ID: "damage", Source: src, InstitutionID: "h1", From: w.Start.Add(30 * time.Second), Cause: ward.CauseLoss}); err != nil {
			t.Fatal(err)
		}
		if err := w.Store.EndDamage(ctx, src); err != nil {
			t.Fatal(err)
		}
		gaps, err := w.Store.GapsBetween(ctx, src, w.Start.Add(-2*time.Hour), w.Start.Add(time.Hour))
		if err != nil || len(gaps) != 1 || !gaps[0].To.Equal(last.End) {
			t.Errorf("got %+v, %v, want one that ends at %s", gaps, err, last.End)
		}
	})
}
