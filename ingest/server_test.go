package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	"github.com/pion/rtp"
)

// clip is coded media as a camera would send it: pictures at 90 kHz.
type clip struct {
	h265   bool
	aac    *mpegts.CodecMPEG4Audio
	frames []frame // by dts
	length int64   // ticks
}

type frame struct {
	audio    bool
	pts, dts int64
	au       [][]byte
}

var clips sync.Map // ffmpeg arguments to func() (*clip, error)

// makeClip codes a moving test picture; args are ffmpeg's for the coders.
func makeClip(t testing.TB, args ...string) *clip {
	t.Helper()
	key := strings.Join(args, " ")
	once, _ := clips.LoadOrStore(key, sync.OnceValues(func() (*clip, error) { return codeClip(args) }))
	c, err := once.(func() (*clip, error))()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func codeClip(args []string) (*clip, error) {
	dir, err := os.MkdirTemp("", "clip")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "clip.ts")
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error"}, args...), "-f", "mpegts", file)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return readTS(b)
}

func readTS(b []byte) (*clip, error) {
	c := &clip{}
	r := &mpegts.Reader{R: bytes.NewReader(b)}
	if err := r.Initialize(); err != nil {
		return nil, err
	}
	video := func(pts, dts int64, au [][]byte) error {
		c.frames = append(c.frames, frame{pts: pts, dts: dts, au: cloneAU(au)})
		return nil
	}
	for _, t := range r.Tracks() {
		switch k := t.Codec.(type) {
		case *mpegts.CodecH264:
			r.OnDataH264(t, video)
		case *mpegts.CodecH265:
			c.h265 = true
			r.OnDataH265(t, video)
		case *mpegts.CodecMPEG4Audio:
			c.aac = k
			r.OnDataMPEG4Audio(t, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					at := pts + int64(i)*1024*90000/int64(k.SampleRate)
					c.frames = append(c.frames, frame{audio: true, pts: at, dts: at, au: [][]byte{bytes.Clone(au)}})
				}
				return nil
			})
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	n, first, last := 0, int64(-1), int64(0)
	for _, f := range c.frames {
		if !f.audio {
			n++
			if first < 0 {
				first = f.dts
			}
			last = f.dts
		}
	}
	if n < 2 {
		return nil, fmt.Errorf("the clip has %d pictures", n)
	}
	for i := range c.frames {
		c.frames[i].pts -= first
		c.frames[i].dts -= first
	}
	c.length = (last - first) * int64(n) / int64(n-1)
	return c, nil
}

func cloneAU(au [][]byte) [][]byte {
	out := make([][]byte, 0, len(au))
	for _, n := range au {
		out = append(out, bytes.Clone(n))
	}
	return out
}

// server is a camera on a private port that loops a clip in real time.
type server struct {
	url      string
	user     string
	password string
	tcpOnly  bool
	addr     string

	clip   *clip
	srv    *gortsplib.Server
	stream *gortsplib.ServerStream
	medias []*description.Media
	encode []func([][]byte) ([]*rtp.Packet, error)
	clock  []int64
	stop   context.CancelFunc
	done   sync.WaitGroup
	ready  sync.RWMutex

	mu     sync.Mutex
	mangle func(*rtp.Packet) bool // false: the packet is lost
	quiet  bool
	sent   [][]byte // every NAL unit sent
}

type serverOption func(*server)

func withLogin(user, password string) serverOption {
	return func(s *server) { s.user, s.password = user, password }
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func serve(t testing.TB, c *clip, opts ...serverOption) *server {
	t.Helper()
	s := &server{clip: c, addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	for _, o := range opts {
		o(s)
	}
	s.url = "rtsp://" + s.addr + "/cam"
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) start() error {
	if err := s.describe(); err != nil {
		return err
	}
	s.ready.Lock() // a client may come before the stream is there
	defer s.ready.Unlock()
	for port := 20000 + os.Getpid()%10000*2; ; port += 2 {
		s.srv = &gortsplib.Server{
			Handler: s, RTSPAddress: s.addr, AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5},
			UDPRTPAddress: fmt.Sprintf("127.0.0.1:%d", port), UDPRTCPAddress: fmt.Sprintf("127.0.0.1:%d", port+1),
		}
		err := s.srv.Start()
		if err == nil {
			break
		}
		if port > 60000 {
			return err
		}
	}
	s.stream = &gortsplib.ServerStream{Server: s.srv, Desc: &description.Session{Medias: s.medias}}
	if err := s.stream.Initialize(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.play(ctx) })
	return nil
}

