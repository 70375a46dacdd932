package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// messageBody is a line with the salt that keeps its hash from being guessed.
type messageBody struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

func messageCell(id ward.MessageID) string { return "visit.message." + string(id) }

// AddVisitMessage stores a line that was written while a visit's bedside is
// connected, and the event "message" with the salted hash of it. A line that
// comes again under its writer's Ref is the one that is stored. ward.Conflict:
// "visit.not_live" before the checks begin and after the seal, "message.full"
// after ward.MaxMessages lines.
func (s *Store) AddVisitMessage(ctx context.Context, m ward.VisitMessage, keepUntil time.Time) (ward.VisitMessage, error) {
	if err := m.Check(); err != nil {
		return m, err
	}
	err := s.change(ctx, "add message to visit "+string(m.VisitID), func(t *tx) error {
		live, err := t.liveVisit(ctx, m.VisitID)
		if err != nil {
			return err
		}
		was, err := scanMessage(t.QueryRowContext(ctx, messageColumns+`visit_id = $1 AND from_user = $2 AND ref = $3`, m.VisitID, m.By, m.Ref))
		if err == nil {
			m, _, err = s.openMessage(was)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if !live {
			return notLive()
		}
		var n int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM visit_message WHERE visit_id = $1`, m.VisitID).Scan(&n); err != nil {
			return err
		}
		if n >= ward.MaxMessages {
			return &ward.Error{Kind: ward.Conflict, Code: "message.full", ZH: "该查访的文字消息已达上限。", EN: "The visit has as many lines of text as it may."}
		}
		return t.addMessage(ctx, &m, keepUntil)
	})
	return m, err
}

func notLive() error {
	return &ward.Error{Kind: ward.Conflict, Code: "visit.not_live", ZH: "床旁尚未接通。", EN: "The bedside is not connected."}
}

// liveVisit says whether a visit's bedside may be connected. The row stays
// locked: lines come one after the other, and none after the seal.
func (t *tx) liveVisit(ctx context.Context, id ward.VisitID) (bool, error) {
	if _, err := t.ExecContext(ctx, `UPDATE visit SET leaf = leaf WHERE id = $1`, id); err != nil {
		return false, err
	}
	v, err := t.visit(ctx, id)
	return v.State == ward.VisitChecking || v.State == ward.VisitDeciding, err
}

func (t *tx) addMessage(ctx context.Context, m *ward.VisitMessage, keepUntil time.Time) error {
	var salt [16]byte
	_, _ = rand.Read(salt[:])
	body, err := json.Marshal(messageBody{hex.EncodeToString(salt[:]), m.Text})
	if err != nil {
		return err
	}
	m.ID, m.At = ward.NewID[ward.MessageID](t.now), at(us(t.now))
	sum := hexOf(sha256.Sum256(body))
	_, err = t.ExecContext(ctx, `INSERT INTO visit_message (id, visit_id, from_user, ref, at_us, shown_us, keep_until_us, body) VALUES ($1, $2, $3, $4, $5, 0, $6, $7)`,
		m.ID, m.VisitID, m.By, m.Ref, us(m.At), us(keepUntil), t.s.seal.seal(body, messageCell(m.ID)))
	if err != nil {
		return err
	}
	return t.addVisitEvent(ctx, m.VisitID, "message", t.now, map[string]any{"message": m.ID, "by": m.By, "sha256": sum})
}

// MessageShown records, once, that the bedside's page showed an inspector's
// line; what it does not know it forgets.
func (s *Store) MessageShown(ctx context.Context, visit ward.VisitID, id ward.MessageID) (shown bool, err error) {
	err = s.change(ctx, "show message of visit "+string(visit), func(t *tx) error {
		shown = false
		live, err := t.liveVisit(ctx, visit)
		if err != nil || !live {
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE visit_message SET shown_us = $3 WHERE id = $1 AND visit_id = $2 AND from_user <> '' AND shown_us = 0`, id, visit, us(t.now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		shown = true
		return t.addVisitEvent(ctx, visit, "message_shown", t.now, map[string]any{"message": id})
	})
	return shown, err
}

// storedMessage is a row of visit_message; its text is still sealed.
type storedMessage struct {
	ward.VisitMessage

	body []byte
}

const messageColumns = `SELECT id, visit_id, from_user, ref, at_us, shown_us, body FROM visit_message WHERE `

func scanMessage(r row) (m storedMessage, err error) {
	var when, shown int64
	err = r.Scan(&m.ID, &m.VisitID, &m.By, &m.Ref, &when, &shown, &m.body)
	m.At, m.Shown, m.Erased = at(when), at(shown), m.body == nil
	return m, err
}

// openMessage reads the text; body is the JSON whose hash the event holds.
func (s *Store) openMessage(o storedMessage) (m ward.VisitMessage, body []byte, err error) {
	m = o.VisitMessage
	if m.Erased {
		return m, nil, nil
	}
	if body, err = s.seal.open(o.body, messageCell(m.ID)); err != nil {
		return m, nil, fmt.Errorf("open message %s: %w", m.ID, err)
	}
	var b messageBody
	if err = json.Unmarshal(body, &b); err != nil {
		return m, nil, fmt.Errorf("open message %s: %w", m.ID, err)
	}
	m.Text = b.Text
	return m, body, nil
}

// VisitMessages are the lines that were written in a visit, the oldest first.
func (s *Store) VisitMessages(ctx context.Context, id ward.VisitID) ([]ward.VisitMessage, error) {
	stored, err := listed(ctx, s, "messages of visit "+string(id), scanMessage, messageColumns+`visit_id = $1 ORDER BY at_us, id`, id)
	if err != nil {
		return nil, err
	}
	out := make([]ward.VisitMessage, len(stored))
	for i, o := range stored {
		if out[i], _, err = s.openMessage(o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// MessageBody is a line as the hash in the visit's event "message" is of it:
// JSON of a salt and the text. It is nil once Erased, and when it does not open.
type MessageBody struct {
	Body   []byte
	Erased bool
}

// MessageBodies are the lines of a visit by their ids.
func (s *Store) MessageBodies(ctx context.Context, id ward.VisitID) (map[ward.MessageID]MessageBody, error) {
	stored, err := listed(ctx, s, "messages of visit "+string(id), scanMessage, messageColumns+`visit_id = $1`, id)
	if err != nil {
		return nil, err
	}
	out := map[ward.MessageID]MessageBody{}
	for _, o := range stored {
		b := MessageBody{Erased: o.Erased}
		if _, body, err := s.openMessage(o); err == nil {
			b.Body = body
		}
		out[o.ID] = b
	}
	return out, nil
}

// EraseMessages erases the text of lines whose time is over, unless a case
// holds their visit's recording.
func (s *Store) EraseMessages(ctx context.Context, now time.Time) error {
	return s.change(ctx, "erase messages of visits", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // whoever places a hold has it
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE visit_message SET body = NULL WHERE keep_until_us <= $1 AND body IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.source_kind = $2 AND h.source_id = visit_message.visit_id AND h.release_id = '')`, us(now), ward.FromVisit)
		return err
	})
}
