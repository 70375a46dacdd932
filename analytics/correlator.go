package analytics

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	pollEvery   = 500 * time.Millisecond
	dueBatch    = 100             // settlements judged between two looks at the clock
	retryPause  = 2 * time.Second // after an error, times the number of tries
	snapTries   = 3               // then the alert is raised without its picture
	judgeTries  = 10              // then the settlement is cannot_tell "error"
	reasonOld   = "too_old"
	reasonError = "error"
)

// Correlator judges every settlement once: it waits until the pictures around
// its moment are in, asks the rules, and stores state and alerts in one
// transaction. A row that is pending and due is its only queue, so a crash
// loses and repeats nothing.
type Correlator struct {
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery // the pictures of the last minute; may be nil
	// Recorded finds a picture that the gallery has forgotten: Archive.Picture;
	// may be nil.
	Recorded func(ctx context.Context, inst ward.InstitutionID, cam ward.CameraID, at time.Time, within time.Duration) (Picture, bool, error)
	Params   Params // zero: DefaultParams
	// Notify tells the browsers after the transaction; may be nil. Kinds are
	// "alert" and "settlement".
	Notify func(kind, id string, inst ward.InstitutionID)
	Log    *slog.Logger

	once  sync.Once
	wake  chan struct{}
	tries map[ward.SettlementID]int // of those that gave an error; Run's goroutine only
}

func (c *Correlator) prepare() {
	c.once.Do(func() {
		if c.Params == (Params{}) {
			c.Params = DefaultParams()
		}
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
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	down := false
	for {
		err := c.Pass(ctx, time.Now())
		if err != nil && !down && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "settlements are not judged", "error", err)
		}
		down = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.wake:
		}
	}
}

// Pass judges everything that is due at now. Run calls it; a test may call it
// instead, from one goroutine.
func (c *Correlator) Pass(ctx context.Context, now time.Time) error {
	c.prepare()
	for {
		due, err := c.Store.DueSettlements(ctx, now, dueBatch)
		if err != nil {
			return err
		}
		var early []ward.SettlementID
		for _, s := range due {
			ready, err := c.judge(ctx, s, now)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				if err = c.retry(ctx, s, now, err); err != nil {
					return err
				}
			case !ready:
				early = append(early, s.ID)
			default:
				delete(c.tries, s.ID)
			}
		}
		if err := c.Store.PostponeSettlements(ctx, early, now.Add(pollEvery)); err != nil {
			return err
		}
		if len(due) < dueBatch {
			return nil
		}
	}
}

// retry puts a settlement that could not be judged off, or in the end says so in its row.
func (c *Correlator) retry(ctx context.Context, s ward.Settlement, now time.Time, cause error) error {
	c.tries[s.ID]++
	n := c.tries[s.ID]
	c.Log.WarnContext(ctx, "settlement is not judged yet", "settlement_id", s.ID, "tries", n, "error", cause)
	if n < judgeTries {
		return c.Store.PostponeSettlements(ctx, []ward.SettlementID{s.ID}, now.Add(time.Duration(n)*retryPause))
	}
	if err := c.conclude(ctx, s, ward.CannotTell, reasonError, nil); err != nil {
		return err
	}
	delete(c.tries, s.ID)
	return nil
}

// judge decides one settlement; ready is false when its pictures are not in.
func (c *Correlator) judge(ctx context.Context, s ward.Settlement, now time.Time) (ready bool, err error) {
	p := c.Params
	if now.Sub(s.At) > p.OldestJudged {
		return true, c.conclude(ctx, s, ward.CannotTell, reasonOld, nil)
	}
	win, err := c.window(ctx, s)
	if err != nil {
		return false, err
	}
	if now.Before(s.At.Add(p.Deadline)) && !complete(s, win, p) {
		return false, nil
	}
	if err := c.fill(ctx, s, &win); err != nil {
		return false, err
	}
	findings := Judge(s, win, p)
	state, reason := Conclude(findings)
	var alerts []ward.Alert
	for _, f := range findings {
		if f.Outcome == Fired {
			a, err := c.alert(ctx, s, f, win, now)
			if err != nil {
				return false, err
			}
			alerts = append(alerts, a)
		}
	}
	return true, c.conclude(ctx, s, state, reason, alerts)
}

