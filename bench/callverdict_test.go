package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
	"wardwatch/ward"
	"wardwatch/web"
)

const (
	verdicts     = 6
	verdictLimit = 3 * time.Second
)

// BenchmarkChallengeToVerdict lets genuine patients be visited, one after the
// other: from the moment at which the bedside shows the last challenge, a
// colour, whose light the service then measures for .6 s and .5 s more, to the
// sealed verdict in a GET; and from the answer to the last movement, which six
// colours follow.
func BenchmarkChallengeToVerdict(b *testing.B) {
	clip := modeltest.Clip(b, "franck.mp4")
	photo, err := scenario.Still(b.Context(), clip, 10)
	must(b, err)
	film := genuineFilm(b, clip)
	h := openHouse(b, 2)
	for b.Loop() {
		var all, moved []time.Duration
		var steps stages
		longest := ""
		for range verdicts {
			v, link := h.order(h.bed(photo))
			ended := make(chan error, 1)
			ctx := b.Context()
			go func() {
				_, err := simbed.Run(ctx, simbed.Options{Server: h.base, Link: link, Behaviour: simbed.Genuine, Clip: film[0], Mirrored: film[1]})
				ended <- err
			}()
			got, read := h.verdict(v.ID)
			must(b, <-ended)
			if got.Visit.Verdict != ward.Present {
				b.Fatalf("a genuine patient is %s: %s %+v", got.Visit.Verdict, got.Visit.ReasonEN, got.Checks)
			}
			movement, challenge := lastAsked(b, got)
			all, moved = append(all, read.Sub(challenge)), append(moved, read.Sub(movement))
			steps.add(got, movement, read)
			if all[len(all)-1] == slices.Max(all) {
				longest = stepsAfter(got, challenge)
			}
		}
		slices.Sort(all)
		slices.Sort(moved)
		b.Logf("the longest: %s", longest)
		b.Logf("after the answer to the last movement, minimum and p50: %s", &steps)
		b.Logf("from the answer to the last movement: p50 %s, p95 %s", at(moved, .5).Round(time.Millisecond), at(moved, .95).Round(time.Millisecond))
		beside(b, "verdict", all, verdictLimit)
	}
}

// stepsAfter says where the time went.
func stepsAfter(v web.VisitDetail, from time.Time) string {
	var all strings.Builder
	for _, e := range v.Events {
		if e.At.After(from) {
			fmt.Fprintf(&all, "%.2f s %s, ", e.At.Sub(from).Seconds(), e.Kind)
		}
	}
	return all.String()
}

// stages are the moments after the last movement, of several visits, in the order of the first.
type stages struct {
	names []string
	after map[string][]time.Duration // in the order of the visits
}

// add takes the events of a visit that follow from, the seal among them, and when it was read.
func (s *stages) add(v web.VisitDetail, from, read time.Time) {
	times := map[string]int{}
	for _, e := range v.Events {
		if e.At.After(from) {
			times[e.Kind]++
			s.put(fmt.Sprintf("%s %d", e.Kind, times[e.Kind]), e.At.Sub(from))
		}
	}
	s.put("read", read.Sub(from))
}

func (s *stages) put(name string, after time.Duration) {
	if s.after == nil {
		s.after = map[string][]time.Duration{}
	}
	if !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
	s.after[name] = append(s.after[name], after)
}

func (s *stages) String() string {
	var all strings.Builder
	for _, n := range s.names {
		t := slices.Sorted(slices.Values(s.after[n]))
		fmt.Fprintf(&all, "%s %.2f %.2f s, ", n, t[0].Seconds(), at(t, .5).Seconds())
	}
	return all.String()
}

// genuineFilm is the man of the clip, and mirrored, with poses measured.
func genuineFilm(b *testing.B, clip string) (film [2]*simbed.Clip) {
	b.Helper()
	pool := modeltest.Pool(b, 1, nil)
	s := pool.NewSession(ward.H264)
	defer s.Close()
	for k, flip := range []bool{false, true} {
		var err error
		film[k], err = simbed.Open(b.Context(), clip, filepath.Join(modeltest.Root(b), ".demo", "bedside"), flip, func(ctx context.Context, au []byte) (ward.Seen, bool, error) {
			return s.See(ctx, au, true, vision.WantFaces)
		})
		must(b, err)
	}
	return film
}

// verdict waits for the sealed verdict and says when it was read.
func (h *house) verdict(id ward.VisitID) (v web.VisitDetail, read time.Time) {
	h.b.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		if v = h.visit(id); v.Visit.State == ward.VisitSealed {
			return v, time.Now()
		}
		if v.Visit.State == ward.VisitDeciding {
			h.b.Fatalf("a genuine patient is left to a human: %+v", v.Checks)
		}
	}
	h.b.Fatalf("no verdict in 3 minutes: %+v", v.Visit)
	return v, read
}

// lastAsked is when the last movement was answered, and when the last
// challenge was displayed.
func lastAsked(b *testing.B, v web.VisitDetail) (movement, challenge time.Time) {
	b.Helper()
	colours := map[int]bool{}
	for _, e := range v.Events {
		var m struct {
			ID      int    `json:"id"`
			Command string `json:"cmd"`
		}
		must(b, json.Unmarshal([]byte(e.Body), &m))
		switch {
		case e.Kind == "answer":
			movement = e.At
		case e.Kind == "command" && strings.HasPrefix(m.Command, "colour_"):
			colours[m.ID] = true
		case e.Kind == "receipt" && colours[m.ID]:
			challenge = e.At
		}
	}
	if movement.IsZero() || challenge.Before(movement) {
		b.Fatalf("not every challenge was given: %+v", v.Events)
	}
	return movement, challenge
}
