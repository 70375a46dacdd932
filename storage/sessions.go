package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// TokenHash is the SHA-256 of a secret; the secret itself is never stored.
type TokenHash [sha256.Size]byte

// HashToken returns the hash under which a secret is stored.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// NewToken returns a fresh 128-bit secret, safe in a URL, and its hash.
func NewToken() (string, TokenHash) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	token := base64.RawURLEncoding.EncodeToString(b[:])
	return token, HashToken(token)
}

// SessionKind says what a Session is good for.
type SessionKind string

// The kinds of Session.
const (
	BrowserSession SessionKind = "session"
	APIToken       SessionKind = "api"      // for billing systems
	OneTimeSignIn  SessionKind = "one_time" // exchanged once for a browser session
)

// Session is what a secret stands for.
type Session struct {
	Hash    TokenHash
	Kind    SessionKind
	UserID  ward.UserID
	Created time.Time
	Seen    time.Time   // last used, to the minute
	Expires time.Time   // absolute
	By      ward.UserID // who made it for the user; empty: the user, or the machine itself
	Via     ward.Via    // by what a browser's session began
}

// AddSession stores a session, API token or one-time sign-in. Those of an
// administrator, and every API token, are custody events.
func (s *Store) AddSession(ctx context.Context, v Session) error {
	return s.change(ctx, "add session", func(t *tx) error {
		var role ward.Role
		if err := t.QueryRowContext(ctx, `SELECT role FROM user_account WHERE id = $1`, v.UserID).Scan(&role); err != nil {
			return missing(err, "user.unknown", "没有这个用户。", "No such user.")
		}
		if role == ward.Administrator || v.Kind == APIToken {
			by := v.By
			if by == "" && v.Kind == BrowserSession {
				by = v.UserID
			}
			if err := t.power(ctx, by, ward.ActionSignIn, v.UserID, string(v.Kind)); err != nil {
				return err
			}
		}
		_, err := t.ExecContext(ctx, `INSERT INTO session (token_hash, kind, user_id, created_us, seen_us, expires_us, via) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			v.Hash[:], v.Kind, v.UserID, us(v.Created), us(v.Created), us(v.Expires), v.Via)
		return err
	})
}

// Session returns the session of that kind and its user, or ward.NotFound
// "session.unknown"; the caller compares its times with the clock. It is one
// query, because every request begins with it.
func (s *Store) Session(ctx context.Context, hash TokenHash, kind SessionKind) (Session, ward.User, error) {
	v := Session{Hash: hash, Kind: kind}
	lines, err := listed(ctx, s, "read session", func(r row) (account, error) {
		a := account{User: ward.User{Institutions: []ward.InstitutionID{}}}
		var created, seen, expires int64
		err := a.scan(r, &created, &seen, &expires, &v.Via)
		v.Created, v.Seen, v.Expires = at(created), at(seen), at(expires)
		return a, err
	}, `SELECT x.created_us, x.seen_us, x.expires_us, x.via, `+userColumns+` FROM session x JOIN user_account u ON u.id = x.user_id`+userScopes+`
		WHERE x.token_hash = $1 AND x.kind = $2 ORDER BY s.institution_id`, hash[:], kind)
	if err == nil && len(lines) == 0 {
		err = fmt.Errorf("read session: %w", missing(sql.ErrNoRows, "session.unknown", "登录已失效，请重新登录。", "The session has ended; sign in again."))
	}
	if err != nil {
		return v, ward.User{}, err
	}
	u := fold(lines)[0].User
	v.UserID = u.ID
	return v, u, nil
}

// TouchSession notes that the session was used at now.
func (s *Store) TouchSession(ctx context.Context, hash TokenHash, now time.Time) error {
	return s.change(ctx, "touch session", func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE session SET seen_us = $1 WHERE token_hash = $2 AND seen_us < $1`, us(now), hash[:])
		return err
	})
}

// UseOneTime spends a one-time sign-in. Of two callers with the same token
// one gets the user, the other ward.Gone "sign_in.one_time", as does a caller
// that comes after its end.
func (s *Store) UseOneTime(ctx context.Context, hash TokenHash, now time.Time) (ward.UserID, error) {
	var id ward.UserID
	err := s.change(ctx, "use one-time sign-in", func(t *tx) error {
		err := t.QueryRowContext(ctx, `DELETE FROM session WHERE token_hash = $1 AND kind = $2 AND expires_us > $3 RETURNING user_id`, hash[:], OneTimeSignIn, us(now)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return &ward.Error{Kind: ward.Gone, Code: "sign_in.one_time", ZH: "一次性登录链接已使用或已过期，请重新生成。", EN: "This one-time sign-in was used or has expired; make a new one."}
		}
		return err
	})
	return id, err
}

// DeleteSession ends a session; an unknown one is no error.
func (s *Store) DeleteSession(ctx context.Context, hash TokenHash) error {
	return s.change(ctx, "delete session", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM session WHERE token_hash = $1`, hash[:])
		return err
	})
}

// SweepSessions removes what expired before now.
func (s *Store) SweepSessions(ctx context.Context, now time.Time) error {
	return s.change(ctx, "sweep sessions", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM session WHERE expires_us < $1`, us(now))
		return err
	})
}
