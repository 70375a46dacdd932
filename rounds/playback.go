package rounds

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Why a replay cannot follow the tape any more.
var (
	errTapeEnd = errors.New("the session ended here")
	errBlind   = errors.New("the pictures could not be analysed")
	errAstray  = errors.New("the protocol goes another way than it went")
	errTape    = errors.New("the list of pictures cannot be read")
)

// entry is one of a tape.
type entry struct {
	kind     byte
	how      ending    // of tapeEnd and tapeTold
	at       time.Time // of tapeLook and of tapeTold with endEnough
	first    bool      // picture of a stream
	coded    uint64
	measured uint32
	look     *look // what the recording shows now; nil: the picture is not in it
}

// readTape reads what keepTape stored.
func readTape(body []byte) (h tapeHead, all []entry, err error) {
	head, rest, ok := bytes.Cut(body, []byte("\n"))
	if err := json.Unmarshal(head, &h); err != nil || !ok || h.Version != tapeVersion {
		return h, nil, fmt.Errorf("%w: version %d", errTape, h.Version)
	}
	r := bytes.NewReader(rest)
	began, last := time.Unix(0, h.Began), time.Duration(0)
	for r.Len() > 0 {
		e := entry{}
		e.kind, _ = r.ReadByte()
		var how byte
		if e.kind != tapeLooks {
			if how, err = r.ReadByte(); err != nil {
				return h, nil, errTape
			}
		}
		switch e.kind {
		case tapeLooks:
		case tapeEnd, tapeTold:
			e.how = ending(how)
		case tapeLook:
			e.first = how == 1
		default:
			return h, nil, errTape
		}
		if e.kind == tapeLook || e.kind == tapeTold && e.how == endEnough {
			d, err := binary.ReadVarint(r)
			if err != nil {
				return h, nil, errTape
			}
			last += time.Duration(d)
			e.at = began.Add(last)
		}
		if e.kind == tapeLook {
			if binary.Read(r, binary.BigEndian, &e.coded) != nil || binary.Read(r, binary.BigEndian, &e.measured) != nil {
				return h, nil, errTape
			}
		}
		all = append(all, e)
	}
	return h, all, nil
}

// standIn is in place of a bedside: a tape (playback) or a rehearsal.
type standIn interface {
	now() time.Time
	each(until time.Time, f func(look) bool) error
	tell(p prompt) (displayed time.Time, err error)
	event(kind string, body map[string]any) error
	awaitLine() error
}

// clock is the time that the protocol waits by.
func (s *session) clock() time.Time {
	if s.played != nil {
		return s.played.now()
	}
	return time.Now()
}

// playback hands a tape to a session in place of a bedside.
type playback struct {
	left  []entry
	still stillness
	steps []step // what the session would have stored
}

// step is an event that a replay compares.
type step struct {
	kind string
	sealedStep
}

// now is the wall clock: the tape, not a clock, says when something ends.
func (p *playback) now() time.Time { return time.Now() }

// each is session.each.
func (p *playback) each(_ time.Time, f func(look) bool) error {
	if len(p.left) == 0 {
		return errTapeEnd
	}
	if p.left[0].kind != tapeLooks {
		return errAstray
	}
	p.left = p.left[1:]
	enough := false
	for len(p.left) > 0 {
		e := p.left[0]
		p.left = p.left[1:]
		switch e.kind {
		case tapeLook:
			if e.look == nil {
				continue
			}
			if e.first {
				p.still = stillness{}
			}
			l := *e.look
			l.frozen = p.still.see(l.at, l.seen)
			enough = enough || !f(l)
		case tapeEnd:
			return e.how.err()
		default:
			return errAstray
		}
	}
	return errTapeEnd
}

// tell is session.tell.
func (p *playback) tell(c prompt) (displayed time.Time, err error) {
	if len(p.left) == 0 {
		return displayed, errTapeEnd
	}
	e := p.left[0]
	if e.kind != tapeTold {
		return displayed, errAstray
	}
	p.left = p.left[1:]
	p.steps = append(p.steps, step{"command", sealedStep{ID: c.ID, Command: c.Command}})
	return e.at, e.how.err()
}

// event is session.event.
func (p *playback) event(kind string, body map[string]any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	s := step{kind: kind}
	if err := json.Unmarshal(b, &s.sealedStep); err != nil {
		return err
	}
	p.steps = append(p.steps, s)
	return nil
}

// awaitLine is session.awaitLine.
func (p *playback) awaitLine() error {
	if len(p.left) == 0 {
		return errTapeEnd
	}
	return nil
}

func (e ending) err() error {
	switch e {
	case endEnough:
		return nil
	case endOutage:
		return errOutage
	case endBlind:
		return errBlind
	case endOver:
	}
	return errTapeEnd
}
