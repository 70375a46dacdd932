package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// keepNonce stores the nonce of a visit that is being ordered.
func (t *tx) keepNonce(ctx context.Context, id ward.VisitID, nonce []byte) error {
	if _, err := t.ExecContext(ctx, `INSERT INTO visit_nonce (visit_id, nonce) VALUES ($1, $2)`, id, nonce); err != nil {
		return fmt.Errorf("keep the nonce of visit %s: %w", id, err)
	}
	return nil
}

// newNonce makes a nonce, and the commitment that the order seals: its SHA-256, in hex.
func newNonce() (nonce []byte, commitment string) {
	nonce = make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails
	sum := sha256.Sum256(nonce)
	return nonce, hex.EncodeToString(sum[:])
}

// VisitNonce is what a visit's challenges are drawn from. It must not be
// told before they are over. nil for a visit that was ordered before there were nonces.
func (s *Store) VisitNonce(ctx context.Context, id ward.VisitID) (nonce []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT nonce FROM visit_nonce WHERE visit_id = $1`, id).Scan(&nonce)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the nonce of visit %s: %w", id, err)
	}
	return nonce, nil
}

// ChallengeCommitment is the SHA-256, in hex, of a visit's nonce as it was
// sealed with the order of its round; empty when none was.
func (s *Store) ChallengeCommitment(ctx context.Context, v ward.Visit) (string, error) {
	r, err := s.LatestSealed(ctx, KindRound, string(v.RoundID))
	if err != nil {
		return "", err
	}
	var rec orderedRecord
	if err := r.Into(&rec); err != nil {
		return "", err
	}
	for _, o := range rec.Visits {
		if o.Visit == v.ID {
			return o.Challenge, nil
		}
	}
	return "", nil
}
