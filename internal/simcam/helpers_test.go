package simcam_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// clipSeconds and clipRate are of every test clip.
const (
	clipSeconds = 2
	clipRate    = 10
)

// TestMain runs more tests at a time than there are processors: they wait for
// cameras, which run in real time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// film makes a short clip with ffmpeg: H.264 or H.265 video, AAC if asked for.
func film(t *testing.T, video, audio ward.Codec) *simcam.Clip {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.ts")
	args := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=2"}
	if audio == ward.AAC {
		args = append(args, "-f", "lavfi", "-i", "sine=f=300:r=16000:d=2", "-c:a", "aac")
	}
	coder := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10"}
	if video == ward.H265 {
		coder = []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:keyint=10:repeat-headers=1:log-level=none"}
	}
	args = append(append(args, coder...), "-pix_fmt", "yuv420p", file)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	tone := audio
	if audio == ward.AAC {
		tone = ward.NoCodec
	}
	clip, err := simcam.ReadClip(file, tone)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// serve starts the cameras. play begins their media; the end of the test
// stops them, and fails it when that takes long.
func serve(t *testing.T, cameras ...simcam.Camera) (s *simcam.Server, play func()) {
	t.Helper()
	s = &simcam.Server{Addr: "127.0.0.1:0", Cameras: cameras}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, func() {
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("run: %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Error("Run has not returned 5 s after its context ended")
			}
		})
	}
}

// viewer is a real RTSP client that keeps what it received.
type viewer struct {
	client *gortsplib.Client
	desc   *description.Session
	lost   chan uint64

	mu      sync.Mutex // guards the rest
	packets map[string][]*rtp.Packet
	reports []*rtcp.SenderReport // of the video
}

// dial connects, and stops after DESCRIBE when that fails.
func dial(t *testing.T, url string, transport gortsplib.Transport) (*viewer, error) {
	t.Helper()
	return dialWithin(t, url, transport, 10*time.Second)
}

// dialWithin is dial with a limit for each answer.
func dialWithin(t *testing.T, url string, transport gortsplib.Transport, limit time.Duration) (*viewer, error) {
	t.Helper()
	u, err := base.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{packets: map[string][]*rtp.Packet{}, lost: make(chan uint64, 100)}
	v.client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Transport: &transport, ReadTimeout: limit, UDPReadBufferSize: 2 << 20,
		OnPacketsLost: func(n uint64) { v.lost <- n },
		OnDecodeError: func(error) {},
	}
	if err = v.client.Start2(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.client.Close)
	v.desc, _, err = v.client.Describe(u)
	return v, err
}

// watch is dial and PLAY; both must succeed.
func watch(t *testing.T, url string, transport gortsplib.Transport) *viewer {
	t.Helper()
	v, err := dial(t, url, transport)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.client.SetupAll(v.desc.BaseURL, v.desc.Medias); err != nil {
		t.Fatal(err)
	}
	v.client.OnPacketRTPAny(func(_ *description.Media, f format.Format, p *rtp.Packet) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.packets[f.Codec()] = append(v.packets[f.Codec()], p)
	})
	v.client.OnPacketRTCPAny(func(m *description.Media, p rtcp.Packet) {
		if sr, ok := p.(*rtcp.SenderReport); ok && m.Type == description.MediaTypeVideo {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.reports = append(v.reports, sr)
		}
	})
	if _, err := v.client.Play(nil); err != nil {
		t.Fatal(err)
	}
	return v
}

// got returns the packets of a codec so far.
func (v *viewer) got(codec string) []*rtp.Packet {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]*rtp.Packet(nil), v.packets[codec]...)
}

// clock returns the sender reports so far: what the camera's clock showed, and
// the RTP time of that moment. It reads the fraction as RFC 3550 says, in units
// of 2^-32 s, and not as nanoseconds as the client library does.
func (v *viewer) clock() (at []time.Time, rtpTime []uint32) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.reports {
		at = append(at, time.Unix(int64(r.NTPTime>>32)-2208988800, int64((r.NTPTime&0xffffffff)*1e9>>32)))
		rtpTime = append(rtpTime, r.RTPTime)
	}
	return at, rtpTime
}

// pictures returns the RTP time of each finished access unit so far.
func (v *viewer) pictures(codec string) []uint32 {
	var times []uint32
	for _, p := range v.got(codec) {
		if p.Marker {
			times = append(times, p.Timestamp)
		}
	}
	return times
}

// eventually waits until is holds.
func eventually(t *testing.T, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
