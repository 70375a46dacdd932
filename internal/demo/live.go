package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

// watchLimit is how long a live picture may take.
const watchLimit = 10 * time.Second

// watch opens a camera's live picture over WHEP, as a browser does, and
// returns how long the first media packet took.
func (h *Hospital) watch(ctx context.Context, id ward.CameraID) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	began := time.Now()
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pc.Close()) }()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return 0, err
	}
	first := make(chan error, 1)
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		_, _, err := t.ReadRTP()
		first <- err
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return 0, err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return 0, err
	}
	<-gathered
	answer, err := h.sdp(ctx, "/api/v1/cameras/"+string(id)+"/whep", pc.LocalDescription().SDP)
	if err != nil {
		return 0, err
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return 0, err
	}
	select {
	case err := <-first:
		return time.Since(began), err
	case <-ctx.Done():
		return 0, fmt.Errorf("no picture within %v", watchLimit)
	}
}

func (h *Hospital) sdp(ctx context.Context, path, offer string) (string, error) {
	body, err := h.Admin.send(ctx, http.MethodPost, path, offer)
	if err != nil {
		return "", err
	}
	defer body.Close() //nolint:errcheck // only read
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String(), nil
		}
	}
}

// decode lets ffmpeg decode every picture of a file without a complaint and
// returns its length.
func decode(ctx context.Context, file string) (time.Duration, error) {
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-i", file, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		return 0, fmt.Errorf("ffmpeg complains: %w: %s", err, out)
	}
	text, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file).Output()
	if err != nil {
		return 0, fmt.Errorf("ffprobe: %w", err)
	}
	s, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		return 0, fmt.Errorf("ffprobe: %w", err)
	}
	return time.Duration(s * float64(time.Second)), nil
}
