package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"wardwatch/internal/models"
)

// fetch brings the folder up to date and returns how many files it wrote.
func fetch(ctx context.Context, dir, tarballs string, progress io.Writer) (int, error) {
	written := 0
	for _, p := range models.Packages() {
		var todo []models.File
		for _, f := range p.Files {
			if !matches(filepath.Join(dir, f.Out), f.SHA256) {
				todo = append(todo, f)
			}
		}
		if len(todo) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(progress, "models: %s …\n", p.Spec)
		b, err := tarball(ctx, p, tarballs)
		if err != nil {
			return written, err
		}
		contents, err := extract(b, todo)
		if err != nil {
			return written, fmt.Errorf("unpack %s: %w", p.Spec, err)
		}
		for _, f := range todo {
			if err := put(dir, f.Out, f.SHA256, contents[f.Out]); err != nil {
				return written, err
			}
			written++
			_, _ = fmt.Fprintf(progress, "models:   %s\n", f.Out)
		}
	}
	for _, c := range models.Conversions() {
		if matches(filepath.Join(dir, c.Out), c.SHA256) {
			continue
		}
		b, err := c.Make(func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) })
		if err != nil {
			return written, fmt.Errorf("convert %s: %w", c.Out, err)
		}
		if err := put(dir, c.Out, c.SHA256, b); err != nil {
			return written, err
		}
		written++
		_, _ = fmt.Fprintf(progress, "models:   %s (converted)\n", c.Out)
	}
	return written, nil
}

func matches(path, want string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == want
}

// put writes a file whole or not at all, and only with the right hash.
func put(dir, name, want string, b []byte) (err error) {
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("%s has SHA-256 %s, not %s: it is not the file that was tested; nothing was written", name, got, want)
	}
	path := filepath.Join(dir, name)
	if err = os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if rm := os.Remove(tmp.Name()); err == nil && !errors.Is(rm, fs.ErrNotExist) {
			err = rm
		}
	}()
	_, werr := tmp.Write(b)
	if err = errors.Join(werr, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
