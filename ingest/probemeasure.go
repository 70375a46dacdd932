package ingest

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"wardwatch/ward"
)

// errPatience is the error of a probe's step that took too long.
var errPatience = errors.New("waited long enough")

// measured counts the pictures of one track.
type measured struct {
	video int // id of the track

	others  uint64 // units of other tracks
	frames  int    // all, from the first
	counted int    // from the first key frame on
	bytes   int    // of those
	first   time.Time
	last    time.Time
	keys    []mark
	highest int64 // PTS
	swapped bool
	picture []byte // of MJPEG, the first
}

// mark is what had been counted when a key frame arrived.
type mark struct {
	at      time.Time
	counted int
	bytes   int
}

// until reads units until done, for at most patience: then the error is
// errPatience, or ctx's own.
func (m *measured) until(ctx context.Context, r *Reader, patience time.Duration, done func() bool) error {
	limit, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	for !done() {
		u, err := r.Next(limit)
		if err != nil {
			return errors.Join(err, context.Cause(limit))
		}
		if u.Track != m.video {
			m.others++
			continue
		}
		m.add(u)
	}
	return nil
}

func (m *measured) add(u Unit) {
	if m.frames > 0 && u.PTS < m.highest {
		m.swapped = true
	}
	m.highest = max(m.highest, u.PTS)
	m.frames++
	if u.Key {
		m.keys = append(m.keys, mark{u.Arrived, m.counted, m.bytes})
		if m.picture == nil {
			m.picture = bytes.Join(u.AU, nil)
		}
	}
	if len(m.keys) == 0 {
		return
	}
	if m.counted == 0 {
		m.first = u.Arrived
	}
	m.last = u.Arrived
	m.counted++
	for _, n := range u.AU {
		m.bytes += len(n)
	}
}

// enough says whether a group of pictures was seen whole.
func (m *measured) enough() bool { return len(m.keys) > 1 && m.last.Sub(m.first) >= probeLook }

// result is what was seen, over whole groups of pictures if there is one.
func (m *measured) result(t Track) *ProbeVideo {
	v := &ProbeVideo{Codec: t.Codec, Reordered: m.swapped}
	v.Width, v.Height = m.size(t)
	from, to := m.keys[0], mark{m.last, m.counted - 1, m.bytes}
	if n := len(m.keys); n > 1 {
		to = m.keys[n-1]
		v.GOP = round(to.at.Sub(from.at).Seconds()/float64(n-1), 2)
	}
	if s := to.at.Sub(from.at).Seconds(); s > 0 {
		v.FPS = round(float64(to.counted-from.counted)/s, 1)
		v.Kbit = round(float64(to.bytes-from.bytes)*8/1000/s, 0)
	}
	return v
}

// size is in pixels; 0 when the camera does not say it.
func (m *measured) size(t Track) (width, height int) {
	switch t.Codec {
	case ward.H264:
		var s h264.SPS
		if s.Unmarshal(t.SPS) == nil {
			return s.Width(), s.Height()
		}
	case ward.H265:
		var s h265.SPS
		if s.Unmarshal(t.SPS) == nil {
			return s.Width(), s.Height()
		}
	case ward.MJPEG:
		if c, err := jpeg.DecodeConfig(bytes.NewReader(m.picture)); err == nil {
			return c.Width, c.Height
		}
	case ward.VP8, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
	}
	return 0, 0
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}
