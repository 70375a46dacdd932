package ingest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

// TestAnAllKeyStreamIsNotARowForEachPicture records key frames of which each
// follows a loss, and then parameter sets that alternate.
func TestAnAllKeyStreamIsNotARowForEachPicture(t *testing.T) {
	t.Parallel()
	store, sp := inMemory(t)
	began := time.Now().Add(-time.Minute)
	c := ofCamera(store)
	units := slices.DeleteFunc(tinyUnits(20, began, rand.New(rand.NewPCG(3, 4))), func(u Unit) bool { return u.Track != 1 })
	other := slices.Clone(testPPS)
	other[len(other)-1] ^= 0x40
	for i := range units {
		units[i].Key = true
		switch at := units[i].Arrived.Sub(began); {
		case at > time.Second && at < 8*time.Second:
			units[i].Lost = ward.CauseLoss
		case at >= 10*time.Second && i%2 == 0:
			units[i].AU = append([][]byte{testSPS, other}, units[i].AU...)
		case at >= 10*time.Second:
			units[i].AU = append([][]byte{testSPS, testPPS}, units[i].AU...)
		}
	}
	segs := recordedOf(t, c, sp, 60, units)
	gaps, err := store.GapsBetween(t.Context(), c.src, began.Add(-time.Hour), began.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[ward.Cause]int{}
	for _, g := range gaps {
		rows[g.Cause]++
	}
	if len(segs) > 8 || rows[ward.CauseLoss] != 1 || rows[ward.CauseCodec] > 6 || rows[ward.CauseCodec] == 0 {
		t.Errorf("%d segments, gaps %v of 10 s with alternating parameters", len(segs), rows)
	}
	end := segs[len(segs)-1].End
	if sum := Cover(segs, gaps, segs[0].Start, end); sum.Recorded+sum.Gap != end.Sub(segs[0].Start) {
		t.Errorf("%s recorded and %s gap of %s", sum.Recorded, sum.Gap, end.Sub(segs[0].Start))
	}
	events, err := store.RecordingEvents(t.Context(), c.src, began.Add(-time.Hour), began.Add(time.Hour))
	if err != nil || len(events) > 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
}
