package facesearch

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"wardwatch/ward"
)

// perChunk is how many faces lie together: what is allocated at once (2 MB),
// and what one processor compares at a time.
const perChunk = 8192

// shelf holds the faces of one model, in no order. It has no lock of its own.
type shelf struct {
	elements int
	words    int // a face
	chunks   []*chunk
	count    int
	longest  float64 // of scale·code of any face that was ever here
}

// chunk holds faces; what every search reads lies apart from what it does not.
type chunk struct {
	words  []words
	marks  []mark
	ids    []ward.SightingID
	stored []int64
}

// mark is what a search asks of a face before it compares it, and what its
// code means.
type mark struct {
	from, to    int64 // microseconds since 1970
	place       uint32
	scale, lost float32
}

func newShelf(elements int) *shelf { return &shelf{elements: elements, words: wordsOf(elements)} }

// at returns the chunk of slot n and its place in it.
func (s *shelf) at(n int) (*chunk, int) { return s.chunks[n/perChunk], n % perChunk }

// put stores a face in slot n, the next one or one in use. ok is false for a
// template that cannot be compared.
func (s *shelf) put(n int, id ward.SightingID, stored int64, m mark, t ward.Template) bool {
	fresh := make([]words, s.words)
	var ok bool
	if m.scale, m.lost, ok = encode(t, fresh); !ok || len(t) != s.elements {
		return false
	}
	if n == s.count {
		if n%perChunk == 0 {
			s.chunks = append(s.chunks, &chunk{
				words: make([]words, perChunk*s.words), marks: make([]mark, perChunk), ids: make([]ward.SightingID, perChunk), stored: make([]int64, perChunk),
			})
		}
		s.count++
	}
	c, i := s.at(n)
	copy(c.words[i*s.words:], fresh)
	c.marks[i], c.ids[i], c.stored[i] = m, id, stored
	var length float64
	for _, v := range t {
		length += float64(v) * float64(v)
	}
	s.longest = max(s.longest, (math.Sqrt(length)+float64(m.lost))*(1+1e-6))
	return true
}

// remove empties slot n by moving the last face there, whose id it returns;
// it is empty when n was the last.
func (s *shelf) remove(n int) (moved ward.SightingID) {
	last := s.count - 1
	from, i := s.at(last)
	if n != last {
		to, j := s.at(n)
		copy(to.words[j*s.words:(j+1)*s.words], from.words[i*s.words:(i+1)*s.words])
		to.marks[j], to.ids[j], to.stored[j] = from.marks[i], from.ids[i], from.stored[i]
		moved = to.ids[j]
	}
	from.ids[i] = ""
	clear(from.words[i*s.words : (i+1)*s.words]) // a face is kept no longer than it is needed
	if s.count--; i == 0 {
		s.chunks = s.chunks[:len(s.chunks)-1]
	}
	return moved
}

// likely is a face that may be like the one that is looked for: its cosine is
// at most high.
type likely struct {
	id   ward.SightingID
	high float64
}

// wanted is what a search asks of a mark.
type wanted struct {
	from, to int64
	places   []bool // by number
}

func (w *wanted) admits(m *mark) bool { return w.places[m.place] && m.to >= w.from && m.from <= w.to }

// find returns every face that w admits and whose cosine with q may be least
// or more, in no order, and how many w admits. All processors look.
func (s *shelf) find(q *question, w *wanted, least float64) (found []likely, admitted int64) {
	var mu sync.Mutex // guards found, admitted
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.chunks)) {
		all.Go(func() {
			var mine []likely
			var n int64
			for i := int(next.Add(1)) - 1; i < len(s.chunks); i = int(next.Add(1)) - 1 {
				mine, n = s.findIn(i, q, w, least, mine, n)
			}
			mu.Lock()
			defer mu.Unlock()
			found, admitted = append(found, mine...), admitted+n
		})
	}
	all.Wait()
	return found, admitted
}

// admitted counts the faces that w admits.
func (s *shelf) admitted(w *wanted) (n int64) {
	for i, c := range s.chunks {
		for j := range c.marks[:min(perChunk, s.count-i*perChunk)] {
			if w.admits(&c.marks[j]) {
				n++
			}
		}
	}
	return n
}

// findIn looks through one chunk.
func (s *shelf) findIn(i int, q *question, w *wanted, least float64, found []likely, n int64) ([]likely, int64) {
	c := s.chunks[i]
	marks := c.marks[:min(perChunk, s.count-i*perChunk)]
	spare := q.lost*s.longest + 1e-9 // and the rounding of what follows
	for j := range marks {
		m := &marks[j]
		if !w.admits(m) {
			continue
		}
		n++
		about := q.step * float64(m.scale) * float64(q.dot(c.words[j*s.words:(j+1)*s.words]))
		if high := about + q.length*float64(m.lost) + spare; high >= least {
			found = append(found, likely{c.ids[j], high})
		}
	}
	return found, n
}
