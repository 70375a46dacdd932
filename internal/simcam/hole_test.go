package simcam_test

import (
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// A hole lasts from the first picture that was not sent whole to the next key
// frame that was; what harms no picture makes none.
func TestHoles(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	none := map[string]simcam.Faults{
		"good": {}, "duplicate": {Duplicate: 50}, "reorder": {Reorder: 20}, "ssrc": {NewSSRC: time.Second}, "time": {RTPTime: "jumping"}, "rtcp": {NoRTCP: true},
	}
	some := map[string]simcam.Faults{
		"stall": {Stall: true}, "off": {Off: true}, "key": {NoKey: true}, "payload": {Garbage: "payload"}, "packets": {Garbage: "packets"},
		"loss": {Loss: 100}, "cut": {CutMidGOP: time.Millisecond}, "answer": {Answer: "404"}, "codec": {OddCodec: true},
	}
	var cameras []simcam.Camera
	for path, f := range none {
		cameras = append(cameras, simcam.Camera{Path: path, Clip: clip, Faults: f})
	}
	for path := range some {
		cameras = append(cameras, simcam.Camera{Path: path, Clip: clip})
	}
	s, play := serve(t, cameras...)
	play()
	for path := range none {
		v := watch(t, s.URL(path), gortsplib.TransportTCP)
		eventually(t, path+" plays", 5*time.Second, func() bool { return len(v.pictures("H264")) > 0 })
	}
	for path, f := range some {
		unwatched := path == "answer" || path == "codec"
		if !unwatched {
			v := watch(t, s.URL(path), gortsplib.TransportTCP)
			eventually(t, path+" plays", 5*time.Second, func() bool { return len(v.pictures("H264")) > 0 })
		}
		if got := s.Holes(path); len(got) != 0 {
			t.Fatalf("%s: %v before the fault", path, got)
		}
		set := time.Now()
		if err := s.Set(path, f); err != nil {
			t.Fatal(err)
		}
		eventually(t, path+" has a hole", 5*time.Second, func() bool { return len(s.Holes(path)) == 1 })
		mended := time.Now()
		if err := s.Set(path, simcam.Faults{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, path+" is whole", 5*time.Second, func() bool { return !s.Holes(path)[0].To.IsZero() })
		got := s.Holes(path)
		if len(got) != 1 || got[0].From.Before(set) || got[0].From.After(mended) || !got[0].To.After(got[0].From) {
			t.Errorf("%s: %v, with a fault from %v to %v", path, got, set, mended)
		}
		if to := got[0].To.Sub(s.Began()).Round(50*time.Millisecond) % time.Second; path != "packets" && to > 300*time.Millisecond {
			t.Errorf("%s: the hole ended %v after a key frame was due", path, to)
		}
	}
	for path := range none {
		if got := s.Holes(path); len(got) != 0 {
			t.Errorf("%s: %v", path, got)
		}
	}
}
