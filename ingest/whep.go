package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

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
)

// WHEP serves live streams to browsers over WebRTC.
type WHEP struct{ API *webrtc.API }

// Viewer is one browser that watches a stream.
type Viewer struct {
	pc     *webrtc.PeerConnection
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Close ends the viewer; it may be called more than once.
func (v *Viewer) Close() { v.cancel() }

// Wait returns when the viewer has ended: closed, gone, or the stream did.
func (v *Viewer) Wait() { v.done.Wait() }

// View answers a browser's offer and serves it until it goes, the stream
// closes or Viewer.Close; ctx covers only the answer. Nothing is coded
// again: a stream that WebRTC or this browser cannot show is ward.Invalid
// "whep.codec", an offer that cannot be read ward.Invalid "whep.offer".
func (p *WHEP) View(ctx context.Context, s *Stream, offer string) (answer string, v *Viewer, err error) {
	tracks := s.Tracks()
	video, _ := videoOf(tracks)
	if err = showable(s, video, offer); err != nil {
		return "", nil, err
	}
	pc, err := p.API.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", nil, fmt.Errorf("view %s: %w", s.Source(), err)
	}
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	v = &Viewer{pc: pc, cancel: cancel}
	defer func() {
		if err != nil {
			cancel()
			err = errors.Join(err, pc.Close())
			v.done.Wait()
			v = nil
		}
	}()
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", v, badOffer(err)
	}
	feeds, err := v.feeds(tracks, offer)
	if err != nil {
		return "", v, err
	}
	connected := make(chan struct{})
	var once sync.Once
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			cancel()
		case webrtc.PeerConnectionStateUnknown, webrtc.PeerConnectionStateNew, webrtc.PeerConnectionStateConnecting, webrtc.PeerConnectionStateDisconnected:
		}
	})
	if answer, err = v.answer(ctx); err != nil {
		return "", v, err
	}
	v.done.Go(func() {
		v.serve(live, s, feeds, connected)
		cancel()
		_ = pc.Close() // the browser may have gone already
	})
	return answer, v, nil
}

