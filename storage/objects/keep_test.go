package objects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wardwatch/internal/testfs"
	"wardwatch/storage/disk"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// kept writes content as a file below folder and describes it.
func kept(t *testing.T, folder disk.FS, name string, content []byte) objects.File {
	t.Helper()
	f, err := folder.Open(name, os.O_CREATE|os.O_EXCL|os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	return objects.File{
		Disk: f, Reader: func() io.Reader { return io.NewSectionReader(f, 0, math.MaxInt64) },
		Size: int64(len(content)), SHA256: sha256.Sum256(content),
	}
}

func folder(t *testing.T) disk.FS {
	t.Helper()
	f, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// testKeep: what is kept is what its SHA-256 says, or is refused.
func testKeep(t *testing.T, o objects.Objects) {
	from := folder(t)
	for _, size := range []int{0, 1, 5 << 20, 65 << 20} {
		if size == 65<<20 && testing.Short() {
			continue
		}
		content := bytes.Repeat([]byte("a picture "), size/10+1)[:size]
		name := fmt.Sprintf("%d-bytes", size)
		f := kept(t, from, name, content)
		for range 2 { // the second finds it there
			if err := objects.Keep(t.Context(), o, "v1/"+name, f); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
		}
		if sum, n, err := objects.Sum(t.Context(), o, "v1/"+name); err != nil || n != f.Size || sum != f.SHA256 {
			t.Errorf("%d bytes: read back %d, %v", size, n, err)
		}
		if err := objects.Verify(t.Context(), o, "v1/"+name, f.Size, f.SHA256); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		wantError(t, "another sum", objects.Verify(t.Context(), o, "v1/"+name, f.Size, [32]byte{1}), objects.ErrDiffers)
		wantError(t, "another size", objects.Verify(t.Context(), o, "v1/"+name, f.Size+1, f.SHA256), objects.ErrDiffers)
		if size == 0 {
			continue
		}
		// One bit of the disk fell over since it was recorded.
		for what, bad := range map[string]objects.File{
			"flipped":   kept(t, from, name+"-flipped", append([]byte{content[0] ^ 4}, content[1:]...)),
			"truncated": kept(t, from, name+"-truncated", content[1:]),
			"longer":    kept(t, from, name+"-longer", append([]byte("x"), content...)),
		} {
			if size > objects.LargeSize && what != "flipped" {
				continue // it takes long, and the sizes are the small ones' matter
			}
			bad.Size, bad.SHA256 = f.Size, f.SHA256
			err := objects.Keep(t.Context(), o, "v1/bad", bad)
			if err == nil || ward.KindOf(err) != "" || what == "flipped" && !errors.Is(err, objects.ErrDiffers) {
				t.Errorf("%d bytes, %s: %v", size, what, err)
			}
			if _, err := o.Stat(t.Context(), "v1/bad"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%d bytes, %s: an object is left: %v", size, what, err)
			}
		}
	}
	put(t, o, "v1/taken", "first")
	other := kept(t, from, "other", []byte("other"))
	wantError(t, "another content", objects.Keep(t.Context(), o, "v1/taken", other), &ward.Error{Kind: ward.Conflict, Code: "objects.exists"})
	if got := get(t, o, "v1/taken", 0, -1); got != "first" {
		t.Errorf("it was replaced by %q", got)
	}
	wantError(t, "an absent one", objects.Verify(t.Context(), o, "v1/none", 5, other.SHA256), fs.ErrNotExist)
	wantError(t, "a bad key", objects.Keep(t.Context(), o, "../x", other), &ward.Error{Kind: ward.Invalid})
	wantError(t, "a bad key", objects.Verify(t.Context(), o, "../x", 5, other.SHA256), &ward.Error{Kind: ward.Invalid})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, "cancelled", objects.Keep(gone, o, "v1/gone", other), context.Canceled)
	for info, err := range o.List(t.Context(), "v1/probe/") {
		t.Errorf("left behind: %s, %v", info.Key, err)
	}
}

// testKeepAtOnce: of different files under one key one is kept.
func testKeepAtOnce(t *testing.T, o objects.Objects) {
	from := folder(t)
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for i := range 8 {
		content := strings.Repeat(string(rune('a'+i)), 100<<10)
		f := kept(t, from, content[:1], []byte(content))
		wg.Go(func() {
			err := objects.Keep(t.Context(), o, "v1/race", f)
			if err == nil {
				won <- content
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d won", len(won))
	}
	if got := get(t, o, "v1/race", 0, -1); got != <-won {
		t.Error("the object is not the winner's")
	}
}

// A directory on the spool's file system takes the file itself; one on another
// copies it. Either way nothing else is left.
func TestDirKeepsTheFileItself(t *testing.T) {
	for _, apart := range []bool{false, true} {
		root := t.TempDir()
		d := openDir(t, root)
		from := folder(t)
		if apart {
			from = &testfs.Fail{FS: from} // whose files are none of the kernel's
		}
		content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		f := kept(t, from, "file", content)
		if err := objects.Keep(t.Context(), d, "v1/a/b", f); err != nil {
			t.Fatal(err)
		}
		was, err := f.Disk.Stat()
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.Stat(filepath.Join(root, "v1", "a", "b"))
		if err != nil || os.SameFile(was, is) == apart {
			t.Errorf("apart %v: the same file %v, %v", apart, os.SameFile(was, is), err)
		}
		if err := from.Remove("file"); err != nil {
			t.Fatal(err)
		}
		if got := get(t, d, "v1/a/b", 0, -1); got != string(content) {
			t.Errorf("apart %v: %d bytes are left after the spool's name went", apart, len(got))
		}
		if left, err := filepath.Glob(filepath.Join(root, ".incoming", "*")); err != nil || len(left) > 0 {
			t.Errorf("apart %v: left %q, %v", apart, left, err)
		}
		if err := d.Delete(t.Context(), "v1/a/b"); err != nil {
			t.Error(err)
		}
	}
}

// rotten is a disk that gives back other bytes than were written to new files.
type rotten struct{ disk.FS }

type rottenFile struct{ disk.Handle }

func (r rotten) Open(name string, flag int) (disk.Handle, error) {
	h, err := r.FS.Open(name, flag)
	if err == nil && strings.HasPrefix(name, ".incoming/") {
		h = rottenFile{h}
	}
	return h, err
}

func (r rottenFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.Handle.ReadAt(p, at)
	if n > 0 && at == 0 {
		p[0] ^= 1
	}
	return n, err
}

// A copy that the other disk does not give back is no object, and the disk's fault.
func TestDirReadsBackWhatItCopied(t *testing.T) {
	d, err := objects.OpenDirOn(rotten{folder(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	f := kept(t, &testfs.Fail{FS: folder(t)}, "file", []byte("a recording"))
	wantError(t, "keep", objects.Keep(t.Context(), d, "v1/a", f), &ward.Error{Kind: ward.Unavailable, Code: "objects.unreachable"})
	if got := keys(t, d, ""); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	f.SHA256[0] ^= 1
	wantError(t, "keep another", objects.Keep(t.Context(), d, "v1/a", f), objects.ErrDiffers)
}
