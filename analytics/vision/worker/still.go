//go:build cgo && vision

package worker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // Go's decoders: memory-safe, and photos are rare
	_ "image/png"

	"gocv.io/x/gocv"
)

// still decodes a JPEG or PNG to BGR, upright; the caller closes it.
func still(b []byte) (gocv.Mat, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return gocv.Mat{}, err
	}
	if c.Width < minSide || c.Height < minSide || c.Width*c.Height > maxPixels {
		return gocv.Mat{}, fmt.Errorf("an image of %dx%d", c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return gocv.Mat{}, err
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	rgba := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(rgba, rgba.Bounds(), image.White, image.Point{}, draw.Src) // what is transparent is white
	draw.Draw(rgba, rgba.Bounds(), img, img.Bounds().Min, draw.Over)
	full, err := gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8UC4, rgba.Pix)
	if err != nil {
		return gocv.Mat{}, err
	}
	defer full.Close()
	bgr := gocv.NewMat()
	if err := gocv.CvtColor(full, &bgr, gocv.ColorRGBAToBGR); err != nil {
		bgr.Close()
		return gocv.Mat{}, err
	}
	return upright(bgr, orientation(b)), nil
}

// upright turns the picture as its EXIF orientation (1 to 8) says.
func upright(m gocv.Mat, orientation int) gocv.Mat {
	turn := map[int]gocv.RotateFlag{
		3: gocv.Rotate180Clockwise, 4: gocv.Rotate180Clockwise,
		5: gocv.Rotate90Clockwise, 6: gocv.Rotate90Clockwise,
		7: gocv.Rotate90CounterClockwise, 8: gocv.Rotate90CounterClockwise,
	}
	if flag, ok := turn[orientation]; ok {
		r := gocv.NewMat()
		_ = gocv.Rotate(m, &r, flag)
		m.Close()
		m = r
	}
	if orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7 {
		r := gocv.NewMat()
		_ = gocv.Flip(m, &r, 1)
		m.Close()
		m = r
	}
	return m
}

// orientation returns the EXIF orientation of a JPEG, 1 when it states none.
func orientation(b []byte) int {
	for i := 2; i+4 <= len(b) && b[0] == 0xff && b[1] == 0xd8 && b[i] == 0xff; {
		size := int(binary.BigEndian.Uint16(b[i+2:]))
		if b[i+1] == 0xda || size < 2 || i+2+size > len(b) {
			return 1
		}
		seg := b[i+4 : i+2+size]
		if b[i+1] == 0xe1 && bytes.HasPrefix(seg, []byte("Exif\x00\x00")) {
			return tiffOrientation(seg[6:])
		}
		i += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var o binary.ByteOrder = binary.BigEndian
	if b[0] == 'I' {
		o = binary.LittleEndian
	}
	at := int64(o.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int64(o.Uint16(b[at:]))
	for e := at + 2; n > 0 && e+12 <= int64(len(b)); e, n = e+12, n-1 {
		if v := int(o.Uint16(b[e+8:])); o.Uint16(b[e:]) == 0x0112 && v >= 1 && v <= 8 {
			return v
		}
	}
	return 1
}
