// Package rounds runs ward rounds: the order, the bedside's single-use link,
// one session over WebRTC per bed, its checks and the sealed verdict. It must
// know nothing of HTTP, of cameras or of how pictures are analysed.
package rounds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/rounds/relay"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	sweepEvery  = time.Second
	sealTimeout = 8 * time.Second // a visit is sealed this long after a stop at the latest
)

// Eye looks at one bedside's pictures: one decoder in a vision worker.
type Eye interface {
	// See decodes one access unit (Annex B for H.264, the frame for VP8).
	// full also finds faces with pose, quality and templates, a snapshot and
	// the print; else the unit is only decoded. ok is false when no picture
	// came out.
	See(ctx context.Context, au []byte, key, full bool) (seen ward.Seen, ok bool, err error)
	Close()
}

// Engine runs every round of this process. Set the fields, call Run; the
// other methods may be called from any goroutine while Run runs.
type Engine struct {
	Store   *storage.Store
	Objects objects.Objects
	API     *webrtc.API
	// Record records a bedside's stream until it is closed, and returns when
	// what came is committed: (*ingest.Recorder).Run.
	Record     func(context.Context, *ingest.Stream) error
	NewEye     func(ward.Codec) Eye
	Thresholds ward.FaceThresholds
	// ReadCodes reads the bar codes of a JPEG; nil: nothing can, and none is seen.
	ReadCodes func(ctx context.Context, jpeg []byte) ([]string, error)
	LinkValid time.Duration // of a bedside link; 0 means 10 minutes
	Resume    time.Duration // how long a visit waits for a bedside that went silent; 0 means DefaultResume
	AtOnce    int           // visits that may be judged at once; 0 means as many as may run
	KeptDays  int           // retention of recordings, told to the patient: what Record keeps them for; 0 means 90
	Authority *Authority    // told to the patient; nil: it is not named
	Legal     Legal         // told to the patient; empty means DefaultLegal
	Log       *slog.Logger
	// Relay is the TURN server; nil: there is none.
	Relay *relay.Server
	// Notify tells web what changed, for its live updates; may be nil.
	Notify func(kind, id string, inst ward.InstitutionID)

	once   sync.Once
	begin  chan *session
	trying chan *trial
	done   chan struct{} // closed when Run is about to return

	started time.Time // set by prepare
	earlier earlier
	erased  time.Time // by Run's goroutine: when what is kept no longer was looked for

	mu       sync.Mutex // guards the rest
	sessions map[ward.VisitID]*session
	turns    map[ward.VisitID]*session // those of sessions that are being judged
	queue    []standing                // who comes next is first
	trials   map[ward.VisitID]*trial
}

func (e *Engine) prepare() {
	e.once.Do(func() {
		e.begin, e.trying = make(chan *session), make(chan *trial)
		e.trials = map[ward.VisitID]*trial{}
		e.done = make(chan struct{})
		e.sessions, e.turns = map[ward.VisitID]*session{}, map[ward.VisitID]*session{}
		e.started = time.Now()
		if e.LinkValid <= 0 {
			e.LinkValid = 10 * time.Minute // trust.md: out-of-band secrets live 10 minutes at most
		}
		if e.Resume <= 0 {
			e.Resume = DefaultResume
		}
		if e.AtOnce <= 0 {
			e.AtOnce = maxSessions
		}
		if e.Legal == (Legal{}) {
			e.Legal = DefaultLegal()
		}
		if e.KeptDays <= 0 {
			e.KeptDays = 90
		}
		if e.Thresholds == (ward.FaceThresholds{}) {
			e.Thresholds = ward.DefaultFaceThresholds
		}
	})
}

// Run seals what a dead process left, then conducts sessions and seals
// visits whose deadline passed, until ctx ends; running sessions are then
// sealed as interrupted before Run returns. Call it once.
func (e *Engine) Run(ctx context.Context) error {
	e.prepare()
	if err := e.recover(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer close(e.done)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-e.begin:
			all.Go(func() { s.run(ctx) })
		case t := <-e.trying:
			all.Go(func() { e.try(ctx, t) })
		case <-tick.C:
			if err := e.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				e.Log.ErrorContext(ctx, "sweep of overdue visits", "error", err)
			}
		}
	}
}

