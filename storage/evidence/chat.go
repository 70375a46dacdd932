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
	var of []ward.VisitEvent
	if err := json.Unmarshal(events, &of); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	bodies, err := d.Store.MessageBodies(ctx, id)
	if err != nil {
		return err
	}
	c := pack.Chat{Visit: id, Lines: pack.LinesOf(of)}
	for i := range c.Lines {
		l := &c.Lines[i]
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
	file, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write chat: %w", err)
	}
	it.Chat = pack.ChatPath(id)
	d.file(pack.RoleChat, dataPart(it.Chat, file))
	return nil
}
