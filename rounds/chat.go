package rounds

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"wardwatch/ward"
)

const (
	wroteQueue = 16 // what the bedside wrote and is not stored yet; what finds no room is sent again by the page
	wroteEvery = 700 * time.Millisecond
	wroteBurst = 5
)

// wrote is what the bedside's page says of the text chat: a line, or that it
// shows one of the inspector's.
type wrote struct {
	ref, text string
	shown     ward.MessageID
}

// textFrame is a line on its way to the bedside; its own lines come back as
// the receipt. A page that was loaded again gets them all again and tells
// them apart by their ids.
type textFrame struct {
	Line *textLine `json:"line,omitempty"`
	// Refused is the ref of a line that is not taken, and why.
	Refused string `json:"refused,omitempty"`
	ZH      string `json:"zh,omitempty"`
	EN      string `json:"en,omitempty"`
}

type textLine struct {
	ID   ward.MessageID `json:"id"`
	Ref  string         `json:"ref,omitempty"` // of the bedside's own
	Text string         `json:"text"`
	Mine bool           `json:"mine"` // the bedside wrote it
	// Shown: a receipt is stored, none is wanted again.
	Shown bool      `json:"shown,omitempty"`
	At    time.Time `json:"at"`
}

// Write stores a line of an inspector and sends it to the bedside of a
// visit that is running. ref is the writer's name for it: sent twice, it is
// one line. Errors: "visit.not_live", "message.text", "message.ref", "message.full".
func (e *Engine) Write(ctx context.Context, v ward.Visit, by ward.User, ref, text string) (ward.VisitMessage, error) {
	m := ward.VisitMessage{VisitID: v.ID, By: by.ID, Ref: ref, Text: text}
	if !by.May(ward.MayRound, v.InstitutionID) {
		return m, &ward.Error{Kind: ward.Forbidden, Code: "visit.forbidden", ZH: "您无权加入该查访。", EN: "You may not join this visit."}
	}
	s, live := e.session(v.ID)
	if !live {
		return m, &ward.Error{Kind: ward.Conflict, Code: "visit.not_live", ZH: "床旁尚未接通。", EN: "The bedside is not connected."}
	}
	return s.keepText(ctx, m)
}

// keepText stores m and shows it to both sides.
func (s *session) keepText(ctx context.Context, m ward.VisitMessage) (ward.VisitMessage, error) {
	m, err := s.e.Store.AddVisitMessage(ctx, m, time.Now().AddDate(0, 0, s.e.KeptDays))
	if err != nil {
		return m, err
	}
	s.mu.Lock()
	dc := s.dc
	s.mu.Unlock()
	sendText(dc, frameOf(m))
	s.e.notify(s.visit)
	return m, nil
}

func frameOf(m ward.VisitMessage) textFrame {
	l := textLine{ID: m.ID, Text: m.Text, Mine: m.By == "", Shown: !m.Shown.IsZero(), At: m.At}
	if l.Mine {
		l.Ref = m.Ref
	}
	return textFrame{Line: &l}
}

// sendText sends a frame, if there is a channel; the next one gets all lines anyhow.
func sendText(dc *webrtc.DataChannel, f textFrame) {
	if dc == nil || dc.ReadyState() != webrtc.DataChannelStateOpen {
		return
	}
	if b, err := json.Marshal(f); err == nil {
		_ = dc.SendText(string(b))
	}
}

// write queues what the bedside wrote; false when it is no line.
func (s *session) write(w wrote) bool {
	if w.shown == "" && (ward.VisitMessage{Ref: w.ref, Text: w.text}).Check() != nil || len(w.shown) > messageIDMax {
		return false
	}
	select {
	case s.wrote <- w:
	default:
	}
	return true
}

// messageIDMax is longer than any id, in bytes.
const messageIDMax = 64

// chat stores what the bedside writes until the session ends, as slowly as
// wroteEvery says, and sends every line to a page that comes (again).
func (s *session) chat(ctx context.Context) {
	pace := rate.NewLimiter(rate.Every(wroteEvery), wroteBurst)
	var told *webrtc.DataChannel // has all lines
	for {
		s.mu.Lock()
		changed, dc := s.change, s.dc
		s.mu.Unlock()
		if dc != nil && dc != told {
			told = dc
			s.sendLines(ctx, dc)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case w := <-s.wrote:
			if pace.Wait(ctx) != nil {
				return
			}
			s.takeText(ctx, w)
		}
	}
}

// sendLines sends every line of the visit.
func (s *session) sendLines(ctx context.Context, dc *webrtc.DataChannel) {
	lines, err := s.e.Store.VisitMessages(ctx, s.visit.ID)
	if err != nil {
		s.e.Log.ErrorContext(ctx, "read the lines of a visit", "visit", s.visit.ID, "error", err)
		return
	}
	for _, m := range lines {
		sendText(dc, frameOf(m))
	}
}

// takeText stores one thing that the bedside wrote. What cannot be stored now
// gets no receipt and is sent again; what is refused for good is told.
func (s *session) takeText(ctx context.Context, w wrote) {
	var err error
	if w.shown != "" {
		var shown bool
		if shown, err = s.e.Store.MessageShown(ctx, s.visit.ID, w.shown); shown {
			s.e.notify(s.visit)
		}
	} else {
		_, err = s.keepText(ctx, ward.VisitMessage{VisitID: s.visit.ID, Ref: w.ref, Text: w.text})
	}
	if why, refused := errors.AsType[*ward.Error](err); refused && w.ref != "" {
		s.mu.Lock()
		dc := s.dc
		s.mu.Unlock()
		sendText(dc, textFrame{Refused: w.ref, ZH: why.ZH, EN: why.EN})
		return
	}
	if err != nil && ctx.Err() == nil {
		s.e.Log.ErrorContext(ctx, "store a line of a visit", "visit", s.visit.ID, "error", err)
	}
}
