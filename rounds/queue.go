package rounds

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// Whose pictures cannot be looked at in time cannot be judged. So only AtOnce
// visits are judged at a time; the other bedsides wait in a line in the order
// in which they came, and ask again until it is their turn.
const (
	// maxSessions bounds what bedsides that all begin at once can take from
	// those that have begun, calls with people included: each holds sockets, a
	// decoder and a recording.
	maxSessions = 200
	// maxWaiting bounds the line.
	maxWaiting = 2000
	// AskAgain is how soon a waiting bedside shall ask again.
	AskAgain = 3 * time.Second
	// silence is after which who does not ask loses the place.
	silence = 15 * time.Second
	// restartGrace is how long after a start those that stood in the line of
	// the process before may come again though their deadline has passed.
	restartGrace = time.Minute
)

// standing is a place in the line.
type standing struct {
	visit ward.VisitID
	asked time.Time
}

// hold makes s the one session of its visit when it is its turn. Else the
// error is "bedside.wait", and the device keeps its place by asking again;
// first says that it has only just come. "bedside.busy": even the line is full.
func (e *Engine) hold(s *session) (first bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := s.visit.ID
	if _, ok := e.sessions[id]; ok {
		return false, &ward.Error{Kind: ward.Conflict, Code: "bedside.session_exists", ZH: "查访已在进行中。", EN: "The visit is already running."}
	}
	now := time.Now()
	e.queue = slices.DeleteFunc(e.queue, func(w standing) bool { return now.Sub(w.asked) > silence })
	place := slices.IndexFunc(e.queue, func(w standing) bool { return w.visit == id })
	if first = place < 0; first {
		if len(e.queue) >= maxWaiting || len(e.sessions) >= maxSessions && len(e.turns) < e.AtOnce {
			return false, &ward.Error{Kind: ward.Unavailable, Code: "bedside.busy", ZH: "同时进行的查访过多，请一分钟后重试。", EN: "Too many visits are running at once; try again in a minute."}
		}
		place = len(e.queue)
		e.queue = append(e.queue, standing{visit: id})
	}
	e.queue[place].asked = now
	free := min(e.AtOnce-len(e.turns), maxSessions-len(e.sessions))
	if before := place - max(free, 0); before >= 0 {
		return first, waitError(before)
	}
	e.queue = slices.Delete(e.queue, place, place+1)
	e.sessions[id], e.turns[id] = s, s
	return first, nil
}

func waitError(before int) error {
	if before == 0 {
		return &ward.Error{Kind: ward.Unavailable, Code: "bedside.wait", ZH: "下一位就是您，请稍候，轮到时会自动开始。", EN: "You are next. Please wait, it will begin by itself."}
	}
	return &ward.Error{Kind: ward.Unavailable, Code: "bedside.wait", ZH: fmt.Sprintf("前面还有 %d 位，请稍候，轮到时会自动开始。", before), EN: fmt.Sprintf("%d before you. Please wait, it will begin by itself.", before)}
}

// judged says that s needs no more looks: the next in the line may begin,
// though people may still talk to this bedside.
func (e *Engine) judged(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turns[s.visit.ID] == s {
		delete(e.turns, s.visit.ID)
	}
}

func (e *Engine) release(s *session) {
	e.judged(s)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sessions[s.visit.ID] == s {
		delete(e.sessions, s.visit.ID)
	}
}

// firstAgain puts a visit that gave up its turn to load its page anew at the head
// of the line.
func (e *Engine) firstAgain(id ward.VisitID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = slices.DeleteFunc(e.queue, func(w standing) bool { return w.visit == id })
	e.queue = slices.Insert(e.queue, 0, standing{id, time.Now()})
}

// Waiting are the places of the visits whose bedsides wait for their turn,
// from 1.
func (e *Engine) Waiting() map[ward.VisitID]int {
	e.prepare()
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[ward.VisitID]int{}
	for _, w := range e.queue {
		if time.Since(w.asked) <= silence {
			out[w.visit] = len(out) + 1
		}
	}
	return out
}

// inTime says whether a visit whose bedside has agreed may still begin at
// now: before the deadline, and after it who stood in the line before.
func (e *Engine) inTime(ctx context.Context, v ward.Visit, deadline, now time.Time) (bool, error) {
	if deadline.After(now) {
		return true, nil
	}
	if v.State != ward.VisitConsented {
		return false, nil
	}
	e.mu.Lock()
	stands := slices.ContainsFunc(e.queue, func(w standing) bool { return w.visit == v.ID && now.Sub(w.asked) <= silence })
	e.mu.Unlock()
	if stands || now.Sub(e.started) > restartGrace {
		return stands, nil
	}
	events, err := e.Store.VisitEvents(ctx, v.ID)
	return slices.ContainsFunc(events, func(ev ward.VisitEvent) bool { return ev.Kind == eventWaiting }), err
}

// eventWaiting is the event of a bedside that came into the line.
const eventWaiting = "waiting"

// stand notes that the bedside of v came into the line.
func (e *Engine) stand(ctx context.Context, v ward.Visit) error {
	if err := e.Store.AddVisitEvent(ctx, v.ID, eventWaiting, time.Now(), map[string]any{}); err != nil {
		return err
	}
	e.notify(v)
	return nil
}
