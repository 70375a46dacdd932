package analytics

import (
	"context"
	"log/slog"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	clocksEvery = time.Hour
	// recentDay is looked at first, so that a clock that somebody has set is
	// found within a day; recentWeek when that proves nothing.
	recentDay, recentWeek = 24 * time.Hour, 7 * 24 * time.Hour
	// swipesOfPlace is how many settlements of a place are looked at.
	swipesOfPlace = 2000
)

// Clocks estimates every hour how far the clocks of billing systems are off.
// What is estimated counts for the settlements that are judged from then on;
// when nothing can be estimated the last estimate stays.
type Clocks struct {
	Store *storage.Store
	Log   *slog.Logger
}

// Run estimates until ctx ends, and then returns nil.
func (c *Clocks) Run(ctx context.Context) error {
	tick := time.NewTicker(clocksEvery)
	defer tick.Stop()
	for {
		if err := c.Pass(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "billing clocks are not estimated", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Pass estimates every institution's clock once, by what there is at now.
func (c *Clocks) Pass(ctx context.Context, now time.Time) error {
	places, err := c.Store.Places(ctx, nil)
	if err != nil {
		return err
	}
	of := map[ward.InstitutionID][]ward.PlaceID{}
	for _, p := range places {
		of[p.InstitutionID] = append(of[p.InstitutionID], p.ID)
	}
	for inst, ids := range of {
		for _, back := range []time.Duration{recentDay, recentWeek} {
			done, err := c.estimate(ctx, inst, ids, now.Add(-back), now)
			if err != nil {
				return err
			}
			if done {
				break
			}
		}
	}
	return nil
}

func (c *Clocks) estimate(ctx context.Context, inst ward.InstitutionID, places []ward.PlaceID, from, to time.Time) (done bool, err error) {
	var days []CounterDay
	swipes := 0
	for _, id := range places {
		bills, err := c.Store.SettlementsAt(ctx, id, from, to, swipesOfPlace)
		if err != nil {
			return false, err
		}
		var d CounterDay
		for _, s := range bills {
			if s.State != ward.Reversed {
				d.Swipes = append(d.Swipes, s.At)
			}
		}
		if len(d.Swipes) == 0 {
			continue
		}
		swipes += len(d.Swipes)
		seen, err := c.Store.PresenceAt(ctx, id, d.Swipes[0].Add(-storage.MaxOffset), d.Swipes[len(d.Swipes)-1].Add(storage.MaxOffset))
		if err != nil {
			return false, err
		}
		for _, p := range seen {
			if personPresence(p) {
				d.Present = append(d.Present, p)
			} else {
				d.Watched = append(d.Watched, p)
			}
		}
		days = append(days, d)
	}
	if swipes < minSamples {
		return false, nil
	}
	offset, spread, n, ok := EstimateOffset(days)
	if !ok {
		return false, nil
	}
	return true, c.Store.SetClockOffset(ctx, ward.ClockOffset{InstitutionID: inst, Offset: offset, Spread: spread, Samples: n, At: to})
}
