package simcam_test

import (
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// packets waits for n packets of H.264 and returns them.
func packets(t *testing.T, v *viewer, n int) []*rtp.Packet {
	t.Helper()
	eventually(t, "packets", 15*time.Second, func() bool { return len(v.got("H264")) >= n })
	return v.got("H264")
}

func TestLossDuplicationAndReordering(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	s, play := serve(t,
		simcam.Camera{Path: "loss", Clip: clip, Faults: simcam.Faults{Loss: 20}},
		simcam.Camera{Path: "more", Clip: clip, Faults: simcam.Faults{Duplicate: 20}},
		simcam.Camera{Path: "order", Clip: clip, Faults: simcam.Faults{Reorder: 20}})
	play()
	sequence := map[string]func(n int) []uint16{}
	for _, path := range []string{"loss", "more", "order"} {
		c := raw(t, s)
		c.ask("SETUP", s.URL(path)+"/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
		c.ask("PLAY", s.URL(path))
		sequence[path] = c.sequence
	}
	const n = 60
	missing, twice, back := 0, 0, 0
	for i, all := 1, sequence["loss"](n); i < len(all); i++ {
		missing += int(all[i]-all[i-1]) - 1
	}
	for i, all := 1, sequence["more"](n); i < len(all); i++ {
		if all[i] == all[i-1] {
			twice++
		}
	}
	for i, all := 1, sequence["order"](n); i < len(all); i++ {
		if int16(all[i]-all[i-1]) < 0 { //nolint:gosec // that is the test
			back++
		}
	}
	for what, n := range map[string]int{"lost": missing, "sent twice": twice, "out of order": back} {
		if n < 2 || n > 30 {
			t.Errorf("%d packets of 60 were %s", n, what)
		}
	}
}

// sequence reads n RTP packets and returns their numbers.
func (c *rawConn) sequence(n int) []uint16 {
	c.t.Helper()
	var all []uint16
	for _, p := range c.packets(n) {
		all = append(all, p.SequenceNumber)
	}
	return all
}

// packets reads n RTP packets of channel 0.
func (c *rawConn) packets(n int) []rtp.Packet {
	c.t.Helper()
	var all []rtp.Packet
	head := make([]byte, 4)
	for len(all) < n {
		if _, err := io.ReadFull(c.r, head); err != nil {
			c.t.Fatal(err)
		}
		body := make([]byte, int(head[2])<<8|int(head[3]))
		if _, err := io.ReadFull(c.r, body); err != nil || head[0] != '$' {
			c.t.Fatalf("%v: %x", err, head)
		}
		var p rtp.Packet
		if head[1] == 0 && p.Unmarshal(body) == nil {
			all = append(all, p)
		}
	}
	return all
}

func TestAnotherSenderInTheSameSession(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{NewSSRC: time.Second})
	c := raw(t, s) // the library drops what another sender sends
	c.ask("SETUP", s.URL("cam")+"/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
	c.ask("PLAY", s.URL("cam"))
	senders := map[uint32]bool{}
	for _, p := range c.packets(4 * clipRate) {
		senders[p.SSRC] = true
	}
	if len(senders) < 3 {
		t.Errorf("%d senders in four seconds", len(senders))
	}
}

func TestAnotherPayloadType(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{NewPayloadType: time.Second})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	types := map[uint8]bool{}
	eventually(t, "both payload types", 10*time.Second, func() bool {
		for _, p := range v.got("H264") {
			types[p.PayloadType] = true
		}
		return types[96] && types[106]
	})
}

func TestAnotherSize(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "second.ts")
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=480x360:r=10:d=2",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	second, err := simcam.ReadClip(file, ward.NoCodec)
	if err != nil {
		t.Fatal(err)
	}
	s, play := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.NoCodec), Second: second, Faults: simcam.Faults{NewSPS: 2 * time.Second}})
	play()
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	sets := map[string]bool{}
	eventually(t, "two parameter sets", 15*time.Second, func() bool {
		for _, n := range units(t, v) {
			if n[0]&0x1f == 7 {
				sets[string(n)] = true
			}
		}
		return len(sets) == 2
	})
	checkSteps(t, v.pictures("H264"), 90000/clipRate)
}

