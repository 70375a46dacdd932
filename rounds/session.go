package rounds

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	joinTimeout  = 20 * time.Second // from the answer to the first picture
	recordFinish = 5 * time.Second  // for the recorder to commit the last segment
	messagesMax  = 20               // on the data channel in a second
	messageMax   = 4 << 10          // bytes
	keyEvery     = 500 * time.Millisecond
	lookQueue    = 8 // looks that wait for the protocol; the oldest gives way
)

// Why a session ended before its checks did.
var (
	errCut       = errors.New("network lost")
	errClosed    = errors.New("the bedside's page was closed")
	errLocked    = errors.New("the screen was locked for too long")
	errCamera    = errors.New("another app had the camera for too long")
	errOften     = errors.New("the line was lost too often")
	errLeft      = errors.New("the bedside left")
	errFlood     = errors.New("too many messages on the data channel")
	errMalformed = errors.New("messages on the data channel that cannot be read")
	errReplaced  = errors.New("another page of the device began")
	errNoReceipt = errors.New("commands are not acknowledged")
	errNoEyes    = errors.New("pictures cannot be analysed")
	errNoJoin    = errors.New("no media came")
	errDecided   = errors.New("decided by a human")
)

// session is one bedside's visit from its first offer to its end, over
// however many connections. run's goroutine owns the protocol; callbacks of
// the WebRTC stack reach it through channels and end.
type session struct {
	e      *Engine
	visit  ward.Visit
	policy ward.CheckPolicy // its version is sealed with the verdict

	receipts chan int
	looks    chan look
	seen     chan struct{} // has room for one: a picture came
	told     chan struct{} // likewise: away has changed
	wrote    chan wrote    // of the text chat
	replaced chan struct{} // likewise: another line took the old one's place
	ended    chan struct{}
	endOnce  sync.Once
	cause    error // set before ended is closed
	over     chan struct{}

	// Owned by run's goroutine.
	command int
	faces   faces
	trace   trace
	tape    tape
	played  standIn // in a replay or a rehearsal, instead of a bedside; else nil
	still   stillness
	// reference is where a replay has the enrolled face from; nil: today's counts.
	reference func(context.Context, ward.Visit) (ward.Insured, error)
	enrolled  string       // see enrolledAs
	traced    bool         // it is stored
	lots      *lots        // of the visit's nonce
	done      []ward.Check // by kind of challenge
	colours   coloursWhy
	revealed  bool
	began     bool // media came, the visit is being checked
	// lasting is the recorders' context: they end with their streams, so that what came is kept.
	lasting context.Context //nolint:containedctx // set before the first stream
	// dropRecording ends a recorder that does not finish by itself.
	dropRecording context.CancelFunc

	received  received
	wg        sync.WaitGroup // media goroutines; joined before run returns
	redialing sync.Mutex     // one new offer at a time

	mu          sync.Mutex // guards the rest
	closing     bool       // no more goroutines may start
	taken       bool       // media came; another page no longer replaces the session
	line        *line
	redials     int
	dc          *webrtc.DataChannel // of line, once it is open
	away        away
	spares      bool           // the page wants no changing colours
	change      chan struct{}  // closed when dc or stream changes
	stream      *ingest.Stream // nil while no pictures come
	streams     int            // so far
	streamBegan time.Time
	media       []ingest.Track
	recorded    chan struct{} // closed when the newest recorder has finished
	videoSSRC   webrtc.SSRC
	codec       webrtc.RTPCodecCapability // of the bedside's pictures
	keyAsked    time.Time
	keyOwed     bool // asked for again within keyEvery
	calls       map[string]*call
	video       joint // what goes to the calls, over all lines
	audio       joint
}

func newSession(e *Engine, v ward.Visit, policy ward.CheckPolicy) *session {
	return &session{
		e: e, visit: v, policy: policy, away: here, change: make(chan struct{}),
		receipts: make(chan int, messagesMax), looks: make(chan look, lookQueue), wrote: make(chan wrote, wroteQueue), seen: make(chan struct{}, 1), told: make(chan struct{}, 1), replaced: make(chan struct{}, 1),
		ended: make(chan struct{}), over: make(chan struct{}), calls: map[string]*call{},
		video: joint{rate: 90000}, audio: joint{rate: 48000}, tape: tape{began: time.Now()},
	}
}

