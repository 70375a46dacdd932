package facesearch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// DefaultMost is how many faces are kept in memory when nobody says: at about
	// 410 bytes a face of 192 elements they take 820 MB.
	DefaultMost = 2_000_000
	// followEvery is how far the index is behind the database.
	followEvery = time.Second
	// overlap is what is read again, since a transaction may commit a while after
	// the moment that its rows bear.
	overlap = time.Minute
	// sweepEvery is how long a face whose sighting was removed, or whose
	// retention has ended, stays in memory. A search does not tell of it before.
	sweepEvery = time.Hour
	page       = 2000 // rows
	// spareShare of the places are free after there were too many.
	spareShare = 8
)

// Index holds the searchable faces that were seen last. Store is required.
type Index struct {
	Store *storage.Store
	Most  int // faces in memory, the ones seen last; 0: DefaultMost
	Log   *slog.Logger

	mu      sync.RWMutex // guards the rest; only Run's goroutine writes
	shelves map[string]*shelf
	slots   map[ward.SightingID]slot
	places  []where
	numbers map[where]uint32 // of places
	floor   int64            // microseconds since 1970: who was seen last before it is not here
	ready   bool
	done    int // faces read at the start
	total   int // of so many
	until   time.Time

	stored int64 // up to when everything stored is here; of Run's goroutine
	begun  int64 // when reading everything began, once that was done
	swept  time.Time
	unwell bool
}

type slot struct {
	shelf *shelf
	n     int
}

type where struct {
	place ward.PlaceID
	inst  ward.InstitutionID
}

// Status says how far an Index is.
type Status struct {
	Ready bool      `json:"ready"` // all that is stored was read once
	Done  int       `json:"done"`  // while it begins: faces read
	Total int       `json:"total"` // of so many
	Faces int       `json:"faces"` // in memory
	Most  int       `json:"most"`  // that may be
	Floor time.Time `json:"floor,omitzero" doc:"Faces seen last before it are not in memory: they are searched in the database, more slowly"`
	Until time.Time `json:"until,omitzero" doc:"Everything stored up to then is searched"`
}

// Status may be called from any goroutine.
func (x *Index) Status() Status {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Status{Ready: x.ready, Done: x.done, Total: x.total, Faces: len(x.slots), Most: x.most(), Until: x.until}
	if x.floor > 0 {
		s.Floor = time.UnixMicro(x.floor).UTC()
	}
	return s
}

func (x *Index) most() int {
	if x.Most > 0 {
		return x.Most
	}
	return DefaultMost
}

