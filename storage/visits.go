package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// OpenVisit uses a link up: it binds the visit of tokenHash to the device
// of deviceHash, in one conditional UPDATE, so that of two devices with one
// link exactly one wins. Errors: ward.NotFound "bedside.link_unknown",
// ward.Gone "bedside.link_used" and "bedside.link_expired".
func (s *Store) OpenVisit(ctx context.Context, tokenHash, deviceHash []byte, now time.Time) (ward.Visit, error) {
	var v ward.Visit
	err := s.change(ctx, "open visit", func(t *tx) error {
		res, err := t.ExecContext(ctx, `UPDATE visit SET state = 'opened', device_hash = $1, opened_us = $2
			WHERE token_hash = $3 AND state = 'ordered' AND link_expires_us > $2`, deviceHash, us(now), tokenHash)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		v, err = scanVisit(t.QueryRowContext(ctx, visitColumns+` WHERE token_hash = $1`, tokenHash))
		if err != nil {
			return missing(err, "bedside.link_unknown", "链接无效或已被替换，请向稽核员索取新的链接。", "This link is not valid or was replaced; ask the inspector for a new one.")
		}
		if n == 1 {
			if err := t.fetched(ctx, v.ID, now); err != nil {
				return err
			}
			return t.addVisitEvent(ctx, v.ID, "opened", now, nil)
		}
		if v.Opened.IsZero() {
			return &ward.Error{Kind: ward.Gone, Code: "bedside.link_expired", ZH: "链接已过期，请向稽核员索取新的链接。", EN: "This link has expired; ask the inspector for a new one."}
		}
		return &ward.Error{Kind: ward.Gone, Code: "bedside.link_used", ZH: "链接已在另一台设备上使用过，请向稽核员索取新的链接。", EN: "This link was already used; ask the inspector for a new one."}
	})
	return v, err
}

// ReissueLink replaces the link of a visit that nobody has opened; the old
// link is dead from then on. Else ward.Conflict "visit.opened".
func (s *Store) ReissueLink(ctx context.Context, id ward.VisitID, tokenHash []byte, expires time.Time) (ward.Visit, error) {
	return s.moveVisit(ctx, id, "link", map[string]any{"expires": expires.UTC()},
		&ward.Error{Kind: ward.Conflict, Code: "visit.opened", ZH: "该床位已打开链接或已结束，不能再发新链接。", EN: "The bedside has opened its link, or the visit is over; no new link can be made."},
		`UPDATE visit SET token_hash = $2, link_expires_us = $3 WHERE id = $1 AND state = 'ordered'`, tokenHash, us(expires))
}

// VisitByDevice returns the visit that a device secret was bound to, or
// ward.Forbidden when the secret is unknown or revoked.
func (s *Store) VisitByDevice(ctx context.Context, deviceHash []byte) (ward.Visit, error) {
	v, err := scanVisit(s.read.QueryRowContext(ctx, visitColumns+` WHERE device_hash = $1`, deviceHash))
	if err != nil {
		if m := missing(err, "", "", ""); m != err { //nolint:errorlint // missing returns its argument for any other error
			return v, &ward.Error{Kind: ward.Forbidden, Code: "bedside.device_unknown", ZH: "本设备不再持有有效的查房凭证，请向稽核员索取新的链接。", EN: "This device holds no valid visit; ask the inspector for a new link."}
		}
		return v, fmt.Errorf("read visit of a device: %w", err)
	}
	return v, nil
}

// Consent records that the person at the bedside agreed: opened → consented.
func (s *Store) Consent(ctx context.Context, id ward.VisitID, now time.Time) (ward.Visit, error) {
	return s.moveVisit(ctx, id, "consent", map[string]any{"agree": true}, visitState(),
		`UPDATE visit SET state = 'consented', consented_us = $2 WHERE id = $1 AND state = 'opened'`, us(now))
}

// BeginChecking records that media came: consented → checking.
func (s *Store) BeginChecking(ctx context.Context, id ward.VisitID) (ward.Visit, error) {
	return s.moveVisit(ctx, id, "checking", nil, visitState(),
		`UPDATE visit SET state = 'checking' WHERE id = $1 AND state = 'consented'`)
}

