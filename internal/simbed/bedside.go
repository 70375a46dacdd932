package simbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const linger = 30 * time.Second // without a word from the server after its connection went quiet

// bedside is one connection. Run's goroutine plays the camera and obeys.
type bedside struct {
	o        Options
	pc       *webrtc.PeerConnection
	video    *webrtc.TrackLocalStaticSample
	audio    *webrtc.TrackLocalStaticSample
	channel  *webrtc.DataChannel
	commands chan command
	state    chan webrtc.PeerConnectionState
	heard    atomic.Int64
	saw      atomic.Int64
}

// command is what the server asks; the fields are those of the protocol.
type command struct {
	ID      int    `json:"id"`
	Command string `json:"cmd"`
	EN      string `json:"en"`
}

// join runs the session to its end.
func (o Options) join(ctx context.Context, device string, r *Result) error {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return err
	}
	config, err := o.ice(ctx, device)
	if err != nil {
		return err
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine)).NewPeerConnection(config)
	if err != nil {
		return err
	}
	b := &bedside{o: o, pc: pc, commands: make(chan command, 16), state: make(chan webrtc.PeerConnectionState, 16)}
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		n := &b.heard
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			n = &b.saw
		}
		for { // ends when pc is closed
			if _, _, e := t.ReadRTP(); e != nil {
				return
			}
			n.Add(1)
		}
	})
	err = b.offer(ctx, device)
	if err == nil {
		err = b.run(ctx, r)
	}
	r.Heard, r.Saw = int(b.heard.Load()), int(b.saw.Load())
	return errors.Join(err, pc.Close())
}

// ice asks for the relay when nothing else may carry the media.
func (o Options) ice(ctx context.Context, device string) (c webrtc.Configuration, err error) {
	if !o.RelayOnly {
		return c, nil
	}
	var given struct {
		Servers []struct {
			URLs       []string `json:"urls"`
			Username   string   `json:"username"`
			Credential string   `json:"credential"`
		} `json:"ice_servers"`
	}
	if err := o.post(ctx, "ice", device, struct{}{}, &given); err != nil {
		return c, fmt.Errorf("ask for the relay: %w", err)
	}
	for _, s := range given.Servers {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	return c, nil
}

// offer exchanges the session descriptions.
func (b *bedside) offer(ctx context.Context, device string) (err error) {
	h264 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}
	if b.video, err = webrtc.NewTrackLocalStaticSample(h264, "camera", "bedside"); err != nil {
		return err
	}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if b.audio, err = webrtc.NewTrackLocalStaticSample(opus, "microphone", "bedside"); err != nil {
		return err
	}
	for _, t := range []webrtc.TrackLocal{b.video, b.audio} {
		if _, err = b.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv}); err != nil {
			return err
		}
	}
	if b.channel, err = b.pc.CreateDataChannel("ward", nil); err != nil {
		return err
	}
	b.channel.OnMessage(func(m webrtc.DataChannelMessage) {
		var c command
		if json.Unmarshal(m.Data, &c) == nil {
			select {
			case b.commands <- c:
			default:
			}
		}
	})
	b.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		select {
		case b.state <- s:
		default:
		}
	})
	offer, err := b.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(b.pc)
	if err = b.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return ctx.Err()
	}
	answer, err := b.o.send(ctx, "session", device, "application/sdp", []byte(b.pc.LocalDescription().SDP))
	if err != nil {
		return fmt.Errorf("begin the session: %w", err)
	}
	return b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)})
}

// run plays the camera in real time and obeys the commands.
func (b *bedside) run(ctx context.Context, r *Result) error {
	var s script
	p := player{}
	switch b.o.Behaviour {
	case Loop, Flood:
		p = player{now: stretch{b.o.Clip, 0, len(b.o.Clip.Frames) - 1}, at: b.o.Start % len(b.o.Clip.Frames), round: true}
	case Frozen:
		p.play(stretch{b.o.Clip, b.o.Start % len(b.o.Clip.Frames), b.o.Start % len(b.o.Clip.Frames)})
	case Genuine, Impostor, Cut, Refuse:
		var err error
		if s, err = plan(b.o.Clip, b.o.Mirrored); err != nil {
			return err
		}
		b.o.Log.InfoContext(ctx, "bedside plays", "script", s.String())
		p.play(s.straight)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	sound, stop := context.WithCancel(ctx)
	defer stop()
	connected, turns := false, 0
	var next stretch // to be shown when reacting is over
	var react <-chan time.Time
	frame := time.NewTicker(time.Second / fps)
	defer frame.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case st := <-b.state:
			switch st {
			case webrtc.PeerConnectionStateConnected:
				if !connected {
					wg.Go(func() { b.hum(sound) })
				}
				connected = true
			case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
				return nil // the server ended it; only it knows why
			case webrtc.PeerConnectionStateUnknown, webrtc.PeerConnectionStateNew, webrtc.PeerConnectionStateConnecting, webrtc.PeerConnectionStateDisconnected:
			}
		case <-frame.C:
			if connected {
				if err := b.video.WriteSample(media.Sample{Data: p.next(), Duration: time.Second / fps}); err != nil {
					return fmt.Errorf("send a picture: %w", err)
				}
			}
		case c := <-b.commands:
			r.Commands = append(r.Commands, c.Command)
			b.o.Log.InfoContext(ctx, "bedside is told", "cmd", c.Command, "text", c.EN)
			if err := b.channel.SendText(fmt.Sprintf(`{"receipt":%d}`, c.ID)); err != nil {
				return nil // the connection is gone
			}
			if c.Command == "done" {
				r.Thanked = true
				return b.goodbye(ctx)
			}
			if x := s.stretch(c.Command); x.clip != nil {
				next, react = x, time.After(b.o.React)
			}
			if challenges[c.Command] {
				turns++
			}
			if b.o.Behaviour == Cut && turns == 2 {
				return nil
			}
			for i := 0; b.o.Behaviour == Flood && i < 1000; i++ {
				if b.channel.SendText(`{"receipt":0}`) != nil {
					return nil
				}
			}
		case <-react:
			react = nil
			if next.clip != nil && (b.o.Behaviour == Genuine || b.o.Behaviour == Impostor || b.o.Behaviour == Cut) {
				p.play(next)
			}
		}
	}
}

// goodbye waits until the server closes, so that the receipt arrives.
func (b *bedside) goodbye(ctx context.Context) error {
	t := time.NewTimer(linger)
	defer t.Stop()
	for {
		select {
		case st := <-b.state:
			if st == webrtc.PeerConnectionStateClosed || st == webrtc.PeerConnectionStateFailed || st == webrtc.PeerConnectionStateDisconnected {
				return nil
			}
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// hum sends silence in Opus until ctx ends (RFC 6716: one 20 ms CELT frame of nothing).
func (b *bedside) hum(ctx context.Context) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if b.audio.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond}) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
