package storage

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"wardwatch/ward"
)

// messageRows compares every line with the hash in its visit's event, which
// the verdict seals, and finds events whose line is gone.
func (f *fsck) messageRows(ctx context.Context) error {
	id := func(v ward.VisitID) string { return string(v) }
	scan := func(r row) (v ward.VisitID, err error) { return v, r.Scan(&v) }
	return each(ctx, f, "list visits with messages", `SELECT visit_id FROM
			(SELECT visit_id FROM visit_message UNION SELECT visit_id FROM visit_event WHERE kind = 'message') AS v WHERE visit_id > $1 ORDER BY visit_id LIMIT $2`, scan, id, func(v ward.VisitID) error { return f.messagesOf(ctx, v) })
}

func (f *fsck) messagesOf(ctx context.Context, v ward.VisitID) error {
	// The rows are read first: a line that is written meanwhile has its event by then.
	rows, err := listed(ctx, f.s, "messages of visit "+string(v), scanMessage, messageColumns+`visit_id = $1 ORDER BY id`, v)
	if err != nil {
		return err
	}
	events, err := f.s.VisitEvents(ctx, v)
	if err != nil {
		return err
	}
	known := map[ward.MessageID]storedMessage{}
	for _, o := range rows {
		known[o.ID] = o
	}
	for _, e := range events {
		var b struct {
			ID  ward.MessageID `json:"message"`
			By  ward.UserID    `json:"by"`
			Sum string         `json:"sha256"`
		}
		if e.Kind != "message" || json.Unmarshal([]byte(e.Body), &b) != nil {
			continue
		}
		o, ok := known[b.ID]
		delete(known, b.ID)
		if !ok { // or written since the rows were read
			again, err := listed(ctx, f.s, "message "+string(b.ID), scanMessage, messageColumns+`id = $1`, b.ID)
			if err != nil {
				return err
			}
			if len(again) == 0 {
				f.bad("message/"+string(b.ID), "文字消息缺失。", "The line of the visit's event is gone")
			}
			continue
		}
		_, body, err := f.s.openMessage(o)
		if err != nil || o.By != b.By || !o.Erased && hexOf(sha256.Sum256(body)) != b.Sum {
			f.bad("message/"+string(o.ID), "文字消息与查访事件不符。", "The line differs from the visit's event")
		}
	}
	for left := range known {
		f.bad("message/"+string(left), "文字消息没有对应的查访事件。", "The line is not in the visit's events")
	}
	return nil
}
