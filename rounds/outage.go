package rounds

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// DefaultResume is how long a visit waits for a bedside that went silent.
	DefaultResume = 30 * time.Second
	quietAfter    = 4 * time.Second // without a picture the line counts as lost
	// outagesMax bounds how often a visit goes on: after each outage the live
	// check begins anew, and nobody shall get more tries at it than these.
	outagesMax = 3
)

// errOutage says that the line was lost meanwhile; the visit may go on.
var errOutage = errors.New("the line was lost")

// away is what a bedside's page told of itself last: why pictures may stop.
type away string

const (
	here        away = "here"
	awayHidden  away = "hidden"  // screen locked, or another app in front
	awayCamera  away = "camera"  // another app, such as a telephone call, has the camera
	awayClosed  away = "closed"  // the page is being closed or loaded again
	awayNetwork away = "network" // told by nobody: silence
)

func (a away) known() bool {
	return a == here || a == awayHidden || a == awayCamera || a == awayClosed
}

// hear takes one message of the bedside: a receipt, how it is, that it wants no colours,
// or something of the text chat. False when it cannot be read.
func (s *session) hear(b []byte) bool {
	var m struct {
		Receipt int  `json:"receipt"`
		State   away `json:"state"`
		Spare   bool `json:"spare_colours"`

		Ref   string         `json:"ref"`
		Text  string         `json:"text"`
		Shown ward.MessageID `json:"shown"`
	}
	if json.Unmarshal(b, &m) != nil {
		return false
	}
	if m.Spare {
		s.mu.Lock()
		s.spares = true
		s.mu.Unlock()
	}
	if m.State.known() {
		s.tells(m.State)
		return true
	}
	if m.Ref != "" || m.Shown != "" {
		return s.write(wrote{m.Ref, m.Text, m.Shown})
	}
	if m.Receipt > 0 {
		select {
		case s.receipts <- m.Receipt:
		default:
		}
	}
	return true
}

// tells notes how the bedside is; the keeper of the line makes an event of it.
func (s *session) tells(a away) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = a
	select {
	case s.told <- struct{}{}:
	default:
	}
}

// keepLine notices when pictures stop, and when they come again, until ctx
// ends; it ends the session when they do not.
func (s *session) keepLine(ctx context.Context) {
	quiet, limit := time.NewTimer(quietAfter), time.NewTimer(time.Hour)
	defer quiet.Stop()
	defer limit.Stop()
	limit.Stop()
	var lost time.Time
	last := here
	outages := 0
	out := func(since time.Time) (over bool) {
		if outages++; outages > outagesMax {
			s.end(errOften)
			return true
		}
		lost = since
		s.lost(ctx)
		quiet.Stop()
		return false
	}
	for {
		select {
		case <-s.replaced: // pictures of another line are another beginning
			if lost.IsZero() {
				if out(time.Now()) {
					return
				}
				limit.Reset(s.e.Resume)
			}
		case <-s.seen:
			quiet.Reset(quietAfter)
			if lost.IsZero() {
				continue
			}
			s.resumed(ctx, time.Since(lost))
			limit.Stop()
			lost = time.Time{}
		case <-quiet.C:
			if out(time.Now().Add(-quietAfter)) {
				return
			}
			limit.Reset(max(s.e.Resume-quietAfter, 0))
		case <-limit.C:
			s.end(s.gone())
			return
		case <-s.told:
			s.mu.Lock()
			a := s.away
			s.mu.Unlock()
			if a != last {
				s.note(ctx, "bedside", map[string]any{"state": a})
			}
			last = a
		case <-ctx.Done():
			return
		}
	}
}

// note stores an event; an error of the store ends the session.
func (s *session) note(ctx context.Context, kind string, body map[string]any) {
	if err := s.event(ctx, kind, body); err != nil {
		s.e.Log.ErrorContext(ctx, "store an event of a visit", "visit", s.visit.ID, "error", err)
		return
	}
	s.e.notify(s.visit)
}

// lost ends the stream: what came is recorded, and a hole follows.
func (s *session) lost(ctx context.Context) {
	s.mu.Lock()
	stream, why := s.stream, s.away
	s.stream = nil
	s.changed()
	s.mu.Unlock()
	if stream == nil { // the session ends
		return
	}
	stream.Close()
	for len(s.looks) > 0 { // those of before prove nothing of after
		select {
		case <-s.looks:
		default:
		}
	}
	select {
	case <-s.seen:
	default:
	}
	if why == here {
		why = awayNetwork
	}
	s.note(ctx, "line_lost", map[string]any{"why": why})
}

// resumed goes on with a new stream of the same recording.
func (s *session) resumed(ctx context.Context, after time.Duration) {
	s.note(ctx, "line_back", map[string]any{"after_ms": after.Milliseconds()})
	s.mu.Lock()
	tracks := s.media
	if s.away == awayClosed {
		s.away = here
	}
	s.mu.Unlock()
	s.begin(ctx, tracks)
	s.askKey()
}

// begin opens a stream, its recording and its eye. The recording before it,
// if any, ends first.
func (s *session) begin(ctx context.Context, tracks []ingest.Track) { //nolint:contextcheck // recorders outlive ctx: see lasting
	stream := ingest.NewStream(ward.Source{Kind: ward.FromVisit, ID: string(s.visit.ID)}, s.visit.InstitutionID, tracks)
	s.mu.Lock()
	before, done := s.recorded, make(chan struct{})
	s.streams++
	number := s.streams
	s.mu.Unlock()
	lasting := s.lasting
	if !s.spawn(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if err := s.e.Record(lasting, stream); err != nil {
			s.e.Log.ErrorContext(lasting, "recording of a bedside", "visit", s.visit.ID, "error", err)
		}
	}) {
		return
	}
	s.spawn(func() { s.watch(ctx, stream, number, done) })
	s.mu.Lock()
	s.stream, s.streamBegan, s.recorded = stream, time.Now(), done
	s.changed()
	s.mu.Unlock()
}

// changed wakes those who wait for the line; called locked.
func (s *session) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// down is closed when the line, which is up now, is lost; it is closed
// already when the line is down.
func (s *session) down() (wait <-chan struct{}, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change, s.stream != nil && s.dc != nil && s.dc.ReadyState() == webrtc.DataChannelStateOpen
}

// awaitLine waits until pictures come and the data channel is open.
func (s *session) awaitLine(ctx context.Context) error {
	if s.played != nil {
		return s.played.awaitLine()
	}
	for {
		wait, up := s.down()
		if up {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// again runs f, and anew each time the line was lost meanwhile.
func (s *session) again(ctx context.Context, f func() error) error {
	for {
		err := f()
		if !errors.Is(err, errOutage) {
			return err
		}
		if err := s.awaitLine(ctx); err != nil {
			return err
		}
	}
}

// gone is why a bedside that did not come back is gone.
func (s *session) gone() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.away {
	case awayHidden:
		return errLocked
	case awayCamera:
		return errCamera
	case awayClosed:
		return errClosed
	case here, awayNetwork:
	}
	return errCut
}