// units decodes what came so far into NAL units.
func units(t *testing.T, v *viewer) [][]byte {
	t.Helper()
	var f *format.H264
	if v.desc.FindFormat(&f) == nil {
		t.Fatal("no H.264 offered")
	}
	d, err := f.CreateDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, p := range v.got("H264") {
		au, err := d.Decode(p)
		if err == nil {
			all = append(all, au...)
		}
	}
	return all
}

func TestNoKeyFrame(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{NoKey: true})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	eventually(t, "a loop of pictures", 10*time.Second, func() bool { return len(v.pictures("H264")) > clipRate*clipSeconds })
	if slices.ContainsFunc(units(t, v), func(n []byte) bool { return n[0]&0x1f == 5 }) {
		t.Error("there is a key frame")
	}
}

func TestCutInTheMiddleOfAGOP(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{CutMidGOP: 2 * time.Second})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	began := time.Now()
	if err := v.client.Wait(); err == nil {
		t.Error("it was not cut")
	}
	if d := time.Since(began); d < 1900*time.Millisecond || d > 5*time.Second {
		t.Errorf("it was cut after %v", d)
	}
	all := units(t, v)
	if len(all) == 0 || all[len(all)-1][0]&0x1f == 5 {
		t.Errorf("the last of %d NAL units is a key frame, or none", len(all))
	}
}

func TestRTPTimes(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	faults := map[string]simcam.Faults{
		"constant": {RTPTime: "constant"}, "jumping": {RTPTime: "jumping"}, "backwards": {RTPTime: "backwards"},
		"rate": {RTPRate: 45000}, "slow": {RealFPS: 4}, "drift": {ClockDrift: 0.5},
	}
	var cameras []simcam.Camera
	for path, f := range faults {
		cameras = append(cameras, simcam.Camera{Path: path, Clip: clip, Faults: f})
	}
	s, play := serve(t, cameras...)
	play()
	for path, is := range map[string]func(steps []int32) bool{
		"constant":  func(steps []int32) bool { return len(steps) > 5 && slices.Max(steps) == 0 && slices.Min(steps) == 0 },
		"jumping":   func(steps []int32) bool { return slices.Max(steps) > 500*90000 },
		"backwards": func(steps []int32) bool { return slices.Min(steps) < -90000 },
		"rate":      func(steps []int32) bool { return len(steps) > 5 && (slices.Max(steps)-4500)/10 == 0 },
		"slow":      func(steps []int32) bool { return len(steps) > 5 && slices.Max(steps) == 22500 },
		"drift":     func(steps []int32) bool { return len(steps) > 5 && (slices.Max(steps)-13500)/10 == 0 },
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			v := watch(t, s.URL(path), gortsplib.TransportTCP)
			eventually(t, "such time stamps", 12*time.Second, func() bool {
				times := v.pictures("H264")
				var steps []int32
				for i := 1; i < len(times); i++ {
					steps = append(steps, int32(times[i]-times[i-1])) //nolint:gosec // RTP time wraps
				}
				return len(steps) > 0 && is(steps)
			})
		})
	}
}

func TestStallWhileItRuns(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	packets(t, v, 10)
	if err := s.Set("cam", simcam.Faults{Stall: true}); err != nil {
		t.Fatal(err)
	}
	<-time.After(300 * time.Millisecond) // what is on its way
	before := len(v.got("H264"))
	<-time.After(time.Second) // the fault itself: nothing comes
	if n := len(v.got("H264")) - before; n > 0 || s.Sessions("cam") != 1 {
		t.Errorf("%d packets while stalled, %d sessions", n, s.Sessions("cam"))
	}
	if err := s.Set("cam", simcam.Faults{}); err != nil {
		t.Fatal(err)
	}
	packets(t, v, before+10)
}

