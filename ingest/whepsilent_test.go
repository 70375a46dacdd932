package ingest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
)

// soundOf is the section of an answer that is about sound.
func soundOf(answer string) string {
	_, sound, _ := strings.Cut(answer, "m=audio")
	sound, _, _ = strings.Cut(sound, "\r\nm=")
	return sound
}

// TestSoundThatACameraHasNotIsDeclined: a browser offers to hear, or to be
// heard, and is told that nothing comes; the pictures do.
func TestSoundThatACameraHasNotIsDeclined(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, plainClip(t)).url))
	until(t, "live", time.Minute, func() bool { return r.fleet.State("cam-1").Condition == ingest.Live })
	s, ok := r.fleet.Stream("cam-1")
	if !ok {
		t.Fatal("no stream")
	}
	whep := &ingest.WHEP{API: newAPI(t, freePort(t))}
	for _, direction := range []webrtc.RTPTransceiverDirection{webrtc.RTPTransceiverDirectionRecvonly, webrtc.RTPTransceiverDirectionSendrecv} {
		b, offer := newBrowser(t, direction)
		answer, v, err := whep.View(t.Context(), s, offer)
		if err != nil {
			t.Fatal(err)
		}
		sound := soundOf(answer)
		if declined := strings.Contains(sound, "a=inactive"); !declined || strings.Contains(sound, "a=sendonly") || strings.Contains(sound, "a=recvonly") || strings.Contains(sound, "a=msid") {
			t.Errorf("%s sound is answered with\n%s", direction, sound)
		}
		if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-b.packets:
		case <-time.After(time.Minute):
			t.Error("no pictures")
		}
		v.Close()
		v.Wait()
	}
	var viewers []*ingest.Viewer
	h := http.NewServeMux()
	h.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>watch</title>"))
	})
	h.HandleFunc("POST /whep", func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		answer, v, err := whep.View(r.Context(), s, string(offer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		viewers = append(viewers, v)
		_, _ = w.Write([]byte(answer))
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	var got struct {
		Sound string
		Muted bool
		Width int
	}
	chromium(t, &got, "whep", srv.URL+"/whep")
	if got.Sound != "inactive" || !got.Muted || got.Width != 320 {
		t.Errorf("Chromium has %+v", got)
	}
	for _, v := range viewers {
		v.Close()
		v.Wait()
	}
	r.stop()
}
