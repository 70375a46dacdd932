package ingest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest/rtsp"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	firstRetry = 500 * time.Millisecond
	// soonRetry is the longest wait in a young outage: a camera that was
	// rebooted is connected within 5 s of its answering again.
	soonRetry   = 4 * time.Second
	youngOutage = 10 * time.Minute
	// quickRetry is the longest wait in the first minute without a connection.
	// An answer that refuses is not hurried: cameras lock who tries too often.
	quickRetry = time.Second
	newOutage  = time.Minute
	lastRetry  = 15 * time.Second
	// eventEvery is how often the same kind of event is stored: a camera that
	// goes mad does not fill the catalogue.
	eventEvery = 5 * time.Second
	// liveFor is how long after a media packet a camera counts as live.
	liveFor = DefaultStall
)

// Condition says how a camera is doing.
type Condition string

// The conditions of a camera. They derive from the last media packet, not
// from a connection.
const (
	Connecting Condition = "connecting" // no media yet
	Live       Condition = "live"
	Down       Condition = "down" // Cause says why
	Disabled   Condition = "disabled"
)

// CameraState is what is known of a camera now.
type CameraState struct {
	Condition Condition
	Cause     ward.Cause // when not live
	Since     time.Time  // of the condition
	LastFrame time.Time  // arrival of the last picture; zero before the first
	Clock     ward.Clock
	Offset    time.Duration // camera clock minus server clock, when Clock is the camera's
}

// CameraStats are counts since the process started.
type CameraStats struct {
	Packets    uint64 // RTP packets
	Lost       uint64 // missing in the sequence
	Garbage    uint64 // packets that could not be decoded
	Frames     uint64 // pictures
	Bytes      uint64 // of RTP payload
	Dropped    uint64 // units that the recorder was too slow for
	Reconnects uint64 // sessions that ended
}

type counters struct {
	packets, lost, garbage, frames, bytes, dropped, reconnects atomic.Uint64
}

// Camera keeps one camera connected and recorded.
type Camera struct {
	ward.Camera
	Store     *storage.Store
	Spool     *spool.Spool
	Log       *slog.Logger
	OnStream  func(context.Context, ward.Camera, *Stream)
	OnSegment func(ward.Segment)

	fleet    *Fleet
	clerk    *clerk
	coverage *coverage
	stats    *counters
	overTCP  bool             // UDP brought nothing, TCP did: not tried again; Run's
	clock    func() time.Time // nil: time.Now

	mu      sync.Mutex // guards the rest
	stream  *Stream    // while a session lasts
	session *session
	state   CameraState
	seen    time.Time // last picture of earlier sessions, with a monotonic reading
	told    map[ward.RecordingEventKind]time.Time
}

// Run connects, records and reconnects until ctx ends. What is not recorded
// is accounted for; the gap that lasts when Run returns has cause restart.
func (c *Camera) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if u, err := base.ParseURL(c.URL); err == nil {
		defer c.fleet.doors().expect(rtsp.HostPort(u), c.ReplayURL != "")()
	}
	wg.Go(func() { c.backfill(ctx) })
	c.turn(Connecting, ward.CauseConnecting)
	retry, down := firstRetry, time.Now()
	for {
		seen := c.lastSeen()
		err := c.once(ctx, &wg, retry > firstRetry)
		if ctx.Err() != nil {
			c.missing(ward.CauseRestart, time.Now())
			return nil
		}
		cause := causeOf(err)
		c.missing(cause, time.Now())
		c.Log.WarnContext(ctx, "camera session ended", "camera", c.ID, "cause", cause, "error", err)
		c.stats.reconnects.Add(1)
		c.turn(Down, cause)
		if !c.lastSeen().Equal(seen) {
			retry, down = firstRetry, time.Now() // it was live
		}
		wait := retry/2 + rand.N(retry/2+1) //nolint:gosec // jitter
		retry = min(2*retry, longestWait(cause, time.Since(down)))
		c.rest(ctx, wait, cause)
		if ctx.Err() != nil {
			c.missing(ward.CauseRestart, time.Now())
			return nil
		}
	}
}

// longestWait is how long an outage with this cause may make the next attempt wait.
func longestWait(cause ward.Cause, outage time.Duration) time.Duration {
	switch {
	case outage > youngOutage:
		return lastRetry
	case outage < newOutage && cause == ward.CauseUnreachable:
		return quickRetry
	}
	return soonRetry
}