func (v *Viewer) answer(ctx context.Context) (string, error) {
	a, err := v.pc.CreateAnswer(nil)
	if err != nil {
		return "", badOffer(err)
	}
	gathered := webrtc.GatheringCompletePromise(v.pc)
	if err := v.pc.SetLocalDescription(a); err != nil {
		return "", badOffer(err)
	}
	select {
	case <-gathered:
		return v.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func badOffer(err error) error {
	return &ward.Error{Kind: ward.Invalid, Code: "whep.offer", ZH: "浏览器的连接请求无法识别，请刷新页面。", EN: "The browser's offer cannot be read; reload the page.", Err: err}
}

// showable says whether the browser that made the offer can show the stream.
func showable(s *Stream, video Track, offer string) error {
	bad := func(zh, en string) error { return &ward.Error{Kind: ward.Invalid, Code: "whep.codec", ZH: zh, EN: en} }
	switch {
	case video.Codec == ward.H264 && s.reordered():
		return bad("此码流含 B 帧，浏览器无法实时播放；请在摄像头上关闭 B 帧，或使用子码流。", "This stream has B-frames, which browsers cannot show live; turn B-frames off in the camera, or use its substream.")
	case video.Codec == ward.H265 && !offers(offer, "H265/90000"):
		return bad("此浏览器不支持 H.265 实时播放；请使用摄像头的 H.264 子码流。", "This browser cannot show H.265 live; use the camera's H.264 substream.")
	case !offers(offer, "H264/90000") && video.Codec == ward.H264, !offers(offer, "VP8/90000") && video.Codec == ward.VP8, !video.Video():
		return bad("此浏览器不支持该视频编码。", "This browser does not support the stream's video codec.")
	}
	return nil
}

func offers(offer, codec string) bool {
	return strings.Contains(strings.ToUpper(offer), strings.ToUpper(codec))
}

// reordered says whether the stream's pictures are sent in another order than shown.
func (s *Stream) reordered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.gop {
		if u.Track == s.video && u.PTS != u.DTS {
			return true
		}
	}
	return false
}

// feed sends one track.
type feed struct {
	Track

	out     *webrtc.TrackLocalStaticRTP
	payload rtp.Payloader
	seq     uint16
	base    uint32 // the RTP time of PTS 0
}

// feeds adds the tracks that the browser takes to the connection.
func (v *Viewer) feeds(tracks []Track, offer string) (map[int]*feed, error) {
	feeds := map[int]*feed{}
	for _, t := range tracks {
		f := &feed{Track: t, seq: uint16(rand.Uint32()), base: rand.Uint32()} //nolint:gosec // need not be secret (RFC 3550 §5.1, SRTP)
		c := webrtc.RTPCodecCapability{ClockRate: uint32(t.ClockRate)}        //nolint:gosec // positive
		switch t.Codec {
		case ward.H264:
			c.MimeType, f.payload = webrtc.MimeTypeH264, &codecs.H264Payloader{}
		case ward.H265:
			c.MimeType, f.payload = webrtc.MimeTypeH265, &codecs.H265Payloader{}
		case ward.VP8:
			c.MimeType, f.payload = webrtc.MimeTypeVP8, &codecs.VP8Payloader{EnablePictureID: true}
		case ward.Opus:
			c.MimeType, c.Channels, f.payload = webrtc.MimeTypeOpus, 2, &codecs.OpusPayloader{}
		case ward.PCMU:
			c.MimeType, f.payload = webrtc.MimeTypePCMU, &codecs.G711Payloader{}
		case ward.PCMA:
			c.MimeType, f.payload = webrtc.MimeTypePCMA, &codecs.G711Payloader{}
		case ward.AAC, ward.NoCodec: // not in WebRTC
			continue
		}
		_, name, _ := strings.Cut(c.MimeType, "/")
		if !offers(offer, fmt.Sprintf("%s/%d", name, t.ClockRate)) {
			continue
		}
		var err error
		if f.out, err = webrtc.NewTrackLocalStaticRTP(c, fmt.Sprintf("track-%d", t.ID), "live"); err != nil {
			return nil, fmt.Errorf("add track to viewer: %w", err)
		}
		sender, err := v.pc.AddTrack(f.out)
		if err != nil {
			return nil, fmt.Errorf("add track to viewer: %w", err)
		}
		v.done.Go(func() { // what comes back feeds the interceptors
			for {
				if _, _, err := sender.ReadRTCP(); err != nil {
					return
				}
			}
		})
		feeds[t.ID] = f
	}
	return feeds, nil
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
	r := s.Subscribe(viewerDepth, true)
	defer r.Close()
	var last int64 // PTS of the last cached picture
	left := 0      // cached pictures still to send
	for _, u := range r.backlog {
		if f := feeds[u.Track]; f != nil && f.Video() {
			last = u.PTS
			left++
		}
	}
	for {
		cached := len(r.backlog) > 0
		u, err := r.Next(ctx)
		if err != nil {
			return
		}
		f := feeds[u.Track]
		if f == nil || cached && !f.Video() {
			continue
		}
		at := u.PTS
		if cached {
			left--
			at = last - int64(left)*catchUp
		}
		if err := f.send(u, at); err != nil {
			return
		}
	}
}

// send packs the unit, to be shown at the RTP time of PTS at.
func (f *feed) send(u Unit, at int64) error {
	frames := u.AU
	if f.Video() {
		frames = [][]byte{f.AnnexB(u)}
	}
	for _, frame := range frames {
		payloads := f.payload.Payload(viewerMTU, frame)
		for i, b := range payloads {
			p := &rtp.Packet{
				Header: rtp.Header{
					Version: 2, SequenceNumber: f.seq, Timestamp: f.base + uint32(at), //nolint:gosec // RTP time wraps
					Marker: f.Video() && i == len(payloads)-1,
				},
				Payload: b,
			}
			f.seq++
			if err := f.out.WriteRTP(p); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				return fmt.Errorf("send to viewer: %w", err)
			}
		}
		at += frameLength(f.Track, frame)
	}
	return nil
}
