package web

import (
	"context"
	"sync"
	"time"

	"wardwatch/ward"
)

// slotWait is how long a request waits for a slot.
const slotWait = 10 * time.Second

// slots bound what requests take of the machine at a time, all together and
// each user's, so that nobody takes what the others need.
type slots struct {
	all        chan struct{} // a slot is a place in it
	each       int           // of a user
	busy, full func() *Problem

	mu sync.Mutex // guards by
	by map[ward.UserID]*share
}

// share is a user's part while anything of it is taken or waited for.
type share struct {
	taken chan struct{}
	uses  int // guarded by slots.mu
}

func newSlots(all, each int, busy, full func() *Problem) *slots {
	return &slots{all: make(chan struct{}, all), each: each, busy: busy, full: full, by: map[ward.UserID]*share{}}
}

// take takes a slot for the user and returns what gives it back. After
// slotWait it is a Problem with Retry-After: full when the user has as many as
// each may, else busy.
func (s *slots) take(ctx context.Context, user ward.UserID) (func(), error) {
	wait := time.NewTimer(slotWait)
	defer wait.Stop()
	own := s.join(user)
	if err := place(ctx, own.taken, wait.C, s.full); err != nil {
		s.leave(user, own)
		return nil, err
	}
	if err := place(ctx, s.all, wait.C, s.busy); err != nil {
		<-own.taken
		s.leave(user, own)
		return nil, err
	}
	return func() {
		<-s.all
		<-own.taken
		s.leave(user, own)
	}, nil
}

func (s *slots) join(user ward.UserID) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.by[user]
	if own == nil {
		own = &share{taken: make(chan struct{}, s.each)}
		s.by[user] = own
	}
	own.uses++
	return own
}

func (s *slots) leave(user ward.UserID, own *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.uses--; own.uses == 0 {
		delete(s.by, user)
	}
}

// place waits for a place in free until over, when it is the Problem full.
func place(ctx context.Context, free chan struct{}, over <-chan time.Time, full func() *Problem) error {
	select {
	case free <- struct{}{}: // also when the wait is over
		return nil
	default:
	}
	select {
	case free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-over:
		p := full()
		p.retryAfter = slotWait
		return p
	}
}
