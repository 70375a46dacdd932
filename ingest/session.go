package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

const (
	// DefaultStall is how long a camera may send no media before it is dropped.
	DefaultStall = 10 * time.Second
	// firstUDP is how long the first UDP packet may take before TCP is tried.
	firstUDP = 3 * time.Second
	// firstKey is how long the first key frame may take. Most cameras begin
	// with one; the longest usual distance between two is 20 s.
	firstKey = time.Minute
	// gather is how long media may wait to be read together with what follows:
	// a picture of 25 a second. Live view is later by half of it. gatherAlone is
	// for a stream that nobody but the recorder reads.
	gather      = 40 * time.Millisecond
	gatherAlone = 4 * gather
)

// session is one RTSP connection with media. One goroutine uses it.
type session struct {
	Stream *Stream
	// Fingerprint is the SHA-256 of the certificate that an rtsps camera
	// showed, in hex; empty for rtsp.
	Fingerprint string

	cam     ward.Camera
	told    opening
	stall   time.Duration
	log     *slog.Logger
	noKey   chan struct{} // has room for one: the recorder waits in vain for a key frame
	client  *rtsp.Client
	buffers *rtsp.Buffers // of the fleet; nil: its own
	overTCP bool          // TransportAuto came to TCP
	leave   func()        // gives the device's connection back

	pump  sync.WaitGroup
	ended chan error    // has room for one: why the media ended
	first chan struct{} // closed with the first packet
	once  sync.Once     // closes first

	begun time.Time // when the first unit came: media time 0; of the handlers

	life      time.Time // when it was opened, with a monotonic reading; the zero of the instants
	played    instant   // when the media were asked for
	anyPacket instant   // the last one, of any medium
	lastUnit  instant   // of video
	firstUnit instant   // of video
}

// open connects to the camera and returns when its media are on their way.
// The caller must Close the session. ctx covers only the opening.
func (f *Fleet) open(ctx context.Context, cam ward.Camera, o opening) (*session, error) {
	s := &session{cam: cam, told: o, stall: f.Stall, log: f.logger().With("camera", cam.ID), noKey: make(chan struct{}, 1), life: time.Now()}
	if s.stall <= 0 {
		s.stall = DefaultStall
	}
	if o.stats == nil {
		s.told.stats = &counters{}
	}
	if cam.PasswordLost {
		return nil, &failure{ward.CauseAuth, ward.ErrPasswordLost()}
	}
	u, err := base.ParseURL(cam.URL)
	if err != nil {
		return nil, &failure{ward.CauseUnreachable, errors.New("the camera's address cannot be parsed")}
	}
	u = u.CloneWithoutCredentials()
	d := f.doors()
	s.buffers = &d.buffers
	if s.leave, err = d.device(rtsp.HostPort(u), o.use); err != nil {
		return nil, err
	}
	started, err := d.start(ctx, o.failed)
	if err != nil {
		s.leave()
		return nil, err
	}
	defer started()
	if err := s.connect(ctx, f.config(s, u)); err != nil {
		s.leave()
		return nil, errors.Join(ctx.Err(), fail(err))
	}
	return s, nil
}

func (f *Fleet) config(s *session, u *base.URL) rtsp.Config {
	c := rtsp.Config{
		URL: u, User: s.cam.User, Password: string(s.cam.Password), Timeout: s.stall, Pause: s.gather, Buffers: &f.doors().buffers,
		Dial: (&net.Dialer{Control: f.Guard.Control}).DialContext,
		TLS:  trust(u.Hostname(), s.cam.TLSFingerprint, func(shown string) { s.Fingerprint = shown }),
	}
	if s.told.replay != nil {
		c.Range = s.told.replay.ask
	}
	return c
}

// connect tries the camera's transport. With TransportAuto that is UDP first,
// and TCP where the camera refuses UDP or nothing comes.
func (s *session) connect(ctx context.Context, cfg rtsp.Config) error {
	auto := s.cam.Transport == ward.TransportAuto
	if s.cam.Transport == ward.TransportUDP || auto && !s.told.overTCP {
		cfg.UDP = true
		err := s.play(ctx, cfg)
		if err == nil && auto {
			err = s.await(ctx)
		}
		if err == nil || !auto || !errors.Is(err, rtsp.ErrTransport) {
			return err
		}
		s.tell(ward.OverTCP, 0, err.Error())
		cfg.UDP = false
	}
	s.overTCP = auto
	return s.play(ctx, cfg)
}

