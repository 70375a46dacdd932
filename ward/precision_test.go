package ward_test

import (
	"math"
	"testing"

	"wardwatch/ward"
)

// TestWilson compares with the figures of R's prop.test(correct = FALSE).
func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 0, 0, 1},
		{0, 10, 0, .27753},
		{10, 10, .72247, 1},
		{8, 10, .49016, .94332},
		{1, 1, .20655, 1},
		{98, 100, .93001, .99450},
	} {
		low, high := ward.Wilson(tc.k, tc.n)
		if math.Abs(low-tc.low) > 1e-4 || math.Abs(high-tc.high) > 1e-4 {
			t.Errorf("%d of %d: got %.5f to %.5f, want %.5f to %.5f", tc.k, tc.n, low, high, tc.low, tc.high)
		}
	}
}

func TestPrecisionCounts(t *testing.T) {
	var p ward.Precision
	p.Count(ward.AlertConfirmed, "", 6)
	p.Count(ward.AlertDismissed, ward.DismissWrong, 1)
	p.Count(ward.AlertDismissed, "", 1)
	p.Count(ward.AlertDismissed, ward.DismissLegitimate, 1)
	p.Count(ward.AlertDismissed, ward.DismissUnclear, 1)
	p.Count(ward.AlertDismissed, ward.DismissDuplicate, 5)
	p.Count(ward.AlertDismissed, ward.DismissTest, 5)
	p.Count(ward.AlertAppealed, "", 2)
	p.Count(ward.AlertWithdrawn, "", 9)
	if p.Share != .6 || p.Wrong != 2 || p.Excluded != 10 || p.Waiting != 2 || p.Low < .3 || p.High > .9 {
		t.Errorf("got %+v", p)
	}
}
