package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SecretFile reads the key file at path, making it of n random bytes (mode
// 0600) when absent. A new file is on disk, complete, before it has its
// name, and never replaces another: a crash leaves the old key, the whole
// new key or none, and two processes that start together get the same one.
// The caller checks the length of what an existing file holds.
func SecretFile(path string, n int) ([]byte, error) {
	key, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, n)
	_, _ = rand.Read(key)
	err = createDurable(path, key)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path) // another process was first
	}
	if err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return key, nil
}

// createDurable writes b beside path, fsyncs it, links it to path (which
// fails with fs.ErrExist when path is there) and fsyncs the directory.
func createDurable(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600, O_EXCL
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(f.Name()); e != nil {
			err = errors.Join(err, e)
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
