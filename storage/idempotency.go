package storage

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

const (
	// idempotencyKept is how long an answer is repeated; billing systems retry for hours, not for days.
	idempotencyKept = 24 * time.Hour
	// idempotencyTaken is how long a request may take before its key counts
	// as abandoned by a process that died.
	idempotencyTaken = time.Minute
)

// TakeKey claims an idempotency key of actor for a request whose content
// hashes to sum. It returns the stored answer when the same request was
// answered before, or "" when the caller shall now do the work and then call
// KeepAnswer or DropKey. The same key with other content is ward.Conflict
// "idempotency.differs"; one whose first request is still running is
// ward.Conflict "idempotency.running".
func (s *Store) TakeKey(ctx context.Context, actor ward.UserID, key string, sum [sha256.Size]byte) (answer string, err error) {
	err = s.change(ctx, "take idempotency key", func(t *tx) error {
		answer, err = t.takeKey(ctx, actor, key, sum)
		return err
	})
	return answer, err
}

func (t *tx) takeKey(ctx context.Context, actor ward.UserID, key string, sum [sha256.Size]byte) (string, error) {
	_, err := t.ExecContext(ctx, `DELETE FROM idempotency WHERE at_us < $1 OR at_us < $2 AND answer = ''`,
		us(t.now.Add(-idempotencyKept)), us(t.now.Add(-idempotencyTaken)))
	if err != nil {
		return "", err
	}
	r, err := t.ExecContext(ctx, `INSERT INTO idempotency (actor, idem_key, body_sha256, answer, at_us) VALUES ($1, $2, $3, '', $4) ON CONFLICT DO NOTHING`,
		actor, key, sum[:], us(t.now))
	if err != nil {
		return "", err
	}
	n, err := r.RowsAffected()
	if err != nil || n == 1 {
		return "", err
	}
	var stored []byte
	var sealed string
	err = t.QueryRowContext(ctx, `SELECT body_sha256, answer FROM idempotency WHERE actor = $1 AND idem_key = $2`, actor, key).Scan(&stored, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows): // dropped between the two statements
		return "", keyRunning()
	case err != nil:
		return "", err
	case subtle.ConstantTimeCompare(stored, sum[:]) != 1:
		return "", &ward.Error{Kind: ward.Conflict, Code: "idempotency.differs", ZH: "同一幂等键已用于内容不同的请求，请更换幂等键。", EN: "This Idempotency-Key was used with another request; use a new key."}
	case sealed == "":
		return "", keyRunning()
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("decode stored answer: %w", err)
	}
	plain, err := t.s.seal.open(raw, answerCell(actor, key))
	return string(plain), err
}

func keyRunning() error {
	return &ward.Error{Kind: ward.Conflict, Code: "idempotency.running", ZH: "同一请求正在处理，请稍后重试。", EN: "The same request is still running; try again shortly."}
}

// KeepAnswer stores the answer under a taken key. It is sealed: an answer
// may hold a single-use link.
func (s *Store) KeepAnswer(ctx context.Context, actor ward.UserID, key, answer string) error {
	return s.change(ctx, "keep answer", func(t *tx) error {
		sealed := base64.StdEncoding.EncodeToString(s.seal.seal([]byte(answer), answerCell(actor, key)))
		_, err := t.ExecContext(ctx, `UPDATE idempotency SET answer = $1 WHERE actor = $2 AND idem_key = $3`, sealed, actor, key)
		return err
	})
}

// DropKey frees a taken key whose request failed, so that it can be retried.
func (s *Store) DropKey(ctx context.Context, actor ward.UserID, key string) error {
	return s.change(ctx, "drop idempotency key", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM idempotency WHERE actor = $1 AND idem_key = $2 AND answer = ''`, actor, key)
		return err
	})
}

func answerCell(actor ward.UserID, key string) string {
	return "idempotency.answer." + string(actor) + "/" + key
}
