package rounds_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

// A bedside's browser makes key frames only when it is asked: whoever begins
// to watch right after it was asked would see nothing if that were forgotten.
func TestAKeyFrameAskedForTooSoonIsAskedForLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, patient)
	r.admit("", 0)
	h := r.hostile(nil)
	var asked atomic.Int64
	camera := h.pc.GetSenders()[0]
	go func() {
		for { // ends with the connection
			packets, _, err := camera.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if _, ok := p.(*rtcp.PictureLossIndication); ok {
					asked.Add(1)
				}
			}
		}
	}()
	pc, err := api(t).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	came := make(chan *webrtc.TrackRemote, 1)
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { came <- tr })
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer, _, err := r.engine.Call(t.Context(), h.visit.ID, inspector, offer.SDP)
	if err != nil {
		t.Fatal(err) // also when whoever is told that the visit is being checked cannot call yet
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	pictures := time.NewTicker(40 * time.Millisecond)
	defer pictures.Stop()
	var tr *webrtc.TrackRemote
	for late := time.After(20 * time.Second); tr == nil; {
		select {
		case <-pictures.C:
			h.picture()
		case tr = <-came:
		case <-late:
			t.Fatal("the inspector sees nothing")
		}
	}
	quiet := time.Now()
	for n := asked.Load(); time.Since(quiet) < time.Second; <-pictures.C { // nothing is owed any more
		h.picture()
		if now := asked.Load(); now != n {
			n, quiet = now, time.Now()
		}
	}
	before := asked.Load()
	for range 2 {
		if err := pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(tr.SSRC())}}); err != nil {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
	for late := time.Now().Add(10 * time.Second); asked.Load()-before < 2; <-pictures.C {
		h.picture()
		if time.Now().After(late) {
			t.Fatalf("asked twice, the bedside was asked %d times", asked.Load()-before)
		}
	}
	if v := h.leave(r); v.State != ward.VisitSealed && v.State != ward.VisitDeciding {
		t.Errorf("visit is %s", v.State)
	}
}
