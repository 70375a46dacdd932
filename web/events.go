package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// heartbeat keeps proxies from cutting an idle event stream; at every beat
// the session is checked again.
const heartbeat = 15 * time.Second

func (s *Server) eventRoutes(r *routes) {
	op := huma.Operation{Method: http.MethodGet, Path: v1 + "/events", OperationID: "events", Summary: "What changed, as server-sent events; data is an Event. Who names the last event that came is told what came since, or to reload", Tags: []string{"events"}}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The stream",
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema: r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "Event"),
		}},
	}}
	add(r, anyUser(), op, s.events)
}

type eventsFrom struct {
	Last  string `header:"Last-Event-ID" maxLength:"64" doc:"What browsers send when they connect again"`
	After string `query:"after" maxLength:"64" doc:"The same, for who cannot set a header"`
}

func (s *Server) events(ctx context.Context, in *eventsFrom) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w := patient(humaecho.Unwrap(hc).Response())
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		s.stream(ctx, w, cmp.Or(in.Last, in.After))
	}}, nil
}

// stream writes events, first those after the one with the id after, until
// the client goes, is too slow, or may no longer listen. Every id, also of a
// beat, says that all up to it that the client may know of was sent.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, after string) {
	h := s.Hub.listen(after)
	defer h.stop()
	beat := time.NewTicker(s.heartbeat())
	defer beat.Stop()
	who, last := callerOf(ctx), h.last
	send := func(text string) bool {
		_, err := fmt.Fprint(w, text)
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	tell := func(e told) bool {
		last = e.n
		if e.Kind != ReloadEvent && !who.May(e.permission(), e.InstitutionID) {
			return true
		}
		b, err := json.Marshal(e.Event)
		return err == nil && send("id: "+idOf(h.run, e.n)+"\ndata: "+string(b)+"\n\n")
	}
	if !h.whole {
		h.missed = []told{{Event{Kind: ReloadEvent}, h.last}}
	}
	for _, e := range h.missed {
		if !tell(e) {
			return
		}
	}
	if !send("id: " + idOf(h.run, last) + "\n: hello\n\n") {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-h.events:
			if !ok || !tell(e) {
				return
			}
		case <-beat.C:
			var err error
			if who, err = s.callerBy(ctx, who.session, who.kind); err != nil || !send("id: "+idOf(h.run, last)+"\n: beat\n\n") {
				return
			}
		}
	}
}

func (s *Server) heartbeat() time.Duration {
	if s.Heartbeat > 0 {
		return s.Heartbeat
	}
	return heartbeat
}
