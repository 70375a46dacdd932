// Package simcam is a set of cameras that speak real RTSP: a gortsplib server
// that loops coded clips in real time with time stamps that never jump, asks
// for digest credentials, sends RTCP sender reports, and can be told to fail
// in the ways that real cameras do. Tests and the demo use it; it must know
// nothing of the product.
package simcam

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

// Fault is how a simulated camera misbehaves from the start.
type Fault string

// The faults.
const (
	NoFault  Fault = ""
	Garbage  Fault = "garbage"   // RTP payloads are random bytes
	OddCodec Fault = "odd_codec" // offers MPEG-4 part 2 only, which nobody records
	Silent   Fault = "silent"    // answers, and never sends a packet
	Missing  Fault = "missing"   // 404 until Revive
)

// Camera is one path of the server.
type Camera struct {
	Path     string // without slashes
	User     string // empty: no credentials asked for
	Password string
	Clip     *Clip
	Fault    Fault
}

// Server serves cameras. Set the fields, call Start, then Run.
type Server struct {
	Addr    string // host:port; port 0 is any. Start replaces it by the real one.
	Cameras []Camera
	Log     *slog.Logger

	rtsp  *gortsplib.Server
	began time.Time

	mu      sync.Mutex
	outlets map[string]*outlet // by path; guarded by mu
}

// outlet is one camera while the server runs.
type outlet struct {
	cam    Camera
	stream *gortsplib.ServerStream
	tracks []liveTrack
	dead   bool // guarded by Server.mu
}

// Start binds the port and answers clients; media flow once Run is called.
func (s *Server) Start() error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.outlets = map[string]*outlet{}
	if err := s.listen(); err != nil {
		return fmt.Errorf("start camera simulator on %s: %w", s.Addr, err)
	}
	for _, c := range s.Cameras {
		o, err := s.open(c)
		if err != nil {
			s.Close()
			return fmt.Errorf("simulate camera %s: %w", c.Path, err)
		}
		s.mu.Lock()
		s.outlets[c.Path] = o
		s.mu.Unlock()
	}
	return nil
}

// listen binds the RTSP port, then tries port pairs for UDP until one is
// free: RTP must be even, RTCP the next.
func (s *Server) listen() error {
	l, err := net.Listen("tcp", s.Addr) //nolint:noctx // binds a local port, which does not wait
	if err != nil {
		return err
	}
	s.Addr = l.Addr().String()
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	for range 50 {
		port := 20000 + 2*rand.IntN(15000)
		s.rtsp = &gortsplib.Server{
			Handler: s, RTSPAddress: s.Addr, AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5},
			Listen:         func(string, string) (net.Listener, error) { return l, nil },
			UDPRTPAddress:  net.JoinHostPort(host, strconv.Itoa(port)),
			UDPRTCPAddress: net.JoinHostPort(host, strconv.Itoa(port+1)),
			WriteQueueSize: 2048,
		}
		if err = s.rtsp.Start(); err == nil {
			return nil
		}
	}
	s.rtsp = nil
	return errors.Join(err, l.Close())
}

func (s *Server) open(c Camera) (*outlet, error) {
	o := &outlet{cam: c, dead: c.Fault == Missing}
	desc := &description.Session{}
	if c.Fault == OddCodec {
		desc.Medias = []*description.Media{{Type: description.MediaTypeVideo, Formats: []format.Format{&format.MPEG4Video{PayloadTyp: 96, ProfileLevelID: 1}}}}
	} else {
		if c.Clip == nil {
			return nil, errors.New("it has no clip")
		}
		for i, t := range c.Clip.tracks {
			media, encode, err := t.media(uint8(96 + i))
			if err != nil {
				return nil, err
			}
			desc.Medias = append(desc.Medias, media)
			o.tracks = append(o.tracks, liveTrack{clipTrack: t, media: media, encode: encode})
		}
	}
	o.stream = &gortsplib.ServerStream{Server: s.rtsp, Desc: desc}
	return o, o.stream.Initialize()
}

// URL is where the camera at path is, without credentials. It is of this
// machine when the server listens on every address.
func (s *Server) URL(path string) string {
	host := s.Addr
	if a, err := netip.ParseAddrPort(s.Addr); err == nil && a.Addr().IsUnspecified() {
		host = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(a.Port())))
	}
	return "rtsp://" + host + "/" + path
}

// Began is when clip time 0 was, after Run has begun: a camera shows clip
// time (now − Began) mod Clip.Length.
func (s *Server) Began() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began
}

// Run sends media until ctx ends, then closes the server.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	s.began = time.Now()
	outlets := make([]*outlet, 0, len(s.outlets))
	for _, o := range s.outlets {
		outlets = append(outlets, o)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, o := range outlets {
		for i := range o.tracks {
			wg.Go(func() { s.play(ctx, o, &o.tracks[i]) })
		}
	}
	wg.Wait()
	<-ctx.Done()
	s.Close()
	return nil
}

// Close drops every client and frees the ports. A second call does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	rtsp, outlets := s.rtsp, s.outlets
	s.rtsp, s.outlets = nil, nil
	s.mu.Unlock()
	for _, o := range outlets {
		o.stream.Close()
	}
	if rtsp != nil {
		rtsp.Close() // without the lock: it waits for requests, which take it
	}
}

// Kill makes the camera at path answer 404 and drops its viewers.
func (s *Server) Kill(path string) error { return s.replace(path, true) }

// Revive brings a killed camera back; its clock has gone on.
func (s *Server) Revive(path string) error { return s.replace(path, false) }

func (s *Server) replace(path string, dead bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.outlets[path]
	if !ok {
		return fmt.Errorf("no camera at %s", path)
	}
	o.dead = dead
	if !dead {
		return nil
	}
	o.stream.Close()
	o.stream = &gortsplib.ServerStream{Server: s.rtsp, Desc: o.stream.Desc}
	return o.stream.Initialize()
}

// find returns the live stream of the camera that path names, or the answer to give.
func (s *Server) find(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.outlets[strings.Trim(path, "/")]
	if !ok || o.dead {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	if o.cam.User != "" && !conn.VerifyCredentials(req, o.cam.User, o.cam.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, o.stream, nil
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (s *Server) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.find(ctx.Conn, ctx.Request, ctx.Path)
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (s *Server) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return s.find(ctx.Conn, ctx.Request, ctx.Path)
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (s *Server) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}
