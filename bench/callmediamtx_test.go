package bench_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// mediaMTX is a running server with a path for each end's media.
type mediaMTX struct{ base string }

func talkMediaMTX(b *testing.B) mediaMTX {
	b.Helper()
	program := peerProgram(b, "PEER_MEDIAMTX", "MediaMTX")
	dir, tcp := b.TempDir(), freePort(b, "tcp")
	conf := fmt.Sprintf("logLevel: warn\nrtsp: no\nrtmp: no\nhls: no\nsrt: no\nwebrtcAddress: 127.0.0.1:%s\nwebrtcLocalUDPAddress: 127.0.0.1:%s\npaths:\n  bed: {}\n  inspector: {}\n", tcp, freePort(b, "udp"))
	file := filepath.Join(dir, "mediamtx.yml")
	must(b, os.WriteFile(file, []byte(conf), 0o600))
	cmd := exec.Command(program, file)
	cmd.Stderr, cmd.Dir = os.Stderr, dir
	must(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	return mediaMTX{"http://127.0.0.1:" + tcp}
}

func (s mediaMTX) talk(b *testing.B, film [][]byte) talk {
	b.Helper()
	t := talk{bed: newEnd(b), inspector: newEnd(b)}
	var pcs []*webrtc.PeerConnection
	for path, e := range map[string]*end{"bed": t.bed, "inspector": t.inspector} {
		pc := benchPC(b)
		e.sendsOn(pc, webrtc.RTPTransceiverDirectionSendonly)
		s.exchange(b, path+"/whip", pc)
		e.begin(film)
		pcs = append(pcs, pc)
	}
	for path, e := range map[string]*end{"inspector": t.bed, "bed": t.inspector} {
		pc := benchPC(b)
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			must(b, err)
		}
		other := t.inspector
		if e == t.inspector {
			other = t.bed
		}
		e.hears(other, pc)
		s.exchange(b, path+"/whep", pc)
		pcs = append(pcs, pc)
	}
	t.hangUp = func() {
		for _, pc := range pcs {
			must(b, pc.Close())
		}
	}
	return t
}

// exchange offers until the server is up and has what is asked for.
func (s mediaMTX) exchange(b *testing.B, path string, pc *webrtc.PeerConnection) {
	b.Helper()
	offer := offerOf(b, pc)
	for end := time.Now().Add(20 * time.Second); ; <-time.After(100 * time.Millisecond) {
		res, err := http.Post(s.base+"/"+path, "application/sdp", strings.NewReader(offer)) //nolint:gosec // our own
		if err == nil {
			answer, e := io.ReadAll(res.Body)
			must(b, e)
			must(b, res.Body.Close())
			if res.StatusCode == http.StatusCreated {
				answered(b, pc, string(answer))
				return
			}
			err = fmt.Errorf("%d %s", res.StatusCode, answer)
		}
		if time.Now().After(end) {
			b.Fatalf("MediaMTX, %s: %v", path, err)
		}
	}
}
