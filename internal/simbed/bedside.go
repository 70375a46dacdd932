package simbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	device   string
	pc       *webrtc.PeerConnection
	mux      io.Closer // the weak network's socket; nil without one
	video    *webrtc.TrackLocalStaticSample
	audio    *webrtc.TrackLocalStaticSample
	channel  *webrtc.DataChannel
	commands chan command
	state    chan webrtc.PeerConnectionState
	waited   time.Duration // before the first session
	heard    atomic.Int64
	saw      atomic.Int64

	mu    sync.Mutex // guards lines
	lines []Line
}

// command is what the server asks; the fields are those of the protocol.
type command struct {
	ID      int    `json:"id"`
	Command string `json:"cmd"`
	EN      string `json:"en"`
	Line    *Line  `json:"line"`
}

// Line is a line of the text chat as the bedside gets it.
type Line struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Mine bool   `json:"mine"`
}

// read shows a line, whose receipt says so.
func (b *bedside) read(channel *webrtc.DataChannel, l *Line) {
	if l == nil {
		return
	}
	b.mu.Lock()
	b.lines = append(b.lines, *l)
	b.mu.Unlock()
	if !l.Mine {
		_ = channel.SendText(fmt.Sprintf(`{"shown":%q}`, l.ID))
	}
}

// join runs the session to its end.
func (o Options) join(ctx context.Context, device string, r *Result) error {
	b := &bedside{o: o, device: device, commands: make(chan command, 16)}
	err := b.dial(ctx)
	if err == nil {
		err = b.run(ctx, r)
	}
	r.Waited += b.waited
	r.Heard, r.Saw = int(b.heard.Load()), int(b.saw.Load())
	b.mu.Lock()
	r.Lines = b.lines
	b.mu.Unlock()
	return errors.Join(err, b.close())
}

// close ends the connection.
func (b *bedside) close() (err error) {
	if b.pc != nil {
		err = b.pc.Close()
	}
	if b.mux != nil {
		err = errors.Join(err, b.mux.Close())
	}
	b.pc, b.mux = nil, nil
	return err
}

// dial makes a connection, as a page does that is opened or loaded again.
func (b *bedside) dial(ctx context.Context) error {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	if err := b.weaken(ctx, &settings); err != nil {
		return err
	}
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return err
	}
	config, err := b.o.ice(ctx, b.device)
	if err != nil {
		return err
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine)).NewPeerConnection(config)
	if err != nil {
		return err
	}
	b.pc, b.state = pc, make(chan webrtc.PeerConnectionState, 16)
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
	return b.offer(ctx)
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
func (b *bedside) offer(ctx context.Context) (err error) {
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
	channel := b.channel
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		var c command
		if json.Unmarshal(m.Data, &c) == nil && c.Command == "" {
			b.read(channel, c.Line)
			return
		}
		if c.Command != "" {
			select {
			case b.commands <- c:
			default:
			}
		}
	})
	if b.o.Write != "" {
		channel.OnOpen(func() { _ = channel.SendText(fmt.Sprintf(`{"ref":"simulated-1","text":%q}`, b.o.Write)) }) // again on each connection, as a page does that got no receipt
	}
	state := b.state
	b.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		select {
		case state <- s:
		default:
		}
	})
	return waiting(ctx, &b.waited, func() error { return b.negotiate(ctx, nil) })
}

// negotiate sends an offer and takes the answer. An offer that found nobody
// is sent again as it is.
func (b *bedside) negotiate(ctx context.Context, options *webrtc.OfferOptions) error {
	if b.pc.SignalingState() == webrtc.SignalingStateStable {
		offer, err := b.pc.CreateOffer(options)
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
	}
	answer, err := b.o.send(ctx, "session", b.device, "application/sdp", []byte(b.pc.LocalDescription().SDP))
	if err != nil {
		return fmt.Errorf("begin the session: %w", err)
	}
	return b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)})
}

// restart restarts ICE until the server answers; false when it has ended the visit.
func (b *bedside) restart(ctx context.Context) (ok bool, err error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := b.negotiate(try, &webrtc.OfferOptions{ICERestart: true})
		cancel()
		if p, refused := errors.AsType[*Problem](err); refused && p.Code != "visit.state" {
			return false, nil
		}
		if err == nil || ctx.Err() != nil {
			return err == nil, ctx.Err()
		}
		b.o.Log.InfoContext(ctx, "bedside cannot restart ICE yet", "error", err)
		select {
		case <-again.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// run plays the camera in real time and obeys the commands.
func (b *bedside) run(ctx context.Context, r *Result) error {
	camera, err := NewCamera(b.o)
	if err != nil {
		return err
	}
	b.o.Log.InfoContext(ctx, "bedside plays", "script", camera.s.String())
	var wg sync.WaitGroup
	defer wg.Wait()
	sound, stop := context.WithCancel(ctx)
	defer stop()
	lamp := lamp{lit: map[string]*Clip{}}
	if b.o.Glow.Screen > 0 && camera.s.straight.clip != nil {
		wg.Go(func() {
			if err := lamp.make(sound, b.o.Glow, camera.s.straight); err != nil && sound.Err() == nil {
				b.o.Log.ErrorContext(ctx, "light a face", "error", err)
			}
		})
	}
	connected, turns := false, 0
	began := time.Now()
	cards := make(chan *Clip, 1)
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
					audio := b.audio
					wg.Go(func() { hum(sound, audio) })
				}
				connected = true
			case webrtc.PeerConnectionStateClosed:
				return nil // the server ended it; only it knows why
			case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed:
				b.o.Log.InfoContext(ctx, "bedside lost its network")
				if ok, err := b.restart(ctx); !ok {
					return err
				}
				r.Restarts++
			case webrtc.PeerConnectionStateUnknown, webrtc.PeerConnectionStateNew, webrtc.PeerConnectionStateConnecting:
			}
		case <-frame.C:
			if connected {
				c, i := camera.Next(time.Since(began))
				if b.o.Tape != nil {
					*b.o.Tape = append(*b.o.Tape, c.Frames[i])
				}
				if err := b.video.WriteSample(media.Sample{Data: c.Frames[i], Duration: time.Second / fps}); err != nil {
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
			if challenges[c.Command] {
				turns++
			}
			if text, bars := b.holds(c.Command); text != "" {
				camera.due = nil
				wg.Go(func() { b.paint(ctx, camera.s.straight, text, bars, cards) })
			} else if x := lamp.stretch(c.Command); x.clip != nil {
				camera.show(time.Since(began)+glowLag, x)
			} else {
				camera.Told(time.Since(began), c.Command)
			}
			if b.o.Behaviour == Cut && turns == 2 {
				return nil
			}
			if b.o.Behaviour == Reload && turns == 2 || b.o.Behaviour == Reloads {
				turns++
				if err := errors.Join(b.close(), b.dial(ctx)); err != nil {
					return err
				}
				connected = false
			}
			for i := 0; b.o.Behaviour == Flood && i < 1000; i++ {
				if b.channel.SendText(`{"receipt":0}`) != nil {
					return nil
				}
			}
		case c := <-cards:
			camera.p.play(stretch{c, 0, len(c.Frames) - 1})
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
func hum(ctx context.Context, audio *webrtc.TrackLocalStaticSample) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if audio.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond}) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
