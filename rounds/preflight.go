package rounds

import (
	"context"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const (
	trialLasts    = 8 * time.Second
	trialsMax     = 200 // of the process at once
	trialEchoes   = 20  // messages of one trial
	trialEchoMax  = 64  // bytes of each
	preflightMost = 6   // reports of one visit
)

// Preflight is what the page at the bedside found out about its device and
// its network before the call: kinds and yes or no, nothing that names a
// device. It decides nothing.
type Preflight struct {
	Camera     string `json:"camera" enum:"ok,dark,still,denied,missing,busy,unknown"`
	Microphone string `json:"microphone" enum:"ok,silent,missing,unknown"`
	Network    string `json:"network" enum:"ok,slow,lost,unknown"`
	UDP        *bool  `json:"udp,omitempty" doc:"A data channel to the service by UDP worked; absent: not tried"`
	TURNUDP    *bool  `json:"turn_udp,omitempty" doc:"The relay answered by UDP; absent: there is none, or not tried"`
	TURNTCP    *bool  `json:"turn_tcp,omitempty"`
	TURNTLS    *bool  `json:"turn_tls,omitempty"`
}

// Preflight stores a report as an event of a visit that waits for its session.
func (e *Engine) Preflight(ctx context.Context, device string, p Preflight) error {
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return err
	}
	body := map[string]any{"camera": p.Camera, "microphone": p.Microphone, "network": p.Network}
	for name, way := range map[string]*bool{"udp": p.UDP, "turn_udp": p.TURNUDP, "turn_tcp": p.TURNTCP, "turn_tls": p.TURNTLS} {
		if way != nil {
			body[name] = *way
		}
	}
	return e.Store.AddWhileWaiting(ctx, v.ID, "preflight", preflightMost, body)
}

// trial is a connection without media that a bedside makes to see whether it
// can; what comes on its data channel goes back.
type trial struct {
	visit ward.VisitID
	pc    *webrtc.PeerConnection
	gone  chan struct{}
}

// Trial answers the offer of a data channel that sends back what it gets,
// for trialLasts. It takes a consent, and a visit has one at a time.
func (e *Engine) Trial(ctx context.Context, device, offer string) (answer string, err error) {
	e.prepare()
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return "", err
	}
	if v.State != ward.VisitConsented {
		return "", notNow()
	}
	o, err := readOffer(offer)
	if err != nil {
		return "", err
	}
	if !o.channel || o.videoSections > 0 || o.audio || o.takesAudio {
		return "", &ward.Error{Kind: ward.Invalid, Code: "trial.media", ZH: "试连只能包含数据通道。", EN: "A trial offers a data channel and nothing else."}
	}
	t := &trial{visit: v.ID, gone: make(chan struct{}, 1)}
	if !e.beginTrial(t) {
		return "", notNow()
	}
	if answer, err = t.connect(ctx, e.API, offer); err == nil {
		select {
		case e.trying <- t:
			return answer, nil
		case <-e.done:
			err = &ward.Error{Kind: ward.Unavailable, Code: "rounds.stopping", ZH: "系统正在重启，请稍后再试。", EN: "The service is restarting; try again in a minute."}
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	e.endTrial(t)
	return "", err
}

func (e *Engine) beginTrial(t *trial) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trials[t.visit] != nil || len(e.trials) >= trialsMax {
		return false
	}
	e.trials[t.visit] = t
	return true
}

func (e *Engine) endTrial(t *trial) {
	if t.pc != nil {
		_ = t.pc.Close()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.trials, t.visit)
}

func (t *trial) connect(ctx context.Context, api *webrtc.API, offer string) (answer string, err error) {
	if t.pc, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return "", err
	}
	t.pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
		if st == webrtc.PeerConnectionStateFailed || st == webrtc.PeerConnectionStateClosed {
			select {
			case t.gone <- struct{}{}:
			default:
			}
		}
	})
	t.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		n := 0
		dc.OnMessage(func(m webrtc.DataChannelMessage) { // one at a time
			if n++; n <= trialEchoes && m.IsString && len(m.Data) <= trialEchoMax {
				_ = dc.SendText(string(m.Data))
			}
		})
	})
	return answerTo(ctx, t.pc, offer, func() error { return nil })
}

// try keeps a trial open for its time.
func (e *Engine) try(ctx context.Context, t *trial) {
	defer e.endTrial(t)
	over := time.NewTimer(trialLasts)
	defer over.Stop()
	select {
	case <-over.C:
	case <-t.gone:
	case <-ctx.Done():
	}
}
