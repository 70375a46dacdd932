package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const (
	// viewerDepth is how many units a viewer may fall behind, about 4 s.
	viewerDepth = 256
	// viewerJoin is how long a browser may take to connect.
	viewerJoin = 15 * time.Second
	// viewerMTU is the largest RTP payload, in bytes, that passes everywhere.
	viewerMTU = 1200
	// catchUp separates the pictures of the cached group, in 90 kHz ticks:
	// they are shown within milliseconds, so that the viewer is live at once.
	catchUp = 90
	// burst and burstRest pace the cached group (about 100 Mbit/s), so that
	// it does not overflow socket buffers.
	burst     = 64 << 10
	burstRest = 5 * time.Millisecond
	// againRest is how soon after a start from a key frame another one is given.
	againRest = 2 * time.Second
	// A viewer that loses half of what is sent for lossyFor has a link that
	// carries no picture: it is ended.
	lossyAt  = 128 // of 256
	lossyFor = 8 * time.Second
	// strayMax is how many pictures may be shown before their predecessor
	// until the stream counts as reordered.
	strayMax = 3
)

// Viewer is one browser that watches a stream.
type Viewer struct {
	pc     *webrtc.PeerConnection
	cancel context.CancelFunc
	done   sync.WaitGroup
	again  chan struct{} // has room for one: the browser asks for a key frame
	age    atomic.Pointer[webrtc.DataChannel]
	slow   atomic.Bool
}

// Close ends the viewer; it may be called more than once.
func (v *Viewer) Close() { v.cancel() }

// Wait returns when the viewer has ended: closed, gone, or the stream did.
func (v *Viewer) Wait() { v.done.Wait() }

// Slow says whether the viewer was ended because its link is too slow.
func (v *Viewer) Slow() bool { return v.slow.Load() }

// feed sends one track. It is used by one goroutine.
type feed struct {
	Track

	out     *webrtc.TrackLocalStaticRTP
	packets atomic.Uint32 // sent
	payload rtp.Payloader
	seq     uint16
	at      uint32 // RTP time of what was sent last
	pts     int64  // of what was sent last
	begun   bool
}

// capability is how WebRTC names a track's codec; ok is false for what it does not have.
func capability(t Track) (c webrtc.RTPCodecCapability, p rtp.Payloader, ok bool) {
	c.ClockRate = uint32(t.ClockRate) //nolint:gosec // positive
	switch t.Codec {
	case ward.H264:
		c.MimeType, p = webrtc.MimeTypeH264, &codecs.H264Payloader{}
	case ward.H265:
		c.MimeType, p = webrtc.MimeTypeH265, &codecs.H265Payloader{}
	case ward.VP8:
		c.MimeType, p = webrtc.MimeTypeVP8, &codecs.VP8Payloader{EnablePictureID: true}
	case ward.Opus:
		c.MimeType, c.Channels, p = webrtc.MimeTypeOpus, 2, &codecs.OpusPayloader{}
	case ward.PCMU:
		c.MimeType, p = webrtc.MimeTypePCMU, &codecs.G711Payloader{}
	case ward.PCMA:
		c.MimeType, p = webrtc.MimeTypePCMA, &codecs.G711Payloader{}
	case ward.MJPEG, ward.AAC, ward.NoCodec:
		return c, nil, false
	}
	return c, p, true
}

// feeds adds the tracks that the browser takes to the connection.
func (v *Viewer) feeds(tracks []Track, offer string) (map[int]*feed, error) {
	feeds := map[int]*feed{}
	for _, t := range tracks {
		c, payload, ok := capability(t)
		if !ok || !offers(offer, fmt.Sprintf("%s/%d", c.MimeType[len("video/"):], t.ClockRate)) {
			continue
		}
		f := &feed{Track: t, payload: payload, seq: uint16(rand.Uint32()), at: rand.Uint32()} //nolint:gosec // need not be secret (RFC 3550 §5.1, SRTP)
		var err error
		if f.out, err = webrtc.NewTrackLocalStaticRTP(c, fmt.Sprintf("track-%d", t.ID), "live"); err != nil {
			return nil, fmt.Errorf("add track to viewer: %w", err)
		}
		sender, err := v.pc.AddTrack(f.out)
		if err != nil {
			return nil, fmt.Errorf("add track to viewer: %w", err)
		}
		v.done.Go(func() { v.hear(sender, f) })
		feeds[t.ID] = f
	}
	return feeds, nil
}

