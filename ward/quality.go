package ward

// The quality gate of a face: what is worse is not compared. Measured with
// MobileFaceNet: two people's clips blurred and scaled down keep their cosine
// (.77 and .95) within .06 down to these values, while another person's
// rises from -.1 to +.16 below them; heads turned by up to 45 degrees changed
// neither TAR nor EER on a fifth of LFW (735 images). What hides a face was
// painted on 147 people of LFW: of those under a mask 29 to 40 % were no longer
// taken for themselves (cosine below .40; 2 % of the clear ones), behind
// sunglasses 13 %. The gate lets 0 to 3 % of these through, and all clear ones but one; of real
// sunglasses it misses half: pale, red and mirrored ones. It misses a
// fifth of those with half the face in the dark, and four of five hands before
// the mouth (10 % of which are not taken for themselves).
const (
	EyePxMin   = 16   // pixels between the eyes
	SharpMin   = 18   // variance of the Laplacian; the clips have 60 to 250, blurred by 2.5 pixels about 20
	BrightMin  = 30   // grey level
	BrightMax  = 230  // grey level
	YawMax     = 40.0 // degrees either way
	PitchMax   = 30.0 // degrees either way: what the mesh tells reliably
	ScoreMin   = .5
	PartialMax = .01 // every clear face has less than .001, half of those under a mask more
	MaskMax    = 18  // clear at most 17, also where it is dark; masks of any colour from 16 on
	ShadeMax   = .72 // the clear ones of half of LFW have at most .71, of the other half 3 of 2,055 (deep eyes, caps) more; half of the sunglasses there have more
	UnevenMax  = .65
	SharedMax  = .25
)

// FaceFault says why a face is not compared.
type FaceFault string

// The faults.
const (
	FaceUnsure  FaceFault = "unsure"  // hardly a face
	FaceSmall   FaceFault = "small"   // too few pixels between the eyes
	FaceTurned  FaceFault = "turned"  // to a side, up or down
	FaceDark    FaceFault = "dark"    // too little light
	FaceBright  FaceFault = "bright"  // too much
	FaceUneven  FaceFault = "uneven"  // half of it is dark or hidden
	FaceCovered FaceFault = "covered" // by a mask, glasses, a hand, the edge of the picture
	FaceShared  FaceFault = "shared"  // another face is in front of it
	FaceBlurred FaceFault = "blurred"
)

// Faults lists everything that speaks against comparing the face.
func (f Face) Faults() []FaceFault {
	var out []FaceFault
	for _, c := range []struct {
		wrong bool
		fault FaceFault
	}{
		{f.Score < ScoreMin, FaceUnsure},
		{f.EyePx < EyePxMin, FaceSmall},
		{f.Yaw < -YawMax || f.Yaw > YawMax || f.Pitch < -PitchMax || f.Pitch > PitchMax, FaceTurned},
		{f.Bright < BrightMin, FaceDark},
		{f.Bright > BrightMax, FaceBright},
		{f.Partial > PartialMax || f.Mask > MaskMax || f.Shade > ShadeMax, FaceCovered},
		{f.Uneven > UnevenMax, FaceUneven},
		{f.Shared > SharedMax, FaceShared},
		{f.Sharp < SharpMin, FaceBlurred},
	} {
		if c.wrong {
			out = append(out, c.fault)
		}
	}
	return out
}

// Usable says whether a face is good enough to be compared.
func (f Face) Usable() bool { return len(f.Faults()) == 0 }
