package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// sessionIdle ends a browser session that nobody used. An open event
	// stream or live picture is no use: nobody may be sitting there.
	sessionIdle = 30 * time.Minute
	// sessionLife ends every browser session: one working day.
	sessionLife = 8 * time.Hour
	// touchEvery bounds how often a session's last use is written.
	touchEvery = time.Minute
)

// caller is who makes a request.
type caller struct {
	ward.User
	session storage.TokenHash
	kind    storage.SessionKind
	seen    time.Time // when the session was last used
	via     ward.Via
}

// scope is what lists are filtered by; nil is everything.
func (c caller) scope() []ward.InstitutionID {
	if c.AllInstitutions {
		return nil
	}
	if c.Institutions == nil {
		return []ward.InstitutionID{}
	}
	return c.Institutions
}

// narrow is the scope cut down to one institution, when one is asked for.
func (c caller) narrow(inst ward.InstitutionID) []ward.InstitutionID {
	switch {
	case inst == "":
		return c.scope()
	case c.Sees(inst):
		return []ward.InstitutionID{inst}
	default:
		return []ward.InstitutionID{}
	}
}

type (
	callerKey struct{}
	deviceKey struct{}
	clientKey struct{}
	tabletKey struct{}
	shareKey  struct{}
)

// callerOf returns the signed-in user of a request; on a route whose policy
// asks for none it is a user who may nothing.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// deviceOf returns the bedside device's secret, checked by the route's policy.
func deviceOf(ctx context.Context) string {
	d, _ := ctx.Value(deviceKey{}).(string)
	return d
}

// client is where a request comes from.
type client struct {
	addr string // the peer's address, or what a proxy that is trusted says it is
	tls  bool
}

func clientOf(ctx context.Context) client {
	c, _ := ctx.Value(clientKey{}).(client)
	return c
}

// admit is the middleware that applies a route's policy.
func (s *Server) admit(who policy) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r := humaecho.Unwrap(hc).Request()
		ctx, err := s.authorise(r, who)
		if err != nil {
			p := s.problem(hc.Context(), err)
			hc.SetHeader("Content-Type", p.ContentType(""))
			hc.SetStatus(p.Status)
			writeJSON(hc.BodyWriter(), p)
			return
		}
		at := s.client(r)
		next(huma.WithContext(hc, ward.WithMeans(context.WithValue(ctx, clientKey{}, at), meansOf(ctx, at.addr, r.UserAgent()))))
	}
}

// meansOf is what custody says of a request beside who made it.
func meansOf(ctx context.Context, addr, agent string) ward.Means {
	o := ward.Means{Address: addr, Device: ward.DeviceOf(agent)}
	c, known := ctx.Value(callerKey{}).(caller)
	switch {
	case known && c.kind == storage.APIToken:
		o.Via, o.Scope = ward.ViaToken, ward.ScopeOf(c.User)
	case known:
		o.Via, o.Scope = c.via, ward.ScopeOf(c.User)
	case ctx.Value(shareKey{}) != nil:
		o.Via = ward.ViaShare
	case ctx.Value(deviceKey{}) != nil, ctx.Value(tabletKey{}) != nil:
		return ward.Means{Via: ward.ViaBedside} // a patient's: where a bed is, is checked, not kept
	}
	return o
}

func (s *Server) client(r *http.Request) client {
	return client{addr: s.addrOf(r), tls: s.secure(r)}
}

