package simcam_test

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// Every picture arrives once and the clock does not jump where the clip
// begins again.
func TestLoopsWithoutLossOrJump(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		transport    gortsplib.Transport
		video, audio ward.Codec
		videoName    string
		audioName    string
		audioStep    uint32 // RTP ticks between audio packets; 0: they vary
	}{
		"h264 aac tcp":  {gortsplib.TransportTCP, ward.H264, ward.AAC, "H264", "MPEG-4 Audio", 0},
		"h264 pcma udp": {gortsplib.TransportUDP, ward.H264, ward.PCMA, "H264", "G711", 160},
		"h265 pcmu udp": {gortsplib.TransportUDP, ward.H265, ward.PCMU, "H265", "G711", 160},
		"h265 tcp":      {gortsplib.TransportTCP, ward.H265, ward.NoCodec, "H265", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, play := serve(t, simcam.Camera{Path: "cam", User: "viewer", Password: "secret", Clip: film(t, tc.video, tc.audio)})
			v := watch(t, strings.Replace(s.URL("cam"), "rtsp://", "rtsp://viewer:secret@", 1), tc.transport)
			play()
			want := clipSeconds*clipRate*3/2 + 1 // a loop and a half
			eventually(t, "a loop and a half", 10*time.Second, func() bool { return len(v.pictures(tc.videoName)) >= want })
			checkSteps(t, v.pictures(tc.videoName), 90000/clipRate)
			select {
			case n := <-v.lost:
				t.Errorf("%d packets lost", n)
			default:
			}
			if tc.audioName == "" {
				return
			}
			var times []uint32
			for _, p := range v.got(tc.audioName) {
				times = append(times, p.Timestamp)
			}
			if len(times) < 10 || !slices.IsSorted(times) {
				t.Errorf("audio: %d packets, times %v", len(times), times)
			}
			if tc.audioStep > 0 {
				checkSteps(t, times, tc.audioStep)
			}
		})
	}
}

func checkSteps(t *testing.T, times []uint32, step uint32) {
	t.Helper()
	for i := 1; i < len(times); i++ {
		if got := times[i] - times[i-1]; got != step {
			t.Errorf("from unit %d to the next %d ticks, want %d", i-1, got, step)
		}
	}
}

func TestG711IsWhatWasAskedFor(t *testing.T) {
	s, _ := serve(t,
		simcam.Camera{Path: "u", Clip: film(t, ward.H264, ward.PCMU)},
		simcam.Camera{Path: "a", Clip: film(t, ward.H264, ward.PCMA)})
	for path, mu := range map[string]bool{"u": true, "a": false} {
		v, err := dial(t, s.URL(path), gortsplib.TransportTCP)
		if err != nil {
			t.Fatal(err)
		}
		var f *format.G711
		if v.desc.FindFormat(&f) == nil || f.MULaw != mu || f.ClockRate() != 8000 {
			t.Errorf("%s: got %+v", path, f)
		}
	}
}

func TestDigestCredentials(t *testing.T) {
	s, _ := serve(t, simcam.Camera{Path: "cam", User: "viewer", Password: "secret", Clip: film(t, ward.H264, ward.NoCodec)})
	for name, tc := range map[string]struct {
		credentials string
		want        base.StatusCode
	}{
		"right":          {"viewer:secret@", base.StatusOK},
		"wrong password": {"viewer:guess@", base.StatusUnauthorized},
		"wrong user":     {"admin:secret@", base.StatusUnauthorized},
		"none":           {"", base.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dial(t, strings.Replace(s.URL("cam"), "rtsp://", "rtsp://"+tc.credentials, 1), gortsplib.TransportTCP)
			if got := status(err); got != tc.want {
				t.Errorf("got %d (%v), want %d", got, err, tc.want)
			}
		})
	}
}

// status is the code of a client's error, OK without one.
func status(err error) base.StatusCode {
	if err == nil {
		return base.StatusOK
	}
	if bad, ok := errors.AsType[liberrors.ErrClientBadStatusCode](err); ok {
		return bad.Code
	}
	return 0
}

// A killed camera drops its viewers and answers 404; revived, it shows the
// time that it would have shown without the break.
func TestKillAndRevive(t *testing.T) {
	s, play := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.NoCodec)})
	play()
	first := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	eventually(t, "a picture", 5*time.Second, func() bool { return len(first.pictures("H264")) > 0 })
	if err := s.Kill("cam"); err != nil {
		t.Fatal(err)
	}
	dropped := make(chan error, 1)
	go func() { dropped <- first.client.Wait() }()
	select {
	case <-dropped:
	case <-time.After(5 * time.Second):
		t.Fatal("the viewer was not dropped")
	}
	if _, err := dial(t, s.URL("cam"), gortsplib.TransportTCP); status(err) != base.StatusNotFound {
		t.Errorf("killed: got %v, want 404", err)
	}
	if err := s.Revive("cam"); err != nil {
		t.Fatal(err)
	}
	second := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	eventually(t, "a picture after the break", 5*time.Second, func() bool { return len(second.pictures("H264")) > 0 })
	shown := time.Duration(second.pictures("H264")[0]) * time.Second / 90000
	if late := time.Since(s.Began()) - shown; late < 0 || late > time.Second {
		t.Errorf("the picture is of %v, %v ago", shown, late)
	}
	if err := s.Kill("nowhere"); err == nil {
		t.Error("killing an unknown camera: no error")
	}
}

