package analytics

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	pollEvery   = 250 * time.Millisecond
	dueBatch    = 400             // settlements read between two looks at the clock
	writers     = 8               // of pictures at a time
	togetherFor = time.Minute     // settlements whose moments are this near are read together
	retryPause  = 2 * time.Second // after an error, times the number of tries
	snapTries   = 3               // then the alert is raised without its picture
	judgeTries  = 10              // then the settlement is cannot_tell "error"
	releaseFor  = 2 * time.Second // a lease that cannot be released in that time ends by itself
	reasonOld   = "too_old"
	reasonError = "error"
)

// Correlator judges every settlement: it waits until the pictures around its
// moment are in, asks the rules, and stores state and alerts in one
// transaction; again when a rule looks further ahead, and whenever billing
// corrects it or reports another late. A row that waits and is due is its only
// queue, so a crash loses and repeats nothing. Of several that run on a catalogue
// one judges, and another takes its place when it ends or its process dies.
type Correlator struct {
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery // the pictures of the last minute; may be nil
	// Recorded finds a picture that the gallery has forgotten: Archive.Picture;
	// may be nil.
	Recorded func(ctx context.Context, inst ward.InstitutionID, cam ward.CameraID, at time.Time, within time.Duration) (Picture, bool, error)
	// Notify tells the browsers after the transaction; may be nil. Kinds are
	// "alert" and "settlement".
	Notify func(kind, id string, inst ward.InstitutionID)
	Log    *slog.Logger

	once  sync.Once
	wake  chan struct{}
	tries map[ward.SettlementID]int // of those that gave an error; written by Run's goroutine while no answer is sought
	lease *storage.JudgingLease     // Run's goroutine only; nil: Pass was called
	// What is remembered of who stood at settlements; Run's goroutine only.
	faces    faceIndex    // everywhere, for months
	counters counterFaces // at each counter, for an hour or so
}

func (c *Correlator) prepare() {
	c.once.Do(func() {
		c.wake = make(chan struct{}, 1)
		c.tries = map[ward.SettlementID]int{}
	})
}

// Wake makes Run look at once. It never blocks and may be called at any time.
func (c *Correlator) Wake() {
	c.prepare()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run judges until ctx ends, and then returns nil. A database that is away is
// tried again.
func (c *Correlator) Run(ctx context.Context) error {
	c.prepare()
	c.lease = c.Store.JudgingLease()
	defer c.release(ctx)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	down := false
	for {
		more, err := c.turn(ctx)
		if err != nil && !down && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "settlements are not judged", "error", err)
		}
		if down = err != nil; more && !down && ctx.Err() == nil {
			continue // at a later time: what has become due meanwhile does not wait for what others made wait again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.wake:
		}
	}
}

// turn is a step when it is ours to judge.
func (c *Correlator) turn(ctx context.Context) (more bool, err error) {
	held, anew, err := c.lease.Hold(ctx, time.Now())
	if anew || !held {
		c.forget() // another may have judged
	}
	if !held {
		return false, err
	}
	more, err = c.step(ctx, time.Now())
	if errors.Is(err, storage.ErrLeaseLost) {
		c.Log.WarnContext(ctx, "another process judges now")
		return false, nil
	}
	return more, err
}

// forget drops what is remembered of the catalogue; it is read again when it is needed.
func (c *Correlator) forget() { c.faces, c.counters = faceIndex{}, counterFaces{} }

// release lets another process judge at once, rather than when the lease ends.
func (c *Correlator) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseFor)
	defer cancel()
	if err := c.lease.Release(ctx); err != nil {
		c.Log.WarnContext(ctx, "the lease of judging is not released", "error", err)
	}
}

// Pass judges everything that is due at now, without the lease. A test may call it instead of
// Run, from one goroutine.
func (c *Correlator) Pass(ctx context.Context, now time.Time) error {
	c.prepare()
	for {
		if more, err := c.step(ctx, now); err != nil || !more {
			return err
		}
	}
}

// step judges a batch of what is due at now and says whether there is more to
// do at once.
func (c *Correlator) step(ctx context.Context, now time.Time) (more bool, err error) {
	due, err := c.Store.DueSettlements(ctx, now, dueBatch)
	if err != nil || len(due) == 0 {
		return false, err
	}
	settings, err := c.Store.RuleSettings(ctx)
	if err != nil {
		return false, err
	}
	full := len(due) == dueBatch
	others := slices.ContainsFunc(due, func(s ward.Settlement) bool {
		return s.Stage != ward.NotJudged || now.Sub(s.At) > 2*deadline // may make others wait again, or itself
	})
	var early []ward.SettlementID
	for _, together := range clusters(due) {
		waiting, err := c.judgeTogether(ctx, together, settings, now)
		if err != nil {
			return false, err
		}
		early = append(early, waiting...)
	}
	if full {
		return true, c.Store.PostponeSettlements(ctx, early, now.Add(pollEvery))
	}
	return others && len(early) < len(due), nil
}

// clusters groups settlements whose moments are near each other.
func clusters(due []ward.Settlement) [][]ward.Settlement {
	slices.SortFunc(due, func(a, b ward.Settlement) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	var out [][]ward.Settlement
	for len(due) > 0 {
		n := 1
		for n < len(due) && due[n].At.Sub(due[0].At) <= togetherFor {
			n++
		}
		out, due = append(out, due[:n:n]), due[n:]
	}
	return out
}
