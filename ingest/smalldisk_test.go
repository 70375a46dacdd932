package ingest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Pain 1, on a real file system: 64 MB that the spool, the database and the
// ledger share. TestHelperSmallDisk runs in a process with mounts of its own.
func TestPain01SmallDisk(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperSmallDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_SMALL_DISK=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestHelperSmallDisk") {
		t.Fatalf("a small file system needs root or user namespaces: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if _, kind, ok := strings.Cut(line, "the small disk is "); ok {
			t.Log(strings.TrimSpace(kind))
		}
	}
}

// mountSmall mounts 64 MB on dir: ext4 on a loop device where this machine
// lets root do so, else tmpfs.
func mountSmall(t *testing.T, dir string) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(image)
	if err == nil {
		err = errors.Join(f.Truncate(64<<20), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range [][]string{{"mkfs.ext4", "-q", "-F", "-m", "0", image}, {"mount", "-t", "ext4", "-o", "loop", image, dir}} {
		out, err := exec.CommandContext(t.Context(), do[0], do[1:]...).CombinedOutput()
		if err != nil {
			t.Logf("the small disk is tmpfs: %s: %v %s", do[0], err, out)
			if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
				t.Fatalf("cannot mount: %v", err)
			}
			return
		}
	}
	t.Log("the small disk is ext4 on a loop device") // which goes with the mount
}

// TestHelperSmallDisk is the process that TestPain01SmallDisk runs.
func TestHelperSmallDisk(t *testing.T) {
	if os.Getenv("WARDWATCH_TEST_SMALL_DISK") == "" {
		return
	}
	const size, reserve, minutes = 1 << 20, 16 << 20, 80
	dir := t.TempDir()
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err != nil && !errors.Is(err, syscall.EINVAL) { // EINVAL: in a chroot, / is no mount of its own
		t.Fatalf("cannot make the mounts our own: %v", err)
	}
	mountSmall(t, dir)
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	store, err := storage.Migrate(t.Context(), storage.Options{Database: filepath.Join(dir, "catalogue.db"), Keys: filepath.Join(dir, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	a := newArchiveOn(t, store, filepath.Join(dir, "spool"), spool.Options{Reserve: reserve}, nil)
	a.s3.Set(testserver.Cuts)
	var items []ward.Evidence
	for n := range 4 {
		items = append(items, ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(a.put(t, "cam-1", n, size).ID)})
	}
	if _, err := a.store.OpenCase(t.Context(), ward.Case{InstitutionID: inst, Title: "x"}, items, ward.User{ID: "u", Role: ward.Inspector}); err != nil {
		t.Fatal(err)
	}
	least := int64(1 << 40)
	for n := 4; n < minutes; n++ { // more than the disk holds
		until(t, "there is room for the next", 20*time.Second, func() bool {
			_, err := a.tryPut("cam-1", n, size)
			return err == nil
		})
		p, err := a.spool.Space()
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, p.Free)
	}
	if least < reserve-4<<20 {
		t.Errorf("%d bytes were left of the %d that the database and the ledger have", least, reserve)
	}
	held := func(when string) {
		t.Helper()
		for _, e := range items {
			g, err := a.store.Segment(t.Context(), ward.SegmentID(e.Ref))
			if err != nil || g.State != ward.Spooled || !a.spool.Has(spool.Of(g)) {
				t.Errorf("%s: held %s is %s, %v", when, e.Ref, g.State, err)
			}
		}
	}
	held("full")
	if a.keeper.State().Evicted == 0 {
		t.Error("nothing was given up")
	}
	until(t, "the alarm that recordings are given up", 10*time.Second, func() bool { _, is := a.alarm(ingest.AlarmEvicting); return is })

	// Not one byte left: the alarm comes, nothing that is held goes.
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close()
	full := time.Now()
	until(t, "the alarm that recording stops", 10*time.Second, func() bool {
		v, is := a.alarm(ingest.AlarmFull)
		_, filling := a.alarm(ingest.AlarmEvicting)
		return is && v.Level == ingest.Critical || filling && a.keeper.State().EvictedAt.After(full)
	})
	held("not one byte left")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "recorded again", 10*time.Second, func() bool { _, err := a.tryPut("cam-1", minutes, size); return err == nil })
	a.s3.Set(testserver.Works)
	until(t, "everything is archived", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	r, err := a.store.Fsck(t.Context(), storage.Media{Objects: a.objs, Spool: a.spool}, storage.FsckOptions{})
	if err != nil || !r.OK() {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
	t.Logf("%d of %d given up, at least %d bytes free", a.keeper.State().Evicted, minutes, least)
}
