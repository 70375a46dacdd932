package ingest_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// smallSpool is a spool with room for a few seconds. As root it is on a disk
// that is really full; otherwise the spool's own limit is reached. free makes room.
func smallSpool(t testing.TB) (sp *spool.Spool, free func()) {
	t.Helper()
	const size, filler = 2 << 20, 3 << 19
	dir, limit := t.TempDir(), int64(0)
	if os.Geteuid() == 0 && syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m") == nil {
		t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	} else {
		limit = size
	}
	old := spool.Entry{Source: ward.Source{Kind: ward.FromVisit, ID: "old"}, Start: time.Unix(1, 0), Seq: 1}
	file := filepath.Join(dir, "visit", "old", "19700101T000001.000000Z-000001.mp4")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, filler), 0o600); err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(dir, spool.Options{Reserve: -1, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return sp, func() {
		if err := sp.Remove(old); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDiskIsAGapAndRecordingResumes(t *testing.T) {
	t.Parallel()
	sp, free := smallSpool(t)
	r := newRig(t, func(f *ingest.Fleet) { f.Spool = sp })
	r.spool = sp
	addCamera(t, r.store, camera("cam-1", serve(t, h264Clip(t)).url))
	disk := func(g ward.Gap) bool { return g.Cause == ward.CauseDisk }
	until(t, "a gap for the full disk", 30*time.Second, func() bool { return slices.ContainsFunc(r.gaps(t, "cam-1"), disk) })
	if st := r.fleet.State("cam-1"); st.Condition != ingest.Live {
		t.Errorf("the live picture stopped too: %+v", st)
	}
	before := len(r.segments(t, "cam-1"))
	free()
	until(t, "recorded again", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) > before+1 })
	r.stop()
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	checkNoOverlap(t, r, "cam-1")
}
