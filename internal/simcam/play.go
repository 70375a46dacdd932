package simcam

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtp"
)

// burst is how many packets leave without a pause: a big key frame sent at
// once overflows a receiver's UDP buffer.
const burst = 8

// liveTrack is a clip's track with the description and encoder of one camera.
type liveTrack struct {
	clipTrack

	media  *description.Media
	encode func([][]byte) ([]*rtp.Packet, error)
}

// play loops one track in real time until ctx ends.
func (s *Server) play(ctx context.Context, o *outlet, t *liveTrack) {
	began := s.Began()
	length := int64(o.cam.Clip.Length * tsClock / time.Second)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for lap := int64(0); len(t.samples) > 0; lap++ {
		for _, x := range t.samples {
			timer.Reset(time.Until(began.Add(ticks(lap*length + x.dts))))
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			if o.cam.Fault != Silent {
				s.send(o, t, x, lap*length+x.pts, began)
			}
		}
	}
}

func (s *Server) send(o *outlet, t *liveTrack, x sample, pts int64, began time.Time) {
	packets, err := t.encode(x.au)
	if err != nil {
		s.Log.Error("encode rtp", "path", o.cam.Path, "error", err)
		return
	}
	s.mu.Lock()
	stream, dead := o.stream, o.dead
	s.mu.Unlock()
	if dead {
		return
	}
	for i, p := range packets {
		if i%burst == burst-1 {
			time.Sleep(time.Millisecond)
		}
		p.Timestamp += uint32(pts * t.clock / tsClock) //nolint:gosec // RTP time wraps
		if o.cam.Fault == Garbage {
			p.Payload = noise(len(p.Payload)) // a new one: the encoder's is the shared clip itself
		}
		if err := stream.WritePacketRTPWithNTP(t.media, p, began.Add(ticks(pts))); err != nil {
			return // the stream was closed by Kill
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func ticks(n int64) time.Duration { return time.Duration(n) * time.Second / tsClock }
