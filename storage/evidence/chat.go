package evidence

import (
	"context"
	"encoding/json"
	"fmt"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// chat adds what was written in a visit; events is its sealed protocol. A
// line that is gone or differs from its event is named, as media are.
func (d *draft) chat(ctx context.Context, it *pack.Item, events []byte) error {
	id := ward.VisitID(it.Ref)
	file, err := d.chatFile(ctx, id, events)
	if err != nil {
		return err
	}
	it.Chat = pack.ChatPath(id)
	p := dataPart(it.Chat, file)
	p.from = source{Kind: fromChat, Ref: it.Ref}
	d.file(pack.RoleChat, p)
	return nil
}

func (c *Clerk) chatFile(ctx context.Context, id ward.VisitID, events []byte) ([]byte, error) {
	var of []ward.VisitEvent
	if err := json.Unmarshal(events, &of); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	bodies, err := c.Store.MessageBodies(ctx, id)
	if err != nil {
		return nil, err
	}
	chat := pack.Chat{Visit: id, Lines: pack.LinesOf(of)}
	for i := range chat.Lines {
		l := &chat.Lines[i]
		b, there := bodies[l.ID]
		l.Body = string(b.Body)
		switch {
		case !there:
			l.Missing = pack.MissingAbsent
		case b.Erased:
			l.Missing = pack.MissingErased
		case !l.Fits():
			l.Body, l.Missing = "", pack.MissingChanged
		}
	}
	file, err := json.MarshalIndent(chat, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write chat: %w", err)
	}
	return file, nil
}
