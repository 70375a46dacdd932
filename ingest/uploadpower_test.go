package ingest

import (
	"bytes"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testfs"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/disk"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// moving is a spool and a directory of objects with an uploader between them,
// which is called and does not run.
type moving struct {
	store *storage.Store
	spool *spool.Spool
	objs  *objects.Dir
	disk  disk.FS // of the objects
	up    *Uploader
}

func openMoving(store *storage.Store, spooled, stored disk.FS) (*moving, error) {
	sp, err := spool.Open("", spool.Options{Reserve: -1, FS: spooled})
	if err != nil {
		return nil, err
	}
	objs, err := objects.OpenDirOn(stored)
	if err != nil {
		return nil, err
	}
	up := &Uploader{Store: store, Spool: sp, Objects: objs}
	up.signal()
	return &moving{store, sp, objs, stored, up}, nil
}

// record makes the segment n of src, with its row.
func (m *moving) record(t *testing.T, src ward.Source, n int) (ward.Segment, error) {
	start := time.Date(2026, 1, 2, 3, n, 0, 0, time.UTC)
	f, err := m.spool.Create(src, start, int64(n+1))
	if err != nil {
		return ward.Segment{}, err
	}
	if _, err = f.Write(bytes.Repeat(fmt.Appendf(nil, "%s minute %d;", src, n), 200)); err != nil {
		return ward.Segment{}, err
	}
	sum, err := f.Finish()
	if err != nil {
		return ward.Segment{}, err
	}
	return m.store.CommitSegment(t.Context(), ward.Segment{
		ID: ward.NewID[ward.SegmentID](start), Source: src, InstitutionID: "h-1", Start: start, End: start.Add(time.Minute), Media: time.Minute,
		Clock: ward.ServerClock, Codec: ward.H264, Bytes: f.Size, SHA256: sum,
	})
}

// safe checks that g is somewhere whole: archived only in the store.
func (m *moving) safe(t *testing.T, g ward.Segment) error {
	now, err := m.store.Segment(t.Context(), g.ID)
	if err != nil {
		return err
	}
	if now.State == ward.Archived {
		if sum, _, err := objects.Sum(t.Context(), m.objs, g.Key); err != nil || sum != g.SHA256 {
			return fmt.Errorf("segment %d is archived, and the object is not it: %w", g.Seq, err)
		}
		return nil
	}
	sum, err := m.spool.Sum(spool.Of(g))
	if err == nil && sum == g.SHA256 {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("segment %d in the spool: %w", g.Seq, err)
	}
	return fmt.Errorf("segment %d is %s, and nowhere", g.Seq, now.State)
}

// settle archives what waits, as the next uploader does, and checks that one
// name is left for each segment.
func (m *moving) settle(t *testing.T, all []ward.Segment) error {
	for _, g := range all {
		if _, err := m.up.archive(t.Context(), g); err != nil {
			return fmt.Errorf("segment %d again: %w", g.Seq, err)
		}
		if err := m.safe(t, g); err != nil {
			return err
		}
		if err := m.spool.Remove(spool.Of(g)); err != nil { // as Recover does of what is archived
			return err
		}
		body, err := m.objs.Get(t.Context(), g.Key, 0, -1)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil || int64(len(b)) != g.Bytes {
			return fmt.Errorf("segment %d: %d bytes after the spool's name went, %w", g.Seq, len(b), err)
		}
	}
	left, err := m.disk.ReadDir(".incoming")
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d unfinished files are left", len(left))
	}
	return err
}

// TestPowerLossWhileArchiving cuts the power at any call of the disk, or of
// the two disks, that spool and store are on: no row is without its bytes, and
// the next start ends what was begun.
func TestPowerLossWhileArchiving(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	for _, where := range []string{"one disk", "the spool's", "the store's"} {
		cuts := 0
		for call := 1; ; call++ {
			cut := testfs.NewPower(call)
			spooled, stored := cut, cut
			switch where { // the other's power goes at the same moment
			case "the spool's":
				stored = testfs.NewPower(0)
			case "the store's":
				spooled = testfs.NewPower(0)
			}
			all, err := archiveUntil(t, store, spooled, stored)
			if !cut.Off() && err == nil {
				break
			}
			if !cut.Off() {
				t.Fatal(err)
			}
			cuts++
			dice := rand.New(rand.NewPCG(uint64(call), uint64(len(where))))
			one := spooled == stored
			spooled, stored = spooled.After(dice), stored.After(dice)
			if one {
				stored = spooled
			}
			m, err := openMoving(store, spooled, stored)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range all {
				if err := m.safe(t, g); err != nil {
					t.Fatalf("%s, power cut before call %d: %v", where, call, err)
				}
			}
			if err := m.settle(t, all); err != nil {
				t.Fatalf("%s, power cut before call %d: %v", where, call, err)
			}
		}
		t.Logf("%s: %d cuts", where, cuts)
		if cuts < 30 {
			t.Errorf("%s: only %d cuts", where, cuts)
		}
	}
}

// archiveUntil records and archives three segments, or those that the disks
// let, and returns those that have a row.
func archiveUntil(t *testing.T, store *storage.Store, spooled, stored disk.FS) (all []ward.Segment, err error) {
	m, err := openMoving(store, spooled, stored)
	if err != nil {
		return nil, err
	}
	src := anyVisit()
	for n := range 3 {
		g, err := m.record(t, src, n)
		if err != nil {
			return all, err
		}
		all = append(all, g)
		if _, err := m.up.archive(t.Context(), g); err != nil {
			return all, err
		}
	}
	return all, nil
}

func anyVisit() ward.Source {
	return ward.Source{Kind: ward.FromVisit, ID: strings.ToLower("visit-" + crand.Text())}
}

// TestEveryCallMayFailWhileArchiving lets each call of a disk fail once:
// nothing is called archived that is not, and the next try succeeds.
func TestEveryCallMayFailWhileArchiving(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	for _, where := range []string{"one disk", "the spool's", "the store's"} {
		for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
			calls := 0
			for failed := "first"; failed != ""; {
				calls++
				fail := &testfs.Fail{FS: testfs.NewPower(0), Err: cause, Short: calls%2 == 0}
				var err error
				failed, err = archiveWith(t, store, where, fail, calls)
				if err != nil {
					t.Fatalf("%s, %v at call %d (%s): %v", where, cause, calls, failed, err)
				}
			}
			if calls < 5 {
				t.Errorf("%s: only %d calls", where, calls)
			}
		}
	}
}

func archiveWith(t *testing.T, store *storage.Store, where string, fail *testfs.Fail, call int) (failed string, err error) {
	var spooled, stored disk.FS = fail, fail
	switch where {
	case "the spool's":
		stored = testfs.NewPower(0)
	case "the store's":
		spooled = testfs.NewPower(0)
	}
	m, err := openMoving(store, spooled, stored)
	if err != nil {
		return "", err
	}
	g, err := m.record(t, anyVisit(), 0)
	if err != nil {
		return "", err
	}
	fail.Call = fail.Calls() + call
	_, err = m.up.archive(t.Context(), g)
	failed = fail.Failed()
	fail.Disarm()
	if err != nil && failed == "" {
		return failed, err
	}
	if err := m.safe(t, g); err != nil {
		return failed, err
	}
	if m, err = openMoving(store, spooled, stored); err != nil {
		return failed, err
	}
	return failed, m.settle(t, []ward.Segment{g})
}