// recover seals the visits that a dead process was checking. Those whose
// bedside had only consented may still begin.
func (e *Engine) recover(ctx context.Context) error {
	left, err := e.Store.VisitsIn(ctx, ward.VisitChecking)
	if err != nil {
		return fmt.Errorf("recover rounds: %w", err)
	}
	for _, v := range left {
		if err := e.Store.AddVisitEvent(ctx, v.ID, "interrupted", time.Now(), map[string]any{"cause": "stopped"}); err != nil {
			return fmt.Errorf("recover rounds: %w", err)
		}
		v.Verdict, v.ReasonZH, v.ReasonEN = ward.Interrupted, "系统中途重启，查访未完成。", "The service was restarted before the visit was finished."
		if err := e.seal(ctx, v, nil); err != nil {
			return fmt.Errorf("recover rounds: %w", err)
		}
	}
	return nil
}

// sweep seals visits that nobody answered, or decided, by the deadline.
func (e *Engine) sweep(ctx context.Context, now time.Time) error {
	late, err := e.Store.OverdueVisits(ctx, now)
	if err != nil {
		return err
	}
	var errs []error
	reminded, err := e.Store.RemindRounds(ctx, now)
	errs = append(errs, err)
	escalated, err := e.Store.EscalateRounds(ctx, now)
	errs = append(errs, err)
	if e.Notify != nil {
		for _, r := range append(reminded, escalated...) {
			e.Notify("visit", string(r.ID), r.InstitutionID)
		}
	}
	for _, v := range late {
		waits, err := e.inTime(ctx, v, now, now)
		if _, live := e.session(v.ID); live || waits || err != nil {
			errs = append(errs, err)
			continue
		}
		v.Verdict, v.ReasonZH, v.ReasonEN = ward.NoAnswer, "截止时间前无人应答。", "Nobody answered by the deadline."
		if v.State != ward.VisitOrdered {
			v.ReasonZH, v.ReasonEN = "链接已打开，但截止时间前未开始查访。", "The link was opened, but the visit was not begun by the deadline."
		}
		if err := e.discharged(ctx, &v); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, e.sealAsRead(ctx, v))
	}
	errs = append(errs, e.lapse(ctx, now), e.erase(ctx, now))
	return errors.Join(errs...)
}

// discharged makes the verdict over a visit that nobody began the register's
// word, when the patient was discharged by the deadline.
func (e *Engine) discharged(ctx context.Context, v *ward.Visit) error {
	stay, err := e.Store.StayOfVisit(ctx, v.ID)
	if err != nil || !stay.Over {
		return err
	}
	v.Verdict = ward.Discharged
	v.ReasonZH, v.ReasonEN = "截止时间前无人应答；医院登记患者已出院", "Nobody answered by the deadline; by the hospital's register the patient was discharged"
	if stay.Cancelled {
		v.ReasonZH, v.ReasonEN = "截止时间前无人应答；医院已撤销该次住院登记", "Nobody answered by the deadline; the hospital cancelled the admission"
	}
	if stay.After {
		v.ReasonZH += "（医院在查房发起之后才告知）"
		v.ReasonEN += " (it said so after the round was ordered)"
	}
	v.ReasonZH += "。"
	v.ReasonEN += "."
	return nil
}

// seal seals v; that somebody else has done so is no error.
func (e *Engine) seal(ctx context.Context, v ward.Visit, checks []ward.Check) error {
	v, err := e.Store.SealVisit(ctx, v, checks)
	return e.sealed(ctx, v, err)
}

// sealAsRead seals v if it is still as it was read; a visit that has gone on
// meanwhile is no error and keeps going.
func (e *Engine) sealAsRead(ctx context.Context, v ward.Visit) error {
	v, err := e.Store.SealVisitAsRead(ctx, v, nil)
	if errors.Is(err, &ward.Error{Code: "visit.state"}) {
		return nil
	}
	return e.sealed(ctx, v, err)
}

func (e *Engine) sealed(ctx context.Context, v ward.Visit, err error) error {
	if err != nil && !errors.Is(err, &ward.Error{Code: "visit.sealed"}) {
		return err
	}
	e.Log.InfoContext(ctx, "visit sealed", "visit", v.ID, "verdict", v.Verdict)
	e.forgetPhoto(ctx, v)
	e.notify(v)
	return nil
}

// notify tells whom it concerns that v has changed.
func (e *Engine) notify(v ward.Visit) {
	if v.State == ward.VisitSealed && e.Relay != nil {
		e.Relay.Revoke(v.ID)
	}
	if e.Notify != nil {
		e.Notify("visit", string(v.ID), v.InstitutionID)
	}
}

func (e *Engine) session(id ward.VisitID) (*session, bool) {
	e.prepare()
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.sessions[id]
	return s, ok
}

// Stream is the live bedside of a visit, while its session runs.
func (e *Engine) Stream(id ward.VisitID) (*ingest.Stream, bool) {
	s, ok := e.session(id)
	if !ok {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream, s.stream != nil
}
