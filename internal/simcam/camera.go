package simcam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"
)

// Camera is one path of the server.
type Camera struct {
	Path     string // without slashes around it
	User     string // empty: no credentials asked for
	Password string
	Clip     *Clip
	Second   *Clip // what second and new_sps show; nil: none
	Faults   Faults
	Episodes []Episode
}

// Episode is other faults for a while.
type Episode struct {
	At     time.Duration `yaml:"at"`  // after the server began
	For    time.Duration `yaml:"for"` // then Camera.Faults again
	Faults Faults        `yaml:"faults"`
}

// Request is one that a camera was asked.
type Request struct {
	Method base.Method
	At     time.Time
}

// maxRequests is how many requests a camera remembers.
const maxRequests = 1000

// outlet is one camera while the server runs.
type outlet struct {
	cam    Camera
	desc   *description.Session
	tracks []*liveTrack

	faults   atomic.Pointer[setting]
	sessions atomic.Pointer[[]*session] // copied on write under mu
	holes    holes

	mu       sync.Mutex // guards requests, and writes to sessions
	requests []Request
}

// setting is a camera's faults and when they were set.
type setting struct {
	Faults

	since time.Time
}

func (s *setting) on() bool { return s.up(time.Since(s.since)) }

// liveTrack is a track of one camera: of its clip, and of its second clip.
type liveTrack struct {
	index int
	films []film
}

// film is a clip's track with the encoder of one camera.
type film struct {
	clipTrack

	length int64 // of the clip, 90 kHz
	media  *description.Media
	encode func([][]byte) ([]*rtp.Packet, error)
}

func newOutlet(c Camera) (*outlet, error) {
	needsSecond := c.Faults.NewSPS > 0 || c.Faults.Second
	for _, f := range append([]Episode{{Faults: c.Faults}}, c.Episodes...) {
		if err := f.Faults.check(); err != nil {
			return nil, err
		}
		needsSecond = needsSecond || f.Faults.NewSPS > 0 || f.Faults.Second
	}
	if needsSecond && c.Second == nil {
		return nil, errors.New("second and new_sps need a second clip")
	}
	o := &outlet{cam: c, desc: &description.Session{}}
	o.faults.Store(&setting{c.Faults, time.Now()})
	o.sessions.Store(&[]*session{})
	if c.Clip == nil && !c.Faults.OddCodec {
		return nil, errors.New("it has no clip")
	}
	for _, clip := range []*Clip{c.Clip, c.Second} {
		if clip == nil {
			continue
		}
		for i, t := range clip.tracks {
			media, encode, err := t.media(uint8(96 + i))
			if err != nil {
				return nil, err
			}
			f := film{clipTrack: t, length: int64(clip.Length * tsClock / time.Second), media: media, encode: encode}
			switch {
			case clip == c.Clip:
				media.Control = controlPrefix + strconv.Itoa(i)
				o.desc.Medias = append(o.desc.Medias, media)
				o.tracks = append(o.tracks, &liveTrack{index: i, films: []film{f}})
			case i < len(o.tracks) && t.video && o.tracks[i].films[0].video:
				o.tracks[i].films = append(o.tracks[i].films, f)
			}
		}
	}
	return o, nil
}

// oddCodec is a description that nobody records.
func oddCodec() *description.Session {
	return &description.Session{Medias: []*description.Media{{
		Type: description.MediaTypeVideo, Control: controlPrefix + "0", Formats: []format.Format{&format.MPEG4Video{PayloadTyp: 96, ProfileLevelID: 1}},
	}}}
}

// Set gives the camera at path other faults while it runs. Connections stay
// unless the faults cut them.
func (s *Server) Set(path string, f Faults) error {
	o, err := s.outlet(path)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("camera %s: %w", path, err)
	}
	o.set(f)
	return nil
}

func (o *outlet) set(f Faults) {
	o.faults.Store(&setting{f, time.Now()})
	if !f.up(0) {
		o.cut()
	}
}

// live plays the camera's episodes until ctx ends.
func (o *outlet) live(ctx context.Context, began time.Time) {
	for _, e := range o.cam.Episodes {
		for _, turn := range []struct {
			at     time.Duration
			faults Faults
		}{{e.At, e.Faults}, {e.At + e.For, o.cam.Faults}} {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(began.Add(turn.at))):
			}
			o.set(turn.faults)
		}
	}
}

// Cut closes the connections of everybody who watches the camera at path.
func (s *Server) Cut(path string) error {
	o, err := s.outlet(path)
	if err != nil {
		return err
	}
	o.cut()
	return nil
}

// Kill makes the camera at path answer 404 and drops its viewers.
func (s *Server) Kill(path string) error {
	if err := s.answer(path, "404"); err != nil {
		return err
	}
	return s.Cut(path)
}

// Revive brings a killed camera back; its clock has gone on.
func (s *Server) Revive(path string) error { return s.answer(path, "") }

func (s *Server) answer(path, answer string) error {
	o, err := s.outlet(path)
	if err != nil {
		return err
	}
	f := o.faults.Load().Faults
	f.Answer = answer
	return s.Set(path, f)
}

// Sessions is how many clients have set up the camera at path.
func (s *Server) Sessions(path string) int {
	o, err := s.outlet(path)
	if err != nil {
		return 0
	}
	return len(*o.sessions.Load())
}

// Requests are the last that the camera at path was asked, oldest first.
func (s *Server) Requests(path string) []Request {
	o, err := s.outlet(path)
	if err != nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.requests)
}

func (s *Server) outlet(path string) (*outlet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.outlets[strings.Trim(path, "/")]
	if !ok {
		return nil, fmt.Errorf("no camera at %s", path)
	}
	return o, nil
}

func (o *outlet) cut() {
	for _, v := range *o.sessions.Load() {
		v.conn.close()
	}
}

// join adds a session; false says that there are too many.
func (o *outlet) join(v *session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := *o.sessions.Load()
	if slices.Contains(was, v) {
		return true
	}
	if most := o.faults.Load().MaxSessions; most > 0 && len(was) >= most {
		return false
	}
	is := append(slices.Clone(was), v)
	o.sessions.Store(&is)
	return true
}

func (o *outlet) leave(v *session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	is := slices.DeleteFunc(slices.Clone(*o.sessions.Load()), func(x *session) bool { return x == v })
	o.sessions.Store(&is)
}

func (o *outlet) note(m base.Method) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.requests) == maxRequests {
		o.requests = o.requests[1:]
	}
	o.requests = append(o.requests, Request{m, time.Now()})
}