// end makes the session stop with cause; only the first cause counts.
func (s *session) end(cause error) {
	s.endOnce.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// spawn runs f in a goroutine that run joins; false when it is too late.
func (s *session) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.wg.Go(f)
	return true
}

// askKey asks the bedside for a key frame: at once, or when keyEvery is over
// since it was last asked. Who asks too early is not forgotten.
func (s *session) askKey() {
	s.mu.Lock()
	ssrc, l := s.videoSSRC, s.line
	wait := time.Until(s.keyAsked.Add(keyEvery))
	switch {
	case ssrc == 0 || s.closing || s.keyOwed:
		ssrc = 0
	case wait > 0:
		s.keyOwed, ssrc = true, 0
		s.wg.Go(func() { s.askKeyAfter(wait, l.gone) })
	default:
		s.keyAsked = time.Now()
	}
	s.mu.Unlock()
	if ssrc != 0 {
		_ = l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}}) // one that is closed is found silent
	}
}

func (s *session) askKeyAfter(wait time.Duration, gone <-chan struct{}) {
	t := time.NewTimer(wait)
	defer t.Stop()
	over := false
	select {
	case <-t.C:
	case <-gone:
		over = true
	}
	s.mu.Lock()
	s.keyOwed = false
	s.mu.Unlock()
	if !over {
		s.askKey()
	}
}

// abandon closes a session that was never run and waits for its goroutines.
func (s *session) abandon() {
	s.mu.Lock()
	s.closing = true
	l := s.line
	s.mu.Unlock()
	if l != nil { // nil when the offer was refused
		_ = l.pc.Close()
	}
	s.wg.Wait()
	s.e.release(s)
	close(s.over)
}

// run is the whole life of the session.
func (s *session) run(ctx context.Context) {
	defer close(s.over)
	defer s.e.release(s)
	lasting := context.WithoutCancel(ctx) // what must be stored is stored though ctx has ended
	ctx, cancel := context.WithCancelCause(ctx)
	s.spawn(func() {
		select {
		case <-s.ended:
			cancel(s.cause)
		case <-ctx.Done():
		}
	})
	checks, err := s.conduct(ctx)
	if !s.began {
		s.e.Log.InfoContext(ctx, "bedside session without media", "visit", s.visit.ID, "cause", context.Cause(ctx), "error", err)
	} else if c := context.Cause(ctx); c != nil {
		err = c
	}
	s.stop(lasting, checks, err)
	cancel(nil)
	s.wg.Wait()
}

// stop closes the media, waits for the recording and stores the outcome.
func (s *session) stop(ctx context.Context, checks []ward.Check, cause error) {
	ctx, cancel := context.WithTimeout(ctx, sealTimeout)
	defer cancel()
	s.mu.Lock()
	s.closing = true
	stream, recorded, calls, l := s.stream, s.recorded, s.calls, s.line
	s.calls = map[string]*call{}
	s.mu.Unlock()
	for _, c := range calls {
		_ = c.pc.Close()
	}
	_ = l.pc.Close()
	if stream != nil {
		stream.Close()
	}
	if recorded != nil { // media came
		wait := time.NewTimer(recordFinish)
		defer wait.Stop()
		select {
		case <-recorded:
		case <-wait.C:
			s.e.Log.ErrorContext(ctx, "recording of a bedside is not finished", "visit", s.visit.ID)
		}
		s.dropRecording()
	}
	if !s.began || errors.Is(cause, errDecided) {
		return
	}
	if err := s.conclude(ctx, checks, cause); err != nil {
		s.e.Log.ErrorContext(ctx, "conclude a visit", "visit", s.visit.ID, "error", err)
	}
}

// take says that media came; false when another page has replaced the session.
func (s *session) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
		return false
	default:
	}
	s.taken = true
	return true
}

// giveWay ends a session whose media never came; false when they did.
func (s *session) giveWay() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taken {
		s.end(errReplaced)
	}
	return !s.taken
}
