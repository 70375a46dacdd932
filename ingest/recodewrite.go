package ingest

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"
)

// withH264 returns the beginning of a recording with the sample entry of
// its pictures exchanged for that of the coded ones.
func withH264(init []byte, v indexedTrack, key shot) ([]byte, error) {
	var b seekablebuffer.Buffer
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: v.id, TimeScale: v.timescale, Codec: &mp4.CodecH264{SPS: key.sps, PPS: key.pps}}}}
	if err := in.Marshal(&b); err != nil {
		return nil, fmt.Errorf("describe transcoded pictures: %w", err)
	}
	var entry []byte
	exchange(b.Bytes(), "avc1", func(e []byte) []byte { entry = e; return e })
	return exchange(init, v.format, func([]byte) []byte { return entry }), nil
}

// What a fragment takes besides its samples, and a bit more, in bytes.
const (
	sampleHeader   = 16
	fragmentHeader = 1 << 10
)

// fragment writes the pictures, and the sound of the part as it was recorded.
func (r *recoding) fragment(shots []shot, wait int64) ([]byte, error) {
	c, scale := r.clock, r.video.timescale
	video := &fmp4.PartTrack{ID: r.video.id, BaseTime: uint64(c.ticks(scale, shots[0].shown) - wait)} //nolint:gosec // after 1970
	for i, s := range shots {
		end := r.end
		if i+1 < len(shots) {
			end = shots[i+1].shown
		}
		video.Samples = append(video.Samples, &fmp4.Sample{
			Duration: clampU32(c.ticks(scale, end) - c.ticks(scale, s.shown)), PTSOffset: clamp32(wait), IsNonSyncSample: !s.key, Payload: s.avcc,
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
	size := 0
	for _, t := range out.Tracks {
		for _, s := range t.Samples {
			size += len(s.Payload) + sampleHeader
		}
	}
	var b seekablebuffer.Buffer
	b.Grow(size + fragmentHeader) // grown step by step it takes three times as much
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
				if came := t.span(s.dts); !r.first && came < r.of.at || !r.last && came >= r.of.end {
					continue
				}
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
