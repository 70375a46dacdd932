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

// settingsMap is how the rules are set, read anew when somebody asks and it is old.
type settingsMap struct {
	mu   sync.Mutex // guards the rest
	read time.Time
	all  []ward.RuleSetting
	ok   bool
}

// loiter is how long somebody may stay at an institution's places; 0: for any time.
func (m *settingsMap) loiter(ctx context.Context, s *storage.Store, inst ward.InstitutionID, log *slog.Logger) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.read) >= rulesEvery {
		m.read = time.Now()
		all, err := s.RuleSettings(ctx)
		if err == nil {
			m.all, m.ok = all, true
		} else if ctx.Err() == nil {
			log.WarnContext(ctx, "how rules are set is not read", "error", err)
		}
	}
	r := NewRulebook(inst, m.all)[ward.Loitering]
	if !m.ok || r.Mode == ward.RuleOff {
		return 0
	}
	return r.minutes("stay")
}
