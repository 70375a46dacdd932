package rounds_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// inspectorCall joins a visit as the console does: camera and microphone
// both ways. It returns a channel that tells each kind of media that came.
func inspectorCall(t *testing.T, r *rig, id ward.VisitID) (callID string, came <-chan webrtc.RTPCodecType, hangUp func()) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pc, err := api(t).NewPeerConnection(webrtc.Configuration{})
	check(err)
	video, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}, "v", "i")
	check(err)
	audio, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "i")
	check(err)
	for _, tr := range []webrtc.TrackLocal{video, audio} {
		_, err = pc.AddTransceiverFromTrack(tr, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
		check(err)
	}
	got := make(chan webrtc.RTPCodecType, 2)
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if _, _, e := tr.ReadRTP(); e == nil {
			got <- tr.Kind()
		}
		for {
			if _, _, e := tr.ReadRTP(); e != nil {
				return
			}
		}
	})
	offer, err := pc.CreateOffer(nil)
	check(err)
	gathered := webrtc.GatheringCompletePromise(pc)
	check(pc.SetLocalDescription(offer))
	<-gathered
	answer, callID, err := r.engine.Call(t.Context(), id, inspector, pc.LocalDescription().SDP)
	check(err)
	check(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	ctx, cancel := context.WithCancel(t.Context())
	frames := clip(t, "cap12_edit", false).Frames
	go func() {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = video.WriteSample(media.Sample{Data: frames[i%len(frames)], Duration: 40 * time.Millisecond})
				_ = audio.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 40 * time.Millisecond})
			}
		}
	}()
	return callID, got, func() { cancel(); _ = pc.Close() }
}

func TestInspectorAndBedsideSeeAndHearEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0) // not enrolled: the visit stays open for the talk
	link := r.order(time.Hour)
	if _, _, err := r.engine.Call(t.Context(), link.Visit.ID, inspector, ""); !errors.Is(err, &ward.Error{Code: "visit.not_live"}) {
		t.Errorf("call before the bedside came: %v", err)
	}
	type end struct {
		res simbed.Result
		err error
	}
	done := make(chan end, 1)
	film := clip(t, "franck", false)
	go func() {
		res, err := simbed.Run(t.Context(), simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Genuine, Clip: film})
		done <- end{res, err}
	}()
	r.until(link.Visit.ID, 30*time.Second, func(v ward.Visit) bool { return v.State == ward.VisitChecking })
	if _, ok := r.engine.Stream(link.Visit.ID); !ok {
		t.Error("no live stream")
	}
	if _, err := r.engine.Decide(t.Context(), link.Visit.ID, inspector, ward.Present, "看见了"); !errors.Is(err, &ward.Error{Code: "visit.live"}) {
		t.Errorf("decided during the checks: %v", err)
	}
	callID, came, hangUp := inspectorCall(t, r, link.Visit.ID)
	defer hangUp()
	kinds := map[webrtc.RTPCodecType]bool{}
	for len(kinds) < 2 {
		select {
		case k := <-came:
			kinds[k] = true
		case <-time.After(20 * time.Second):
			t.Fatalf("the inspector got only %v", kinds)
		}
	}
	if err := r.engine.EndCall(t.Context(), callID, "somebody"); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
		t.Errorf("a stranger hangs up: %v", err)
	}
	// The checks end undecided; the talk goes on until the inspector decides.
	r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding })
	v, err := r.engine.Decide(t.Context(), link.Visit.ID, inspector, ward.Present, "核对了腕带")
	if err != nil || v.Verdict != ward.Present {
		t.Fatalf("%+v, %v", v, err)
	}
	e := <-done
	if e.err != nil || e.res.Heard == 0 || e.res.Saw == 0 {
		t.Errorf("the bedside heard %d and saw %d packets, %v", e.res.Heard, e.res.Saw, e.err)
	}
	segs, err := r.store.SegmentsBetween(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}, v.Opened, v.Sealed)
	if err != nil || len(segs) == 0 {
		t.Errorf("recording: %d segments, %v", len(segs), err)
	}
}
