package storage_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/disk"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// meanwhile calls then before the first put below quarantine/, with the key.
type meanwhile struct {
	objects.Objects

	then func(key string)
}

func (m *meanwhile) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if then := m.then; then != nil && strings.HasPrefix(key, "quarantine/") {
		m.then = nil
		then(key)
	}
	return m.Objects.Put(ctx, key, r, size)
}

// beforeDelete calls then before the first object is removed.
type beforeDelete struct {
	objects.Objects

	then func()
}

func (b *beforeDelete) Delete(ctx context.Context, key string) error {
	if then := b.then; then != nil {
		b.then = nil
		then()
	}
	return b.Objects.Delete(ctx, key)
}

// Pain 4: what gets its row just before it is removed from its place is put back.
func TestPain04WhatGetsARowAtTheLastMomentIsPutBack(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		key, sum := w.Picture("v1/h1/snapshots/late.jpg")
		m := w.Media
		m.Objects = &beforeDelete{w.Media.Objects, func() {
			err := w.Store.PutSighting(ctx, ward.Sighting{ID: "late", CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.PeopleSeen, From: w.Start, To: w.Start, SnapshotKey: key})
			if err != nil {
				t.Error(err)
			}
		}}
		if n, err := reconciler(w, m).Once(ctx); err != nil || n != 0 {
			t.Errorf("%d put aside, %v", n, err)
		}
		if got, _, err := objects.Sum(ctx, w.Media.Objects, key); err != nil || got != sum {
			t.Errorf("in its place: %x, %v", got, err)
		}
		if n, err := reconciler(w, w.Media).Once(ctx); err != nil || n != 0 {
			t.Errorf("again: %d put aside, %v", n, err)
		}
	})
}

// whileRead calls then when a spooled file is opened.
type whileRead struct {
	disk.FS

	then func()
}

func (w *whileRead) Open(name string, flag int) (disk.Handle, error) {
	if strings.HasSuffix(name, ".mp4") && w.then != nil {
		w.then()
		w.then = nil
	}
	return w.FS.Open(name, flag)
}

func reconciler(w *testcase.World, m storage.Media) *storage.Reconciler {
	return &storage.Reconciler{Store: w.Store, Media: m, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(11 * time.Minute) }}
}

// Pain 4: what gets its row while it is being put aside stays where it is.
func TestPain04WhatGetsARowIsNotPutAside(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-9"}
		g := ward.Segment{
			ID: ward.NewID[ward.SegmentID](w.Start), Source: src, InstitutionID: "h1", Start: w.Start, End: w.Start.Add(time.Minute), Media: time.Minute,
			Clock: ward.ServerClock, Codec: ward.H264, Bytes: 9, SHA256: [32]byte{1}, Key: ward.SegmentKey("h1", src, w.Start, 1),
		}
		if err := w.Media.Objects.Put(ctx, g.Key, strings.NewReader("an object"), g.Bytes); err != nil {
			t.Fatal(err)
		}
		copied := ""
		m := w.Media
		m.Objects = &meanwhile{w.Media.Objects, func(key string) {
			copied = key
			if _, err := w.Store.CommitSegment(ctx, g); err != nil {
				t.Error(err)
			}
		}}
		if n, err := reconciler(w, m).Once(ctx); err != nil || n != 0 || copied == "" {
			t.Errorf("%d put aside, %v, copied to %q", n, err, copied)
		}
		if !has(t, w, g.Key) || has(t, w, copied) {
			t.Errorf("there %v, its copy %v", has(t, w, g.Key), has(t, w, copied))
		}

		// A spooled file whose camera is added meanwhile.
		folder, err := disk.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		files := &whileRead{FS: folder}
		sp, err := spool.Open("", spool.Options{Reserve: -1, FS: files})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sp.Close() })
		f, err := sp.Create(ward.Source{Kind: ward.FromCamera, ID: "late"}, w.Start, 1)
		if err == nil {
			_, err = f.Write([]byte("of a camera to come"))
		}
		if err == nil {
			_, err = f.Finish()
		}
		if err != nil {
			t.Fatal(err)
		}
		files.then = func() {
			err := w.Store.AddCamera(ctx, ward.Camera{
				ID: "late", InstitutionID: "h1", PlaceID: "counter", Name: "x", URL: "rtsp://127.0.0.1/2", Transport: ward.TransportTCP,
				SegmentSeconds: 60, RetentionDays: 30, Enabled: true, Created: w.Start,
			})
			if err != nil {
				t.Error(err)
			}
		}
		m = w.Media
		m.Spool = sp
		if n, err := reconciler(w, m).Once(ctx); err != nil || n != 0 || files.then != nil {
			t.Errorf("%d put aside, %v", n, err)
		}
		if entries, err := sp.Entries(); err != nil || len(entries) != 1 {
			t.Errorf("in the spool: %v, %v", entries, err)
		}
		if all, err := w.Store.Quarantine(ctx); err != nil || len(all) != 0 {
			t.Errorf("recorded: %v, %v", all, err)
		}
	})
}

// Pain 4: a recording was put, the answer got lost, and the spool filled up
// while the store was away: its object is put aside, and not left for ever as
// one that should not be there.
func TestPain04TheObjectOfAnEvictedRecordingIsPutAside(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		g := w.Record(w.Camera, w.Start.Add(40*time.Second), 10*time.Second, false)
		f, err := w.Media.Spool.Open(spool.Of(g))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Media.Objects.Put(ctx, g.Key, f, g.Bytes), f.Close()); err != nil {
			t.Fatal(err)
		}
		if ok, err := w.Store.Evict(ctx, g.ID); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if err := w.Media.Spool.Remove(spool.Of(g)); err != nil {
			t.Fatal(err)
		}
		if got := where(check(t, w)); !slices.Equal(got, []string{"object/" + g.Key}) {
			t.Errorf("named %v", got)
		}
		if n, err := reconciler(w, w.Media).Once(ctx); n != 1 || err != nil {
			t.Errorf("%d put aside, %v", n, err)
		}
		r := check(t, w)
		if !r.OK() || len(r.Quarantined) != 1 {
			t.Fatalf("fsck: %+v", r)
		}
		if sum, _, err := objects.Sum(ctx, w.Media.Objects, strings.TrimPrefix(r.Quarantined[0].MovedTo, "object/")); err != nil || sum != g.SHA256 {
			t.Errorf("put aside: %x, %v", sum, err)
		}
		if _, err := w.Media.Objects.Stat(ctx, g.Key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("its place: %v", err)
		}
	})
}
