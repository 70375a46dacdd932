package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wardwatch/ward"
)

// clerk does a source's disk and catalogue work in order, away from the
// media, and tries again for ever: a slow or dead database must not stop the
// recorder. What it holds are a few hundred bytes per segment or gap.
type clerk struct {
	log  *slog.Logger
	wake chan struct{}

	mu   sync.Mutex // guards todo
	todo []task
}

// task is tried until it returns nil or a final error.
type task struct {
	what string
	do   func(context.Context) error
}

const (
	clerkFirstRetry = 100 * time.Millisecond
	clerkLastRetry  = 5 * time.Second
	// clerkFarewell bounds the work after a stop: an orderly stop takes at
	// most 10 s. What is left then is found by Recover at the next start.
	clerkFarewell = 8 * time.Second
)

func newClerk(log *slog.Logger) *clerk { return &clerk{log: log, wake: make(chan struct{}, 1)} }

// add queues a task.
func (c *clerk) add(what string, do func(context.Context) error) {
	c.mu.Lock()
	c.todo = append(c.todo, task{what, do})
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *clerk) head() (task, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.todo) == 0 {
		return task{}, false
	}
	return c.todo[0], true
}

func (c *clerk) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.todo = c.todo[1:]
}

// Run works until ctx ends and then finishes what is queued, for a while.
func (c *clerk) Run(ctx context.Context) {
	for ctx.Err() == nil {
		c.drain(ctx)
		select {
		case <-c.wake:
		case <-ctx.Done():
		}
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), clerkFarewell)
	defer cancel()
	c.drain(late)
}

func (c *clerk) drain(ctx context.Context) {
	wait := clerkFirstRetry
	for ctx.Err() == nil {
		t, ok := c.head()
		if !ok {
			return
		}
		err := t.do(ctx)
		if err == nil || final(err) {
			if err != nil {
				c.log.ErrorContext(ctx, "catalogue refused", "task", t.what, "error", err)
			}
			c.done()
			wait = clerkFirstRetry
			continue
		}
		if ctx.Err() != nil {
			return
		}
		c.log.WarnContext(ctx, "catalogue not written, trying again", "task", t.what, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, clerkLastRetry)
	}
}

// final says whether trying again is useless.
func final(err error) bool {
	return errors.Is(err, &ward.Error{Kind: ward.Conflict}) || errors.Is(err, &ward.Error{Kind: ward.Invalid})
}
