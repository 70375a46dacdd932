package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

const (
	// subDepth is how many units are looked at before a sub stream is shown.
	subDepth = 64
	// subLook is how many pictures from a key frame on tell whether they are reordered.
	subLook = 3
	// subKey is how long a sub stream may take to its first key frame; its
	// interval is often set to 4 s.
	subKey = 5 * time.Second
)

// sub shares the camera's sub stream, if the screen can show it.
func (l *LiveView) sub(ctx context.Context, c ward.Camera, screen Screen) (*Showing, error) {
	if c.SubURL == "" {
		return nil, notLive(nil)
	}
	s, err := l.share(ctx, c, LiveSub, func(ctx context.Context, d *derived) { l.openSub(ctx, c, useAsked, d) })
	if err != nil {
		return nil, err
	}
	if err := screen.Shows(s.Stream); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Sub shares the camera's sub stream with who can do without: it leaves the
// device's connections to the recording. WhyNoSub tells what an error means.
func (l *LiveView) Sub(ctx context.Context, c ward.Camera) (*Showing, error) {
	if c.SubURL == "" {
		return nil, notLive(nil)
	}
	return l.share(ctx, c, LiveSub, func(ctx context.Context, d *derived) { l.openSub(ctx, c, useDispensable, d) })
}

// errNoKey is the error of a sub stream that brings no key frame.
var errNoKey = errors.New("no key frame")

// WhyNoSub says what was wrong with a sub stream that cannot be had.
func WhyNoSub(err error) ward.SubFault {
	switch {
	case errors.Is(err, errNoKey):
		return ward.SubKeyless
	case errors.Is(err, errBusy), causeOf(err) == ward.CauseBusy:
		return ward.SubBusy
	}
	return ward.SubAway
}

// openSub keeps a session with the camera's sub stream until ctx or it ends.
// It is not tried again: the next viewer does that.
func (l *LiveView) openSub(ctx context.Context, c ward.Camera, u use, d *derived) {
	c.URL = c.SubURL
	s, err := l.Fleet.open(ctx, c, opening{use: u})
	if err != nil {
		d.begin(nil, notLive(err))
		return
	}
	defer s.Close()
	if err := learn(ctx, s.Stream); err != nil {
		d.begin(nil, notLive(err))
		return
	}
	d.begin(s.Stream, nil)
	if err := s.Wait(ctx); err != nil && ctx.Err() == nil {
		l.Fleet.logger().WarnContext(ctx, "sub stream ended", "camera", c.ID, "cause", causeOf(err), "error", err)
	}
}

// learn waits until it is known what the stream's pictures are like.
func learn(ctx context.Context, s *Stream) error {
	ctx, cancel := context.WithTimeoutCause(ctx, subKey, errNoKey)
	defer cancel()
	r := s.Subscribe(subDepth, true)
	defer r.Close()
	video, _ := s.Video()
	for n := 0; n < subLook; {
		u, err := r.Next(ctx)
		if err != nil {
			if context.Cause(ctx) == errNoKey { //nolint:errorlint // it is the cause itself
				err = errNoKey
			}
			return fmt.Errorf("wait for a key frame of the sub stream: %w", err)
		}
		if u.Track == video.ID {
			n++
		}
	}
	return nil
}