// A faulty camera does what its fault says and its neighbour on the same
// clip notices nothing.
func TestFaults(t *testing.T) {
	clip := film(t, ward.H264, ward.PCMU)
	s, play := serve(t,
		simcam.Camera{Path: "good", Clip: clip},
		simcam.Camera{Path: "garbage", Clip: clip, Faults: simcam.Faults{Garbage: "payload"}},
		simcam.Camera{Path: "silent", Clip: clip, Faults: simcam.Faults{Stall: true}},
		simcam.Camera{Path: "odd", Faults: simcam.Faults{OddCodec: true}},
		simcam.Camera{Path: "missing", Clip: clip, Faults: simcam.Faults{Answer: "404"}})
	good, garbage, silent := watch(t, s.URL("good"), gortsplib.TransportTCP), watch(t, s.URL("garbage"), gortsplib.TransportTCP), watch(t, s.URL("silent"), gortsplib.TransportTCP)
	play()
	loops := clipSeconds*clipRate + clipRate
	eventually(t, "more than a loop", 10*time.Second, func() bool {
		return len(good.pictures("H264")) >= loops && len(garbage.pictures("H264")) >= loops
	})
	if bad := undecodable(t, good); bad > 0 {
		t.Errorf("good: %d of its packets do not decode", bad)
	}
	perLoop := clipSeconds * 50 // packets of 20 ms
	if tones := good.got("G711"); !bytes.Equal(tones[0].Payload, tones[perLoop].Payload) {
		t.Error("good: its sound is another one in the second loop")
	}
	if bad := undecodable(t, garbage); bad < loops/2 {
		t.Errorf("garbage: only %d of its packets do not decode", bad)
	}
	if n := len(silent.got("H264")) + len(silent.got("G711")); n > 0 {
		t.Errorf("silent: %d packets", n)
	}
	odd, err := dial(t, s.URL("odd"), gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	if got := odd.desc.Medias[0].Formats[0].Codec(); got != "MPEG-4 Video" {
		t.Errorf("odd: got %s", got)
	}
	if _, err := dial(t, s.URL("missing"), gortsplib.TransportTCP); status(err) != base.StatusNotFound {
		t.Errorf("missing: got %v, want 404", err)
	}
}

// undecodable counts packets that are no H.264 payload, or whose access unit
// holds other than parameter sets, SEI and pictures.
func undecodable(t *testing.T, v *viewer) int {
	t.Helper()
	var f *format.H264
	if v.desc.FindFormat(&f) == nil {
		t.Fatal("no H.264 offered")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, p := range v.got("H264") {
		au, err := d.Decode(p)
		if err != nil {
			if !strings.Contains(err.Error(), "need more packets") {
				bad++
			}
			continue
		}
		if !slices.ContainsFunc(au, func(n []byte) bool { k := n[0] & 0x1f; return n[0]&0x80 == 0 && (k == 1 || k == 5) }) {
			bad++
		}
	}
	return bad
}

// Closing waits for requests and requests look cameras up; neither may hold
// what the other needs.
func TestCloseWhileClientsAsk(t *testing.T) {
	s, play := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.NoCodec)})
	play()
	url := s.URL("cam")
	var wg sync.WaitGroup
	defer wg.Wait()
	asked := make(chan struct{})
	var once sync.Once
	for range 8 {
		wg.Go(func() {
			u, err := base.ParseURL(url)
			if err != nil {
				return
			}
			for {
				tcp := gortsplib.TransportTCP
				c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: &tcp}
				if c.Start2() != nil {
					return
				}
				_, _, err := c.Describe(u)
				c.Close()
				if err != nil {
					return
				}
				once.Do(func() { close(asked) })
			}
		})
	}
	<-asked
	closed := make(chan struct{})
	go func() { defer close(closed); s.Close(); s.Close() }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("Close hangs")
	}
}

// The sender reports say when each picture was: clip time 0 is Began.
func TestSenderReportsTellTheTime(t *testing.T) {
	t.Parallel()
	s, play := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.NoCodec)})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	play()
	eventually(t, "two sender reports", 15*time.Second, func() bool { at, _ := v.clock(); return len(at) >= 2 })
	at, rtpTime := v.clock()
	for i := range at {
		if off := at[i].Sub(s.Began().Add(time.Duration(rtpTime[i]) * time.Second / 90000)).Abs(); off > 5*time.Millisecond {
			t.Errorf("report %d is %v off", i, off)
		}
	}
	if step := at[1].Sub(at[0]); step < 5*time.Second || step > 6*time.Second {
		t.Errorf("reports are %v apart", step)
	}
}

func TestFFmpegReadsWithoutComplaint(t *testing.T) {
	t.Parallel()
	s, play := serve(t, simcam.Camera{Path: "cam", User: "viewer", Password: "secret", Clip: film(t, ward.H264, ward.AAC)})
	play()
	url := strings.Replace(s.URL("cam"), "rtsp://", "rtsp://viewer:secret@", 1)
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", transport, "-i", url, "-t", "3", "-f", "null", "-")
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("ffmpeg: %v: %s", err, out)
			}
		})
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	s, _ := serve(t, simcam.Camera{Path: "odd", Faults: simcam.Faults{OddCodec: true}})
	second := &simcam.Server{Addr: s.Addr}
	if err := second.Start(); err == nil || !strings.Contains(err.Error(), s.Addr) {
		t.Errorf("port in use: got %v", err)
	}
	third := &simcam.Server{Addr: "127.0.0.1:0", Cameras: []simcam.Camera{{Path: "cam"}}}
	if err := third.Start(); err == nil || !strings.Contains(err.Error(), "no clip") {
		t.Errorf("no clip: got %v", err)
	}
	if _, err := simcam.ReadClip("simcam_test.go", ward.NoCodec); err == nil {
		t.Error("reading a text as a clip: no error")
	}
}
