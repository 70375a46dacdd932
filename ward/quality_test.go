package ward_test

import (
	"slices"
	"testing"

	"wardwatch/ward"
)

func TestWhyAFaceIsNotCompared(t *testing.T) {
	good := ward.Face{Score: .9, EyePx: 40, Sharp: 100, Bright: 120}
	for _, c := range []struct {
		name  string
		spoil func(*ward.Face)
		want  []ward.FaceFault
	}{
		{"good", func(*ward.Face) {}, nil},
		{"just good enough", func(f *ward.Face) {
			*f = ward.Face{Score: ward.ScoreMin, EyePx: ward.EyePxMin, Sharp: ward.SharpMin, Bright: ward.BrightMin, Yaw: -ward.YawMax, Pitch: ward.PitchMax, Mask: ward.MaskMax, Shade: ward.ShadeMax, Uneven: ward.UnevenMax, Shared: ward.SharedMax}
		}, nil},
		{"unsure", func(f *ward.Face) { f.Score = .49 }, []ward.FaceFault{ward.FaceUnsure}},
		{"small", func(f *ward.Face) { f.EyePx = 15.9 }, []ward.FaceFault{ward.FaceSmall}},
		{"to the left", func(f *ward.Face) { f.Yaw = -41 }, []ward.FaceFault{ward.FaceTurned}},
		{"to the right", func(f *ward.Face) { f.Yaw = 41 }, []ward.FaceFault{ward.FaceTurned}},
		{"looking down", func(f *ward.Face) { f.Pitch = 31 }, []ward.FaceFault{ward.FaceTurned}},
		{"looking up", func(f *ward.Face) { f.Pitch = -31 }, []ward.FaceFault{ward.FaceTurned}},
		{"dark", func(f *ward.Face) { f.Bright = 29 }, []ward.FaceFault{ward.FaceDark}},
		{"bright", func(f *ward.Face) { f.Bright = 231 }, []ward.FaceFault{ward.FaceBright}},
		{"half missing", func(f *ward.Face) { f.Partial = .02 }, []ward.FaceFault{ward.FaceCovered}},
		{"a mask", func(f *ward.Face) { f.Mask = 19 }, []ward.FaceFault{ward.FaceCovered}},
		{"sunglasses", func(f *ward.Face) { f.Shade = .83 }, []ward.FaceFault{ward.FaceCovered}},
		{"half dark", func(f *ward.Face) { f.Uneven = .66 }, []ward.FaceFault{ward.FaceUneven}},
		{"behind another", func(f *ward.Face) { f.Shared = .26 }, []ward.FaceFault{ward.FaceShared}},
		{"blurred", func(f *ward.Face) { f.Sharp = 17 }, []ward.FaceFault{ward.FaceBlurred}},
		{"several", func(f *ward.Face) { f.Yaw, f.Sharp = 50, 1 }, []ward.FaceFault{ward.FaceTurned, ward.FaceBlurred}},
	} {
		f := good
		c.spoil(&f)
		if got := f.Faults(); !slices.Equal(got, c.want) || f.Usable() != (len(c.want) == 0) {
			t.Errorf("%s: %v, usable %v, want %v", c.name, got, f.Usable(), c.want)
		}
	}
}
