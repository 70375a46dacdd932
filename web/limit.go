package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLimited bounds the memory of a limiter; when it is full the ones that
// have rested longest are forgotten.
const maxLimited = 10_000

// limiter allows each key some attempts a minute.
type limiter struct {
	perMinute int
	now       func() time.Time

	mu   sync.Mutex // guards keys
	keys map[string]*rate.Limiter
}

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{perMinute: perMinute, now: now, keys: map[string]*rate.Limiter{}}
}

// allow counts one attempt of key and says whether it may go on.
func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	k, ok := l.keys[key]
	if !ok {
		if len(l.keys) >= maxLimited {
			l.forget(now)
		}
		k = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.keys[key] = k
	}
	return k.AllowN(now, 1)
}

// forget drops the keys that have all their attempts back, or all keys when
// none has; called locked.
func (l *limiter) forget(now time.Time) {
	for key, k := range l.keys {
		if k.TokensAt(now) >= float64(l.perMinute) {
			delete(l.keys, key)
		}
	}
	if len(l.keys) >= maxLimited {
		clear(l.keys)
	}
}
