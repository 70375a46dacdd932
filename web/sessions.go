package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// SignIn is either a login with its password or a one-time token.
type SignIn struct {
	Login    string `json:"login,omitempty" maxLength:"64"`
	Password string `json:"password,omitempty" maxLength:"256"`
	OneTime  string `json:"one_time,omitempty" maxLength:"64" doc:"From the link that the server printed or an administrator made; works once, for 10 minutes"`
}

// Me is the signed-in user.
type Me struct {
	User        ward.User         `json:"user"`
	Permissions []ward.Permission `json:"permissions"`
	HasPassword bool              `json:"has_password" doc:"False until the user has set one: ask for it after a one-time sign-in"`
}

// PasswordChange sets the caller's own password.
type PasswordChange struct {
	Current  string `json:"current,omitempty" maxLength:"256" doc:"Needed when a password is set"`
	Password string `json:"password" minLength:"10" maxLength:"256"`
}

type signInOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type cookieOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) sessionRoutes(r *routes) {
	add(r, anyone(), huma.Operation{Method: http.MethodPost, Path: v1 + "/sign-in", OperationID: "signIn", Summary: "Sign in", Tags: []string{"session"}}, s.signIn)
	add(r, anyUser(), huma.Operation{Method: http.MethodPost, Path: v1 + "/sign-out", OperationID: "signOut", Summary: "End this session", Tags: []string{"session"}, DefaultStatus: http.StatusNoContent}, s.signOut)
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/me", OperationID: "me", Summary: "The signed-in user and what it may do", Tags: []string{"session"}}, s.me)
	add(r, anyUser(), huma.Operation{Method: http.MethodPut, Path: v1 + "/me/password", OperationID: "setPassword", Summary: "Set one's own password; ends one's other sessions", Tags: []string{"session"}, DefaultStatus: http.StatusNoContent}, s.setPassword)
}

func (s *Server) signIn(ctx context.Context, in *body[SignIn]) (*signInOutput, error) {
	from := clientOf(ctx)
	if !s.maySignIn(in.Body.Login, from.addr) {
		return nil, tooMany()
	}
	u, err := s.whoSignsIn(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	now := s.now()
	token, hash := storage.NewToken()
	means := ward.MeansOf(ctx)
	means.Via = in.Body.via()
	err = s.Store.AddSession(ward.WithMeans(ctx, means), storage.Session{Hash: hash, Kind: storage.BrowserSession, UserID: u.ID, Created: now, Expires: now.Add(sessionLife), Via: in.Body.via()})
	if err != nil {
		return nil, err
	}
	s.Log.InfoContext(ctx, "signed in", "user", u.ID)
	me, err := s.meOf(ctx, u)
	return &signInOutput{sessionCookie(token, from.tls, sessionLife), me}, err
}

// maySignIn counts an attempt. What an address may no longer try does not
// count against the login.
func (s *Server) maySignIn(login, addr string) bool {
	if !s.addresses.allow(addr) {
		return false
	}
	return login == "" || s.signIns.allow(login+"\n"+addr) && s.logins.allow(login)
}

func (in SignIn) via() ward.Via {
	if in.OneTime != "" {
		return ward.ViaOneTime
	}
	return ward.ViaPassword
}

// whoSignsIn answers a wrong login, a wrong password and a disabled user
// alike, in about the same time.
func (s *Server) whoSignsIn(ctx context.Context, in SignIn) (ward.User, error) {
	if in.OneTime != "" {
		id, err := s.Store.UseOneTime(ctx, storage.HashToken(in.OneTime), s.now())
		if err != nil {
			return ward.User{}, err
		}
		u, err := s.Store.User(ctx, id)
		if err == nil && (u.Disabled || u.Role == ward.Terminal) {
			err = badSignIn()
		}
		return u, err
	}
	u, hash, err := s.Store.UserByLogin(ctx, in.Login)
	if err != nil && !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
		return u, err
	}
	ok, err := s.passwords.matches(ctx, in.Password, hash)
	if err == nil && (!ok || u.Disabled || u.Role == ward.Terminal) {
		err = badSignIn()
	}
	return u, err
}

func badSignIn() error {
	return newProblem(http.StatusUnauthorized, "sign_in.wrong", "登录名或密码不正确。", "The login or the password is wrong.")
}

func tooMany() error {
	return newProblem(http.StatusTooManyRequests, "too_many", "尝试次数过多，请一分钟后再试。", "Too many attempts; wait a minute.")
}

func (s *Server) signOut(ctx context.Context, _ *none) (*cookieOutput, error) {
	c := callerOf(ctx)
	if c.kind == storage.APIToken {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "sign_out.token", ZH: "API 令牌不能用于退出登录。", EN: "An API token cannot sign out; an administrator revokes it."}
	}
	if err := s.Store.DeleteSession(ctx, c.session); err != nil {
		return nil, err
	}
	return &cookieOutput{sessionCookie("", clientOf(ctx).tls, -time.Second)}, nil
}

func (s *Server) me(ctx context.Context, _ *none) (*body[Me], error) {
	return answer(s.meOf(ctx, callerOf(ctx).User))
}

func (s *Server) meOf(ctx context.Context, u ward.User) (Me, error) {
	hash, err := s.Store.PasswordHash(ctx, u.ID)
	return Me{User: u, Permissions: permissionsOf(u), HasPassword: hash != ""}, err
}

func (s *Server) setPassword(ctx context.Context, in *body[PasswordChange]) (*empty, error) {
	c := callerOf(ctx)
	if c.kind != storage.BrowserSession {
		return nil, forbidden()
	}
	if !s.signIns.allow(c.Login) {
		return nil, tooMany()
	}
	old, err := s.Store.PasswordHash(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if old != "" {
		var ok bool
		if ok, err = s.passwords.matches(ctx, in.Body.Current, old); err != nil {
			return nil, err
		}
		if !ok {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "password.wrong", ZH: "当前密码不正确。", EN: "The current password is wrong."}
		}
	}
	hash, err := s.passwords.hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return &empty{}, s.Store.SetPassword(ctx, c.ID, hash, c.session)
}

// again makes sure that it is the signed-in person who does what weighs most:
// by the password, at a browser.
func (s *Server) again(ctx context.Context, password string) error {
	c := callerOf(ctx)
	if c.kind != storage.BrowserSession {
		return &ward.Error{Kind: ward.Forbidden, Code: "again.person", ZH: "此操作须由本人在浏览器中完成，不能使用 API 令牌。", EN: "A person does this in a browser; an API token cannot."}
	}
	if !s.signIns.allow(c.Login + "\n" + clientOf(ctx).addr) {
		return tooMany()
	}
	hash, err := s.Store.PasswordHash(ctx, c.ID)
	if err != nil {
		return err
	}
	if hash == "" {
		return &ward.Error{Kind: ward.Conflict, Code: "again.no_password", ZH: "请先设置您的登录密码，再确认。", EN: "Set your password first, then confirm."}
	}
	ok, err := s.passwords.matches(ctx, password, hash)
	if err == nil && !ok {
		err = &ward.Error{Kind: ward.Invalid, Code: "again.wrong", ZH: "密码不正确，未作确认。", EN: "The password is wrong; nothing was confirmed."}
	}
	return err
}

// sessionCookie holds token for life; a negative life removes it.
func sessionCookie(token string, secure bool, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: cookieName(secure), Value: token, Path: "/", MaxAge: int(life.Seconds()),
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}
