package web_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

const signIn, me = "/api/v1/sign-in", "/api/v1/me"

// clock is a clock that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

func TestFirstStartToPassword(t *testing.T) {
	w := newWorld(t).serve()
	oneTime, err := web.FirstStart(t.Context(), w.store)
	must(t, err)
	if oneTime == "" {
		t.Fatal("no administrator was made")
	}
	if again, err := web.FirstStart(t.Context(), w.store); err != nil || again != "" {
		t.Fatalf("second start: %q, %v", again, err)
	}
	r := w.anonymous().do(http.MethodPost, signIn, m{"one_time": oneTime}).want(200, "")
	if got := into[web.Me](r); got.User.Role != ward.Administrator || !got.User.AllInstitutions || got.HasPassword || len(got.Permissions) != 14 {
		t.Errorf("got %+v", got)
	}
	cookie := r.header.Get("Set-Cookie")
	for _, part := range []string{"wardwatch=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	w.anonymous().do(http.MethodPost, signIn, m{"one_time": oneTime}).want(410, "sign_in.one_time")
	c := w.sessionOf(r)
	c.do(http.MethodPut, "/api/v1/me/password", m{"password": "too short"}).want(422, "request.invalid")
	c.do(http.MethodPut, "/api/v1/me/password", m{"password": "correct horse battery"}).want(204, "")
	c.do(http.MethodPut, "/api/v1/me/password", m{"password": "another password", "current": "wrong"}).want(422, "password.wrong")
	r = w.anonymous().do(http.MethodPost, signIn, m{"login": "admin", "password": "correct horse battery"}).want(200, "")
	w.sessionOf(r).do(http.MethodPost, "/api/v1/sign-out", nil).want(204, "")
	w.sessionOf(r).do(http.MethodGet, me, nil).want(401, "sign_in.required")
	c.do(http.MethodGet, me, nil).want(200, "")
	if strings.Contains(w.log.String(), oneTime) || strings.Contains(w.log.String(), "correct horse") {
		t.Error("the log holds a credential")
	}
}

func TestWrongSignInsLookAlike(t *testing.T) {
	w := newWorld(t).serve()
	disabled := w.user(ward.Inspector, "own")
	disabled.Disabled = true
	must(t, w.store.UpdateUser(t.Context(), disabled, ""))
	noPassword := w.user(ward.Inspector, "own")
	for _, login := range []string{"nobody", disabled.Login, noPassword.Login} {
		for _, password := range []string{"", "anything"} {
			w.anonymous().do(http.MethodPost, signIn, m{"login": login, "password": password}).want(401, "sign_in.wrong")
		}
	}
	w.anonymous().do(http.MethodPost, signIn, m{}).want(401, "sign_in.wrong")
}

func TestSignInsAreLimited(t *testing.T) {
	now := time.Now() // stands still: on a busy machine attempts come back meanwhile
	w := newWorld(t)
	w.web.Now = func() time.Time { return now }
	w.serve()
	last := 0
	for range 11 {
		last = w.anonymous().do(http.MethodPost, signIn, m{"login": "li", "password": "guess"}).status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("11th guess: got %d, want 429", last)
	}
	now = now.Add(time.Minute)
	w.anonymous().do(http.MethodPost, signIn, m{"login": "li", "password": "guess"}).want(401, "sign_in.wrong")
}

// TestOneAddressLocksNobodyOut: guesses from elsewhere do not keep a user out.
func TestOneAddressLocksNobodyOut(t *testing.T) {
	w := newWorld(t).serve()
	try := func(addr string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, signIn, strings.NewReader(`{"login":"li","password":"guess"}`))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = addr + ":1"
		out := httptest.NewRecorder()
		w.http.Config.Handler.ServeHTTP(out, r)
		return out.Code
	}
	last := 0
	for range 30 {
		last = try("192.0.2.1")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("30th guess of one address: got %d, want 429", last)
	}
	if got := try("192.0.2.2"); got != http.StatusUnauthorized {
		t.Errorf("from another address: got %d, want 401", got)
	}
}

