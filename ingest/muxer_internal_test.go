package ingest

import (
	"testing"
	"time"

	"wardwatch/ward"
)

// TestAMuxerIsBoundInBytes: pictures of 4 MB end it, whether their times go on or not.
func TestAMuxerIsBoundInBytes(t *testing.T) {
	t.Parallel()
	sps, pps := []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0xa0, 0x5b, 0x20}, []byte{0x68, 0xce, 0x38, 0x80}
	large := make([]byte, 4<<20)
	large[0] = 0x65
	for name, step := range map[string]int64{"live": 90000, "frozen": 0} {
		s := NewStream(ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, "h-1", []Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: sps, PPS: pps}})
		m := newMuxer(s, time.Now())
		var err error
		n := int64(0)
		for ; n < 40 && err == nil; n++ {
			err = m.take(Unit{Track: 1, PTS: n * step, DTS: n * step, Arrived: time.Now(), Key: true, AU: [][]byte{sps, pps, large}})
		}
		if err == nil || n < 10 || n > 18 {
			t.Errorf("%s: ended by %v after %d pictures of 4 MB", name, err, n)
		}
		s.Close()
	}
}
