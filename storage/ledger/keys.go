package ledger

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wardwatch/ward"
)

// The files of a folder of keys. The private ones hold the 32-byte seed.
const (
	keyFile       = "ledger.key"
	nextFile      = "ledger.key.next"  // made by a replacement that is under way
	formerFile    = "ledger.key.old"   // signs beside the new one until the overlap ends
	rotationsFile = "ledger.rotations" // statements, the oldest first
)

// Keys are what signs a ledger.
type Keys struct {
	Log       string // its name, see Origin
	Signer    ed25519.PrivateKey
	Former    ed25519.PrivateKey // the key before; nil: there is none
	Rotations []Rotation
	SM2       *SM2 // the second signature; nil: not configured
}

// OpenKeys reads the keys in dir, makes the first one when there is none, and
// ends a replacement that a crash broke off after it was stated.
func OpenKeys(dir string) (*Keys, error) {
	text, err := os.ReadFile(filepath.Join(dir, rotationsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	k := &Keys{}
	if k.Rotations, err = ParseRotations(string(text)); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	if n := len(k.Rotations); n > 0 {
		if err := settle(dir, k.Rotations[n-1]); err != nil {
			return nil, fmt.Errorf("open keys: %w", err)
		}
	}
	if k.Signer, err = OpenKey(filepath.Join(dir, keyFile)); err != nil {
		return nil, err
	}
	k.Log = Origin(publicOf(k.Signer))
	if n := len(k.Rotations); n > 0 {
		last := k.Rotations[n-1]
		k.Log = last.Log
		if !publicOf(k.Signer).Equal(last.To) {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "keys.mixed", ZH: "ledger.key 与 ledger.rotations 不一致，请恢复同一次备份中的整个密钥目录。", EN: "ledger.key does not belong to ledger.rotations; restore the whole folder of keys from one backup."}
		}
		if k.Former, err = readSeed(filepath.Join(dir, formerFile)); err != nil {
			return nil, err
		}
		if k.Former != nil && !publicOf(k.Former).Equal(last.From) {
			k.Former = nil
		}
	}
	k.SM2, err = openSM2(dir)
	return k, err
}

func readSeed(path string) (ed25519.PrivateKey, error) {
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(seed) != ed25519.SeedSize {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// settle gives the new key its name once the statement is there.
func settle(dir string, last Rotation) error {
	next, err := readSeed(filepath.Join(dir, nextFile))
	if err != nil || next == nil || !publicOf(next).Equal(last.To) {
		return err
	}
	now, err := readSeed(filepath.Join(dir, keyFile))
	if err != nil {
		return err
	}
	if now != nil && publicOf(now).Equal(last.From) {
		if err := os.Rename(filepath.Join(dir, keyFile), filepath.Join(dir, formerFile)); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(dir, nextFile), filepath.Join(dir, keyFile)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// PrepareNext makes the key that is to follow, and gives up one that an
// earlier attempt left.
func PrepareNext(dir string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, nextFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("prepare key: %w", err)
	}
	seed, err := SecretFile(path, ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("prepare key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Replace states the rotation, durably, and gives the keys in dir their new
// names. From the statement on the new key counts, whatever happens.
func (k *Keys) Replace(dir string, r Rotation) error {
	var b bytes.Buffer
	for _, o := range append(k.Rotations, r) {
		b.WriteString(o.String())
	}
	f, err := os.CreateTemp(dir, ".rotations-*")
	if err != nil {
		return fmt.Errorf("state rotation: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, rotationsFile))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err == nil {
		err = settle(dir, r)
	}
	if err != nil {
		return fmt.Errorf("state rotation: %w", err)
	}
	return nil
}

// Public is the key that signs now.
func (k *Keys) Public() ed25519.PublicKey { return publicOf(k.Signer) }

// For is the key that signs checkpoints of size leaves.
func (k *Keys) For(size int64) ed25519.PublicKey {
	for _, r := range k.Rotations {
		if size <= r.Size {
			return r.From
		}
	}
	return k.Public()
}

// Beside returns the signatures that stand beside the current key's on a
// checkpoint that is published at now: of the former key while the overlap
// lasts, and of SM2.
func (k *Keys) Beside(checkpoint string, now time.Time) (string, error) {
	text, err := Text(checkpoint)
	if err != nil {
		return "", err
	}
	var lines string
	if k.Former != nil && now.Before(k.Rotations[len(k.Rotations)-1].Until) {
		if lines, err = signatureLine(text, k.Log, k.Former); err != nil {
			return "", err
		}
	}
	if k.SM2 == nil {
		return lines, nil
	}
	line, err := k.SM2.Sign(text, k.Log)
	return lines + line, err
}
