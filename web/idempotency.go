package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"wardwatch/ward"
)

// Keyed is in the input of a POST that makes something. With a key, repeating
// the request repeats the answer and makes nothing new.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"128" doc:"The same key with the same body repeats the stored answer for 24 h; with another body it is refused"`
}

// creation is the input of such a POST without a path of its own. One with a
// path embeds Keyed: headers of an embedded type that is not exported are not read.
type creation[T any] struct {
	Keyed
	RawBody []byte
	Body    T
}

// created is the answer to a creation: 201, or 200 when it was already there.
type created[T any] struct {
	Status int
	Body   T
}

// remembered is what is stored under a key.
type remembered struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// once runs do, or repeats the stored answer of the same request. what is
// the operation's id: one key cannot serve two operations.
func once[T any](ctx context.Context, s *Server, what, key string, raw []byte, do func() (T, error)) (*created[T], error) {
	return onceStatus(ctx, s, what, key, raw, func() (T, int, error) {
		v, err := do()
		return v, http.StatusCreated, err
	})
}

func onceStatus[T any](ctx context.Context, s *Server, what, key string, raw []byte, do func() (T, int, error)) (*created[T], error) {
	out := &created[T]{}
	var err error
	if key == "" {
		out.Body, out.Status, err = do()
		return out, err
	}
	actor := callerOf(ctx).ID
	h := sha256.New()
	h.Write([]byte(what + "\n"))
	h.Write(raw)
	stored, err := s.Store.TakeKey(ctx, actor, key, [32]byte(h.Sum(nil)))
	if err != nil {
		return nil, err
	}
	if stored != "" {
		return repeated[T](stored)
	}
	out.Body, out.Status, err = do()
	// The work is done or refused whether or not the client still waits.
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Store.DropKey(ctx, actor, key))
	}
	b, err := json.Marshal(out.Body)
	if err != nil {
		return nil, fmt.Errorf("marshal answer of %s: %w", what, err)
	}
	b, err = json.Marshal(remembered{out.Status, b})
	if err != nil {
		return nil, fmt.Errorf("marshal answer of %s: %w", what, err)
	}
	return out, s.Store.KeepAnswer(ctx, actor, key, string(b))
}

func repeated[T any](stored string) (*created[T], error) {
	var r remembered
	out := &created[T]{}
	if err := json.Unmarshal([]byte(stored), &r); err != nil {
		return nil, fmt.Errorf("read stored answer: %w", err)
	}
	if err := json.Unmarshal(r.Body, &out.Body); err != nil {
		return nil, fmt.Errorf("read stored answer: %w", err)
	}
	out.Status = r.Status
	return out, nil
}

// keyRequired refuses a settlement without an idempotency key.
func keyRequired(key string) error {
	if key == "" {
		return &ward.Error{Kind: ward.Invalid, Code: "idempotency.missing", ZH: "请在请求头中提供 Idempotency-Key。", EN: "Send an Idempotency-Key header."}
	}
	return nil
}
