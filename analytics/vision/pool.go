// Package vision talks to the contained workers that decode and look at
// pictures (cmd/wardwatch-vision): it starts, supervises and restarts them
// and holds the messages that both sides speak. It is pure Go, decodes no
// pixel itself and must know nothing of cameras, rounds or storage.
package vision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/ward"
)

// ErrLost is wrapped by the error of a request whose worker died or was
// killed because it did not answer in time. The next request is served by its successor.
var ErrLost = errors.New("vision worker lost")

// ErrPicture is wrapped by the error of an access unit that does not
// decode. The session goes on; ask the sender for a key frame.
var ErrPicture = errors.New("picture does not decode")

const (
	defaultTimeout = 5 * time.Second // a 4096x2304 picture with ten faces takes under 1 s
	waitMax        = 20 * time.Second
	backoffFirst   = 100 * time.Millisecond
	backoffMax     = 5 * time.Second
	steadyAfter    = 30 * time.Second // a worker that ran this long starts again at once
)

// Pool runs worker processes. Set the fields, then call Run; every other
// method may be called at any time from any goroutine.
type Pool struct {
	Path    string        // worker binary; "" means FindWorker
	Models  string        // folder of the models; "" means FindModels
	Workers int           // processes; 0 means 1
	Timeout time.Duration // for one request; 0 means 5 s
	Log     *slog.Logger  // required

	once     sync.Once
	slots    []*slot
	stills   chan *call    // requests that any worker may serve
	done     chan struct{} // closed when Run has returned
	next     atomic.Uint64 // session ids
	restarts atomic.Uint64
}

// call is one request on its way to a worker.
type call struct {
	q    Request
	gen  uint64 // only this generation of the worker may serve it; 0: any
	done chan answer
}

type answer struct {
	reply Reply
	gen   uint64 // of the worker that answered
	err   error
}

// prepare fills in the defaults once.
func (p *Pool) prepare() {
	p.once.Do(func() {
		if p.Path == "" {
			p.Path = FindWorker()
		}
		if p.Models == "" {
			p.Models = FindModels()
		}
		if p.Timeout <= 0 {
			p.Timeout = defaultTimeout
		}
		for range max(p.Workers, 1) {
			p.slots = append(p.slots, &slot{pool: p, calls: make(chan *call), later: make(chan *call), failing: make(chan struct{})})
		}
		p.stills = make(chan *call)
		p.done = make(chan struct{})
	})
}

// Run keeps the workers running until ctx ends; every worker has been
// reaped when it returns. A worker that cannot start is retried with
// growing pauses, so Run returns only ctx's end (nil). Call it once.
func (p *Pool) Run(ctx context.Context) error {
	p.prepare()
	var all sync.WaitGroup
	for _, s := range p.slots {
		all.Go(func() { s.run(ctx) })
	}
	all.Wait()
	close(p.done)
	return nil
}

// Ready returns nil when at least one worker answers, else a *ward.Error
// that says what is missing.
func (p *Pool) Ready() error {
	p.prepare()
	var last error
	for _, s := range p.slots {
		pid, err := s.state()
		if pid != 0 {
			return nil
		}
		last = errors.Join(last, err)
	}
	if err := missing(p.Path, p.Models); err != nil {
		return err
	}
	if last != nil {
		return &ward.Error{
			Kind: ward.Unavailable, Code: "vision.down",
			ZH:  "视觉进程无法启动，请查看日志，并重新运行 make vision 与 make models",
			EN:  "the vision workers do not start: see the log, and run make vision and make models again",
			Err: last,
		}
	}
	return &ward.Error{
		Kind: ward.Unavailable, Code: "vision.starting",
		ZH: "视觉进程正在启动，请稍候", EN: "the vision workers are starting: try again in a few seconds",
	}
}

// PIDs returns the process ids of the workers that are up, for metrics and tests.
func (p *Pool) PIDs() []int {
	p.prepare()
	var pids []int
	for _, s := range p.slots {
		if pid, _ := s.state(); pid != 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Restarts returns how many workers were lost so far, for metrics.
func (p *Pool) Restarts() uint64 { return p.restarts.Load() }

// Still looks at one JPEG or PNG. A file that does not decode gives a
// *ward.Error with Code "photo.broken".
func (p *Pool) Still(ctx context.Context, image []byte, want Want) (ward.Seen, error) {
	return p.still(ctx, image, want, 0)
}

func (p *Pool) still(ctx context.Context, image []byte, want Want, side int) (ward.Seen, error) {
	p.prepare()
	if len(image) == 0 || len(image) > ward.MaxPhoto {
		return ward.Seen{}, brokenPhoto(fmt.Errorf("%d bytes", len(image)))
	}
	c := &call{q: Request{Op: OpStill, Want: want, Side: side, Data: image}, done: make(chan answer, 1)}
	s := p.healthiest()
	a, err := p.send(ctx, c, p.stills, s.failed())
	if err != nil {
		return ward.Seen{}, err
	}
	switch a.reply.Fault {
	case FaultNone:
		return a.reply.Seen, nil
	case FaultPicture:
		return ward.Seen{}, brokenPhoto(errors.New(a.reply.Text))
	case FaultModel:
		return ward.Seen{}, fmt.Errorf("look at a photo: %s", a.reply.Text)
	default:
		return ward.Seen{}, fmt.Errorf("look at a photo: unknown fault %q", a.reply.Fault)
	}
}

func brokenPhoto(cause error) error {
	return &ward.Error{
		Kind: ward.Invalid, Code: "photo.broken",
		ZH:  fmt.Sprintf("照片无法读取：请提供完整的 JPEG 或 PNG 文件（不超过 %d MB、4096×4096）", ward.MaxPhoto>>20),
		EN:  fmt.Sprintf("the photo cannot be read: give a complete JPEG or PNG (at most %d MB and 4096x4096)", ward.MaxPhoto>>20),
		Err: cause,
	}
}

// healthiest returns a slot that is up or starting, else any.
func (p *Pool) healthiest() *slot {
	for _, s := range p.slots {
		select {
		case <-s.failed():
		default:
			return s
		}
	}
	return p.slots[0]
}

// send hands c to a worker over ch and waits for the answer.
func (p *Pool) send(ctx context.Context, c *call, ch chan<- *call, failed <-chan struct{}) (answer, error) {
	wait := time.NewTimer(waitMax)
	defer wait.Stop()
	select {
	case <-p.done:
		return answer{}, fmt.Errorf("%w: the pool has ended", ErrLost)
	default:
	}
	select {
	case ch <- c:
	case <-failed:
		if err := p.Ready(); err != nil {
			return answer{}, err
		}
		return answer{}, fmt.Errorf("%w: it is starting again", ErrLost)
	case <-p.done:
		return answer{}, fmt.Errorf("%w: the pool has ended", ErrLost)
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-wait.C:
		return answer{}, &ward.Error{
			Kind: ward.Unavailable, Code: "vision.busy",
			ZH: "视觉进程繁忙，请稍后再试", EN: "the vision workers are busy: try again later",
		}
	}
	select {
	case a := <-c.done:
		return a, a.err
	case <-ctx.Done():
		return answer{}, ctx.Err() // the worker finishes the call for nobody
	}
}