// window reads the cameras and sightings around a settlement.
func (c *Correlator) window(ctx context.Context, s ward.Settlement) (Window, error) {
	var win Window
	cams, err := c.Store.Cameras(ctx, []ward.InstitutionID{s.InstitutionID})
	if err != nil {
		return win, err
	}
	for _, cam := range cams {
		if cam.PlaceID == s.PlaceID && cam.Enabled && cam.Created.Before(s.At) {
			win.Cameras = append(win.Cameras, cam.ID)
		}
	}
	p := c.Params
	win.Sightings, err = c.Store.SightingsAt(ctx, s.PlaceID, s.At.Add(-max(p.FaceBefore, p.WatchBefore)), s.At.Add(max(p.FaceAfter, p.WatchAfter)))
	return win, err
}

// complete says whether every camera's pictures reach past the window.
func complete(s ward.Settlement, win Window, p Params) bool {
	end := s.At.Add(max(p.FaceAfter, p.WatchAfter))
	for _, cam := range win.Cameras {
		reached := slices.ContainsFunc(win.Sightings, func(v ward.Sighting) bool {
			return v.Kind == ward.Watched && v.CameraID == cam && !v.To.Before(end)
		})
		if !reached {
			return false
		}
	}
	return true
}

// fill reads what only the face rules need.
func (c *Correlator) fill(ctx context.Context, s ward.Settlement, win *Window) error {
	p := c.Params
	var err error
	win.Insured, err = c.Store.Insured(ctx, s.InsuredID)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	if _, ok := personAt(s, win.Sightings, p); !ok {
		return nil
	}
	near, err := c.Store.SettlementsAt(ctx, s.PlaceID, s.At.Add(-p.CardsWithin), s.At.Add(p.CardsWithin), math.MaxInt32)
	if err != nil || len(near) < p.Cards {
		return err
	}
	seen, err := c.Store.SightingsAt(ctx, s.PlaceID, s.At.Add(-p.lookBack()), s.At.Add(p.lookBack()))
	if err != nil {
		return err
	}
	for _, o := range near {
		win.Others = append(win.Others, Other{o, seen})
	}
	return nil
}

// alert is the alert of a finding that fired, with its picture stored.
func (c *Correlator) alert(ctx context.Context, s ward.Settlement, f Finding, win Window, now time.Time) (ward.Alert, error) {
	a := ward.Alert{
		ID: ward.NewID[ward.AlertID](now), InstitutionID: s.InstitutionID, PlaceID: s.PlaceID, CameraID: f.Camera,
		Rule: f.Rule, RuleVersion: RuleVersion, SettlementID: s.ID, Related: f.Related, At: s.At, Raised: now, Severity: f.Severity,
		Sightings: f.Sightings, ExplainZH: f.ZH, ExplainEN: f.EN,
		ClipFrom: s.At.Add(-ward.ClipBefore), ClipTo: s.At.Add(ward.ClipAfter),
	}
	err := c.picture(ctx, &a, f, win)
	if err != nil && c.tries[s.ID] >= snapTries {
		c.Log.WarnContext(ctx, "alert has no snapshot", "settlement_id", s.ID, "rule", f.Rule, "error", err)
		return a, nil
	}
	return a, err
}

// conclude stores the judgement and tells the browsers.
func (c *Correlator) conclude(ctx context.Context, s ward.Settlement, state ward.SettlementState, reason string, alerts []ward.Alert) error {
	raised, err := c.Store.Judge(ctx, s.ID, state, reason, alerts)
	if err != nil {
		return err
	}
	for _, a := range raised {
		c.Log.InfoContext(ctx, "alert raised", "alert_id", a.ID, "rule", a.Rule, "settlement_id", s.ID)
	}
	if c.Notify == nil {
		return nil
	}
	for _, a := range raised {
		c.Notify("alert", string(a.ID), a.InstitutionID)
	}
	c.Notify("settlement", string(s.ID), s.InstitutionID)
	return nil
}
