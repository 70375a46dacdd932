//go:build cgo && vision

package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"gocv.io/x/gocv"

	"wardwatch/analytics/vision"
	"wardwatch/analytics/vision/contain"
	"wardwatch/ward"
)

// The decoders of one worker together; the one idle longest goes first. A
// decoder keeps up to 16 pictures of 1.5 bytes a pixel, so this is 1.2 GB at
// worst, below the limit of the process.
const (
	maxSessions      = 64
	maxSessionPixels = 50 << 20 // 24 streams of 1920x1080
)

// Serve loads the models from dir, seals the process, says so in the first reply, and answers
// requests until the reader ends. It returns an error when the models do not load
// or the peer breaks the protocol.
func Serve(dir string, in io.Reader, out io.Writer) error {
	e, err := openEye(dir)
	if err != nil {
		_ = vision.WriteReply(out, vision.Reply{Fault: vision.FaultModel, Text: err.Error()})
		return fmt.Errorf("load the models: %w", err)
	}
	if err := seal(); err != nil {
		return err
	}
	s := server{eye: e, sessions: map[uint64]*session{}}
	if err := vision.WriteHello(out, e.modelID); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	r := bufio.NewReaderSize(in, 1<<16)
	for {
		q, err := vision.ReadRequest(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err := vision.WriteReply(out, s.answer(q)); err != nil {
			return fmt.Errorf("write a reply: %w", err)
		}
	}
}

// seal takes from the process what looking at pictures does not need.
func seal() error {
	err := contain.Seal()
	if errors.Is(err, contain.ErrLacking) {
		fmt.Fprintln(os.Stderr, "the worker is contained by its limits alone:", err)
		return nil
	}
	return err
}

type session struct {
	dec    *decoder
	pixels int    // of a picture
	grey   []byte // the last one that was measured
	used   uint64 // the server's clock at the last access unit
}

type server struct {
	eye      *eye
	sessions map[uint64]*session
	clock    uint64 // counts requests
}

func (s *server) answer(q vision.Request) vision.Reply {
	s.clock++
	switch q.Op {
	case vision.OpSee:
		return s.see(q)
	case vision.OpStill:
		return s.still(q)
	case vision.OpClose:
		s.forget(q.Session)
		return vision.Reply{OK: true}
	default:
		return fault(vision.FaultModel, fmt.Errorf("unknown request %q", q.Op))
	}
}

func (s *server) see(q vision.Request) vision.Reply {
	ses := s.sessions[q.Session]
	if ses == nil {
		if !q.Key {
			return vision.Reply{} // nothing to build on until the next key frame
		}
		dec, err := newDecoder(q.Codec)
		if err != nil {
			return fault(vision.FaultModel, err)
		}
		ses = &session{dec: dec}
		s.sessions[q.Session] = ses
	}
	ses.used = s.clock
	got, err := ses.dec.push(q.Data)
	if err != nil {
		// What follows builds on what is broken: wait for a key frame.
		s.forget(q.Session)
		return fault(vision.FaultPicture, err)
	}
	if got {
		ses.pixels = ses.dec.pixels()
		s.makeRoom()
	}
	if !got || q.Want == 0 {
		return vision.Reply{}
	}
	pic, err := ses.dec.picture()
	if err != nil {
		return fault(vision.FaultPicture, err)
	}
	defer pic.Close()
	seen, err := s.eye.look(pic, q, false)
	if err == nil && q.Want.Has(vision.WantMeasures) {
		seen.Measures, err = ses.measure(pic)
	}
	if err != nil {
		return fault(vision.FaultModel, err)
	}
	return vision.Reply{OK: true, Seen: seen}
}

// measure takes the measures of the session's next picture.
func (s *session) measure(pic gocv.Mat) (*ward.Measures, error) {
	now, err := grey(pic)
	if err != nil {
		return nil, fmt.Errorf("measure the picture: %w", err)
	}
	m := vision.Measure(now, s.grey)
	s.grey = now
	return &m, nil
}

func (s *server) still(q vision.Request) vision.Reply {
	pic, err := still(q.Data)
	if err != nil {
		return fault(vision.FaultPicture, err)
	}
	defer pic.Close()
	seen, err := s.eye.look(pic, q, true)
	if err != nil {
		return fault(vision.FaultModel, err)
	}
	return vision.Reply{OK: true, Seen: seen}
}

func (s *server) forget(id uint64) {
	if ses := s.sessions[id]; ses != nil {
		ses.dec.close()
		delete(s.sessions, id)
	}
}

// makeRoom forgets the sessions that were idle longest until the rest fits.
func (s *server) makeRoom() {
	for {
		var pixels int
		var oldest uint64
		for id, ses := range s.sessions {
			pixels += ses.pixels
			if oldest == 0 || ses.used < s.sessions[oldest].used {
				oldest = id
			}
		}
		fits := pixels <= maxSessionPixels && len(s.sessions) <= maxSessions
		if fits || s.sessions[oldest].used == s.clock {
			return
		}
		s.forget(oldest)
	}
}

func fault(f vision.Fault, err error) vision.Reply {
	return vision.Reply{Fault: f, Text: err.Error()}
}
