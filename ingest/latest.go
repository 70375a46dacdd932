package ingest

import "sync"

// Latest keeps the bytes that were made last, by key; the oldest go first.
// Whoever gets them must not change them. The zero value is ready.
type Latest struct {
	mu    sync.Mutex // guards the rest
	by    map[string][]byte
	order []string // keys of by, the oldest first
	bytes int
}

// Get returns what was put under key, if it is still there.
func (l *Latest) Get(key string) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.by[key]
	return b, ok
}

// Put keeps b under key, unless there is something, and at most so many bytes
// in all; the newest is kept even if it has more.
func (l *Latest) Put(key string, b []byte, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.by[key]; ok {
		return
	}
	if l.by == nil {
		l.by = map[string][]byte{}
	}
	l.by[key], l.order = b, append(l.order, key)
	for l.bytes += len(b); l.bytes > most && len(l.order) > 1; l.order = l.order[1:] {
		l.bytes -= len(l.by[l.order[0]])
		delete(l.by, l.order[0])
	}
}