// hear reads what the browser reports of a track, which also feeds the interceptors.
func (v *Viewer) hear(sender *webrtc.RTPSender, f *feed) {
	link := lossy{}
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				if f.Video() {
					v.rejoin()
				}
			case *rtcp.ReceiverReport:
				if f.Video() && len(p.Reports) > 0 && link.hopeless(p.Reports[0], f.packets.Load(), time.Now()) {
					v.slow.Store(true)
					v.cancel()
				}
			}
		}
	}
}

func (v *Viewer) rejoin() {
	select {
	case v.again <- struct{}{}:
	default:
	}
}

// lossy follows the reports of one link. The zero value is ready to use.
type lossy struct {
	since   time.Time // of the first of the bad reports in a row
	highest uint32    // the last packet that arrived
	sent    uint32    // packets
}

// hopeless says whether the link has lost too much for too long. When nothing
// arrived between two reports, the browser reports that nothing was lost
// (RFC 3550 §A.3): then it is all of what was sent, if there was any.
func (l *lossy) hopeless(r rtcp.ReceptionReport, sent uint32, now time.Time) bool {
	silent, idle := r.LastSequenceNumber == l.highest, sent == l.sent
	l.highest, l.sent = r.LastSequenceNumber, sent
	switch {
	case silent && idle:
		return false
	case !silent && r.FractionLost < lossyAt:
		l.since = time.Time{}
	case l.since.IsZero():
		l.since = now
	}
	return !l.since.IsZero() && now.Sub(l.since) >= lossyFor
}

// serve waits for the connection and sends the stream.
func (v *Viewer) serve(ctx context.Context, s *Stream, feeds map[int]*feed, connected <-chan struct{}) {
	select {
	case <-connected:
	case <-time.After(viewerJoin):
		return
	case <-ctx.Done():
		return
	case <-s.Done():
		return
	}
	for v.send(ctx, s, feeds) {
	}
}

// send sends the stream from its last key frame on. It returns true when
// the browser needs to begin with a key frame again, false at the end.
func (v *Viewer) send(ctx context.Context, s *Stream, feeds map[int]*feed) bool {
	began := time.Now()
	r := s.Subscribe(viewerDepth, true)
	defer r.Close()
	sent, strays := 0, 0
	teller := teller{channel: &v.age}
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return false
		}
		f := feeds[u.Track]
		cached := u.Arrived.Before(began)
		if f == nil || cached && !f.Video() {
			continue
		}
		if f.Video() && f.begun && !cached && u.PTS < f.pts {
			if strays++; strays >= strayMax {
				return false
			}
		}
		n, ok := f.write(u, cached)
		if !ok {
			return false
		}
		if f.Video() {
			teller.tell(f.at, u.Arrived)
		}
		if sent += n; cached && sent > burst {
			sent = 0
			select {
			case <-time.After(burstRest):
			case <-ctx.Done():
				return false
			}
		}
		select {
		case <-v.again:
			if time.Since(began) > againRest {
				return true
			}
		default:
		}
	}
}

// write sends one unit; n is its bytes. A picture that is not later than the
// last one is none: it is not sent, so that the viewer sees that time stands still.
func (f *feed) write(u Unit, cached bool) (n int, ok bool) {
	switch step := u.PTS - f.pts; {
	case !f.begun:
	case cached:
		f.at += catchUp
	case f.Video() && step <= 0:
		return 0, true
	default:
		f.at += uint32(step) //nolint:gosec // RTP time wraps
	}
	f.begun, f.pts = true, u.PTS
	frames := u.AU
	if f.Video() {
		frames = [][]byte{f.AnnexB(u)}
	}
	at := f.at
	for _, frame := range frames {
		payloads := f.payload.Payload(viewerMTU, frame)
		sent := uint32(0) // ticks of the frame
		for i, b := range payloads {
			p := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: f.seq, Timestamp: at + sent, Marker: f.Video() && i == len(payloads)-1},
				Payload: b,
			}
			f.seq++
			n += len(b)
			if f.flac() { // G.711 may be parted anywhere, and each part has its own time
				sent += uint32(frameLength(f.Track, b)) //nolint:gosec // at most viewerMTU
			}
			f.packets.Add(1)
			if err := f.out.WriteRTP(p); err != nil {
				return n, false // the connection is closed
			}
		}
		at += uint32(frameLength(f.Track, frame)) //nolint:gosec // RTP time wraps
	}
	return n, true
}
