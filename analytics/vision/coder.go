package vision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"wardwatch/ward"
)

const (
	// codeTimeout is how long one access unit may take; a 4096x2304 picture
	// takes about 0.1 s.
	codeTimeout = 3 * time.Second
	// coderPause is the rest between two starts of a worker that dies.
	coderPause = time.Second
)

// Coder transcodes one stream to H.264 baseline of at most 720 lines, in a
// contained worker process of its own: hostile bytes cost that stream a
// restart, and its decoder takes no time from those that look at pictures.
type Coder struct {
	path  string
	codec ward.Codec
	log   *slog.Logger
	calls chan *codeCall
	stop  context.CancelFunc
	ended chan struct{} // closed when run has returned
	done  sync.WaitGroup
}

type codeCall struct {
	q    CodeRequest
	done chan codeAnswer
}

type codeAnswer struct {
	reply CodeReply
	err   error
}

// NewCoder begins a transcoder of H.264, H.265, VP8 or MJPEG; path is the
// worker binary, "" means FindWorker. The process starts with the first key frame
// and ends with Close or ctx.
func NewCoder(ctx context.Context, path string, codec ward.Codec, log *slog.Logger) *Coder {
	if path == "" {
		path = FindWorker()
	}
	ctx, stop := context.WithCancel(ctx)
	c := &Coder{path: path, codec: codec, log: log, calls: make(chan *codeCall), stop: stop, ended: make(chan struct{})}
	c.done.Go(func() {
		defer close(c.ended)
		c.run(ctx)
	})
	return c
}

// Close ends the worker and waits.
func (c *Coder) Close() {
	c.stop()
	c.done.Wait()
}

// Code gives the worker the next access unit (q.Codec is set here) and
// returns the pictures that came out, in the order of showing.
//
// An error that wraps ErrPicture means broken bytes, and ErrLost that the
// worker died or did not answer; both are over at the stream's next key frame.
func (c *Coder) Code(ctx context.Context, q CodeRequest) ([]Coded, error) {
	if len(q.Data) == 0 || len(q.Data) > MaxPayload {
		return nil, fmt.Errorf("%w: access unit of %d bytes", ErrPicture, len(q.Data))
	}
	return c.ask(ctx, q)
}

// Flush returns the pictures that the decoder holds back. The next access
// unit must be a key frame. Its errors are those of Code.
func (c *Coder) Flush(ctx context.Context) ([]Coded, error) {
	return c.ask(ctx, CodeRequest{Show: true, Flush: true})
}

func (c *Coder) ask(ctx context.Context, q CodeRequest) ([]Coded, error) {
	q.Codec = c.codec
	call := &codeCall{q: q, done: make(chan codeAnswer, 1)}
	select {
	case c.calls <- call:
	case <-c.ended:
		return nil, fmt.Errorf("%w: the transcoder is closed", ErrLost)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-call.done:
		if a.err != nil {
			return nil, a.err
		}
		switch a.reply.Fault {
		case FaultNone:
			return a.reply.Coded, nil
		case FaultPicture:
			return nil, fmt.Errorf("%w: %s", ErrPicture, a.reply.Text)
		case FaultModel:
		}
		return nil, fmt.Errorf("transcode: %s", a.reply.Text)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run starts worker after worker until ctx ends.
func (c *Coder) run(ctx context.Context) {
	// The parent-death signal fires when this thread ends, so keep it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case <-ctx.Done():
			return
		case call := <-c.calls:
			if !call.q.Key { // nothing to build on
				call.done <- codeAnswer{}
				continue
			}
			began := time.Now()
			err := c.once(ctx, call)
			if ctx.Err() != nil {
				return
			}
			c.log.WarnContext(ctx, "transcoder ended", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(began.Add(coderPause))):
			}
		}
	}
}

// once runs one worker, beginning with first.
func (c *Coder) once(ctx context.Context, first *codeCall) error {
	p, err := startProcess(ctx, c.path, []string{"--transcode"}, c.log)
	if err != nil {
		first.done <- codeAnswer{err: fmt.Errorf("%w: %w", ErrLost, err)}
		return err
	}
	defer p.stop()
	for call := first; ; {
		reply, err := p.code(call.q, time.Now().Add(codeTimeout))
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrLost, errors.Join(err, ctx.Err()))
		}
		call.done <- codeAnswer{reply, err}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.dead:
			return fmt.Errorf("exited: %w", p.err)
		case call = <-c.calls:
		}
	}
}
