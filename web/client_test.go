package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// client asks the world's server as one user.
type client struct {
	*world
	header http.Header
}

func (w *world) as(u ward.User) client {
	return client{w, http.Header{"Cookie": {w.session(u).String()}}}
}

func (w *world) anonymous() client { return client{w, http.Header{}} }

// token is the client of an API token.
func (w *world) token(u ward.User) client {
	w.t.Helper()
	token, err := web.NewAPIToken(w.t.Context(), w.store, u.ID, "", time.Now().Add(time.Hour))
	must(w.t, err)
	return client{w, http.Header{"Authorization": {"Bearer " + token}}}
}

// with is c with one more header.
func (c client) with(key, value string) client {
	c.header = c.header.Clone()
	c.header.Set(key, value)
	return c
}

// reply is a whole answer.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends in as JSON, or as it is when it is bytes.
func (c client) do(method, path string, in any) reply {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	body, ok := in.([]byte)
	if !ok && in != nil {
		var err error
		body, err = json.Marshal(in)
		must(c.t, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.http.URL+path, bytes.NewReader(body))
	must(c.t, err)
	req.Header = c.header.Clone()
	if !ok {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	must(c.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(c.t, err)
	return reply{c.t, res.StatusCode, res.Header, b}
}

// want fails unless the status is as wanted and, when it is not empty, the problem's code.
func (r reply) want(status int, code string) reply {
	r.t.Helper()
	var p web.Problem
	if code != "" {
		_ = json.Unmarshal(r.body, &p)
	}
	if r.status != status || p.Code != code {
		r.t.Errorf("got %d %.300s, want %d %s", r.status, r.body, status, code)
	}
	return r
}

func into[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%d %.300s: %v", r.status, r.body, err)
	}
	return v
}

// sessionOf is the client that holds the cookie of a sign-in.
func (w *world) sessionOf(r reply) client {
	w.t.Helper()
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		return client{w, http.Header{"Cookie": {c.Name + "=" + c.Value}}}
	}
	w.t.Fatalf("no cookie: %d %s", r.status, r.body)
	return client{}
}
