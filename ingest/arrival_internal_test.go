package ingest

import (
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

// Units of one read are dated apart, and never outside the time in which they
// came, whatever their time stamps say.
func TestUnitsReadTogetherAreDatedApart(t *testing.T) {
	t.Parallel()
	track := Track{Codec: ward.H264, ClockRate: 90000}
	const read = 160 // ms between two reads
	for name, c := range map[string]struct {
		ts   []uint32 // in ms, of the units of all reads
		per  int      // units in a read
		want []int    // ms after the start
	}{
		"25 a second":             {[]uint32{0, 40, 80, 120, 160, 200, 240, 280}, 4, []int{160, 160, 160, 160, 200, 240, 280, 320}},
		"a pause of the camera's": {[]uint32{0, 40, 80, 120, 400, 440, 480, 520}, 4, []int{160, 160, 160, 160, 320, 320, 320, 320}},
		"late ones":               {[]uint32{0, 1, 2, 3, 4, 5, 6, 7}, 4, []int{160, 160, 160, 160, 161, 162, 163, 164}},
		"time stands still":       {[]uint32{9, 9, 9, 9}, 2, []int{160, 160, 160, 160}},
		"reordered":               {[]uint32{0, 120, 40, 80, 160, 280, 200, 240}, 4, []int{160, 160, 160, 160, 200, 320, 320, 320}},
		"another time line":       {[]uint32{9000000, 9000040, 0, 40}, 2, []int{160, 160, 320, 320}},
		"wrapped":                 {[]uint32{1<<32/90 - 38, 1}, 1, []int{160, 200}},
		"backwards":               {[]uint32{9000, 8000, 7000, 6000, 5000}, 1, []int{160, 160, 480, 480, 800}},
	} {
		var a arrival
		start := time.Now()
		var got []int
		for i, ts := range c.ts {
			at := start.Add(time.Duration(i/c.per+1) * read * time.Millisecond)
			came := a.of(track, ts*90, at, at.Add(-read*time.Millisecond))
			got = append(got, int(came.Sub(start).Round(time.Millisecond)/time.Millisecond))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
