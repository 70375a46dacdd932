package web

import (
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
	op := huma.Operation{Method: http.MethodGet, Path: v1 + "/events", OperationID: "events", Summary: "What changed, as server-sent events; data is an Event", Tags: []string{"events"}}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The stream",
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema: r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "Event"),
		}},
	}}
	add(r, anyUser(), op, s.events)
}

func (s *Server) events(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w := patient(humaecho.Unwrap(hc).Response())
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		s.stream(ctx, w)
	}}, nil
}

// stream writes events until the client goes, is too slow, or may no longer listen.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter) {
	events, stop := s.Hub.listen()
	defer stop()
	beat := time.NewTicker(s.heartbeat())
	defer beat.Stop()
	who := callerOf(ctx)
	send := func(text string) bool {
		_, err := fmt.Fprint(w, text)
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	if !send(": hello\n\n") {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			if !who.May(e.permission(), e.InstitutionID) {
				continue
			}
			b, err := json.Marshal(e)
			if err != nil || !send("data: "+string(b)+"\n\n") {
				return
			}
		case <-beat.C:
			var err error
			if who, err = s.callerBy(ctx, who.session, who.kind); err != nil || !send(": beat\n\n") {
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
