package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"

	"wardwatch/ward"
)

const (
	// recodeWait is how long a piece waits for a transcoder: those of other
	// pieces are free after a second or two.
	recodeWait = 8 * time.Second
	// maxRecoded bounds a piece that is coded again, in bytes: two minutes
	// without a key frame.
	maxRecoded = 40 << 20
)

// recoding is one piece that is being coded again.
type recoding struct {
	lib   *Library
	rec   *recording
	of    piece
	clock mediaClock
	init  bool

	index *index
	video indexedTrack
	feed  []picture // for the decoder: those of the piece, and what the last ones need
	end   int64     // media time at which the last picture ends
}

// run returns the piece, or the init segment.
func (r *recoding) run(ctx context.Context, inst ward.InstitutionID, o beginning) ([]byte, error) {
	to := min(r.of.to+1, r.rec.size) // with the fragment after it
	if r.init {
		to = r.of.from + 1 // the first one is enough
	}
	x, ok, err := r.rec.indexOf(inst, r.of.from, to)
	if err != nil {
		return nil, err
	}
	v, ok := x.videoIf(ok)
	if !ok || x.header.Codec != ward.H265 && x.header.Codec != ward.MJPEG {
		return nil, pieceUnknown()
	}
	r.index, r.video = x, v
	r.choose()
	if r.init && len(r.feed) > 1 {
		r.feed = r.feed[:1]
	}
	wait, err := r.wait(inst, o)
	if err != nil {
		return nil, err
	}
	coded, err := r.pictures(ctx)
	if err != nil {
		return nil, err
	}
	if r.init {
		return withH264(o.init, v, coded[0])
	}
	return r.fragment(coded, wait)
}

// wait is how long after it is decoded the recording's first picture is shown.
// The coded ones, which are sent in the order of showing, all wait so long:
// they are then shown when they were, and pieces follow each other.
func (r *recoding) wait(inst ward.InstitutionID, o beginning) (int64, error) {
	x, _, err := r.rec.indexOf(inst, o.size, o.size+1)
	if err != nil {
		return 0, err
	}
	for _, p := range x.pictures(r.video, r.clock) {
		return r.clock.scaled(p.shown()) - r.clock.scaled(p.dts), nil
	}
	return 0, nil
}

// choose finds the pictures of the piece: those from its key frame on, as they
// are shown, until the next piece's. Pictures that are shown before a key
// frame and sent after it are decoded by means of those before it, so they
// belong to the piece before.
func (r *recoding) choose() {
	var key, next *picture
	for _, p := range r.index.pictures(r.video, r.clock) {
		switch {
		case p.offset < r.of.to && key == nil:
			if !p.key {
				continue
			}
			key = &p
		case p.offset < r.of.to && p.shown() < key.shown():
			continue
		case p.offset >= r.of.to && next == nil:
			if key == nil || !p.key {
				return
			}
			next, r.end = &p, p.shown()
		case next != nil && p.shown() > next.shown():
			return
		}
		r.feed = append(r.feed, p)
		if next == nil {
			r.end = max(r.end, p.shown()+int64(p.duration))
		}
	}
}

// pts is a media time in 1/90000 s.
func (r *recoding) pts(t int64) int64 { return t * 90000 / int64(r.video.timescale) }

// shot is a picture that was coded again.
type shot struct {
	nalus [][]byte
	key   bool
	shown int64 // media time
}

// pictures codes what was chosen, in the order of showing. What cannot be
// decoded is missing; it is an error when that is everything.
func (r *recoding) pictures(ctx context.Context) ([]shot, error) {
	free, err := r.lib.Transcodes.take(ctx, recodeWait)
	if err != nil {
		return nil, err
	}
	defer free()
	t := r.lib.Transcodes.New(ctx, r.index.header.Codec)
	defer t.Close()
	wanted := map[int64]int64{}
	var all []Coded
	var failed error
	for _, p := range r.feed {
		if p.offset < r.of.to || p.shown() < r.end {
			wanted[r.pts(p.shown())] = p.shown()
		}
		got, err := r.decode(ctx, t, p)
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = errors.Join(err, failed)
		all = append(all, got...)
	}
	got, err := t.Flush(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	shots, tooMuch := shotsOf(append(all, got...), wanted)
	if failed = errors.Join(failed, err, tooMuch); failed != nil && len(shots) > 0 && r.lib.Log != nil {
		r.lib.Log.WarnContext(ctx, "pictures not coded again", "recording", r.rec.start(), "of", len(wanted), "coded", len(shots), "error", failed)
	}
	if len(shots) == 0 {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "playback.transcode", ZH: "这段录像转码失败，请下载原始录像查看。", EN: "This piece of recording could not be transcoded; download the original instead.", Err: failed}
	}
	return shots, nil
}

