package ingest

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// TestALinkIsHopeless: what a browser reports each second, beside what was sent.
func TestALinkIsHopeless(t *testing.T) {
	t.Parallel()
	const each = 200 // packets sent in a second
	for name, c := range map[string]struct {
		highest, sent, lost []int // of each report; the last one goes on
		want                bool
	}{
		"good":                           {[]int{200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}, nil, []int{0}, false},
		"half is lost":                   {[]int{200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}, nil, []int{128}, true},
		"a packet in two seconds":        {[]int{200, 200, 600, 600, 1000, 1000, 1400, 1400, 1800, 1800}, nil, []int{250, 0, 250, 0, 250, 0, 250, 0, 250, 0}, true},
		"nothing arrives any more":       {[]int{200}, nil, []int{0}, true},
		"the camera is silent":           {[]int{200}, []int{200}, []int{0}, false},
		"recovers before the end":        {[]int{200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}, nil, []int{200, 200, 200, 200, 0, 200, 200, 200, 200, 200}, false},
		"the camera is silent after bad": {[]int{200, 400}, []int{200, 400, 400}, []int{200}, false},
	} {
		at := func(list []int, i, beyond int) int {
			if len(list) == 0 {
				return beyond
			}
			return list[min(i, len(list)-1)]
		}
		var link lossy
		now, got := time.Unix(0, 0), false
		for i := range 10 {
			got = link.hopeless(rtcp.ReceptionReport{LastSequenceNumber: uint32(at(c.highest, i, 0)), FractionLost: uint8(at(c.lost, i, 0))}, uint32(at(c.sent, i, each*(i+1))), now) || got //nolint:gosec // small
			now = now.Add(time.Second)
		}
		if got != c.want {
			t.Errorf("%s: hopeless is %v", name, got)
		}
	}
}