func visitState() error {
	return &ward.Error{Kind: ward.Conflict, Code: "visit.state", ZH: "查访当前状态不允许此操作，请刷新后重试。", EN: "The visit's state does not allow this; reload and try again."}
}

// moveVisit runs one conditional UPDATE whose $1 is the visit's id, adds an
// event, and returns the visit; refused when no row met the condition.
func (s *Store) moveVisit(ctx context.Context, id ward.VisitID, event string, body map[string]any, refused error, update string, args ...any) (ward.Visit, error) {
	var v ward.Visit
	err := s.change(ctx, event+" visit "+string(id), func(t *tx) error {
		res, err := t.ExecContext(ctx, update, append([]any{id}, args...)...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		v, err = t.visit(ctx, id)
		if err != nil {
			return err
		}
		if n != 1 {
			return refused
		}
		return t.addVisitEvent(ctx, id, event, t.now, body)
	})
	return v, err
}

func (t *tx) visit(ctx context.Context, id ward.VisitID) (ward.Visit, error) {
	v, err := scanVisit(t.QueryRowContext(ctx, visitColumns+` WHERE id = $1`, id))
	return v, missing(err, "visit.unknown", "没有这条床位查访，请检查编号。", "No such visit; check its id.")
}

// AddVisitEvent appends one step of the protocol; e.Seq is assigned. body
// is JSON without personal data.
func (s *Store) AddVisitEvent(ctx context.Context, id ward.VisitID, kind string, now time.Time, body map[string]any) error {
	return s.change(ctx, "add event to visit "+string(id), func(t *tx) error {
		return t.addVisitEvent(ctx, id, kind, now, body)
	})
}

func (t *tx) addVisitEvent(ctx context.Context, id ward.VisitID, kind string, now time.Time, body map[string]any) error {
	text := []byte("{}")
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("event %s: %w", kind, err)
		}
	}
	// The row's lock makes the numbers of concurrent events differ.
	if _, err := t.ExecContext(ctx, `UPDATE visit SET leaf = leaf WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `INSERT INTO visit_event (visit_id, seq, at_us, kind, body)
		SELECT v.id, (SELECT COALESCE(MAX(seq), 0) + 1 FROM visit_event WHERE visit_id = v.id), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT)
		FROM visit v WHERE v.id = $1`, id, us(now), kind, string(text))
	return err
}

// VisitEvents returns the steps of a visit in order.
func (s *Store) VisitEvents(ctx context.Context, id ward.VisitID) ([]ward.VisitEvent, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT visit_id, seq, at_us, kind, body FROM visit_event WHERE visit_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read events of visit %s: %w", id, err)
	}
	out, err := collect(rows, scanVisitEvent)
	if err != nil {
		return nil, fmt.Errorf("read events of visit %s: %w", id, err)
	}
	return out, nil
}

func scanVisitEvent(r row) (ward.VisitEvent, error) {
	var e ward.VisitEvent
	var when int64
	err := r.Scan(&e.VisitID, &e.Seq, &when, &e.Kind, &e.Body)
	e.At = at(when)
	return e, err
}

// Prompts is the command that was sent last to each bed of a round that is being checked.
func (s *Store) Prompts(ctx context.Context, round ward.RoundID) (map[ward.VisitID]string, error) {
	out := map[ward.VisitID]string{}
	_, err := listed(ctx, s, "prompts of round "+string(round), func(r row) (struct{}, error) {
		var id ward.VisitID
		var body string
		if err := r.Scan(&id, &body); err != nil {
			return struct{}{}, err
		}
		var b struct {
			Command string `json:"cmd"`
		}
		err := json.Unmarshal([]byte(body), &b)
		out[id] = b.Command
		return struct{}{}, err
	}, `SELECT e.visit_id, e.body FROM visit v JOIN visit_event e ON e.visit_id = v.id
		WHERE v.round_id = $1 AND v.state = 'checking' AND e.kind = 'command'
			AND e.seq = (SELECT MAX(x.seq) FROM visit_event x WHERE x.visit_id = v.id AND x.kind = 'command')`, round)
	return out, err
}
