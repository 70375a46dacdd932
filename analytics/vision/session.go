package vision

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wardwatch/ward"
)

// Session is one decoder for one stream, held by one worker. Its methods
// may be called from several goroutines, but access units must arrive in
// decoding order.
type Session struct {
	pool  *Pool
	slot  *slot
	calls chan<- *call // of the slot
	id    uint64
	codec ward.Codec

	mu  sync.Mutex // guards gen
	gen uint64     // the worker that holds the decoder; 0: none does
}

// NewSession begins a stream; nothing happens until its first key frame.
func (p *Pool) NewSession(codec ward.Codec) *Session {
	p.prepare()
	id := p.next.Add(1)
	slot := p.slots[id%uint64(len(p.slots))]
	return &Session{pool: p, slot: slot, calls: slot.calls, id: id, codec: codec}
}

// NewBackgroundSession is NewSession for pictures that nobody waits for:
// those of other sessions, and photos, go first.
func (p *Pool) NewBackgroundSession(codec ward.Codec) *Session {
	s := p.NewSession(codec)
	s.calls = s.slot.later
	return s
}

// See decodes one access unit (Annex B for H.264 and H.265, the raw frame
// for VP8 and MJPEG) and looks at the picture. Want 0 only decodes, so that later
// pictures find their references. ok is false when no picture came out: want
// was 0, the decoder needs more, or the first key frame (or the first one
// since the worker was restarted) has not come yet.
//
// An error that wraps ErrPicture means broken bytes; ErrLost, that the
// worker died or did not answer in time; both cost this unit only, and the
// stream goes on at its next key frame. A *ward.Error means there is no worker.
func (s *Session) See(ctx context.Context, au []byte, key bool, want Want) (seen ward.Seen, ok bool, err error) {
	return s.see(ctx, au, key, want, 0)
}

func (s *Session) see(ctx context.Context, au []byte, key bool, want Want, side int) (seen ward.Seen, ok bool, err error) {
	switch s.codec {
	case ward.H264, ward.H265, ward.VP8, ward.MJPEG:
	case ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
		fallthrough
	default:
		return seen, false, &ward.Error{
			Kind: ward.Invalid, Code: "vision.codec",
			ZH: "无法分析该视频编码：" + string(s.codec), EN: "this video codec cannot be analysed: " + string(s.codec),
		}
	}
	if len(au) == 0 || len(au) > MaxPayload {
		return seen, false, fmt.Errorf("%w: access unit of %d bytes", ErrPicture, len(au))
	}
	gen := s.generation()
	if !key && gen == 0 {
		return seen, false, nil
	}
	c := &call{
		q:    Request{Op: OpSee, Session: s.id, Codec: s.codec, Key: key, Want: want, Side: side, Data: au},
		done: make(chan answer, 1),
	}
	if !key {
		c.gen = gen
	}
	a, err := s.pool.send(ctx, c, s.calls, s.slot.failed())
	if err != nil {
		s.hold(0)
		return seen, false, err
	}
	if c.gen != 0 && c.gen != a.gen {
		s.hold(0)
		return seen, false, nil
	}
	s.hold(a.gen)
	switch a.reply.Fault {
	case FaultNone:
		return a.reply.Seen, a.reply.OK, nil
	case FaultPicture:
		return seen, false, fmt.Errorf("%w: %s", ErrPicture, a.reply.Text)
	case FaultModel:
		return seen, false, fmt.Errorf("look at a picture: %s", a.reply.Text)
	default:
		return seen, false, fmt.Errorf("look at a picture: unknown fault %q", a.reply.Fault)
	}
}

// closeTimeout bounds how long Close waits for a busy worker; a decoder that
// is not told goes when its worker needs the room.
const closeTimeout = 2 * time.Second

// Close frees the decoder. The session must not be used afterwards.
func (s *Session) Close() {
	gen := s.generation()
	if gen == 0 {
		return
	}
	s.hold(0)
	wait := time.NewTimer(closeTimeout)
	defer wait.Stop()
	select {
	case s.calls <- &call{q: Request{Op: OpClose, Session: s.id}, gen: gen, done: make(chan answer, 1)}:
	case <-s.slot.failed(): // the decoder went with its worker
	case <-s.pool.done:
	case <-wait.C:
	}
}

func (s *Session) generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gen
}

func (s *Session) hold(gen uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen = gen
}