// forwardedBy reads the address that a request comes from: the last one of
// X-Forwarded-For that is none of the proxies', if the peer is one of them.
func forwardedBy(proxies []netip.Prefix) echo.IPExtractor {
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		p = p.Masked()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

func (s *Server) secure(r *http.Request) bool { return r.TLS != nil || s.BehindTLS }

// authorise returns the request's context with who it is, or why it may not.
func (s *Server) authorise(r *http.Request, who policy) (context.Context, error) {
	ctx := r.Context()
	switch who.access {
	case public:
		return ctx, nil
	case bedside:
		if err := s.checkDevice(ctx, bearer(r)); err != nil {
			return ctx, err
		}
		return context.WithValue(ctx, deviceKey{}, bearer(r)), nil
	case kiosk:
		t, err := s.tabletOf(r)
		return context.WithValue(ctx, tabletKey{}, t), err
	case recipient:
		v, err := s.shareOf(r)
		return context.WithValue(ctx, shareKey{}, v), err
	case signedIn, permitted:
		c, err := s.identify(r)
		if err != nil {
			return ctx, err
		}
		if who.access == signedIn && c.Role == ward.Terminal { // a machine asks its one question and nothing else
			return ctx, forbidden()
		}
		if who.access == permitted && (!c.Can(who.permission) || who.all && !c.AllInstitutions) {
			return ctx, forbidden()
		}
		return context.WithValue(ctx, callerKey{}, c), nil
	case undeclared:
	}
	return ctx, errors.New("route without a policy")
}

// identify finds the user of the session cookie or API token and notes that
// the session was used.
func (s *Server) identify(r *http.Request) (caller, error) {
	hash, kind, ok := s.credential(r)
	if !ok {
		return caller{}, unauthorised()
	}
	c, err := s.callerBy(r.Context(), hash, kind)
	if err != nil {
		return caller{}, err
	}
	if now := s.now(); now.Sub(c.seen) >= touchEvery {
		// A database that cannot write may still be read: the request goes on.
		if err := s.Store.TouchSession(r.Context(), hash, now); err != nil && r.Context().Err() == nil {
			s.Log.WarnContext(r.Context(), "session use not noted", "user", c.ID, "error", err)
		}
	}
	return c, nil
}

// credential is the hash of what the request brings.
func (s *Server) credential(r *http.Request) (storage.TokenHash, storage.SessionKind, bool) {
	if token := bearer(r); token != "" {
		return storage.HashToken(token), storage.APIToken, true
	}
	c, err := r.Cookie(cookieName(s.secure(r)))
	if err != nil || c.Value == "" {
		return storage.TokenHash{}, "", false
	}
	return storage.HashToken(c.Value), storage.BrowserSession, true
}

// callerBy reads the session and its user. Every request does, so that a
// revoked one is out at once.
func (s *Server) callerBy(ctx context.Context, hash storage.TokenHash, kind storage.SessionKind) (caller, error) {
	v, u, err := s.Store.Session(ctx, hash, kind)
	if missing(err) {
		return caller{}, unauthorised()
	}
	if err != nil {
		return caller{}, err
	}
	now := s.now()
	if !now.Before(v.Expires) || kind == storage.BrowserSession && now.Sub(v.Seen) >= sessionIdle {
		return caller{}, unauthorised()
	}
	if u.Disabled || u.Role == ward.Terminal && kind != storage.APIToken {
		return caller{}, unauthorised()
	}
	return caller{User: u, session: hash, kind: kind, seen: v.Seen, via: v.Via}, nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// cookieName is __Host- bound where there is TLS; browsers refuse that
// prefix without it.
func cookieName(secure bool) string {
	if secure {
		return "__Host-wardwatch"
	}
	return "wardwatch"
}

func unauthorised() error {
	return newProblem(http.StatusUnauthorized, "sign_in.required", "请先登录。", "Sign in first.")
}

func forbidden() error {
	return &ward.Error{Kind: ward.Forbidden, Code: "forbidden", ZH: "您的角色没有此权限，请联系管理员。", EN: "Your role may not do this; ask an administrator."}
}

// permissionsOf lists what the user's role allows.
func permissionsOf(u ward.User) []ward.Permission {
	all := []ward.Permission{ward.MayWatch, ward.MayManage, ward.MaySettle, ward.MayReview, ward.MayRound, ward.MayCase, ward.MayAppeal, ward.MayFlip, ward.MayOutages, ward.MayReport, ward.MayIdentify, ward.MayAdmit, ward.MayTablets, ward.MayAdminister}
	return slices.DeleteFunc(all, func(p ward.Permission) bool { return !u.Can(p) })
}
