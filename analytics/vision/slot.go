package vision

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// slot supervises one worker at a time.
type slot struct {
	pool  *Pool
	calls chan *call // requests for this worker: its sessions
	later chan *call // those of its background sessions, taken when there are no others

	mu      sync.Mutex    // guards the rest
	pid     int           // 0 while no worker answers
	err     error         // why the last start did not succeed
	failing chan struct{} // closed while waiting to try again after a failed start
	gen     uint64        // counts the workers of this slot, from 1; owned by run
}

func (s *slot) state() (pid int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid, s.err
}

func (s *slot) failed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing
}

func (s *slot) set(pid int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid, s.err = pid, err
	closed := false
	select {
	case <-s.failing:
		closed = true
	default:
	}
	if err != nil && !closed {
		close(s.failing)
	}
	if err == nil && closed {
		s.failing = make(chan struct{})
	}
}

// run starts worker after worker until ctx ends.
func (s *slot) run(ctx context.Context) {
	// The parent-death signal fires when this thread ends, so keep it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pause := backoffFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			break
		}
		s.pool.restarts.Add(1)
		s.pool.Log.WarnContext(ctx, "vision worker ended", "error", err)
		if time.Since(began) > steadyAfter {
			pause = backoffFirst
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMax)
	}
	s.set(0, nil)
}

// once runs one worker from start to end.
func (s *slot) once(ctx context.Context) error {
	p, err := startProcess(ctx, s.pool.Path, []string{"--models", s.pool.Models}, s.pool.Log)
	if err != nil {
		s.set(0, err)
		return err
	}
	defer p.stop()
	s.gen++
	s.set(p.cmd.Process.Pid, nil)
	defer func() { s.set(0, nil) }()
	for {
		var c *call
		select { // somebody waits for these
		case c = <-s.calls:
		case c = <-s.pool.stills:
		default:
			select {
			case <-ctx.Done():
				return nil
			case <-p.dead:
				return fmt.Errorf("exited: %w", p.err)
			case c = <-s.calls:
			case c = <-s.pool.stills:
			case c = <-s.later:
			}
		}
		if c.gen != 0 && c.gen != s.gen {
			c.done <- answer{gen: s.gen} // its decoder died with an earlier worker
			continue
		}
		reply, err := p.ask(c.q, time.Now().Add(s.pool.Timeout))
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrLost, err)
		}
		c.done <- answer{reply: reply, gen: s.gen, err: err}
		if err != nil {
			return err
		}
	}
}
