// Package ledger is the append-only Merkle log (RFC 6962 hashing, as in
// golang.org/x/mod/sumdb/tlog): leaves, checkpoints, proofs and witnesses, as
// a verifier without a database needs them. Package ledgerdb keeps the log.
// It must not know what it seals.
//
// A leaf is {"v":1,"kind":…,"id":…,"sha256":…}: the hash of a record that is
// stored beside the log with a random salt inside. The log itself therefore
// holds no personal data and need never be erased.
package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Sealed is the envelope whose exact JSON bytes a leaf commits to.
type Sealed struct {
	Kind   string          `json:"kind"`
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Salt   string          `json:"salt"` // 128 random bits, hex
	Record json.RawMessage `json:"record"`
}

// Leaf is one entry of the log.
type Leaf struct {
	V      int    `json:"v"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // of the Sealed bytes, hex
}

// Record returns the bytes to store and the leaf that commits to them.
func Record(kind, id string, now time.Time, record any) (body, leaf []byte, err error) {
	raw, err := json.Marshal(record)
	if err != nil {
		return nil, nil, fmt.Errorf("seal %s %s: %w", kind, id, err)
	}
	var salt [16]byte
	_, _ = rand.Read(salt[:])
	body, err = json.Marshal(Sealed{Kind: kind, ID: id, At: now.UTC(), Salt: hex.EncodeToString(salt[:]), Record: raw})
	if err != nil {
		return nil, nil, fmt.Errorf("seal %s %s: %w", kind, id, err)
	}
	leaf, err = LeafOf(kind, id, body)
	return body, leaf, err
}

// LeafOf returns the leaf that commits to body.
func LeafOf(kind, id string, body []byte) ([]byte, error) {
	sum := sha256.Sum256(body)
	leaf, err := json.Marshal(Leaf{V: 1, Kind: kind, ID: id, SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return nil, fmt.Errorf("make leaf %s %s: %w", kind, id, err)
	}
	return leaf, nil
}
