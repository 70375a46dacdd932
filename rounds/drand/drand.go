// Package drand verifies rounds of a drand randomness beacon and fetches
// them. It knows one scheme, "bls-unchained-g1-rfc9380", in which a round can
// be verified alone: the signature is over nothing but the round's number. It
// must not know what the randomness is for.
package drand

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cloudflare/circl/sign/bls"
)

// Scheme is the one that is understood: keys in G2, signatures in G1.
const Scheme = "bls-unchained-g1-rfc9380"

const (
	sigBytes = 48
	keyBytes = 96
	// maxPeriod and maxRound keep the arithmetic of rounds far from overflow.
	maxPeriod = 24 * 60 * 60
	maxRound  = 1 << 40
)

// Chain is what defines a beacon. Hash commits to all the rest, so that whoever
// knows the hash alone can tell the right chain.
type Chain struct {
	Hash      string `json:"hash"`       // 64 hex digits
	PublicKey string `json:"public_key"` // 192 hex digits
	Period    int64  `json:"period"`     // seconds, from 1
	Genesis   int64  `json:"genesis"`    // when round 1 came out, seconds since 1970
	GroupHash string `json:"group_hash"` // 64 hex digits
	BeaconID  string `json:"beacon_id"`
}

// Quicknet is the League of Entropy's beacon of this scheme, a round every
// 3 s since August 2023.
func Quicknet() Chain {
	return Chain{
		Hash:      "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
		PublicKey: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
		Period:    3,
		Genesis:   1692803367,
		GroupHash: "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
		BeaconID:  "quicknet",
	}
}

// Errors that tell what is wrong with a chain or a round.
var (
	ErrChain     = errors.New("the chain's hash is not that of its key, times and group")
	ErrKey       = errors.New("the chain's public key is none")
	ErrSignature = errors.New("the signature is not the chain's over this round")
	ErrBeacon    = errors.New("not a drand round")
)

// HashOf is the hash that the chain's other fields give, as drand computes it.
func (c Chain) HashOf() (string, error) {
	key, err := hexOf(c.PublicKey, keyBytes)
	if err != nil {
		return "", ErrKey
	}
	group, err := hexOf(c.GroupHash, sha256.Size)
	if err != nil || c.Period < 1 || c.Period > maxPeriod || c.Genesis < 0 {
		return "", ErrChain
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(c.Period)) // at most a day
	b = binary.BigEndian.AppendUint64(b, uint64(c.Genesis))
	b = append(append(b, key...), group...)
	if c.BeaconID != "default" {
		b = append(b, c.BeaconID...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Check says whether the chain is whole: its hash is that of the rest.
func (c Chain) Check() error {
	sum, err := c.HashOf()
	if err != nil {
		return err
	}
	if sum != c.Hash {
		return ErrChain
	}
	_, err = c.key()
	return err
}

func (c Chain) key() (*bls.PublicKey[bls.KeyG2SigG1], error) {
	b, err := hexOf(c.PublicKey, keyBytes)
	if err != nil {
		return nil, ErrKey
	}
	var k bls.PublicKey[bls.KeyG2SigG1]
	if k.UnmarshalBinary(b) != nil || !k.Validate() {
		return nil, ErrKey
	}
	return &k, nil
}

// RoundAt is the first round that comes out at t or later.
func (c Chain) RoundAt(t time.Time) int64 {
	ahead := t.Sub(time.Unix(c.Genesis, 0))
	period := time.Duration(c.Period) * time.Second
	if ahead <= 0 {
		return 1
	}
	return int64((ahead+period-1)/period) + 1
}

// TimeOf is when a round comes out.
func (c Chain) TimeOf(round int64) time.Time {
	return time.Unix(c.Genesis+(min(max(round, 1), maxRound)-1)*c.Period, 0).UTC()
}

// Verify says whether signature is the chain's over round. A BLS signature
// is unique: there is no second one for the same round.
func (c Chain) Verify(round int64, signature []byte) error {
	if round < 1 || round > maxRound || len(signature) != sigBytes {
		return ErrSignature
	}
	k, err := c.key()
	if err != nil {
		return err
	}
	msg := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(round)))
	if !bls.Verify(k, msg[:], signature) {
		return ErrSignature
	}
	return nil
}

// Beacon is one round as the beacon's relays publish it.
type Beacon struct {
	Round      int64  `json:"round"`
	Randomness string `json:"randomness"` // SHA-256 of the signature, hex; may be left out
	Signature  string `json:"signature"`  // hex
}

// ParseBeacon reads a round as relays publish it in JSON; it verifies no
// signature. A randomness that does not belong to the signature is an error.
func ParseBeacon(b []byte) (round int64, signature []byte, err error) {
	var v Beacon
	if err := json.Unmarshal(b, &v); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrBeacon, err)
	}
	if signature, err = hexOf(v.Signature, sigBytes); err != nil || v.Round < 1 {
		return 0, nil, ErrBeacon
	}
	if sum := sha256.Sum256(signature); v.Randomness != "" && v.Randomness != hex.EncodeToString(sum[:]) {
		return 0, nil, ErrBeacon
	}
	return v.Round, signature, nil
}

func hexOf(s string, n int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != n || hex.EncodeToString(b) != s {
		return nil, fmt.Errorf("not %d bytes in lower-case hex", n)
	}
	return b, nil
}
