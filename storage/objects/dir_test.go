package objects_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/storage/objects"
)

// TestKilledDuringPut kills a process in the middle of a Put: no object, and
// what it wrote is removed by the next start, but not before it ended.
func TestKilledDuringPut(t *testing.T) {
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperPuts$")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_PUT="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil { // never written to: what it waits for
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 3)
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "up\n" { // it is in the middle now
		t.Fatalf("the process that puts said %q: %v", said, err)
	}
	incoming := func() []string {
		found, err := filepath.Glob(filepath.Join(root, ".incoming", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	openDir(t, root)
	if len(incoming()) != 1 {
		t.Errorf("opening the store disturbed a running Put: %q", incoming())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if len(incoming()) != 1 {
		t.Fatalf("the test is wrong: %q", incoming())
	}
	d := openDir(t, root)
	if len(incoming()) != 0 {
		t.Errorf("left after the restart: %q", incoming())
	}
	if got := keys(t, d, ""); len(got) != 0 {
		t.Errorf("objects after the kill: %q", got)
	}
	put(t, d, "killed/put", "again")
}

// TestHelperPuts is the process that TestKilledDuringPut kills.
func TestHelperPuts(t *testing.T) {
	root := os.Getenv("WARDWATCH_TEST_PUT")
	if root == "" {
		return
	}
	n := 0
	r := readFunc(func(p []byte) (int, error) {
		if n++; n > 3 {
			fmt.Println("up")
			// Not select {}: with nothing else to do the runtime calls that a
			// deadlock, and the process ends by itself.
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				return 0, err
			}
		}
		return len(p), nil
	})
	err := openDir(t, root).Put(t.Context(), "killed/put", r, 1<<30)
	t.Fatalf("put ended: %v", err)
}

// TestForeignFiles: what others put into the directory is no object, and no
// way out of it.
func TestForeignFiles(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, root)
	put(t, d, "a/b", "object")
	for name, target := range map[string]string{"link": filepath.Join(outside, "secret"), "dir": outside} {
		if err := os.Symlink(target, filepath.Join(root, "a", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "a", "读我.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/link", "a/dir/secret"} {
		if r, err := d.Get(t.Context(), key, 0, -1); err == nil {
			t.Errorf("%s leads out of the directory", key)
			_ = r.Close()
		}
	}
	if err := d.Put(t.Context(), "a/dir/new", bytes.NewReader(nil), 0); err == nil {
		t.Error("put through a link succeeded")
	}
	if got := strings.Join(keys(t, d, ""), " "); got != "a/b" {
		t.Errorf("listed %q", got)
	}
	if _, err := os.Stat(filepath.Join(outside, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written outside: %v", err)
	}
}

// TestDeleteRemovesEmptyFolders, because a camera makes one an hour.
func TestDeleteRemovesEmptyFolders(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	put(t, d, "v1/cam/09/a", "x")
	put(t, d, "v1/other", "x")
	if err := d.Delete(t.Context(), "v1/cam/09/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "v1", "cam")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder left: %v", err)
	}
	put(t, d, "v1/cam/09/a", "y")
}

func TestOpenDirDenied(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := objects.OpenDir(file); err == nil {
		t.Error("a file was opened as a store")
		_ = d.Close()
	}
}
