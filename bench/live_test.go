package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	clicks      = 30 // one after the other, at any moment of the group of pictures
	liveViewers = 40 // at a time
	liveGOP     = "100"
)

// whepServer is a server to be watched.
type whepServer struct {
	url string // of WHEP
	pid int
}

// BenchmarkLive measures from the click on a live picture to the first key
// frame that is whole, on loopback, of a camera with a key frame every 4 s,
// and what a viewer costs; against MediaMTX in the same run when PEER_MEDIAMTX
// names the binary.
func BenchmarkLive(b *testing.B) {
	source := longGOP(b)
	for b.Loop() {
		ours := liveChild(b, source)
		oursFirst, oursCost := measureLive(b, ours)
		report(b, "", oursFirst, oursCost)
		peer := os.Getenv("PEER_MEDIAMTX")
		if peer == "" {
			b.Log("MediaMTX is missing: set PEER_MEDIAMTX to its binary to compare")
			continue
		}
		theirFirst, theirCost := measureLive(b, liveMediaMTX(b, peer, source))
		report(b, "mediamtx-", theirFirst, theirCost)
		b.ReportMetric(float64(at(oursFirst, .5))/float64(at(theirFirst, .5)), "×mediamtx-p50")
		b.ReportMetric(oursCost/theirCost, "×mediamtx-cpu")
	}
}

func report(b *testing.B, who string, first []time.Duration, cost float64) {
	b.Helper()
	b.Logf("%sfirst picture p50 %s, p99 %s of %d clicks; %.2f ms CPU a viewer-second, %.0f viewers a core", who, at(first, .5), at(first, .99), len(first), cost, 1000/cost)
	b.ReportMetric(ms(at(first, .5)), who+"first-p50-ms")
	b.ReportMetric(ms(at(first, .99)), who+"first-p99-ms")
	b.ReportMetric(1000/cost, who+"viewers/core")
}

// at is a quantile of sorted times.
func at(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// measureLive clicks, then counts the cost of a viewer: the processor time
// with viewers less that without.
func measureLive(b *testing.B, s whepServer) (first []time.Duration, cost float64) {
	b.Helper()
	for range clicks {
		v := click(b, s.url)
		first = append(first, v.first)
		must(b, v.pc.Close())
		<-time.After(70 * time.Millisecond) // drifts through the group of pictures
	}
	slices.Sort(first)
	const counted = 8 * time.Second // two groups of pictures
	rest := func() time.Duration {
		cpu := cpuOf(b, s.pid)
		<-time.After(counted)
		return cpuOf(b, s.pid) - cpu
	}
	<-time.After(time.Second)
	idle := rest()
	var all []*tab
	for range liveViewers {
		all = append(all, click(b, s.url))
	}
	<-time.After(time.Second)
	busy := rest()
	for _, v := range all {
		must(b, v.pc.Close())
	}
	return first, ms(max(busy-idle, time.Millisecond)) / counted.Seconds() / liveViewers
}

// tab is one viewer.
type tab struct {
	pc    *webrtc.PeerConnection
	first time.Duration // from the click to the last packet of the first key frame
}

// click watches, as a browser does that has just been clicked in.
func click(b *testing.B, url string) *tab {
	b.Helper()
	began := time.Now()
	var m webrtc.MediaEngine
	must(b, m.RegisterDefaultCodecs())
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	must(b, err)
	whole := make(chan time.Time, 1)
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { awaitKey(t, whole) })
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	must(b, err)
	offer, err := pc.CreateOffer(nil)
	must(b, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(b, pc.SetLocalDescription(offer))
	<-gathered
	res, err := http.Post(url, "application/sdp", strings.NewReader(pc.LocalDescription().SDP)) //nolint:gosec // our own
	must(b, err)
	answer, err := io.ReadAll(res.Body)
	must(b, err)
	must(b, res.Body.Close())
	if res.StatusCode != http.StatusCreated {
		b.Fatalf("WHEP at %s: %d %s", url, res.StatusCode, answer)
	}
	must(b, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}))
	select {
	case at := <-whole:
		return &tab{pc, at.Sub(began)}
	case <-time.After(20 * time.Second):
		b.Fatalf("no picture from %s in 20 s", url)
		return nil
	}
}

