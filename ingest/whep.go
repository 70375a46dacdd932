package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const (
	// MaxOffer is the largest offer that is read, in bytes; a browser's is about 6 kB.
	MaxOffer = 64 << 10
	// maxMedias is how many medias an offer may have; a browser's has at most
	// video, audio and a data channel.
	maxMedias = 8
)

// WHEP serves live streams to browsers over WebRTC.
type WHEP struct{ API *webrtc.API }

// View answers a browser's offer and serves it until it goes, the stream
// closes or Viewer.Close; ctx covers only the answer. Nothing is coded
// again: a stream that this browser cannot show is an error of Screen.Shows,
// an offer that cannot be read ward.Invalid "whep.offer".
func (p *WHEP) View(ctx context.Context, s *Stream, offer string) (answer string, v *Viewer, err error) {
	if offer, err = Admit(offer); err != nil {
		return "", nil, badOffer(err)
	}
	if err = ScreenOf(offer).Shows(s); err != nil {
		return "", nil, err
	}
	pc, err := p.API.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", nil, fmt.Errorf("view %s: %w", s.Source(), err)
	}
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	v = &Viewer{pc: pc, cancel: cancel, again: make(chan struct{}, 1)}
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
	feeds, err := v.feeds(s.Tracks(), offer)
	if err != nil {
		return "", v, err
	}
	if err = v.declineRest(); err != nil {
		return "", v, err
	}
	connected := v.follow()
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

// declineRest answers as inactive (RFC 8829 §5.3.1) what the browser offers
// and nothing is sent for, such as the sound of a camera without any: the
// library would promise to send it, or take in what the browser has.
func (v *Viewer) declineRest() error {
	for _, t := range v.pc.GetTransceivers() {
		if s := t.Sender(); s != nil && s.Track() != nil {
			continue
		}
		if err := t.Stop(); err != nil {
			return fmt.Errorf("decline a media: %w", err)
		}
	}
	return nil
}

// Admit returns the offer as it is given to the WebRTC library, which trusts
// it more than we do: read by the library's own parser, so that nothing means
// one thing here and another there. Candidates are left out: the browser
// reaches us, and nobody makes this machine send to an address of their
// choice. The error is for offers that are no browser's.
func Admit(offer string) (string, error) {
	if len(offer) > MaxOffer {
		return "", fmt.Errorf("%d bytes", len(offer))
	}
	if strings.Contains(strings.ReplaceAll(offer, "\r\n", "\n"), "\r") {
		return "", errors.New("a line that ends with CR alone")
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(offer); err != nil {
		return "", err
	}
	if n := len(d.MediaDescriptions); n > maxMedias {
		return "", fmt.Errorf("%d medias", n)
	}
	candidate := func(a sdp.Attribute) bool { return a.Key == "candidate" || a.Key == "end-of-candidates" }
	d.Attributes = slices.DeleteFunc(d.Attributes, candidate)
	for _, m := range d.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, candidate)
	}
	b, err := d.Marshal()
	return string(b), err
}

// answer makes the answer with our candidates, which are this machine's own
// addresses: nothing is waited for but sockets.
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

// follow tells when the browser is connected, and ends the viewer when it is gone.
func (v *Viewer) follow() <-chan struct{} {
	connected := make(chan struct{})
	var once sync.Once
	v.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			v.cancel()
		case webrtc.PeerConnectionStateUnknown, webrtc.PeerConnectionStateNew, webrtc.PeerConnectionStateConnecting, webrtc.PeerConnectionStateDisconnected:
		}
	})
	v.pc.OnDataChannel(func(c *webrtc.DataChannel) {
		if c.Label() == AgeChannel {
			c.OnOpen(func() { v.age.CompareAndSwap(nil, c) })
		}
	})
	return connected
}
