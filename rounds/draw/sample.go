package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"wardwatch/ward"
)

// Seed is SHA-256("wardwatch/draw/seed/v1\n" ‖ commitment ‖ len(source) as 4
// bytes, big-endian ‖ source ‖ secret). commitment is the SHA-256 of the
// sealed commitment; source is the beacon's signature (48 bytes) or the
// contact's number (32 bytes).
func Seed(commitment [32]byte, source []byte, secret [32]byte) [32]byte {
	b := append([]byte("wardwatch/draw/seed/v1\n"), commitment[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(source))) // at most 48
	b = append(append(b, source...), secret[:]...)
	return sha256.Sum256(b)
}

// Pick draws k of n without repetition and returns their places in the order
// drawn: a Fisher-Yates shuffle that stops after k. Its numbers come from
// block i = SHA-256("wardwatch/draw/stream/v1\n" ‖ seed ‖ i as 8 bytes,
// big-endian ‖ label), i from 0; each block gives one number, its first 8
// bytes; one at or above the largest multiple of the range that 64 bits hold is
// passed over, so that no place is likelier than another. k is at most n.
func Pick(seed [32]byte, label string, n, k int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	s := stream{seed: seed, label: label}
	for i := range k {
		j := i + int(s.below(uint64(n-i)))
		all[i], all[j] = all[j], all[i]
	}
	return all[:k]
}

type stream struct {
	seed  [32]byte
	label string
	next  uint64
}

// below is uniform in 0 … m-1.
func (s *stream) below(m uint64) uint64 {
	over := -m % m // 2^64 mod m: so many numbers at the top are passed over
	for {
		b := append([]byte("wardwatch/draw/stream/v1\n"), s.seed[:]...)
		b = append(binary.BigEndian.AppendUint64(b, s.next), s.label...)
		sum := sha256.Sum256(b)
		s.next++
		if x := binary.BigEndian.Uint64(sum[:8]); x <= math.MaxUint64-over {
			return x % m
		}
	}
}

// The labels of the streams: each stratum and the inspectors have their own.
func bedLabel(w string) string { return "bed/" + w }

const inspectorLabel = "inspector"

// Compute is what the seed draws by the committed rule.
func (c Commitment) Compute(seed [32]byte) ([]Drawn, []ward.UserID) {
	beds := make([]Drawn, len(c.Strata))
	for i, s := range c.Strata {
		beds[i] = Drawn{Ward: s.Ward, Admissions: make([]ward.AdmissionID, 0, s.Take)}
		for _, j := range Pick(seed, bedLabel(s.Ward), len(s.Candidates), s.Take) {
			beds[i].Admissions = append(beds[i].Admissions, s.Candidates[j].Admission)
		}
	}
	inspectors := make([]ward.UserID, 0, c.Inspectors.Take)
	for _, j := range Pick(seed, inspectorLabel, len(c.Inspectors.Candidates), c.Inspectors.Take) {
		inspectors = append(inspectors, c.Inspectors.Candidates[j])
	}
	return beds, inspectors
}

// Value is the source's bytes: exactly one of d and v is set.
func (s SeedSource) Value(d *DrandValue, v *CoinValue) ([]byte, error) {
	switch {
	case s.Kind == ward.SourceDrand && s.Drand != nil && d != nil && v == nil:
		b, err := unhex(d.Signature, 48)
		if err != nil {
			return nil, err
		}
		return b, s.Drand.Chain.Verify(s.Drand.Round, b)
	case s.Kind == ward.SourceCoin && s.Coin != nil && v != nil && d == nil:
		return unhex(v.Value, 32)
	}
	return nil, errors.New("the value is not of the committed source")
}

// Conclude makes the result step of a commitment whose sealed bytes are
// sealed. It verifies the source's value. Head is left to the caller.
func (c Commitment) Conclude(sealed []byte, d *DrandValue, v *CoinValue, secret [32]byte) (Result, error) {
	source, err := c.Source.Value(d, v)
	if err != nil {
		return Result{}, fmt.Errorf("conclude draw %s: %w", c.Draw, err)
	}
	if sum := sha256.Sum256(secret[:]); hex.EncodeToString(sum[:]) != c.SecretSHA256 {
		return Result{}, fmt.Errorf("conclude draw %s: the secret is not the committed one", c.Draw)
	}
	seed := Seed(sha256.Sum256(sealed), source, secret)
	r := Result{Drand: d, Coin: v, Secret: hex.EncodeToString(secret[:]), Seed: hex.EncodeToString(seed[:])}
	r.Beds, r.Inspectors = c.Compute(seed)
	return r, nil
}

// unhex reads n bytes in lower-case hex.
func unhex(s string, n int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != n || hex.EncodeToString(b) != s {
		return nil, fmt.Errorf("not %d bytes in lower-case hex", n)
	}
	return b, nil
}
