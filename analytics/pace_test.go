package analytics_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

// glimpse is one call of See.
type glimpse struct {
	frame int // of 25 a second
	want  vision.Want
}

// reel is a camera of 25 pictures a second with a key frame every gop of
// them, and who looks at it.
type reel struct {
	*scene
	st   *ingest.Stream
	show func(frame int) ward.Seen

	mu    sync.Mutex // guards calls
	calls []glimpse
}

func (r *reel) see(_ context.Context, au []byte, _ bool, want vision.Want) (ward.Seen, bool, error) {
	frame := int(binary.BigEndian.Uint16(au[len(au)-2:]))
	r.mu.Lock()
	r.calls = append(r.calls, glimpse{frame, want})
	r.mu.Unlock()
	if want == 0 {
		return ward.Seen{}, false, nil
	}
	seen := r.show(frame)
	if !want.Has(vision.WantPeople) {
		seen.People = nil
	}
	return seen, true, nil
}

// looked returns the calls that looked, and the newest of them.
func (r *reel) looked() (all []glimpse, last int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last = -1
	for _, c := range r.calls {
		if c.want != 0 {
			all, last = append(all, c), c.frame
		}
	}
	return all, last
}

func (r *reel) write(frame, gop int) {
	slice := []byte{0x41, 0, 0}
	if frame%gop == 0 {
		slice[0] = 0x65
	}
	binary.BigEndian.PutUint16(slice[1:], uint16(frame))
	r.st.Write(ingest.Unit{Track: 1, PTS: int64(frame) * 3600, Arrived: r.at(float64(frame) / 25), AU: [][]byte{slice}, Key: frame%gop == 0})
}

const frame = time.Second / 25

// While nobody is there only key frames are looked at. While somebody is, two
// to five pictures a second, of which one is looked at thoroughly, and nothing is
// looked at whose references were not decoded.
func TestPicturesArePacedByWhoIsThere(t *testing.T) {
	for range 5 {
		if paced(t) {
			return
		}
	}
	t.Error("the machine is too busy: every time a look that takes nothing took too long, or pictures were skipped")
}

// paced plays the scene once; false when looking took so long that the
// watcher fell back to key frames or passed over pictures that were due.
func paced(t *testing.T) bool {
	t.Helper()
	const gop, frames, from, to = 50, 25 * 30, 25 * 8, 25 * 18
	r := &reel{scene: newScene(t), st: stream(), show: func(n int) ward.Seen {
		if n >= from && n < to {
			s := someone(.6)
			s.Faces = faced(.4, nil).Faces
			return s
		}
		return ward.Seen{}
	}}
	w, done := r.watcher(r.see), make(chan struct{})
	go func() { defer close(done); w.Run(t.Context(), r.st) }()
	for n := range frames {
		r.write(n, gop)
		until(t, func() bool { // the machine's speed decides which picture is looked at next: wait only while one is due
			s := w.Stats()
			all, last := r.looked()
			due := n%gop == 0 && last < n
			switch {
			case n > from && n < to+25*2:
				due = time.Duration(n-last)*frame >= 500*time.Millisecond
			case n > from && n < to+25*4:
				due = false
			case n == to+25*4:
				due = last < to+25*3 // one that shows that they are gone for longer than is waited for them
			}
			return s.Late > 0 || !due && s.Looked == uint64(len(all)) // late: it waits for a key frame
		})
	}
	r.st.Close()
	<-done

	decoded, full := -1, -1
	for _, c := range r.calls {
		if c.frame%gop != 0 && c.frame != decoded+1 {
			t.Fatalf("picture %d after %d", c.frame, decoded)
		}
		decoded = c.frame
	}
	if w.Stats().Late > 0 {
		return false
	}
	all, _ := r.looked()
	for i, c := range all {
		thorough := c.want.Has(vision.WantPeople)
		quiet := c.frame < from || c.frame > to+25*4+gop
		if quiet && (c.frame%gop != 0 || !thorough) {
			t.Errorf("picture %d is looked at for %b while nobody is there", c.frame, c.want)
		}
		if i > 0 && c.frame > from+gop && c.frame < to {
			if gap := time.Duration(c.frame-all[i-1].frame) * frame; gap > 540*time.Millisecond {
				return false
			} else if gap < 150*time.Millisecond {
				t.Errorf("picture %d is looked at %v after the one before", c.frame, gap)
			}
			if gap := time.Duration(c.frame-full) * frame; thorough && gap < 600*time.Millisecond || !thorough && gap >= 900*time.Millisecond {
				t.Errorf("picture %d, thorough %v, %v after a thorough one", c.frame, thorough, gap)
			}
		}
		if thorough {
			full = c.frame
		}
	}
	if s := w.Stats(); s.Looked != uint64(len(all)) || s.Glanced == 0 || s.Late != 0 {
		t.Errorf("stats %+v of %d", s, len(all))
	}
	got, err := r.SightingsAt(t.Context(), "p1", r.at(0), r.at(60))
	r.must(err)
	for _, v := range got {
		if v.Kind == ward.PeopleSeen && (v.From.Before(r.at(8)) || v.To.Before(r.at(17.4)) || !v.To.Before(r.at(18))) {
			t.Errorf("people from %v to %v", v.From.Sub(r.base), v.To.Sub(r.base))
		}
		if v.Kind == ward.Watched && v.Count > 30 {
			t.Errorf("glances count as watched: %d", v.Count)
		}
	}
	return true
}

// A worker that takes too long costs pictures, never makes them late: the
// rest of the group of pictures is given up.
func TestPicturesAreGivenUpRatherThanLate(t *testing.T) {
	const gop = 250
	entered, gate := make(chan int, 100), make(chan struct{})
	r := &reel{scene: newScene(t), st: stream(), show: func(n int) ward.Seen {
		if n%gop > 0 {
			entered <- n
			<-gate
		}
		return someone(.6)
	}}
	w, done := r.watcher(r.see), make(chan struct{})
	go func() { defer close(done); w.Run(t.Context(), r.st) }()
	r.write(0, gop)
	until(t, func() bool { return w.Stats().Looked == 1 })
	for n := 1; n <= 25; n++ {
		r.write(n, gop)
	}
	held, began := <-entered, time.Now()
	for n := 26; n < 150; n++ { // all while that one is looked at
		r.write(n, gop)
	}
	until(t, func() bool { return time.Since(began) > 400*time.Millisecond })
	close(gate)
	until(t, func() bool { return w.Stats().Late == 1 })
	for n := 150; n <= gop; n++ {
		r.write(n, gop)
	}
	until(t, func() bool { _, last := r.looked(); return last == gop })
	r.st.Close()
	<-done
	for _, c := range r.calls {
		if c.frame > held && c.frame != gop {
			t.Errorf("picture %d was decoded after %d was late", c.frame, held)
		}
	}
	if s := w.Stats(); s.Late != 1 || s.Looked != 3 {
		t.Errorf("stats %+v", s)
	}
}