// once is one session with its recorder; failed says that the last one was none.
func (c *Camera) once(ctx context.Context, wg *sync.WaitGroup, failed bool) error {
	s, err := c.fleet.open(ctx, c.Camera, opening{use: useMain, failed: failed, overTCP: c.overTCP, stats: c.stats, event: c.event})
	if err != nil {
		return err
	}
	own, cancel := context.WithCancel(ctx)
	defer cancel() // the stream's consumers end with it
	c.mu.Lock()
	c.stream, c.session = s.Stream, s
	c.mu.Unlock()
	var recording sync.WaitGroup
	// The recorder ends with the stream, so that it writes what came.
	recording.Go(func() { c.recordShifts(context.WithoutCancel(own), s) })
	if c.OnStream != nil {
		wg.Go(func() { c.OnStream(own, c.Camera, s.Stream) })
	}
	err = s.Wait(ctx)
	s.Close()
	c.mu.Lock()
	c.stream, c.session = nil, nil
	if s.firstUnit.is() {
		c.seen = s.lastUnit.at(s)
	}
	c.mu.Unlock()
	recording.Wait()
	c.overTCP = s.overTCP && s.firstUnit.is()
	return err
}

// event stores what happened to the recording, unless the same did just
// before; it does not block.
func (c *Camera) event(kind ward.RecordingEventKind, off time.Duration, detail string) {
	c.mu.Lock()
	soon := time.Since(c.told[kind]) < eventEvery
	if !soon {
		if c.told == nil {
			c.told = map[ward.RecordingEventKind]time.Time{}
		}
		c.told[kind] = time.Now()
	}
	c.mu.Unlock()
	if soon {
		return
	}
	c.note(kind, off, detail)
}

// note stores what happened to the recording; it does not block.
func (c *Camera) note(kind ward.RecordingEventKind, off time.Duration, detail string) {
	e := ward.RecordingEvent{Source: c.source(), InstitutionID: c.InstitutionID, At: time.Now(), Kind: kind, Off: off, Detail: detail}
	c.Log.Info("recording event", "camera", c.ID, "kind", kind, "off", off, "detail", detail)
	c.clerk.add("add recording event", func(ctx context.Context) error { return c.Store.AddRecordingEvent(ctx, e) })
}

func (c *Camera) source() ward.Source { return ward.Source{Kind: ward.FromCamera, ID: string(c.ID)} }

func (c *Camera) record(ctx context.Context, s *Stream, noKey chan<- struct{}) {
	r := &Recorder{
		Store: c.Store, Spool: c.Spool, SegmentSeconds: c.SegmentSeconds, RetentionDays: c.RetentionDays, Log: c.Log, OnSegment: c.OnSegment,
		clerk: c.clerk, coverage: c.coverage, stats: c.stats,
		noKey: func() {
			select {
			case noKey <- struct{}{}:
			default:
			}
		},
	}
	if err := r.Run(ctx, s); err != nil {
		c.Log.ErrorContext(ctx, "recorder ended", "camera", c.ID, "error", err)
	}
}

// turn sets the condition while no session is live.
func (c *Camera) turn(to Condition, cause ward.Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Condition != to || c.state.Cause != cause {
		c.state.Since = time.Now()
	}
	c.state.Condition, c.state.Cause = to, cause
}

// State says how the camera is doing. Its times are by the wall clock as it
// is set now.
func (c *Camera) State() CameraState {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	st := c.state
	st.Since, st.LastFrame = onWall(st.Since, now), onWall(c.seen, now)
	s := c.session
	if s == nil || !s.firstUnit.is() {
		return st
	}
	st.LastFrame = onWall(s.lastUnit.at(s), now)
	st.Clock, st.Offset = c.stream.Clock()
	if now.Sub(s.lastUnit.at(s)) > liveFor {
		return st
	}
	st.Condition, st.Cause = Live, ""
	st.Since = onWall(s.firstUnit.at(s), now)
	return st
}

// lastSeen is when the last picture of a session that is over came, with a
// monotonic reading.
func (c *Camera) lastSeen() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// Stats returns the camera's counts.
func (c *Camera) Stats() CameraStats {
	return CameraStats{
		Packets: c.stats.packets.Load(), Lost: c.stats.lost.Load(), Garbage: c.stats.garbage.Load(), Frames: c.stats.frames.Load(),
		Bytes: c.stats.bytes.Load(), Dropped: c.stats.dropped.Load(), Reconnects: c.stats.reconnects.Load(),
	}
}
