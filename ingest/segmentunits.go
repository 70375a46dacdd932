package ingest

import (
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"wardwatch/ward"
)

// listen queues a frame of sound and returns its size.
func (t *trackFile) listen(frame [][]byte, dts int64, arrived time.Time) int {
	if t.encoder != nil {
		samples := expand(t.Codec, frame[0])
		samples = samples[:min(len(samples), flacBlock*t.encoder.channels)]
		frame = [][]byte{t.encoder.frame(samples, t.sound)}
		t.sound += int64(len(samples) / t.encoder.channels)
	}
	t.push(pending{au: frame, size: len(frame[0]), key: true}, dts, arrived)
	return len(frame[0])
}

// stored is how many bytes a picture has in the file.
func (t Track) stored(au [][]byte) int {
	n := 0
	for _, b := range au {
		n += len(b)
	}
	if t.nalus() {
		n += 4 * len(au)
	}
	return n
}

// nalus says whether the track's pictures are NAL units. In the file, each
// has its length before it.
func (t Track) nalus() bool { return t.Codec == ward.H264 || t.Codec == ward.H265 }

func first(au [][]byte) []byte {
	if len(au) == 0 {
		return nil
	}
	return au[0]
}

// frameLength is the duration of an audio frame in the track's timescale.
func frameLength(t Track, frame []byte) int64 {
	switch t.Codec {
	case ward.AAC:
		return 1024
	case ward.Opus:
		return opus.PacketDuration2(frame)
	case ward.PCMU, ward.PCMA:
		return int64(len(frame) / max(t.Channels, 1))
	case ward.H264, ward.H265, ward.VP8, ward.MJPEG, ward.NoCodec:
	}
	return 0
}

func (t Track) span(ticks int64) time.Duration {
	return time.Duration(ticks) * time.Second / time.Duration(t.ClockRate)
}

func (t Track) ticks(d time.Duration) int64 {
	return int64(d) * int64(t.ClockRate) / int64(time.Second)
}

func clampU32(v int64) uint32 { return uint32(min(max(v, 0), math.MaxUint32)) } //nolint:gosec // just clamped

func clamp32(v int64) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) } //nolint:gosec // just clamped