// TestForwardedAddresses: a proxy that is trusted says whom it speaks for, and nobody else does.
func TestForwardedAddresses(t *testing.T) {
	now := time.Now() // stands still: attempts do not come back
	w := newWorld(t)
	w.web.Now = func() time.Time { return now }
	w.web.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("fd00::/64")}
	w.serve()
	try := func(peer, forwarded string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, signIn, strings.NewReader(`{"login":"li","password":"guess"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", forwarded)
		r.RemoteAddr = net.JoinHostPort(peer, "1")
		out := httptest.NewRecorder()
		w.http.Config.Handler.ServeHTTP(out, r)
		return out.Code
	}
	exhaust := func(peer, forwarded string) {
		t.Helper()
		for range 40 {
			if try(peer, forwarded) == http.StatusTooManyRequests {
				return
			}
		}
		t.Fatalf("%s for %s may go on guessing", peer, forwarded)
	}
	exhaust("10.0.0.5", "192.0.2.1")
	for _, c := range []struct {
		peer, forwarded string
		want            int
	}{
		{"10.0.0.5", "192.0.2.2", 401},
		{"10.0.0.5", "192.0.2.9, 192.0.2.1", 429},           // what the client wrote itself is not believed
		{"10.0.0.5", "192.0.2.1, 10.0.0.5", 429},            // two proxies
		{"fd00::7", "192.0.2.1", 429},                       // the other proxy
		{"192.0.2.1", "192.0.2.77", 429},                    // no proxy: it speaks for itself
		{"192.0.2.3", "192.0.2.1", http.StatusUnauthorized}, // likewise
		{"10.0.0.5", "nonsense", http.StatusUnauthorized},   // then it is the proxy's own
	} {
		if got := try(c.peer, c.forwarded); got != c.want {
			t.Errorf("%s for %q: got %d, want %d", c.peer, c.forwarded, got, c.want)
		}
	}
}

// TestReadingGoesOnWithoutWriting: that a session was used cannot be noted on
// a full disk, and whoever is signed in still sees what there is.
func TestReadingGoesOnWithoutWriting(t *testing.T) {
	var c clock
	w := newWorld(t)
	w.web.Now = c.now
	w.serve()
	s := w.as(w.user(ward.Inspector, "own"))
	w.refuse("UPDATE", "session")
	c.advance(2 * time.Minute)
	s.do(http.MethodGet, "/api/v1/cameras/"+string(w.camera.ID), nil).want(200, "")
	if !strings.Contains(w.log.String(), "session use not noted") {
		t.Error("nothing in the log")
	}
}

func TestSessionEnds(t *testing.T) {
	var c clock
	w := newWorld(t)
	w.web.Now = c.now
	w.serve()
	enter := func() (client, ward.User) {
		u := w.user(ward.Inspector, "own")
		token, err := web.NewOneTime(t.Context(), w.store, u.Login)
		must(t, err)
		return w.sessionOf(w.anonymous().do(http.MethodPost, signIn, m{"one_time": token})), u
	}
	t.Run("idle", func(*testing.T) {
		s, _ := enter()
		c.advance(29 * time.Minute)
		s.do(http.MethodGet, me, nil).want(200, "")
		c.advance(29 * time.Minute)
		s.do(http.MethodGet, me, nil).want(200, "")
		c.advance(30 * time.Minute)
		s.do(http.MethodGet, me, nil).want(401, "sign_in.required")
	})
	c.ahead.Store(0)
	t.Run("absolute", func(*testing.T) {
		s, _ := enter()
		for range 8*3 - 1 {
			c.advance(20 * time.Minute)
			s.do(http.MethodGet, me, nil).want(200, "")
		}
		c.advance(20 * time.Minute)
		s.do(http.MethodGet, me, nil).want(401, "sign_in.required")
	})
	c.ahead.Store(0)
	t.Run("disabled", func(t *testing.T) {
		s, u := enter()
		token := w.token(u)
		token.do(http.MethodGet, me, nil).want(200, "")
		u.Disabled = true
		must(t, w.store.UpdateUser(t.Context(), u, ""))
		s.do(http.MethodGet, me, nil).want(401, "sign_in.required")
		token.do(http.MethodGet, me, nil).want(401, "sign_in.required")
	})
	t.Run("scope taken away", func(t *testing.T) {
		s, u := enter()
		path := "/api/v1/cameras/" + string(w.camera.ID)
		s.do(http.MethodGet, path, nil).want(200, "")
		u.Institutions = []ward.InstitutionID{other}
		must(t, w.store.UpdateUser(t.Context(), u, ""))
		s.do(http.MethodGet, path, nil).want(404, "not_found")
	})
}

func TestOneTimeExpires(t *testing.T) {
	var c clock
	w := newWorld(t)
	w.web.Now = c.now
	w.serve()
	token, err := web.NewOneTime(t.Context(), w.store, w.user(ward.Inspector, "own").Login)
	must(t, err)
	c.advance(10 * time.Minute)
	w.anonymous().do(http.MethodPost, signIn, m{"one_time": token}).want(410, "sign_in.one_time")
}

// TestCrossOrigin: another site's page cannot write with the user's cookie.
func TestCrossOrigin(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Administrator, "all"))
	place := m{"institution_id": own, "name": "窗口", "kind": "charge"}
	for key, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		c.with(key, value).do(http.MethodPost, "/api/v1/places", place).want(403, "cross_origin")
	}
	c.with("Sec-Fetch-Site", "same-origin").do(http.MethodPost, "/api/v1/places", place).want(201, "")
	c.with("Origin", w.http.URL).do(http.MethodPost, "/api/v1/places", place).want(201, "")
}

func TestBehindTLSCookiesAreSecure(t *testing.T) {
	w := newWorld(t)
	w.web.BehindTLS = true
	w.serve()
	token, err := web.NewOneTime(t.Context(), w.store, w.user(ward.Inspector, "own").Login)
	must(t, err)
	r := w.anonymous().do(http.MethodPost, signIn, m{"one_time": token}).want(200, "")
	if c := r.header.Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-wardwatch=") || !strings.Contains(c, "Secure") {
		t.Errorf("got cookie %q", c)
	}
	if r.header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
}

func TestAdministratorMayNotLockHerselfOut(t *testing.T) {
	w := newWorld(t).serve()
	u := w.user(ward.Administrator, "all")
	w.as(u).do(http.MethodPut, "/api/v1/users/"+string(u.ID), m{"name": "x", "role": "administrator", "all_institutions": true, "institutions": []string{}, "disabled": true}).want(409, "user.self")
}
