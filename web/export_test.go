package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Routes lists the declared routes, "GET /api/v1/me".
func (s *Server) Routes() ([]string, error) {
	r, err := s.routes()
	if err != nil {
		return nil, err
	}
	var all []string
	for name := range r.declared {
		all = append(all, name)
	}
	return all, nil
}

// EndViews ends every live view, as the end of Run does.
func (s *Server) EndViews() { s.viewers.close() }

// RouteWithoutPolicy registers a handler with the zero policy and says what
// the server says.
func RouteWithoutPolicy(s *Server) error {
	r, err := s.routes()
	if err != nil {
		return err
	}
	add(r, policy{}, huma.Operation{Method: http.MethodGet, Path: "/naked", OperationID: "naked"}, s.me)
	return r.check()
}

// RoutePastTheRegistry adds a handler to echo directly.
func RoutePastTheRegistry(s *Server) error {
	r, err := s.routes()
	if err != nil {
		return err
	}
	r.echo.GET("/naked", func(echo.Context) error { return nil })
	return r.check()
}

// Enums is the table of closed lists.
var Enums = enums

// KeptEvents is keptEvents.
const KeptEvents = keptEvents

// Listen is listen, from the next event on; the channel closes with the listener.
func (h *Hub) Listen() (<-chan told, func()) {
	l := h.listen("")
	return l.events, l.stop
}

// Watch does what POST /cameras/{id}/whep does once the camera's stream is found.
func (s *Server) Watch(ctx context.Context, u ward.User, session storage.TokenHash, c ward.Camera, stream *ingest.Stream, offer string) (location, answer string, err error) {
	ctx = context.WithValue(ctx, callerKey{}, caller{User: u, session: session, kind: storage.BrowserSession})
	out, err := s.view(ctx, c, offer, func() (*ingest.Showing, error) { return ingest.ShowMain(stream), nil })
	if err != nil {
		return "", "", err
	}
	return out.Location, string(out.Body), nil
}

// Viewers is the number of live views of a user.
func (s *Server) Viewers(id ward.UserID) int {
	s.viewers.mu.Lock()
	defer s.viewers.mu.Unlock()
	n := 0
	for _, w := range s.viewers.all {
		if w.who.ID == id {
			n++
		}
	}
	return n
}

// ReadSheet is readSheet with the understanding of its header: how many rows
// it has, and how many of them cannot be read.
func ReadSheet(raw []byte) (rows, faults int, err error) {
	header, lines, err := readSheet(raw)
	if err != nil {
		return 0, 0, err
	}
	if _, err := layoutOf(header); err != nil {
		return 0, 0, err
	}
	for _, l := range lines {
		if l.fault != nil {
			faults++
		}
	}
	return len(lines), faults, nil
}

// Defused and Bare are defused and bare.
func Defused(cell string) string { return defused(cell) }

// Bare is bare.
func Bare(cell string) string { return bare(cell) }

// MaxSheetRows is maxSheetRows.
const MaxSheetRows = maxSheetRows

// NewPairingCode is newPairingCode.
func NewPairingCode() string { return newPairingCode() }

// CodeHash is codeHash.
func CodeHash(code string) []byte { return codeHash(code) }

// DevicesPerMinute is how often a bedside's device may ask.
const DevicesPerMinute = devicePerMinute

// ShareCodeHash is what the store keeps of a share's code.
func ShareCodeHash(token, code string) []byte { return shareCodeHash(token, code) }
