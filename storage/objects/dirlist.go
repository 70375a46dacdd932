package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

// List implements Objects. It holds one directory's names per level in
// memory.
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Info{}, err)
			return
		}
		dir := "."
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			dir = path.Clean(prefix[:i])
		}
		d.walk(ctx, dir, prefix, yield)
	}
}

// walk yields what is below dir and reports whether to go on. Names are
// compared as they stand in keys, a directory with its slash: "a-b" comes
// before "a/b".
func (d *Dir) walk(ctx context.Context, dir, prefix string, yield func(Info, error) bool) bool {
	entries, err := d.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return true
	}
	if err != nil {
		yield(Info{}, fmt.Errorf("list objects below %s: %w", dir, fromFS(err)))
		return false
	}
	inKey := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(inKey(a), inKey(b)) })
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			yield(Info{}, err)
			return false
		}
		key := path.Join(dir, e.Name())
		if hidden(e.Name()) {
			continue
		}
		if e.IsDir() {
			below := key + "/"
			if (strings.HasPrefix(below, prefix) || strings.HasPrefix(prefix, below)) && !d.walk(ctx, key, prefix, yield) {
				return false
			}
			continue
		}
		if !strings.HasPrefix(key, prefix) || !e.Type().IsRegular() {
			continue
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			yield(Info{}, fmt.Errorf("list object %s: %w", key, fromFS(err)))
			return false
		}
		if !yield(Info{Key: key, Size: fi.Size(), Modified: fi.ModTime()}, nil) {
			return false
		}
	}
	return true
}
