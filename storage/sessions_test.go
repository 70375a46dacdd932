package storage_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestOneTimeSignInWorksOnce(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		u, now := addUser(t, s), time.Now()
		token, hash := storage.NewToken()
		if err := s.AddSession(t.Context(), storage.Session{Hash: hash, Kind: storage.OneTimeSignIn, UserID: u.ID, Created: now, Expires: now.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UseOneTime(t.Context(), storage.HashToken(token), now.Add(2*time.Minute)); !errors.Is(err, &ward.Error{Code: "sign_in.one_time"}) {
			t.Fatalf("expired: %v", err)
		}
		var won [8]bool
		var wg sync.WaitGroup
		for i := range won {
			wg.Go(func() {
				id, err := s.UseOneTime(t.Context(), storage.HashToken(token), now)
				won[i] = err == nil && id == u.ID
			})
		}
		wg.Wait()
		n := 0
		for _, w := range won {
			if w {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 8 callers signed in, want 1", n)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		u, now := addUser(t, s), time.Now().UTC().Truncate(time.Microsecond)
		add := func(kind storage.SessionKind, expires time.Time) storage.TokenHash {
			_, h := storage.NewToken()
			if err := s.AddSession(t.Context(), storage.Session{Hash: h, Kind: kind, UserID: u.ID, Created: now, Expires: expires}); err != nil {
				t.Fatal(err)
			}
			return h
		}
		has := func(h storage.TokenHash, kind storage.SessionKind) bool {
			_, _, err := s.Session(t.Context(), h, kind)
			if err != nil && !errors.Is(err, &ward.Error{Code: "session.unknown"}) {
				t.Fatal(err)
			}
			return err == nil
		}
		mine, other, api := add(storage.BrowserSession, now.Add(time.Hour)), add(storage.BrowserSession, now.Add(time.Minute)), add(storage.APIToken, now.Add(time.Hour))
		if has(mine, storage.APIToken) {
			t.Error("a browser session passes for an API token")
		}
		if err := s.TouchSession(t.Context(), mine, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if v, _, err := s.Session(t.Context(), mine, storage.BrowserSession); err != nil || !v.Seen.Equal(now.Add(time.Minute)) {
			t.Errorf("got %+v, %v", v, err)
		}
		if err := s.SetPassword(t.Context(), u.ID, "new", mine); err != nil {
			t.Fatal(err)
		}
		if !has(mine, storage.BrowserSession) || has(other, storage.BrowserSession) || !has(api, storage.APIToken) {
			t.Error("a new password should end the other browser sessions only")
		}
		old := add(storage.BrowserSession, now.Add(-time.Minute))
		if err := s.SweepSessions(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if has(old, storage.BrowserSession) || !has(mine, storage.BrowserSession) {
			t.Error("sweep should remove what expired only")
		}
		u.Disabled = true
		if err := s.UpdateUser(t.Context(), u, ""); err != nil {
			t.Fatal(err)
		}
		if has(mine, storage.BrowserSession) || has(api, storage.APIToken) {
			t.Error("a disabled user keeps a session")
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		a, b := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
		take := func(actor ward.UserID, sum [32]byte) (string, error) { return s.TakeKey(t.Context(), actor, "k", sum) }
		if got, err := take("u1", a); got != "" || err != nil {
			t.Fatalf("first: %q, %v", got, err)
		}
		if _, err := take("u1", a); !errors.Is(err, &ward.Error{Code: "idempotency.running"}) {
			t.Errorf("while running: %v", err)
		}
		if err := s.DropKey(t.Context(), "u1", "k"); err != nil {
			t.Fatal(err)
		}
		if got, err := take("u1", a); got != "" || err != nil {
			t.Errorf("after a failure: %q, %v", got, err)
		}
		if err := s.KeepAnswer(t.Context(), "u1", "k", `{"id":"x"}`); err != nil {
			t.Fatal(err)
		}
		if err := s.DropKey(t.Context(), "u1", "k"); err != nil {
			t.Fatal(err)
		}
		if got, err := take("u1", a); got != `{"id":"x"}` || err != nil {
			t.Errorf("again: %q, %v", got, err)
		}
		if _, err := take("u1", b); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "idempotency.differs"}) {
			t.Errorf("another body: %v", err)
		}
		if got, err := take("u2", b); got != "" || err != nil {
			t.Errorf("another user's key: %q, %v", got, err)
		}
	})
}
