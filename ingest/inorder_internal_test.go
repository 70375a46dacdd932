package ingest

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"wardwatch/ward"
)

// someplaces are n recordings of a minute, every other of them given later,
// with a clock that goes back now and then.
func someplaces(r *rand.Rand, n int) []place {
	t0 := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var all []place
	at := t0
	for i := range n {
		if at = at.Add(2 * time.Minute); r.IntN(40) == 0 {
			at = at.Add(-time.Hour)
		}
		all = append(all, place{segment: ward.Segment{ID: ward.SegmentID(strconv.Itoa(i)), Seq: int64(i + 1), Start: at}})
	}
	for i := range n {
		all = append(all, place{segment: ward.Segment{
			ID: ward.SegmentID("d" + strconv.Itoa(i)), Seq: int64(n + i + 1), Origin: ward.FromDevice, Start: t0.Add(time.Duration(2*r.IntN(n)+1) * time.Minute),
		}})
	}
	return all
}

// TestGivenRecordingsComeWhereTheyWereMissing: each after the last one that
// does not begin later, as a search from the end finds it.
func TestGivenRecordingsComeWhereTheyWereMissing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for range 200 {
		all := someplaces(r, 1+r.IntN(60))
		var want []place
		for _, p := range all { // by seq already
			at := len(want)
			if p.given() {
				for at > 0 && want[at-1].start().After(p.start()) {
					at--
				}
			}
			want = slices.Insert(want, at, p)
		}
		got := inOrder(slices.Clone(all))
		same := func(a, b place) bool {
			return a.given() == b.given() && a.start().Equal(b.start()) && (a.given() || a.seq() == b.seq())
		}
		if !slices.EqualFunc(got, want, same) {
			t.Fatalf("got another order for %d", len(all))
		}
	}
}

// TestManyGivenRecordingsAreSortedOnce: a month of a camera that was away every
// other minute. Inserting them one by one moves some 100 GB.
func TestManyGivenRecordingsAreSortedOnce(t *testing.T) {
	all := someplaces(rand.New(rand.NewPCG(3, 4)), 20_000) //nolint:gosec // a test
	began := time.Now()
	if n := len(inOrder(all)); n != 40_000 {
		t.Errorf("%d are left", n)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