func TestCameraClockAhead(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	s, play := serve(t, simcam.Camera{Path: "ahead", Clip: clip, Faults: simcam.Faults{ClockOffset: time.Hour}}, simcam.Camera{Path: "mute", Clip: clip, Faults: simcam.Faults{NoRTCP: true}})
	play()
	ahead, mute := watch(t, s.URL("ahead"), gortsplib.TransportTCP), watch(t, s.URL("mute"), gortsplib.TransportTCP)
	eventually(t, "a sender report", 10*time.Second, func() bool { at, _ := ahead.clock(); return len(at) > 0 })
	at, _ := ahead.clock()
	if off := time.Until(at[0]).Minutes(); math.Abs(off-60) > 1 {
		t.Errorf("the clock is %.1f min ahead", off)
	}
	packets(t, mute, 20)
	if at, _ := mute.clock(); len(at) > 0 {
		t.Error("reports without RTCP")
	}
}

func TestSound(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.AAC)
	s, play := serve(t, simcam.Camera{Path: "good", Clip: clip}, simcam.Camera{Path: "silent", Clip: clip, Faults: simcam.Faults{Audio: "silent"}},
		simcam.Camera{Path: "garbage", Clip: clip, Faults: simcam.Faults{Audio: "garbage"}})
	play()
	good, silent, garbage := watch(t, s.URL("good"), gortsplib.TransportTCP), watch(t, s.URL("silent"), gortsplib.TransportTCP), watch(t, s.URL("garbage"), gortsplib.TransportTCP)
	const aac = "MPEG-4 Audio"
	eventually(t, "sound and pictures", 10*time.Second, func() bool {
		return len(good.got(aac)) > 5 && len(garbage.got(aac)) > 5 && len(silent.pictures("H264")) > 5
	})
	if n := len(silent.got(aac)); n > 0 {
		t.Errorf("silent: %d packets", n)
	}
	if head := good.got(aac)[0].Payload[:2]; string(head) != "\x00\x10" { // one AU header of 16 bits
		t.Errorf("good: %x", head)
	}
	if head := garbage.got(aac)[0].Payload[:2]; string(head) == "\x00\x10" {
		t.Error("garbage: sound")
	}
}

// MJPEG, Opus and G.726 are what ffmpeg takes them for.
func TestOtherCodecs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	film := func(name string, args ...string) string {
		file := filepath.Join(dir, name)
		args = append(append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=2"}, args...), file)
		if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v: %s", err, out)
		}
		return file
	}
	jpeg := film("clip.mjpeg", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-huffman", "default", "-force_duplicated_matrix", "1")
	opus := film("clip.ts", "-f", "lavfi", "-i", "sine=f=300:r=48000:d=2", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "libopus")
	var cameras []simcam.Camera
	for path, of := range map[string]struct {
		file string
		tone ward.Codec
	}{"mjpeg": {jpeg, ward.PCMU}, "opus": {opus, ward.NoCodec}} {
		clip, err := simcam.ReadClip(of.file, of.tone)
		if err != nil {
			t.Fatal(err)
		}
		cameras = append(cameras, simcam.Camera{Path: path, Clip: clip})
	}
	g726, err := simcam.ReadClip(jpeg, simcam.G726)
	if err != nil {
		t.Fatal(err)
	}
	s, play := serve(t, append(cameras, simcam.Camera{Path: "g726", Clip: g726})...)
	play()
	for path, want := range map[string]string{"mjpeg": "mjpeg,320,240\npcm_mulaw", "opus": "h264,320,240\nopus", "g726": "mjpeg,320,240\nadpcm_g726"} {
		out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", s.URL(path)).Output() // it complains when it joins between key frames
		if err != nil || !strings.HasPrefix(strings.TrimSpace(string(out)), want) {
			t.Errorf("%s: %v: %s", path, err, out)
		}
	}
}

func TestSlowWriter(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{WriteRate: 4000})
	began := time.Now()
	c := raw(t, s)
	c.ask("SETUP", s.URL("cam")+"/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
	c.ask("PLAY", s.URL("cam"))
	b := make([]byte, 8000)
	if _, err := io.ReadFull(c.r, b); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d < 1500*time.Millisecond {
		t.Errorf("8000 bytes took %v at 4000 bytes a second", d)
	}
}