func (s *server) describe() error {
	s.medias, s.encode, s.clock = nil, nil, nil
	if s.clip == nil { // no media that anybody records
		s.add(description.MediaTypeVideo, &format.VP9{PayloadTyp: 96}, 90000, nil)
		return nil
	}
	var vps, sps, pps []byte
	for _, n := range s.clip.frames[firstVideo(s.clip)].au {
		switch {
		case s.clip.h265 && h265.NALUType(n[0]>>1&0x3f) == h265.NALUType_VPS_NUT:
			vps = n
		case s.clip.h265 && h265.NALUType(n[0]>>1&0x3f) == h265.NALUType_SPS_NUT, !s.clip.h265 && h264.NALUType(n[0]&0x1f) == h264.NALUTypeSPS:
			sps = n
		case s.clip.h265 && h265.NALUType(n[0]>>1&0x3f) == h265.NALUType_PPS_NUT, !s.clip.h265 && h264.NALUType(n[0]&0x1f) == h264.NALUTypePPS:
			pps = n
		}
	}
	if s.clip.h265 {
		f := &format.H265{PayloadTyp: 96, VPS: vps, SPS: sps, PPS: pps}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.add(description.MediaTypeVideo, f, 90000, e.Encode)
	} else {
		f := &format.H264{PayloadTyp: 96, SPS: sps, PPS: pps, PacketizationMode: 1}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.add(description.MediaTypeVideo, f, 90000, e.Encode)
	}
	if s.clip.aac != nil {
		f := &format.MPEG4Audio{PayloadTyp: 97, Config: &s.clip.aac.Config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.add(description.MediaTypeAudio, f, int64(f.ClockRate()), e.Encode)
	}
	return nil
}

func (s *server) add(typ description.MediaType, f format.Format, clock int64, encode func([][]byte) ([]*rtp.Packet, error)) {
	s.medias = append(s.medias, &description.Media{Type: typ, Formats: []format.Format{f}})
	s.encode, s.clock = append(s.encode, encode), append(s.clock, clock)
}

func firstVideo(c *clip) int {
	for i, f := range c.frames {
		if !f.audio {
			return i
		}
	}
	return 0
}

// play loops the clip with time stamps that go on rising.
func (s *server) play(ctx context.Context) {
	if s.clip == nil {
		return
	}
	start := time.Now()
	for lap := int64(0); ; lap++ {
		for _, f := range s.clip.frames {
			at := time.Duration(lap*s.clip.length+f.dts) * time.Second / 90000
			select {
			case <-time.After(time.Until(start.Add(at))):
			case <-ctx.Done():
				return
			}
			s.send(f, lap*s.clip.length, start)
		}
	}
}

func (s *server) send(f frame, base int64, start time.Time) {
	i := 0
	if f.audio {
		i = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet {
		return
	}
	packets, err := s.encode[i](f.au)
	if err != nil {
		panic(err)
	}
	if !f.audio {
		s.sent = append(s.sent, f.au...)
	}
	for _, p := range packets {
		p.Timestamp += uint32((base + f.pts) * s.clock[i] / 90000)
		if s.mangle != nil && !s.mangle(p) {
			continue
		}
		_ = s.stream.WritePacketRTPWithNTP(s.medias[i], p, start.Add(time.Duration(base+f.pts)*time.Second/90000))
	}
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Close takes the camera off the network.
func (s *server) Close() {
	if s.stop == nil {
		return
	}
	s.stop()
	s.done.Wait()
	s.stop = nil
	s.stream.Close()
	s.srv.Close()
}

func (s *server) allow(req *base.Request, conn *gortsplib.ServerConn) (*base.Response, error) {
	if s.user == "" || conn.VerifyCredentials(req, s.user, s.password) {
		return &base.Response{StatusCode: base.StatusOK}, nil
	}
	return &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
}

func (s *server) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.Path != "/cam" {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	s.ready.RLock()
	defer s.ready.RUnlock()
	r, err := s.allow(c.Request, c.Conn)
	return r, s.stream, err
}

func (s *server) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if s.tcpOnly && c.Transport != gortsplib.TransportTCP {
		return &base.Response{StatusCode: base.StatusUnsupportedTransport}, nil, nil
	}
	s.ready.RLock()
	defer s.ready.RUnlock()
	r, err := s.allow(c.Request, c.Conn)
	return r, s.stream, err
}

func (s *server) OnPlay(c *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return s.allow(c.Request, c.Conn)
}
