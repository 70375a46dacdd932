package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

// maxRecoded bounds the pictures of a part that is coded again, in bytes: 20 s
// of the most that 720 lines take. What is beyond is left out.
const maxRecoded = 24 << 20

var errTooMuch = errors.New("the pictures take too much")

// shot is a picture that was coded again.
type shot struct {
	avcc     []byte
	sps, pps []byte // of the first one
	key      bool
	shown    int64 // media time
	lasted   int64 // as it was recorded
}

// shots are the wanted pictures as they come out of a transcoder.
type shots struct {
	wanted map[int64]picture // by PTS
	all    []shot
	bytes  int
}

// pictures codes what was chosen, in the order of showing. What cannot be
// decoded is missing; it is an error when that is everything.
func (r *recoding) pictures(ctx context.Context) ([]shot, error) {
	t := r.lib.Transcodes.New(ctx, r.index.header.Codec)
	defer t.Close()
	s := shots{wanted: map[int64]picture{}}
	for _, p := range r.feed {
		if r.wants(p) {
			s.wanted[r.pts(p.shown())] = p
		}
	}
	failed := r.code(ctx, t, &s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if n := len(s.all); n > 0 && errors.Is(failed, errTooMuch) {
		r.end = s.all[n-1].shown + s.all[n-1].lasted // a hole, rather than a picture that stands still
	}
	if failed != nil && len(s.all) > 0 && r.lib.Log != nil {
		r.lib.Log.WarnContext(ctx, "pictures not coded again", "recording", r.rec.start(), "of", len(s.wanted), "coded", len(s.all), "error", failed)
	}
	if len(s.all) == 0 {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "playback.transcode", ZH: "这段录像转码失败，请下载原始录像查看。", EN: "This piece of recording could not be transcoded; download the original instead.", Err: failed}
	}
	return s.all, nil
}

// code feeds the transcoder until everything has come out, or errTooMuch.
func (r *recoding) code(ctx context.Context, t Transcoder, s *shots) error {
	var failed error
	show := false
	for _, p := range r.feed {
		show = show || p.shown() >= r.begin // no wanted one comes out before it went in
		got, err := r.decode(ctx, t, p, show, show && len(s.all) == 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err = errors.Join(err, s.take(got)); errors.Is(err, errTooMuch) {
			return err
		}
		failed = errors.Join(failed, err)
	}
	got, err := t.Flush(ctx)
	return errors.Join(failed, err, s.take(got))
}

// decode gives one picture to the transcoder.
func (r *recoding) decode(ctx context.Context, t Transcoder, p picture, show, fresh bool) ([]Coded, error) {
	b := make([]byte, p.size)
	if _, err := r.rec.ReadAt(b, p.offset); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	v := r.video
	if !p.key {
		v.entry = nil // no parameter sets in front
	}
	au, err := v.annexB(r.index.header.Codec, b)
	if err != nil {
		return nil, err
	}
	return t.Transcode(ctx, Coded{PTS: r.pts(p.shown()), Key: p.key, Data: au}, show, fresh)
}

// take keeps the wanted ones, from the first key frame on.
func (s *shots) take(got []Coded) error {
	for _, c := range got {
		p, ok := s.wanted[c.PTS]
		if n := len(s.all); !ok || n == 0 && !c.Key || n > 0 && p.shown() <= s.all[n-1].shown {
			continue
		}
		if s.bytes += len(c.Data); s.bytes > maxRecoded {
			return errTooMuch
		}
		var nalus h264.AnnexB
		if err := nalus.Unmarshal(c.Data); err != nil {
			return fmt.Errorf("read a transcoded picture: %w", err)
		}
		b, err := h264.AVCC(nalus).Marshal()
		if err != nil {
			return fmt.Errorf("write a transcoded picture: %w", err)
		}
		one := shot{avcc: b, key: c.Key, shown: p.shown(), lasted: int64(p.duration)}
		if len(s.all) == 0 {
			track := Track{Codec: ward.H264}
			track.adopt(nalus)
			one.sps, one.pps = track.SPS, track.PPS
		}
		s.all = append(s.all, one)
	}
	return nil
}
