//go:build cgo && vision

package worker

/*
#cgo pkg-config: libavcodec libswscale libavutil
#include "avdec.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"gocv.io/x/gocv"

	"wardwatch/ward"
)

// maxPixels bounds what a hostile stream can make us allocate: 4096x2304
// is more than any camera in use sends; phone photos may be square.
const maxPixels = 4096 * 4096

// decoder turns the access units of one stream into pictures.
type decoder struct{ c *C.avdec }

func newDecoder(codec ward.Codec) (*decoder, error) {
	var id C.int
	switch codec {
	case ward.H264:
		id = C.AVDEC_H264
	case ward.H265:
		id = C.AVDEC_H265
	case ward.VP8:
		id = C.AVDEC_VP8
	case ward.MJPEG:
		id = C.AVDEC_MJPEG
	case ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
		fallthrough
	default:
		return nil, fmt.Errorf("no decoder for %q", codec)
	}
	c := C.avdec_new(id, C.int64_t(maxPixels))
	if c == nil {
		return nil, fmt.Errorf("open decoder for %q", codec)
	}
	return &decoder{c: c}, nil
}

func (d *decoder) close() { C.avdec_free(d.c) }

// push decodes one access unit and reports whether a picture is in hand.
func (d *decoder) push(au []byte) (bool, error) {
	r := C.avdec_push(d.c, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(au))), C.int(len(au)))
	if r < 0 {
		return false, fmt.Errorf("libavcodec error %d", int(r))
	}
	return r == 1, nil
}

// pixels is the size of the picture in hand.
func (d *decoder) pixels() int { return int(C.avdec_width(d.c)) * int(C.avdec_height(d.c)) }

// picture returns the picture in hand as BGR; the caller closes it.
func (d *decoder) picture() (gocv.Mat, error) {
	w, h := int(C.avdec_width(d.c)), int(C.avdec_height(d.c))
	if w < minSide || h < minSide {
		return gocv.Mat{}, fmt.Errorf("a picture of %dx%d", w, h)
	}
	// swscale's vector code may write some pixels beyond the last row.
	room := gocv.NewMatWithSize(h+1, w, gocv.MatTypeCV8UC3)
	defer room.Close()
	m := room.RowRange(0, h) // holds the memory on its own
	b, err := m.DataPtrUint8()
	if err == nil {
		if r := C.avdec_bgr(d.c, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))), C.int(3*w)); r < 0 {
			err = fmt.Errorf("libswscale error %d", int(r))
		}
	}
	if err != nil {
		m.Close()
		return gocv.Mat{}, err
	}
	return m, nil
}

// minSide is the smallest picture that is looked at, in pixels either way.
const minSide = 16
