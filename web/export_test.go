package web

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
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

// Listen is listen.
func (h *Hub) Listen() (<-chan Event, func()) { return h.listen() }
