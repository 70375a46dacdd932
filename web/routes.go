package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"wardwatch/ward"
)

// access is the kind of a policy. The zero value is no policy at all: a
// route that has it does not register.
type access int

const (
	undeclared access = iota
	public            // everybody
	bedside           // the device that opened a bedside link
	kiosk             // a paired ward tablet
	recipient         // the device that opened a share
	signedIn          // every user, for what is the user's own
	permitted         // users whose role has the permission
)

// policy says who may call a route. Objects are authorised beyond it: see on.
type policy struct {
	access     access
	permission ward.Permission
	all        bool // only users of all institutions: what it touches belongs to none
}

func anyone() policy          { return policy{access: public} }
func bedsideDevice() policy   { return policy{access: bedside} }
func wardTablet() policy      { return policy{access: kiosk} }
func recipientDevice() policy { return policy{access: recipient} }
func anyUser() policy         { return policy{access: signedIn} }

// role admits users whose role has the permission; lists and creations then
// keep to their scope.
func role(may ward.Permission) policy { return policy{access: permitted, permission: may} }

// everywhere admits users whose role has the permission and whose scope is
// all institutions.
func everywhere(may ward.Permission) policy {
	return policy{access: permitted, permission: may, all: true}
}

func (p policy) valid() bool {
	return p.access != undeclared && (p.access != permitted || p.permission != "")
}

func (p policy) security() []security {
	switch p.access {
	case bedside:
		return []security{{"device": {}}}
	case kiosk:
		return []security{{"tablet": {}}}
	case recipient:
		return []security{{"share": {}}}
	case signedIn, permitted:
		return []security{{"session": {}}, {"token": {}}} // a browser's session or an API token
	case undeclared, public:
	}
	return nil
}

type security = map[string][]string

// routes collects what is registered. Every route of the server is in it:
// the declared ones are compared with those that echo really serves.
type routes struct {
	s        *Server
	api      huma.API
	echo     *echo.Echo
	declared map[string]policy // "GET /api/v1/me"
	problems []error
}

// declare notes a route and its policy, and says whether it may register.
func (r *routes) declare(method, path string, who policy) bool {
	name := method + " " + path
	switch _, twice := r.declared[name]; {
	case !who.valid():
		r.problems = append(r.problems, fmt.Errorf("route %s declares no policy", name))
	case twice:
		r.problems = append(r.problems, fmt.Errorf("route %s is declared twice", name))
	default:
		r.declared[name] = who
		return true
	}
	return false
}

// check returns what is wrong with the routes: one without a policy, or one
// that was added to echo past declare.
func (r *routes) check() error {
	problems := slices.Clone(r.problems)
	for _, e := range r.echo.Routes() {
		name := e.Method + " " + bracePath(e.Path)
		if _, ok := r.declared[name]; !ok {
			problems = append(problems, fmt.Errorf("route %s was added without a policy", name))
		}
	}
	return errors.Join(problems...)
}

// match names the declared route of a request, for metrics.
func (r *routes) match(req *http.Request) string {
	c := r.echo.AcquireContext()
	defer r.echo.ReleaseContext(c)
	r.echo.Router().Find(req.Method, req.URL.Path, c)
	path := bracePath(c.Path())
	if _, ok := r.declared[req.Method+" "+path]; !ok {
		return "none"
	}
	return path
}

// bracePath turns echo's ":id" into "{id}".
func bracePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// add registers a typed handler. The policy is applied before the request's
// parameters and body are even read.
func add[I, O any](r *routes, who policy, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	if !r.declare(op.Method, op.Path, who) {
		return
	}
	op.Security = who.security()
	if op.BodyReadTimeout == 0 {
		op.BodyReadTimeout = readTimeout
	}
	op.Middlewares = append(op.Middlewares, r.s.admit(who))
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, r.s.problem(ctx, err)
		}
		return out, nil
	})
}

// on registers a handler of one object. load finds the object that the
// request names and the institution it belongs to; handle gets it only when
// the caller may do this to it. A caller whose role lacks the permission is
// refused (403) before anything is looked up; an object outside the caller's
// scope looks exactly like one that does not exist (404).
func on[I, T, O any](r *routes, may ward.Permission, op huma.Operation,
	load func(context.Context, *I) (T, ward.InstitutionID, error),
	handle func(context.Context, *I, T) (*O, error),
) {
	add(r, role(may), op, func(ctx context.Context, in *I) (*O, error) {
		object, inst, err := load(ctx, in)
		if errors.Is(err, &ward.Error{Kind: ward.NotFound}) || err == nil && !callerOf(ctx).May(may, inst) {
			return nil, notFound()
		}
		if err != nil {
			return nil, err
		}
		return handle(ctx, in, object)
	})
}

// plain registers a handler outside the API: health, metrics, static files.
func (r *routes) plain(method, path string, who policy, h http.HandlerFunc) {
	if !r.declare(method, path, who) {
		return
	}
	if who.access != public {
		r.problems = append(r.problems, fmt.Errorf("route %s %s: a plain route can only be public", method, path))
		return
	}
	r.echo.Add(method, path, echo.WrapHandler(h))
}

// notFound is the one answer for what does not exist and what the caller
// may not know of.
func notFound() error {
	return &ward.Error{Kind: ward.NotFound, Code: "not_found", ZH: "没有找到，或您无权查看。", EN: "Not found, or you may not see it."}
}
