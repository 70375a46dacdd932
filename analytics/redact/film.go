package redact

import (
	"errors"
	"fmt"
	"io"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"

	"wardwatch/analytics/vision"
)

// errNothing: no picture of the recording could be decoded.
var errNothing = errors.New("no picture could be decoded")

// timescale of what is written: that of the coder's times.
const timescale = 90000

// mostTogether bounds the pictures of a fragment.
const mostTogether = 50

// film writes coded pictures as fragmented MP4, a fragment at a time.
type film struct {
	w       io.Writer
	init    bool
	seq     uint32
	base    int64 // of samples
	samples []*fmp4.Sample
	last    int64 // pts of the last picture
	lasts   int64 // as long as it was shown in the original
}

func (f *film) empty() bool { return !f.init }

// add takes what came out of the coder; lasted is how long each was shown.
func (f *film) add(got []vision.Coded, lasted map[int64]int64) error {
	for _, c := range got {
		var au h264.AnnexB
		if err := au.Unmarshal(c.Data); err != nil {
			return fmt.Errorf("read a coded picture: %w", err)
		}
		if !f.init {
			if err := f.begin(au, c.Key); err != nil {
				return err
			}
			f.base = c.PTS
		} else if n := len(f.samples); n > 0 {
			f.samples[n-1].Duration = uint32(max(c.PTS-f.last, 1)) //nolint:gosec // pictures are at most hours apart
		}
		if len(f.samples) >= mostTogether {
			if err := f.flush(); err != nil {
				return err
			}
			f.base = c.PTS
		}
		b, err := h264.AVCC(au).Marshal()
		if err != nil {
			return fmt.Errorf("write a coded picture: %w", err)
		}
		f.samples = append(f.samples, &fmp4.Sample{IsNonSyncSample: !c.Key, Payload: b})
		f.last, f.lasts = c.PTS, lasted[c.PTS]
		delete(lasted, c.PTS)
	}
	return nil
}

func (f *film) begin(au [][]byte, key bool) error {
	codec := &mp4.CodecH264{}
	for _, n := range au {
		switch h264.NALUType(n[0] & 0x1f) { //nolint:exhaustive // the rest is the picture
		case h264.NALUTypeSPS:
			codec.SPS = n
		case h264.NALUTypePPS:
			codec.PPS = n
		}
	}
	if !key || codec.SPS == nil || codec.PPS == nil {
		return errors.New("the first coded picture is no key frame")
	}
	f.init = true
	return f.put(&fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: 1, TimeScale: timescale, Codec: codec}}})
}

func (f *film) flush() error {
	f.seq++
	p := &fmp4.Part{SequenceNumber: f.seq, Tracks: []*fmp4.PartTrack{{ID: 1, BaseTime: uint64(f.base), Samples: f.samples}}} //nolint:gosec // from 0 on
	f.samples = nil
	return f.put(p)
}

// end writes what is left. It is an error when there was no picture at all.
func (f *film) end() error {
	n := len(f.samples)
	if n == 0 {
		return errNothing
	}
	f.samples[n-1].Duration = uint32(max(f.lasts, 1)) //nolint:gosec // as recorded
	return f.flush()
}

func (f *film) put(part interface {
	Marshal(w io.WriteSeeker) error
},
) error {
	var b seekablebuffer.Buffer
	if err := part.Marshal(&b); err != nil {
		return fmt.Errorf("write the covered film: %w", err)
	}
	if _, err := f.w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the covered film: %w", err)
	}
	return nil
}