// Run reads all faces and follows the database until ctx ends. What the
// database cannot give is read later; Status.Until says how far it is.
func (x *Index) Run(ctx context.Context) error {
	if x.Log == nil {
		x.Log = slog.New(slog.DiscardHandler)
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		err := x.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !x.unwell: // once, until it goes again
			x.Log.WarnContext(ctx, "face search does not follow the database", "error", err)
		}
		x.unwell = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// turn takes in what was stored since the last, and drops what was removed.
func (x *Index) turn(ctx context.Context) error {
	now := time.Now()
	if err := x.follow(ctx, now); err != nil {
		return err
	}
	if x.swept.IsZero() {
		x.swept = now
		x.Log.InfoContext(ctx, "faces can be searched", "faces", len(x.slots), "took_ms", time.Since(now).Milliseconds())
	}
	if now.Sub(x.swept) < sweepEvery {
		return nil
	}
	x.swept = now
	return x.sweep(ctx)
}

// follow reads what was stored since the last time, or everything. A clock
// that was set back is read again from where it is now.
func (x *Index) follow(ctx context.Context, now time.Time) error {
	if !x.ready {
		total, err := x.Store.CountFaces(ctx)
		if err != nil {
			return err
		}
		x.mu.Lock()
		x.done, x.total = 0, total
		if x.slots == nil {
			x.shelves, x.slots, x.numbers = map[string]*shelf{}, map[ward.SightingID]slot{}, map[where]uint32{}
		}
		x.mu.Unlock()
	}
	known := func(id ward.SightingID, stored int64) bool { // read where it is written
		at, ok := x.slots[id]
		if !ok {
			return false
		}
		c, i := at.shelf.at(at.n)
		return c.stored[i] == stored
	}
	cursor := storage.FaceCursor{Stored: min(max(x.stored, x.begun), now.UnixMicro()) - overlap.Microseconds()}
	for {
		rows := make([]storage.FaceRow, 0, page)
		next, n, err := x.Store.FaceRows(ctx, cursor, page, known, func(r storage.FaceRow) {
			if len(r.Template) > 0 {
				rows = append(rows, r)
			}
		})
		if err != nil {
			return err
		}
		x.take(rows, n)
		cursor, x.stored = next, max(x.stored, next.Stored)
		if n < page {
			break
		}
	}
	if !x.ready { // rows of an older version are not newer than 0, and may be all
		x.begun = now.UnixMicro()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ready, x.until = true, now.UTC()
	return nil
}

// take puts rows into memory; n were read.
func (x *Index) take(rows []storage.FaceRow, n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.ready {
		x.done = min(x.done+n, x.total)
	}
	for i := range rows {
		x.put(&rows[i])
	}
	if len(x.slots) > x.most() {
		x.shed()
	}
}

// put stores one face, or what became of it; called locked.
func (x *Index) put(r *storage.FaceRow) {
	m := mark{from: r.From.UnixMicro(), to: r.To.UnixMicro(), place: x.number(where{r.PlaceID, r.InstitutionID})}
	at, known := x.slots[r.ID]
	s := x.shelves[r.ModelID]
	if known && at.shelf != s { // seen anew with another model
		x.drop(at.shelf, at.n)
		known = false
	}
	if m.to < x.floor {
		return
	}
	if s == nil {
		s = newShelf(len(r.Template))
		x.shelves[r.ModelID] = s
	}
	n := s.count
	if known {
		n = at.n
	}
	if s.put(n, r.ID, r.Stored, m, r.Template) {
		x.slots[r.ID] = slot{s, n}
	}
}

// drop removes a face from memory; called locked.
func (x *Index) drop(s *shelf, n int) {
	c, i := s.at(n)
	delete(x.slots, c.ids[i])
	if moved := s.remove(n); moved != "" {
		x.slots[moved] = slot{s, n}
	}
}

// number is that of a place; called locked.
func (x *Index) number(w where) uint32 {
	n, ok := x.numbers[w]
	if !ok {
		n = uint32(len(x.places)) //nolint:gosec // a city has thousands
		x.places, x.numbers[w] = append(x.places, w), n
	}
	return n
}

// shed makes room: the faces that were seen last the longest ago leave memory
// and are searched in the database from then on. Called locked.
func (x *Index) shed() {
	seen := make([]int64, 0, len(x.slots))
	x.each(func(s *shelf, n int) {
		c, i := s.at(n)
		seen = append(seen, c.marks[i].to)
	})
	slices.Sort(seen)
	x.floor = max(x.floor, seen[len(seen)-x.most()+x.most()/spareShare-1]+1)
	x.each(func(s *shelf, n int) {
		if c, i := s.at(n); c.marks[i].to < x.floor {
			x.drop(s, n)
		}
	})
}

// each visits every face, from each shelf's last to its first, so that the one
// visited may be dropped; called locked.
func (x *Index) each(f func(s *shelf, n int)) {
	for _, s := range x.shelves {
		for n := s.count - 1; n >= 0; n-- {
			f(s, n)
		}
	}
}

// sweep drops the faces that are no longer searchable.
func (x *Index) sweep(ctx context.Context) error {
	live := make(map[*shelf][]bool, len(x.shelves))
	for _, s := range x.shelves {
		live[s] = make([]bool, s.count)
	}
	cursor := storage.FaceCursor{Stored: -1}
	for {
		ids, next, err := x.Store.SearchableFaces(ctx, cursor, page)
		if err != nil {
			return err
		}
		for _, id := range ids { // nobody else moves them
			if at, ok := x.slots[id]; ok {
				live[at.shelf][at.n] = true
			}
		}
		if cursor = next; len(ids) < page {
			break
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.each(func(s *shelf, n int) {
		if !live[s][n] {
			x.drop(s, n)
		}
	})
	return nil
}
