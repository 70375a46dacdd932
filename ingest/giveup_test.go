package ingest_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Rows whose files are gone, more than are listed at a time, keep nothing
// from being given up; once the store answers people hear of them, they are
// no reason for a forecast, and they are not tried all the time.
func TestPain01LostFilesBlockNothing(t *testing.T) {
	t.Parallel()
	const size, gone, room = 16 << 10, 60, 8
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1, Limit: room * size}, nil)
	a.s3.Set(testserver.Cuts)
	for n := range gone {
		if err := a.spool.Remove(spool.Of(a.put(t, "cam-1", n, size))); err != nil {
			t.Fatal(err)
		}
	}
	for n := gone; n < gone+2*room; n++ {
		until(t, "there is room for the next", 10*time.Second, func() bool {
			_, err := a.tryPut("cam-1", n, size)
			return err == nil
		})
	}
	if s := a.keeper.State(); s.Evicted == 0 {
		t.Error("nothing was given up")
	}
	for i, g := range a.segments(t, "cam-1") {
		if i < gone && g.State != ward.Spooled {
			t.Errorf("segment %d, of which there is no file, is %s", i, g.State)
		}
	}
	a.s3.Set(testserver.Works)
	until(t, "the alarm that recordings are lost", 20*time.Second, func() bool {
		v, is := a.alarm(ingest.AlarmLost)
		return is && strings.Contains(v.EN, "60 recordings") && strings.Contains(v.ZH, "60 段")
	})
	until(t, "nothing else waits", 10*time.Second, func() bool {
		w := a.keeper.State().Waiting
		return w.Segments == 0 && w.Bytes == 0 && w.Since.IsZero() && a.waiting(t).Segments == gone
	})
	failures := a.upload.Stats().Failures
	again := a.put(t, "cam-1", gone+3*room, size)
	until(t, "what comes after them is archived", 10*time.Second, func() bool {
		g, err := a.store.Segment(t.Context(), again.ID)
		return err == nil && g.State == ward.Archived
	})
	if n := a.upload.Stats().Failures - failures; n != 0 {
		t.Errorf("%d more tries of what is lost", n)
	}
	if n := strings.Count(a.logs.String(), "recording lost"); n != gone {
		t.Errorf("it is logged %d times that one of %d is lost", n, gone)
	}
	r, err := a.store.Fsck(t.Context(), storage.Media{Objects: a.objs, Spool: a.spool}, storage.FsckOptions{})
	if missing := slices.DeleteFunc(r.Problems, func(p storage.FsckProblem) bool { return !strings.HasPrefix(p.EN, "The recording's file is missing") }); err != nil || len(missing) != gone {
		t.Errorf("fsck names %d missing files of %d, %v", len(missing), gone, err)
	}
}

// idleArchive is a spool of limit bytes with a keeper and an uploader that do
// not run.
func idleArchive(t *testing.T, objs objects.Objects, limit int64) *archive {
	t.Helper()
	a := &archive{rig: &rig{store: teststore.SQLite(t), logs: newLog()}}
	addPlace(t, a.store)
	var err error
	if a.spool, err = spool.Open(t.TempDir(), spool.Options{Reserve: -1, Limit: limit}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.spool.Close() })
	log := slog.New(slog.NewTextHandler(a.logs, nil))
	a.upload = &ingest.Uploader{Store: a.store, Spool: a.spool, Objects: objs, Log: log}
	a.keeper = &ingest.Keeper{Store: a.store, Spool: a.spool, Upload: a.upload, Log: log}
	return a
}

// A recording that the store has whole is not given up, though a crash came
// before its row said so; one of which the store has other bytes is.
func TestPain01WhatTheStoreHasIsNotGivenUp(t *testing.T) {
	t.Parallel()
	const size = 16 << 10
	objs, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = objs.Close() })
	a := idleArchive(t, objs, 8*size)
	for n := range 8 {
		g := a.put(t, "cam-1", n, size)
		f, err := a.spool.Open(spool.Of(g))
		if err != nil {
			t.Fatal(err)
		}
		switch n {
		case 0, 1:
			err = objs.Put(t.Context(), g.Key, io.NewSectionReader(f, 0, size), size)
		case 2:
			err = objs.Put(t.Context(), g.Key, strings.NewReader(strings.Repeat("x", size)), size)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.keeper.Run(ctx) })
	for n := 8; n < 11; n++ {
		until(t, "there is room for the next", 10*time.Second, func() bool {
			_, err := a.tryPut("cam-1", n, size)
			return err == nil
		})
	}
	stop()
	wg.Wait()
	var states []ward.SegmentState
	for _, g := range a.segments(t, "cam-1")[:3] {
		states = append(states, g.State)
	}
	if want := []ward.SegmentState{ward.Archived, ward.Archived, ward.Evicted}; !slices.Equal(states, want) {
		t.Errorf("got %v, want %v", states, want)
	}
}

// slowStore has everything that was put, looks for long, and reads for ever.
type slowStore struct {
	objects.Objects

	stat  time.Duration
	looks atomic.Int32
}

func (s *slowStore) Stat(ctx context.Context, key string) (objects.Info, error) {
	s.looks.Add(1)
	select {
	case <-time.After(s.stat):
		return s.Objects.Stat(ctx, key)
	case <-ctx.Done():
		return objects.Info{}, ctx.Err()
	}
}

func (s *slowStore) Get(ctx context.Context, _ string, _, _ int64) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A store that looks for 1.5 s, or that has recordings and does not let them be
// read, does not keep room from being made, nor alarms from being raised.
func TestASlowStoreDoesNotKeepRoomFromBeingMade(t *testing.T) {
	t.Parallel()
	for name, stat := range map[string]time.Duration{"looks": 1500 * time.Millisecond, "reads": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const size, all = 16 << 10, 40
			dir, err := objects.OpenDir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = dir.Close() })
			slow := &slowStore{Objects: dir, stat: stat}
			a := idleArchive(t, slow, all*size)
			for n := range all {
				g := a.put(t, "cam-1", n, size)
				if stat == 0 && n < 10 {
					if err := dir.Put(t.Context(), g.Key, strings.NewReader(strings.Repeat("x", size)), size); err != nil {
						t.Fatal(err)
					}
				}
			}
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { _ = a.keeper.Run(ctx) })
			defer func() { stop(); wg.Wait() }()
			for began, at := time.Now(), a.keeper.State().At; ; {
				s := a.keeper.State()
				if s.Evicted >= 4 && s.Space.Room() > 0 {
					break
				}
				if time.Since(began) > 30*time.Second {
					t.Fatalf("no room after 30 s: %+v", s)
				}
				if now := time.Now(); !at.IsZero() && now.Sub(s.At) > 10*time.Second {
					t.Fatalf("no alarm could be raised for %s", now.Sub(s.At))
				}
				at = s.At
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
			if n := slow.looks.Load(); stat > 0 && n != 1 {
				t.Errorf("a slow store was asked %d times, want once", n)
			}
		})
	}
}
