package rounds

import (
	"context"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	earlierPage  = 5000
	earlierAgain = int64(time.Minute / time.Microsecond) // another process may store a little late
	earlierAsked = 24                                    // pictures of the new visit that are looked for
	earlierMost  = 200                                   // visits whose movement is compared, those of the same person and then the newest first
)

// earlier are the pictures' hashes of all visits that are kept, in memory:
// some 300 bytes each. They are read once, and then what is new.
type earlier struct {
	mu     sync.Mutex // guards the rest
	stored int64      // of the newest
	known  map[ward.VisitID]int64
	all    []storage.VisitTrace // only appended to, or replaced as a whole
}

// update reads what was stored since and returns all.
func (e *earlier) update(ctx context.Context, s *storage.Store) ([]storage.VisitTrace, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil {
		e.known = map[ward.VisitID]int64{}
	}
	from, id := e.stored-earlierAgain, ward.VisitID("")
	for {
		page, err := s.TracesAfter(ctx, from, id, earlierPage)
		if err != nil {
			return nil, err
		}
		for _, v := range page {
			if e.known[v.VisitID] != v.Stored {
				e.known[v.VisitID] = v.Stored
				e.all = append(e.all, v)
			}
			from, id, e.stored = v.Stored, v.VisitID, max(e.stored, v.Stored)
		}
		if len(page) < earlierPage {
			return e.all, nil
		}
	}
}

// forget drops what is kept no longer.
func (e *earlier) forget(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var left []storage.VisitTrace
	for _, v := range e.all {
		if v.KeepUntil.After(now) {
			left = append(left, v)
		} else {
			delete(e.known, v.VisitID)
		}
	}
	e.all = left
}

// candidates are the visits whose movement is compared with that of a visit
// of who, the newest first: all of the same person, because another's
// recording fails the face check, and before those of anybody whose pictures
// may be the same.
func candidates(all []storage.VisitTrace, self ward.VisitID, who string, prints []uint64) []ward.VisitID {
	if n := len(prints); n > earlierAsked {
		some := make([]uint64, earlierAsked)
		for i := range some {
			some[i] = prints[i*n/earlierAsked]
		}
		prints = some
	}
	var out []ward.VisitID
	for _, own := range []bool{true, false} {
		for i := len(all) - 1; i >= 0 && len(out) < earlierMost; i-- {
			v := &all[i]
			if v.VisitID != self && (v.Who == who) == own && (own || alike(prints, v.Prints)) {
				out = append(out, v.VisitID)
			}
		}
	}
	return out
}

// keepTrace stores what the session looked like, for the visits to come.
func (s *session) keepTrace(ctx context.Context) error {
	if s.traced || !s.trace.long() {
		return nil
	}
	s.traced = true
	return s.e.Store.KeepTrace(ctx, storage.VisitTrace{
		VisitID: s.visit.ID, KeepUntil: time.Now().AddDate(0, 0, s.e.KeptDays), Prints: s.trace.prints, Moves: bytesOf(s.trace.moves),
	})
}

// checkSeenBefore asks whether the session shows an earlier one, of any bed,
// again: pictures like its, and the same movements at the same times. Who
// answers other prompts at other moments does not.
func (s *session) checkSeenBefore(ctx context.Context) (ward.Check, error) {
	c := ward.Check{VisitID: s.visit.ID, Kind: ward.CheckSeenBefore, Outcome: ward.NotDone, At: time.Now()}
	if s.trace.long() {
		// Kept first: of two that show one recording at once at least one finds the other.
		if err := s.keepTrace(ctx); err != nil {
			return c, err
		}
		was, found, err := s.seenBefore(ctx)
		if err != nil {
			return c, err
		}
		c.Outcome, c.Score = ward.Pass, 1
		c.DetailZH, c.DetailEN = "与以往查访的画面和动作均不一致。", "No earlier visit has these pictures and movements."
		if found {
			f, err := s.e.Store.FlagSeenBefore(ctx, s.visit.ID, was)
			if err != nil {
				return c, err
			}
			c = f.Failed()
		}
	}
	return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
}

func (s *session) seenBefore(ctx context.Context) (was ward.VisitID, found bool, err error) {
	all, err := s.e.earlier.update(ctx, s.e.Store)
	if err != nil {
		return was, false, err
	}
	best := traceAgree
	for _, id := range candidates(all, s.visit.ID, s.visit.Who(), s.trace.prints) {
		b, err := s.e.Store.TraceMoves(ctx, id)
		if err != nil {
			return was, false, err
		}
		if a := shownAgain(s.trace.moves, movesOf(b), best); a > 0 {
			was, best, found = id, a, true
		}
	}
	return was, found, nil
}

func bytesOf(moves []move) []byte {
	out := make([]byte, 0, 4*len(moves))
	for _, m := range moves {
		out = append(out, byte(m[0]), byte(m[1]), byte(m[2]), byte(m[3]))
	}
	return out
}

func movesOf(b []byte) []move {
	out := make([]move, len(b)/4)
	for i := range out {
		for k := range out[i] {
			out[i][k] = int8(b[4*i+k]) //nolint:gosec // as bytesOf wrote it
		}
	}
	return out
}
