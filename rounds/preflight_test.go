package rounds_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// offerOf is a browser's offer of a data channel and, if wanted, a camera.
func offerOf(t *testing.T, camera bool) (pc *webrtc.PeerConnection, dc *webrtc.DataChannel, offer string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	m := &webrtc.MediaEngine{}
	must(m.RegisterDefaultCodecs())
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(m)).NewPeerConnection(webrtc.Configuration{})
	must(err)
	t.Cleanup(func() { _ = pc.Close() })
	dc, err = pc.CreateDataChannel("trial", nil)
	must(err)
	if camera {
		_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo)
		must(err)
	}
	o, err := pc.CreateOffer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(pc.SetLocalDescription(o))
	<-gathered
	return pc, dc, pc.LocalDescription().SDP
}

// TestTrialOfTheWay: after the consent, and not before, a data channel
// answers; it carries no media and is no session; reports hold no names.
func TestTrialOfTheWay(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	device, _, _, err := r.engine.Open(t.Context(), link.Token)
	if err != nil {
		t.Fatal(err)
	}
	pc, dc, offer := offerOf(t, false)
	yes := true
	report := rounds.Preflight{Camera: "ok", Microphone: "silent", Network: "ok", UDP: &yes}
	early := func(err error) {
		t.Helper()
		if !errors.Is(err, &ward.Error{Code: "visit.state"}) {
			t.Errorf("got %v", err)
		}
	}
	_, err = r.engine.Trial(t.Context(), device, offer)
	early(err)
	early(r.engine.Preflight(t.Context(), device, report))
	if err := r.engine.Consent(t.Context(), device, true); err != nil {
		t.Fatal(err)
	}
	if _, _, with := offerOf(t, true); true {
		if _, err := r.engine.Trial(t.Context(), device, with); !errors.Is(err, &ward.Error{Code: "trial.media"}) {
			t.Errorf("a camera in a trial: %v", err)
		}
	}
	back := make(chan string, 1)
	dc.OnOpen(func() { _ = dc.SendText("are you there") })
	dc.OnMessage(func(m webrtc.DataChannelMessage) { back <- string(m.Data) })
	answer, err := r.engine.Trial(t.Context(), device, offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case got := <-back:
		if got != "are you there" {
			t.Errorf("got %q", got)
		}
	case <-ctx.Done():
		t.Error("nothing came back")
	}
	for range 6 {
		if err := r.engine.Preflight(t.Context(), device, report); err != nil {
			t.Error(err)
		}
	}
	early(r.engine.Preflight(t.Context(), device, report)) // enough
	if story := r.story(link.Visit.ID); strings.Count(story, `preflight {"camera":"ok","microphone":"silent","network":"ok","udp":true}`) != 6 {
		t.Error(story)
	}
	if v, err := r.store.Visit(t.Context(), link.Visit.ID); err != nil || v.State != ward.VisitConsented {
		t.Errorf("%s, %v", v.State, err)
	}
}