// awaitKey tells when a key frame is whole, and reads on.
func awaitKey(t *webrtc.TrackRemote, whole chan<- time.Time) {
	var packet codecs.H264Packet
	key := false
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		nalus, err := packet.Unmarshal(p.Payload)
		key = key || err == nil && bytes.Contains(nalus, []byte{0, 0, 0, 1, 0x65})
		if key && p.Marker {
			select {
			case whole <- time.Now():
			default:
			}
		}
	}
}

// longGOP is a camera of 1280x720, 2 Mbit/s, 25 pictures and a quarter of a
// key frame a second.
func longGOP(b *testing.B) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "clip.ts")
	out, err := exec.CommandContext(b.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-t", "8",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", liveGOP, "-sc_threshold", "0",
		"-b:v", "2M", "-maxrate", "2M", "-bufsize", "4M", "-f", "mpegts", file).CombinedOutput()
	if err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
	clip, err := simcam.ReadClip(file, ward.NoCodec)
	must(b, err)
	s := &simcam.Server{Addr: "127.0.0.1:0", Cameras: []simcam.Camera{{Path: "cam", Clip: clip}}}
	must(b, s.Start())
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) }) // it always ends with nil
	b.Cleanup(func() { cancel(); wg.Wait() })
	return s.URL("cam")
}

func freePort(b *testing.B, network string) string {
	b.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		must(b, err)
		defer c.Close()
		return fmt.Sprint(c.LocalAddr().(*net.UDPAddr).Port)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// liveChild starts this binary as a recorder that is watched.
func liveChild(b *testing.B, source string) whepServer {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childOrder+fmt.Sprintf(`={"role":"live","dir":%q,"urls":[%q]}`, b.TempDir(), source))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	var url string
	_, err = fmt.Fscan(pipe, &url, &url) // "ready" comes first
	must(b, err)
	return whepServer{url, cmd.Process.Pid}
}

// live serves the camera by WHEP, as web does but for the sign-in and the
// row that says who watched; it prints the address.
func (o order) live(ctx context.Context, f *ingest.Fleet, store *storage.Store) error {
	api, stop, err := ingest.NewWebRTC(ingest.WebRTCConfig{Loopback: true})
	if err != nil {
		return err
	}
	view, whep := &ingest.LiveView{Fleet: f}, &ingest.WHEP{API: api}
	defer view.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := o.watch(r, view, whep, store)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	for f.Stats()[cameraID(0)].Frames < 130 { // more than a group of pictures
		<-time.After(50 * time.Millisecond)
	}
	fmt.Println(s.URL)
	<-ctx.Done()
	return stop()
}

func (o order) watch(r *http.Request, view *ingest.LiveView, whep *ingest.WHEP, store *storage.Store) (string, error) {
	offer, err := io.ReadAll(io.LimitReader(r.Body, ingest.MaxOffer))
	if err != nil {
		return "", err
	}
	c, err := store.Camera(r.Context(), cameraID(0))
	if err != nil {
		return "", err
	}
	show, err := view.Open(r.Context(), c, ingest.ScreenOf(string(offer)), false)
	if err != nil {
		return "", err
	}
	answer, _, err := whep.View(r.Context(), show.Stream, string(offer))
	return answer, err
}

func liveMediaMTX(b *testing.B, binary, source string) whepServer {
	b.Helper()
	dir, tcp := b.TempDir(), freePort(b, "tcp")
	conf := fmt.Sprintf("logLevel: warn\nrtsp: no\nrtmp: no\nhls: no\nsrt: no\nwebrtcAddress: 127.0.0.1:%s\nwebrtcLocalUDPAddress: 127.0.0.1:%s\npathDefaults:\n  record: yes\n  recordFormat: fmp4\n"+
		"  recordPath: %s/rec/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f\npaths:\n  cam:\n    source: %s\n    rtspTransport: tcp\n", tcp, freePort(b, "udp"), dir, source)
	file := filepath.Join(dir, "mediamtx.yml")
	must(b, os.WriteFile(file, []byte(conf), 0o600))
	cmd := exec.CommandContext(b.Context(), binary, file)
	cmd.Stderr, cmd.Dir = os.Stderr, dir
	must(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "rec", "*", "*"))
		must(b, err)
		if len(files) > 0 {
			break
		}
		if time.Now().After(deadline) {
			b.Fatal("MediaMTX does not record")
		}
	}
	return whepServer{"http://127.0.0.1:" + tcp + "/cam/whep", cmd.Process.Pid}
}