// await waits for the first packet over UDP.
func (s *session) await(ctx context.Context) error {
	wait := time.NewTimer(min(firstUDP, s.stall))
	defer wait.Stop()
	var err error
	select {
	case <-s.first:
		return nil
	case err = <-s.ended:
	case <-wait.C:
		err = fmt.Errorf("nothing came for %s: %w", firstUDP, rtsp.ErrTransport)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.hangUp()
	return err
}

// play connects, sets up what can be recorded and starts the media.
func (s *session) play(ctx context.Context, cfg rtsp.Config) error {
	s.doing(stepConnect)
	client, err := rtsp.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	s.client, s.ended, s.first, s.once = client, make(chan error, 1), make(chan struct{}), sync.Once{}
	if err := s.ask(ctx); err != nil {
		client.Close()
		return err
	}
	now := time.Now()
	s.played.set(s, now)
	s.anyPacket.set(s, now)
	s.lastUnit.set(s, now)
	// Waited for by hangUp.
	s.pump.Go(func() { s.ended <- client.Run(min(s.stall/20, time.Second), s.check) })
	return nil
}

func (s *session) ask(ctx context.Context) error {
	s.doing(stepDescribe)
	desc, odd, err := s.client.Describe(ctx)
	if err != nil {
		return err
	}
	video, audio, silent := choose(desc)
	if video == nil {
		return &failure{ward.CauseCodec, &NoVideoError{videoCodecs(desc)}}
	}
	s.doing(stepSetup)
	taps := []*tap{video}
	if err := s.client.Setup(ctx, desc, video.media, video.handler(s)); err != nil {
		return err
	}
	for _, line := range odd {
		silent = append(silent, "description cannot be read: "+line)
	}
	if audio != nil {
		if err := s.client.Setup(ctx, desc, audio.media, audio.handler(s)); err != nil {
			silent = append(silent, audio.format.Codec()+": "+err.Error())
			audio = nil
		} else {
			taps = append(taps, audio)
		}
	}
	if audio == nil && len(silent) > 0 {
		s.tell(ward.AudioDropped, 0, silent[0])
	}
	tracks := make([]Track, 0, len(taps))
	for i, t := range taps {
		t.track.ID = i + 1
		tracks = append(tracks, t.track)
	}
	s.Stream = NewStream(ward.Source{Kind: ward.FromCamera, ID: string(s.cam.ID)}, s.cam.InstitutionID, tracks)
	s.doing(stepPlay)
	if err := s.client.Play(ctx); err != nil {
		s.Stream.Close()
		return err
	}
	if s.told.replay != nil {
		s.told.replay.begin(s.client.Begins())
	}
	return nil
}

// gather says how long media may wait to be read.
func (s *session) gather() time.Duration {
	if s.Stream.watched.Load() > 0 {
		return gather
	}
	return gatherAlone
}

func (s *session) tell(kind ward.RecordingEventKind, off time.Duration, detail string) {
	if s.told.event != nil {
		s.told.event(kind, off, detail)
	}
}

func (s *session) doing(what step) {
	if s.told.step != nil {
		s.told.step(what)
	}
}

// Wait waits for the end of the session: the connection's error, no packet
// for the stall time, or packets that make no picture; or ctx's end, whose
// error it returns.
func (s *session) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.ended:
		return errors.Join(ctx.Err(), fail(err))
	case <-s.noKey: // most cameras begin a connection with one
		return &failure{ward.CauseCodec, errors.New("no key frame for as long as ten segments, or 2 GB")}
	}
}

// Close ends the session and its stream, and gives the connection back. It
// may be called more than once.
func (s *session) Close() {
	s.hangUp()
	s.leave()
}

// hangUp ends the connection and the stream.
func (s *session) hangUp() {
	s.client.Close()
	s.pump.Wait()
	s.Stream.Close()
}
