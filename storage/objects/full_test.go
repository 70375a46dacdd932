package objects_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// smallDisk is the size in bytes of the file system that gets full.
const smallDisk = 8 << 20

// TestFullDisk runs TestHelperFullDisk in a process that sees a small file
// system of its own; no mount is left whatever happens. Where even a user
// namespace is forbidden, the kernel limits the size of a file instead.
func TestFullDisk(t *testing.T) {
	child := func(attr *syscall.SysProcAttr, mode string) ([]byte, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), "WARDWATCH_TEST_FULL="+mode)
		cmd.SysProcAttr = attr
		return cmd.CombinedOutput()
	}
	out, err := child(ownMounts(), "mount")
	if err != nil && (strings.Contains(err.Error(), "not permitted") || strings.Contains(string(out), "cannot mount")) {
		t.Logf("no file system of our own (%v); limiting the size of files", err)
		out, err = child(nil, "limit")
	}
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "PASS: TestHelperFullDisk") {
		t.Fatal(err)
	}
}

// ownMounts gives a child process mounts that only it sees.
func ownMounts() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

func mountSmall(t *testing.T, dir, size string) {
	t.Helper()
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil || errors.Is(err, syscall.EINVAL) { // EINVAL: in a chroot, / is no mount of its own
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, size)
	}
	if err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// TestHelperFullDisk is the process that TestFullDisk runs.
func TestHelperFullDisk(t *testing.T) {
	dir := t.TempDir()
	switch os.Getenv("WARDWATCH_TEST_FULL") {
	default:
		return
	case "mount":
		mountSmall(t, dir, "size=8m")
	case "limit":
		limit := syscall.Rlimit{Cur: smallDisk, Max: smallDisk}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	d := openDir(t, dir)
	put(t, d, "small", "kept")
	full := &ward.Error{Kind: ward.Unavailable, Code: "objects.full"}
	for range 3 { // a failed Put gives its space back
		wantError(t, "put", d.Put(t.Context(), "big", io.LimitReader(zeros{}, smallDisk+1), smallDisk+1), full)
	}
	if got := keys(t, d, ""); len(got) != 1 || got[0] != "small" {
		t.Errorf("objects after the failures: %q", got)
	}
	if err := d.Put(t.Context(), "fits", io.LimitReader(zeros{}, smallDisk/2), smallDisk/2); err != nil {
		t.Errorf("put what fits: %v", err)
	}
	if got := get(t, d, "small", 0, -1); got != "kept" {
		t.Errorf("got %q", got)
	}
}

// TestFullServer fills a MinIO server that has a small file system.
func TestFullServer(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperFullServer$", "-test.v")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_FULL_SERVER=1")
	cmd.SysProcAttr = ownMounts()
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "PASS: TestHelperFullServer") {
		t.Fatalf("a small file system needs root or user namespaces: %v", err)
	}
}

// TestHelperFullServer is the process that TestFullServer runs.
func TestHelperFullServer(t *testing.T) {
	if os.Getenv("WARDWATCH_TEST_FULL_SERVER") == "" {
		return
	}
	dir := t.TempDir()
	mountSmall(t, dir, "size=64m")
	o, err := objects.OpenS3(t.Context(), config(testserver.MinIOServerIn(t, dir).S3, "small-bucket"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, o, "small", "kept")
	const size = 48 << 20
	full := &ward.Error{Kind: ward.Unavailable, Code: "objects.full"}
	err = o.Put(t.Context(), "one", io.LimitReader(zeros{}, size), size)
	if err == nil {
		err = o.Put(t.Context(), "two", io.LimitReader(zeros{}, size), size)
	}
	wantError(t, "put", err, full)
	if got := get(t, o, "small", 0, -1); got != "kept" {
		t.Errorf("got %q", got)
	}
}
