package ingest

import (
	"context"
	"io"
	"time"

	"golang.org/x/time/rate"

	"wardwatch/storage/spool"
)

const (
	// throttlePiece is how much is read at a time between two looks at the
	// limits, in bytes.
	throttlePiece = 256 << 10
	// yieldFor is how long uploads rest after a recording had to wait.
	yieldFor = 2 * time.Second
	// yieldMost bounds how long one piece rests: uploads slow down to a trickle
	// and do not stop, since a spool that never drains stops the recording too.
	yieldMost = 500 * time.Millisecond
)

// throttle lets live work go first: it keeps all uploads together below a
// rate, and lets them rest while a recording has to wait.
type throttle struct {
	rate  *rate.Limiter // nil: no limit
	spool *spool.Spool
}

// newThrottle limits to mbitS megabits a second; 0 or less: no limit.
func newThrottle(mbitS float64, sp *spool.Spool) *throttle {
	t := &throttle{spool: sp}
	if mbitS > 0 {
		t.rate = rate.NewLimiter(rate.Limit(mbitS*1e6/8), throttlePiece)
	}
	return t
}

// wait returns when n more bytes, at most throttlePiece, may travel.
func (t *throttle) wait(ctx context.Context, n int) error {
	if time.Since(t.spool.Hurried()) < yieldFor {
		select {
		case <-time.After(yieldMost):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if t.rate == nil || n == 0 {
		return nil
	}
	return t.rate.WaitN(ctx, n)
}

// throttled is a file on its way to the store.
type throttled struct {
	ctx context.Context //nolint:containedctx // lives for one upload
	t   *throttle
	r   io.Reader
}

func (r *throttled) Read(p []byte) (int, error) {
	n, err := r.r.Read(p[:min(len(p), throttlePiece)])
	if waited := r.t.wait(r.ctx, n); waited != nil {
		return n, waited
	}
	return n, err
}
