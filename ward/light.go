package ward

// RGB is a mean of red, green and blue light, each 0 to 255, linear (not sRGB values).
type RGB [3]float32

// Whole says whether each is in its range.
func (c RGB) Whole() bool {
	for _, v := range c {
		if !(v >= 0 && v <= 255) { // also refuses NaN
			return false
		}
	}
	return true
}

// Light is the light in one picture that comes from the skin of a face and
// from all that surrounds it: exposure and white balance change both alike.
type Light struct {
	Skin   RGB `json:"skin"`
	Around RGB `json:"around"`
}
