package ingest

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"

	"wardwatch/ward"
)

// soundEntry describes the sound, nil when there is none that is muxed. G.711
// is described as linear samples, which begin exchanges for FLAC.
func (m *muxer) soundEntry() mp4.Codec {
	switch m.audio.Codec {
	case ward.AAC:
		var c mpeg4audio.AudioSpecificConfig
		if err := c.Unmarshal(m.audio.Config); err == nil { // else without sound
			return &mp4.CodecMPEG4Audio{Config: c}
		}
	case ward.Opus:
		return &mp4.CodecOpus{ChannelCount: max(m.audio.Channels, 1)}
	case ward.PCMU, ward.PCMA:
		m.flac = &flacEncoder{rate: m.audio.ClockRate, channels: max(m.audio.Channels, 1)}
		return &mp4.CodecLPCM{BitDepth: 16, SampleRate: m.audio.ClockRate, ChannelCount: m.flac.channels}
	case ward.H264, ward.H265, ward.VP8, ward.MJPEG, ward.NoCodec:
	}
	return nil
}

// sound queues the frames of a unit.
func (m *muxer) sound(f *frames, u Unit) {
	dts := u.DTS - m.base*int64(f.ClockRate)/int64(m.video.ClockRate)
	for _, frame := range u.AU {
		length := frameLength(f.Track, frame)
		if dts >= 0 && length > 0 {
			f.push(&fmp4.Sample{Payload: m.heard(f.Track, frame)}, dts)
		}
		dts += length
	}
}

// heard is a frame of sound as players take it.
func (m *muxer) heard(t Track, frame []byte) []byte {
	if m.flac == nil {
		return frame
	}
	samples := expand(t.Codec, frame)
	samples = samples[:min(len(samples), flacBlock*m.flac.channels)]
	m.sounded += int64(len(samples) / m.flac.channels)
	return m.flac.frame(samples, m.sounded-int64(len(samples)/m.flac.channels))
}
