package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// TestFullDisk runs TestHelperFullDisk in a process with mounts of its own:
// a file system of 320 MB that gets full, and nothing left behind. Where even
// a user namespace is forbidden, as in a plain container, the kernel limits
// the size of a file instead, which is the recording's half of it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_FULL=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && (cmd.ProcessState == nil || strings.Contains(string(out), "cannot mount")) {
		t.Logf("no file system of our own (%v); limiting the size of files", err)
		fullFiles(t)
		return
	}
	if err != nil || !strings.Contains(string(out), "PASS: TestHelperFullDisk") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// fullFiles lets no file of the service grow beyond 5 MB for a while, as
// EFBIG, which the spool takes for a full disk: the database stays below, a
// segment of noise does not.
func fullFiles(t *testing.T) {
	clip := testcam.Code(t, ward.NoCodec, "-f", "lavfi", "-i", "testsrc=s=640x480:r=10:d=4", "-vf", "noise=alls=60:allf=t", "-c:v", "libx264",
		"-preset", "ultrafast", "-qp", "10", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p")
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1", Clip: clip})
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	limit := func(fsize string) {
		out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(s.cmd.Process.Pid), "--fsize="+fsize+":").CombinedOutput()
		if err != nil {
			t.Fatalf("prlimit: %v: %s", err, out)
		}
	}
	c := signIn(t, s)
	c.hospital()
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	if g := c.recorded("cam-1", 2, 15*time.Second).Segments[0]; g.Bytes < 6<<20 {
		t.Fatalf("a segment has %d bytes, too few to reach the limit", g.Bytes)
	}

	limit("5000000")
	until(t, "a gap with cause disk", 15*time.Second, func() bool {
		gaps := c.timeline("cam-1", time.Now().Add(-time.Minute), time.Now()).Gaps
		return slices.ContainsFunc(gaps, func(g ward.Gap) bool { return g.Cause == ward.CauseDisk })
	})
	if !strings.Contains(s.log.String(), "The spool is full") {
		t.Error("the log does not say that the spool is full")
	}
	c.must(201, "POST", "/api/v1/settlements", bill("S-1"), nil, "Idempotency-Key", "S-1")
	line := c.timeline("cam-1", time.Now().Add(-time.Minute), time.Now())
	c.must(200, "GET", "/api/v1/segments/"+string(line.Segments[0].ID)+"/media.mp4", nil, nil)

	limit("unlimited")
	c.recorded("cam-1", len(line.Segments)+2, 30*time.Second)
	s.terminate()
	s.fsck()
}

// TestHelperFullDisk is the process that TestFullDisk runs.
func TestHelperFullDisk(t *testing.T) {
	if os.Getenv("WARDWATCH_TEST_FULL") == "" {
		return
	}
	dir := t.TempDir()
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil || errors.Is(err, syscall.EINVAL) { // EINVAL: in a chroot, / is no mount of its own
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=320m")
	}
	if err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := func(name string, size int64) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for left := size; left > 0 && err == nil; left -= 1 << 20 {
			_, err = f.Write(make([]byte, 1<<20))
		}
		if err = errors.Join(err, f.Close()); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
	s := serve(t, filepath.Join(dir, "data"))
	c := signIn(t, s)
	c.hospital()
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.recorded("cam-1", 2, 15*time.Second)

	// Below the reserve recording stops, and says so; all else goes on.
	ballast("ballast", 100<<20)
	until(t, "a gap with cause disk", 15*time.Second, func() bool {
		gaps := c.timeline("cam-1", time.Now().Add(-time.Minute), time.Now()).Gaps
		return slices.ContainsFunc(gaps, func(g ward.Gap) bool { return g.Cause == ward.CauseDisk && g.To.IsZero() })
	})
	c.must(201, "POST", "/api/v1/settlements", bill("S-1"), nil, "Idempotency-Key", "S-1")

	// Not one byte left: what is there is still served, and a write is refused.
	ballast("more", 1<<40)
	c.must(200, "GET", "/healthz", nil, nil)
	c.must(200, "GET", "/api/v1/cameras", nil, nil)
	line := c.timeline("cam-1", time.Now().Add(-time.Minute), time.Now())
	c.refused(503, "database.full", "POST", "/api/v1/settlements", bill("S-3"), "Idempotency-Key", "S-3")
	// Whoever sees a recording is put on record; where that cannot be, nobody sees it.
	c.refused(503, "database.full", "GET", "/api/v1/segments/"+string(line.Segments[0].ID)+"/media.mp4", nil)
	status, b := c.call("GET", "/readyz", nil)
	if status != 503 {
		t.Errorf("readyz on a full disk: %d %s", status, b)
	}

	for _, name := range []string{"ballast", "more"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	c.recorded("cam-1", len(line.Segments)+2, 30*time.Second)
	c.must(201, "POST", "/api/v1/settlements", bill("S-2"), nil, "Idempotency-Key", "S-2")
	s.terminate()
	s.fsck()
}
