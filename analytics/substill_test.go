package analytics_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

// counterGrid is a counter, with something over so many of the cells.
func counterGrid(over int) ward.Grid {
	cells := make([]float32, ward.GridCells)
	for i := range cells {
		if cells[i] = float32(60 + 7*i%97); i < over {
			cells[i] = 200
		}
	}
	return ward.NewGrid(cells)
}

const came, last = 10, 40 // seconds: somebody comes; the end

// frozenStory is what the main stream shows, or the sub stream, which changes
// by so much from second 8 on; found: the person is found in the main stream.
func frozenStory(main bool, change float32, found bool) look {
	return func(_ context.Context, au []byte, _ bool, want vision.Want) (ward.Seen, bool, error) {
		n := int(binary.BigEndian.Uint16(au[len(au)-2:]))
		seen := ward.Seen{Width: 640, Measures: &ward.Measures{Change: .4, Levels: counterGrid(0), Detail: counterGrid(0)}}
		if !main && n >= 8 {
			seen.Measures.Change = change
		}
		if main && n >= came {
			seen.Measures.Levels = counterGrid(ward.GridCells / 20)
			if found && want.Has(vision.WantPeople) {
				seen.People = someone(.8).People
			}
		}
		return seen, true, nil
	}
}

// A sub stream that goes on showing the empty counter, with key frames, while
// the main stream shows somebody in a twentieth of the picture accuses nobody.
func TestAFrozenSubStreamAccusesNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change float32 // of the sub stream, from second 8 on
		found  bool    // the person in the main stream
	}{
		"a coder that spends its bits":           {.3, true},
		"a picture that stands still":            {0, true},
		"stands still, and the person is missed": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.base = time.Now().UTC().Add(time.Hour).Truncate(time.Second) // ahead: the stream is never silent
			w, sub := s.watcher(frozenStory(true, c.change, c.found)), stream()
			w.Sub = func(context.Context) (analytics.SubStream, ward.SubFault) {
				return analytics.SubStream{Stream: sub, See: frozenStory(false, c.change, c.found), Close: func() {}}, ward.NoSubFault
			}
			st, done := stream(), make(chan struct{})
			go func() { defer close(done); w.Run(t.Context(), st) }()
			for n := range last {
				before := w.Stats()
				for i, to := range []*ingest.Stream{st, sub} {
					idr := []byte{0x65, 0, 0}
					binary.BigEndian.PutUint16(idr[1:], uint16(n))
					to.Write(ingest.Unit{Track: 1, PTS: int64(n) * 90000, Arrived: s.at(float64(n) + .1*float64(i)), AU: [][]byte{idr}, Key: true})
				}
				until(t, func() bool {
					now := w.Stats()
					return now.Looked > before.Looked || now.SubsGivenUp > before.SubsGivenUp
				})
			}
			st.Close()
			<-done
			if n := w.Stats(); n.Beside == 0 || n.SubsGivenUp == 0 {
				t.Fatalf("it was never looked at, or is still: %+v", n)
			}
			if !c.found {
				return
			}
			got, err := s.SightingsAt(t.Context(), "p1", s.at(0), s.at(last))
			s.must(err)
			seen := false
			for _, v := range got {
				seen = seen || v.Kind == ward.PeopleSeen && !v.From.After(s.at(came+4.5)) && v.To.After(s.at(last-2))
			}
			if !seen {
				t.Errorf("watched, and nobody there: %+v", got)
			}
		})
	}
}