// decode gives one picture to the transcoder.
func (r *recoding) decode(ctx context.Context, t Transcoder, p picture) ([]Coded, error) {
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
	return t.Transcode(ctx, Coded{PTS: r.pts(p.shown()), Key: p.key, Data: au}, true, false)
}

// shotsOf takes the wanted pictures, from the first key frame on.
func shotsOf(all []Coded, wanted map[int64]int64) ([]shot, error) {
	var shots []shot
	size := 0
	for _, c := range all {
		shown, ok := wanted[c.PTS]
		if !ok || len(shots) == 0 && !c.Key || len(shots) > 0 && shown <= shots[len(shots)-1].shown {
			continue
		}
		var nalus h264.AnnexB
		if err := nalus.Unmarshal(c.Data); err != nil {
			return shots, fmt.Errorf("read a transcoded picture: %w", err)
		}
		if size += len(c.Data); size > maxRecoded {
			return shots, errors.New("too much between two key frames")
		}
		shots = append(shots, shot{nalus, c.Key, shown})
	}
	return shots, nil
}

// withH264 returns the beginning of a recording with the sample entry of
// its pictures exchanged for that of the coded ones.
func withH264(init []byte, v indexedTrack, key shot) ([]byte, error) {
	track := Track{Codec: ward.H264}
	track.adopt(key.nalus)
	var b seekablebuffer.Buffer
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: v.id, TimeScale: v.timescale, Codec: &mp4.CodecH264{SPS: track.SPS, PPS: track.PPS}}}}
	if err := in.Marshal(&b); err != nil {
		return nil, fmt.Errorf("describe transcoded pictures: %w", err)
	}
	var entry []byte
	exchange(b.Bytes(), "avc1", func(e []byte) []byte { entry = e; return e })
	return exchange(init, v.format, func([]byte) []byte { return entry }), nil
}

// fragment writes the pictures, and the sound of the piece as it was recorded.
func (r *recoding) fragment(shots []shot, wait int64) ([]byte, error) {
	c, scale := r.clock, r.video.timescale
	video := &fmp4.PartTrack{ID: r.video.id, BaseTime: uint64(c.ticks(scale, shots[0].shown) - wait)} //nolint:gosec // after 1970
	for i, s := range shots {
		end := r.end
		if i+1 < len(shots) {
			end = shots[i+1].shown
		}
		b, err := h264.AVCC(s.nalus).Marshal()
		if err != nil {
			return nil, fmt.Errorf("write a transcoded picture: %w", err)
		}
		video.Samples = append(video.Samples, &fmp4.Sample{
			Duration: clampU32(c.ticks(scale, end) - c.ticks(scale, s.shown)), PTSOffset: clamp32(wait), IsNonSyncSample: !s.key, Payload: b,
		})
	}
	out := fmp4.Part{SequenceNumber: 1, Tracks: []*fmp4.PartTrack{video}}
	for _, t := range r.index.tracks {
		sound, err := r.sound(t)
		if err != nil {
			return nil, err
		}
		if sound != nil {
			out.Tracks = append(out.Tracks, sound)
		}
	}
	var b seekablebuffer.Buffer
	if err := out.Marshal(&b); err != nil {
		return nil, fmt.Errorf("write a transcoded piece: %w", err)
	}
	return b.Bytes(), nil
}

// sound returns a track of sound, nil for one that is none or is not played.
func (r *recoding) sound(t indexedTrack) (*fmp4.PartTrack, error) {
	if t.video || !t.playable() {
		return nil, nil //nolint:nilnil // documented
	}
	var out *fmp4.PartTrack
	var last sample
	for _, p := range r.index.parts {
		for _, run := range p.runs {
			if run.track != t.id || p.offset >= r.of.to {
				continue
			}
			for _, s := range run.samples {
				b := make([]byte, s.size)
				if _, err := r.rec.ReadAt(b, s.offset); err != nil {
					return nil, fmt.Errorf("read sound: %w", err)
				}
				at := r.clock.ticks(t.timescale, s.dts)
				if out == nil {
					out = &fmp4.PartTrack{ID: t.id, BaseTime: uint64(at)} //nolint:gosec // after 1970
				} else {
					out.Samples[len(out.Samples)-1].Duration = clampU32(at - r.clock.ticks(t.timescale, last.dts))
				}
				out.Samples = append(out.Samples, &fmp4.Sample{Duration: s.duration, Payload: b})
				last = s
			}
		}
	}
	return out, nil
}
