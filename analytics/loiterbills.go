package analytics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// billsEvery is how often the settlements of those who stay are read, and
	// billsAhead how long before they loiter.
	billsEvery = 10 * time.Second
	billsAhead = 2 * billsEvery
	// rulesEvery: how the rules are set counts at the latest after so long.
	rulesEvery = 30 * time.Second
	// rulesWithin is for how long reading them may hold up a camera.
	rulesWithin = 5 * time.Second
)

// bills reads the settlements at the place while somebody may be loitering.
func (w *Watcher) bills(ctx context.Context) {
	now := time.Now()
	from := w.debounce.longest()
	if from.IsZero() || now.Sub(w.settled) < billsEvery {
		return
	}
	w.settled = now
	uses, err := w.Store.UsesAtPlaces(ctx, []ward.PlaceID{w.Camera.PlaceID}, from.Add(-storage.MaxOffset), now.Add(storage.MaxOffset))
	if err != nil {
		w.ail(ctx, "the settlements of who stays are not read", err)
		return
	}
	w.debounce.Settled = w.debounce.Settled[:0]
	for _, u := range uses {
		w.debounce.Settled = append(w.debounce.Settled, useOf(u, nil))
	}
}

// settingsMap is how the rules are set, read anew when somebody asks and it is
// old. Meanwhile, and while the catalogue is away, it stays as it was: at first
// nobody loiters.
type settingsMap struct {
	mu      sync.Mutex // guards the rest
	reading bool
	read    time.Time
	all     []ward.RuleSetting
	ok      bool
	stay    map[ward.InstitutionID]time.Duration // what follows from all, of those who asked
}

// loiter is how long somebody may stay at an institution's places; 0: for any
// time. settings reads how the rules are set.
func (m *settingsMap) loiter(ctx context.Context, settings func(context.Context) ([]ward.RuleSetting, error), inst ward.InstitutionID, log *slog.Logger) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reading || time.Since(m.read) < rulesEvery {
		return m.of(inst)
	}
	m.reading = true
	m.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, rulesWithin)
	all, err := settings(limited)
	cancel()
	m.mu.Lock()
	m.reading, m.read = false, time.Now()
	if err == nil {
		m.all, m.ok, m.stay = all, true, map[ward.InstitutionID]time.Duration{}
	} else if ctx.Err() == nil {
		log.WarnContext(ctx, "how rules are set is not read", "error", err)
	}
	return m.of(inst)
}

// of is loiter by what was read; called locked.
func (m *settingsMap) of(inst ward.InstitutionID) time.Duration {
	if !m.ok {
		return 0
	}
	stay, ok := m.stay[inst]
	if !ok {
		if r := NewRulebook(inst, m.all)[ward.Loitering]; r.Mode != ward.RuleOff {
			stay = r.minutes("stay")
		}
		m.stay[inst] = stay
	}
	return stay
}
