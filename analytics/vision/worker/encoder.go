//go:build cgo && vision

package worker

/*
#cgo pkg-config: libavcodec libswscale libavutil
#include "avenc.h"
*/
import "C"

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// maxLines is the height of what is coded again: enough for a tile and a
// screen, and a third of the work of 1080 lines.
const maxLines = 720

// ServeCoder seals the process, says hello, then transcodes one stream until the reader ends.
// It needs no model. The error is of a peer that breaks the protocol.
func ServeCoder(in io.Reader, out io.Writer) error {
	if err := seal(); err != nil {
		return err
	}
	if err := vision.WriteHello(out, ""); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	var e *encoder
	defer func() { e.close() }()
	r := bufio.NewReaderSize(in, 1<<16)
	for {
		q, err := vision.ReadCodeRequest(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		var reply vision.CodeReply
		if e == nil && q.Key {
			if e, err = newEncoder(q.Codec); err != nil {
				reply = vision.CodeReply{Fault: vision.FaultModel, Text: err.Error()}
			}
		}
		if e != nil && q.Flush {
			if reply.Coded, err = e.flush(); err != nil {
				reply = vision.CodeReply{Fault: vision.FaultPicture, Text: err.Error()}
			}
			e.close()
			e = nil
		} else if e != nil { // else there is nothing to build on until the next key frame
			if reply.Coded, err = e.code(q); err != nil {
				e.close()
				e, reply = nil, vision.CodeReply{Fault: vision.FaultPicture, Text: err.Error()}
			}
		}
		if err := vision.WriteCodeReply(out, reply); err != nil {
			return fmt.Errorf("write a reply: %w", err)
		}
	}
}

// encoder turns the access units of one stream into H.264.
type encoder struct {
	c *C.avenc
	// fresh says that the next picture must be a key frame: asked for, while
	// the decoder had none in hand.
	fresh bool
}

func newEncoder(codec ward.Codec) (*encoder, error) {
	id, ok := map[ward.Codec]C.int{ward.H264: C.AVENC_H264, ward.H265: C.AVENC_H265, ward.MJPEG: C.AVENC_MJPEG, ward.VP8: C.AVENC_VP8}[codec]
	if !ok {
		return nil, fmt.Errorf("no decoder for %q", codec)
	}
	c := C.avenc_new(id, C.int64_t(maxPixels), C.int(maxLines))
	if c == nil {
		return nil, fmt.Errorf("open coders for %q", codec)
	}
	return &encoder{c: c}, nil
}

func (e *encoder) close() {
	if e != nil {
		C.avenc_free(e.c)
	}
}

// code decodes one access unit and codes the pictures that came out.
func (e *encoder) code(q vision.CodeRequest) ([]vision.Coded, error) {
	e.fresh = e.fresh || q.Fresh
	if q.Masked {
		C.avenc_mask(e.c, C.int64_t(q.PTS))
		for _, m := range q.Masks {
			C.avenc_cover(e.c, C.float(m.X), C.float(m.Y), C.float(m.W), C.float(m.H))
		}
	}
	r := C.avenc_push(e.c, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(q.Data))), C.int(len(q.Data)), C.int64_t(q.PTS))
	if r < 0 {
		return nil, fmt.Errorf("libavcodec error %d", int(r))
	}
	return e.take(q.Show)
}

// flush codes the pictures that the decoder holds back; nothing can follow.
func (e *encoder) flush() ([]vision.Coded, error) {
	if r := C.avenc_flush(e.c); r < 0 {
		return nil, fmt.Errorf("libavcodec error %d", int(r))
	}
	return e.take(true)
}

// take codes the pictures that the decoder has ready.
func (e *encoder) take(show bool) ([]vision.Coded, error) {
	var out []vision.Coded
	for {
		switch r := C.avenc_next(e.c, flag(show), flag(e.fresh)); {
		case r < 0:
			return nil, fmt.Errorf("libavcodec error %d", int(r))
		case r == 0:
			return out, nil
		case r == 1:
			e.fresh = false
			out = append(out, vision.Coded{
				PTS: int64(C.avenc_pts(e.c)), Key: C.avenc_is_key(e.c) != 0,
				Data: C.GoBytes(unsafe.Pointer(C.avenc_data(e.c)), C.avenc_size(e.c)),
			})
		}
	}
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
