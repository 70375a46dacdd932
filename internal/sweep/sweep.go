// Package sweep plays one inspector's ward round through many institutions
// at once against a running Wardwatch: it registers them through the public
// API, orders every bed, lets simulated bedsides answer over WebRTC and
// compares the verdicts with the truth. It must not reach into the product
// behind the API.
package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/internal/demo"
	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// Kind is who is at a bed.
type Kind string

// Who is at a bed.
const (
	Genuine  Kind = "genuine"
	Impostor Kind = "impostor"
	Nobody   Kind = "nobody"
)

// Man is somebody who can be enrolled and filmed.
type Man struct {
	Photo []byte          // enrolled, JPEG
	Film  [2]*simbed.Clip // plain and mirrored; all bedsides share it
}

// Options say what is swept.
type Options struct {
	Base         string // of the service, http://host:port
	OneTime      string // an administrator's one-time sign-in
	Beds         int    // of all institutions together
	Institutions int
	AtOnce       int           // bedsides at most at the same time
	Over         time.Duration // bedsides come at moments drawn from it
	Within       time.Duration // from the order to the deadline of every bed
	Absent       int           // percent of the beds where nobody answers
	Impostors    int           // percent of the beds where the other man answers
	Seed         uint64        // of the order, the moments and who is where
	Men          [2]Man
	Service      int                  // process of the service, whose CPU time is measured; 0: not on this machine
	Say          func(string, ...any) // progress, each few seconds
}

// bed is one bed of the sweep. One goroutine has it at a time.
type bed struct {
	number      int
	institution int
	kind        Kind
	man         int // 0 or 1: who is enrolled
	admission   ward.AdmissionID
	visit       ward.VisitID
	round       ward.RoundID
	link        string
	ordered     time.Time
	deadline    time.Time
	comes       time.Duration // after the order of the last bed

	began, left, decided time.Time // the bedside's beginning and end, and when the verdict was seen; zero: never
	waited               time.Duration
	verdict              ward.Verdict
	reason               string
	err                  error
}

// sweep is one at work.
type sweep struct {
	Options
	admin, inspector *demo.Client
	beds             []*bed

	mu            sync.Mutex // guards what follows
	running, most int
	done          int
}

// Run sweeps and reports. Its error is of the setting up or of the service;
// what goes wrong at a bed is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := &sweep{Options: o}
	s.draw()
	began := time.Now()
	if err := s.setUp(ctx); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	s.Say("%d beds in %d institutions registered in %.0f s", o.Beds, o.Institutions, time.Since(began).Seconds())
	before, ordering := measure(o.Service), time.Now()
	if err := s.order(ctx); err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	start := time.Now()
	s.Say("every bed ordered in %.1f s by one inspector", start.Sub(ordering).Seconds())
	b := &board{inspector: s.inspector, draw: rand.New(rand.NewPCG(o.Seed, 2))} //nolint:gosec // a simulation that can be repeated
	for _, x := range s.beds {
		b.rounds = append(b.rounds, x.round)
	}
	aside, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(aside) })
	watching.Go(func() { s.progress(aside, start) })
	s.answerAll(ctx, start)
	used := measure(o.Service).since(before)
	for _, x := range s.beds { // who is absent is so at the deadline
		if x.kind == Nobody {
			s.await(ctx, x)
		}
	}
	stop()
	watching.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.report(ordering, start, used, b), nil
}

// draw says who is where and who comes when.
func (s *sweep) draw() {
	r := rand.New(rand.NewPCG(s.Seed, 1)) //nolint:gosec // a simulation that can be repeated
	absent, impostors := s.Beds*s.Absent/100, s.Beds*s.Impostors/100
	for i, place := range r.Perm(s.Beds) {
		x := &bed{number: place, institution: place % s.Institutions, man: place / s.Institutions % 2, kind: Genuine}
		switch {
		case i < absent:
			x.kind = Nobody
		case i < absent+impostors:
			x.kind = Impostor
		}
		if s.Over > 0 {
			x.comes = time.Duration(r.Int64N(int64(s.Over)))
		}
		s.beds = append(s.beds, x)
	}
}

// answerAll returns when every bed that somebody is at has its verdict, or none in time.
func (s *sweep) answerAll(ctx context.Context, start time.Time) {
	room := make(chan struct{}, s.AtOnce)
	var all errgroup.Group
	for _, x := range s.beds {
		if x.kind == Nobody {
			continue
		}
		all.Go(func() error {
			x.err = s.answer(ctx, x, start, room)
			s.await(ctx, x)
			s.mu.Lock()
			s.done++
			s.mu.Unlock()
			return nil
		})
	}
	_ = all.Wait() // the beds hold their errors
}

// progress says every few seconds how far it is.
func (s *sweep) progress(ctx context.Context, start time.Time) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.mu.Lock()
			done, running := s.done, s.running
			s.mu.Unlock()
			s.Say("%4.0f s: %d at their bedsides, %d of %d decided", time.Since(start).Seconds(), running, done, s.Beds-s.Beds*s.Absent/100)
		case <-ctx.Done():
			return
		}
	}
}
