package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// sealedKey is what the ledger commits to when its key is replaced.
type sealedKey struct {
	From  string    `json:"from"` // fingerprint
	To    string    `json:"to"`
	Until time.Time `json:"until"` // From signs beside To
}

// longestOverlap is until when a replaced key may go on signing beside the new one.
const longestOverlap = 366 * 24 * time.Hour

// RotateKey replaces the key that signs the ledger: the replacement is sealed,
// the last checkpoint by the old key contains that, and a statement by both
// keys leads from the old one to the new. The old key signs beside it for
// overlap, at most a year. This store signs no more: open it anew. Whoever
// else signs this ledger must be stopped before.
func (s *Store) RotateKey(ctx context.Context, overlap time.Duration) (ledger.Rotation, error) {
	if overlap < 0 || overlap > longestOverlap {
		return ledger.Rotation{}, &ward.Error{Kind: ward.Invalid, Code: "keys.overlap", ZH: "新旧密钥的重叠期应为 0 至 366 天。", EN: "Old and new key overlap for 0 to 366 days."}
	}
	next, err := ledger.PrepareNext(s.keyDir)
	if err != nil {
		return ledger.Rotation{}, err
	}
	to := ledger.Fingerprint((&ledger.Keys{Signer: next}).Public())
	now := time.Now()
	err = s.change(ctx, "seal the new key", func(t *tx) error {
		_, err := t.sealRecord(ctx, KindKey, to, sealedKey{ledger.Fingerprint(s.PublicKey()), to, now.Add(overlap).UTC().Truncate(time.Second)})
		return err
	})
	if err != nil {
		return ledger.Rotation{}, err
	}
	_, size, err := s.Checkpoint(ctx)
	if err != nil {
		return ledger.Rotation{}, err
	}
	r := ledger.Rotate(s.keys.Log, s.keys.Signer, next, size, now, now.Add(overlap))
	return r, s.keys.Replace(s.keyDir, r)
}

// Rotations are the statements by which the ledger's key was replaced, the oldest first.
func (s *Store) Rotations() []ledger.Rotation { return s.keys.Rotations }

// SM2 is the key of the second signature; nil: none is configured.
func (s *Store) SM2() *ledger.SM2 { return s.keys.SM2 }

// keyRotations compares the statements with what was sealed of them.
func (f *fsck) keyRotations(ctx context.Context) error {
	for i, r := range f.s.keys.Rotations {
		f.Rows++
		to := ledger.Fingerprint(r.To)
		record, ok, err := latestSealed(ctx, f.s.read, KindKey, to)
		if err != nil {
			return err
		}
		var k sealedKey
		if ok {
			err = record.Into(&k)
		}
		if !ok || err != nil || k != (sealedKey{ledger.Fingerprint(r.From), to, r.Until}) || record.Leaf >= r.Size {
			f.bad(fmt.Sprintf("ledger.rotations/%d", i+1), "密钥更换声明没有对应的存证记录。", errors.Join(errors.New("the statement of a new key is not what was sealed"), err).Error())
		}
	}
	return nil
}
