package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// ErrNoHolds says that the store cannot withhold an object from whoever may
// delete in it: an S3 bucket without object lock, or a store of another kind.
var ErrNoHolds = errors.New("the store has no legal holds")

// holder is a store that withholds objects from deletion.
type holder interface {
	// setHold places or takes away the hold; either again is no error.
	setHold(ctx context.Context, key string, on bool) error
	held(ctx context.Context, key string) (bool, error)
}

// Hold makes the store itself refuse to delete the object until Unhold, also
// to an administrator where the store can (S3 legal hold: every version of the
// object). It returns when that is durable. A directory refuses its own
// Delete; whoever may write to its disk by other means is not held up.
// Besides the errors of Objects: ErrNoHolds. A held object that is asked to be
// deleted is ward.Conflict "objects.locked".
func Hold(ctx context.Context, o Objects, key string) error { return setHold(ctx, o, key, true) }

// Unhold takes the hold away. An object without one, or that is gone, is no error.
func Unhold(ctx context.Context, o Objects, key string) error {
	err := setHold(ctx, o, key, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func setHold(ctx context.Context, o Objects, key string, on bool) error {
	h, ok := o.(holder)
	if !ok {
		return ErrNoHolds
	}
	err := checkKey(key)
	if err == nil {
		err = h.setHold(ctx, key, on)
	}
	if err != nil {
		return fmt.Errorf("set the hold of object %s to %v: %w", key, on, err)
	}
	return nil
}

// Held says whether the store withholds the object from deletion. One that is
// absent, or hidden by a delete marker, matches fs.ErrNotExist.
func Held(ctx context.Context, o Objects, key string) (bool, error) {
	h, ok := o.(holder)
	if !ok {
		return false, ErrNoHolds
	}
	if err := checkKey(key); err != nil {
		return false, err
	}
	if _, err := o.Stat(ctx, key); err != nil {
		return false, err
	}
	return h.held(ctx, key)
}

// errHeld is the cause of a refused Delete in a Dir.
var errHeld = errors.New("it is under legal hold")

// holdDir has an empty file for every held object of a Dir. No key begins with a dot.
const holdDir = ".held"

// mark is the file that holds key: a hash, because a key may be longer than a
// name, and the marks are spread over folders of some thousand.
func mark(key string) string {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	return path.Join(holdDir, name[:2], name)
}

// setHold implements holder: a mark beside the objects, durable before it returns.
func (d *Dir) setHold(ctx context.Context, key string, on bool) error {
	d.tree.Lock() // no Delete is between its look and its removal
	defer d.tree.Unlock()
	name := mark(key)
	if !on {
		if err := d.fs.Remove(name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return fromFS(err)
		}
		return fromFS(d.syncDir(path.Dir(name)))
	}
	if _, err := d.Stat(ctx, key); err != nil {
		return err
	}
	if err := d.fs.MkdirAll(path.Dir(name)); err != nil {
		return fromFS(err)
	}
	f, err := d.fs.Open(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return fromFS(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fromFS(err)
	}
	return fromFS(d.syncUp(path.Dir(name)))
}

// held implements holder.
func (d *Dir) held(_ context.Context, key string) (bool, error) {
	_, err := d.fs.Stat(mark(key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fromFS(err)
}
