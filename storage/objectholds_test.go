package storage_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

func holdKeeper(t *testing.T, w *testcase.World, o objects.Objects, now time.Time) *storage.HoldKeeper {
	return &storage.HoldKeeper{Store: w.Store, Objects: o, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: func() time.Time { return now }}
}

func once(t *testing.T, k *storage.HoldKeeper) int {
	t.Helper()
	n, err := k.Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a case shows is held by the store itself, also what is uploaded after;
// who takes such a hold away past Wardwatch is named.
func TestTheStoreHoldsWhatACaseShows(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		withCase(t, w)
		k := holdKeeper(t, w, w.Media.Objects, time.Now())
		// Two archived segments and the picture; the third segment is in the spool.
		if n, c := once(t, k), k.Count(); n != 3 || c != (storage.HoldCount{Held: 3, Waiting: 1, Missing: 1}) {
			t.Errorf("placed %d, %+v", n, c)
		}
		segs := segmentsOf(t, w, w.Camera)
		for _, g := range segs {
			err := w.Media.Objects.Delete(ctx, g.Key)
			if locked := errors.Is(err, &ward.Error{Code: "objects.locked"}); locked != (g.State == ward.Archived) {
				t.Errorf("delete %s (%s): %v", g.Key, g.State, err)
			}
		}
		late := segs[2]
		archive(t, w, late)
		pic := sight(t, w, "s-late", w.Start.Add(12*time.Second))
		k = holdKeeper(t, w, w.Media.Objects, time.Now().Add(time.Hour))
		if n, c := once(t, k), k.Count(); n != 2 || c != (storage.HoldCount{Held: 5}) {
			t.Errorf("later: placed %d, %+v", n, c)
		}
		for _, key := range []string{late.Key, pic} {
			if is, err := objects.Held(ctx, w.Media.Objects, key); err != nil || !is {
				t.Errorf("%s: %v, %v", key, is, err)
			}
		}
		if n := once(t, k); n != 0 {
			t.Errorf("again: placed %d", n)
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("fsck: %+v", r.Problems)
		}
		if err := objects.Unhold(ctx, w.Media.Objects, late.Key); err != nil {
			t.Fatal(err)
		}
		if got := where(check(t, w)); !slices.Equal(got, []string{"object_hold/" + late.Key}) {
			t.Errorf("fsck of a hold that was taken away: %v", got)
		}
		// Nobody frees an object by the queue's rows alone.
		if n := w.Exec(`UPDATE object_hold SET state = 'ending' WHERE object_key = $1`, segs[0].Key); n != 1 {
			t.Fatal("no row changed")
		}
		w.Exec(`DELETE FROM object_hold WHERE object_key = $1`, segs[1].Key)
		once(t, holdKeeper(t, w, w.Media.Objects, time.Now()))
		for _, g := range segs[:2] {
			if is, err := objects.Held(ctx, w.Media.Objects, g.Key); err != nil || !is {
				t.Errorf("%s: %v, %v", g.Key, is, err)
			}
		}
	})
}

// archive does what the uploader does.
func archive(t *testing.T, w *testcase.World, g ward.Segment) {
	t.Helper()
	b, err := w.Media.Spool.Open(spool.Entry{Source: g.Source, Start: g.Start, Seq: g.Seq})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Media.Objects.Put(t.Context(), g.Key, b, g.Bytes), b.Close(), w.Store.MarkArchived(t.Context(), g.ID)); err != nil {
		t.Fatal(err)
	}
}

// A server that is away, then a process that ends between the store's answer
// and its record: the next one goes on. An administrator of the bucket gets
// neither a held version nor past fsck.
func TestHoldsInABucket(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	server := testserver.MinIOServer(t)
	o, err := objects.OpenS3(ctx, objects.S3Config{Endpoint: server.Endpoint, Bucket: "ward-holds", AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	admin, err := minio.New(server.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(server.AccessKey, server.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range w.Media.Objects.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Media.Objects.Get(ctx, info.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(o.Put(ctx, info.Key, b, info.Size), b.Close()); err != nil {
			t.Fatal(err)
		}
	}
	w.Media.Objects = o
	withCase(t, w)
	now := time.Now()
	server.Stop()
	k := holdKeeper(t, w, o, now)
	if n, c := once(t, k), k.Count(); n != 0 || c != (storage.HoldCount{Waiting: 4}) {
		t.Errorf("without a server: placed %d, %+v", n, c)
	}
	server.Start()
	now = now.Add(time.Hour)
	if n, c := once(t, holdKeeper(t, w, o, now)), k.Count(); n != 3 {
		t.Errorf("with the server: placed %d, %+v", n, c)
	}
	// The store has it, its record was lost.
	g := segmentsOf(t, w, w.Camera)[0]
	w.Exec(`UPDATE object_hold SET state = 'wanted', done_us = 0 WHERE object_key = $1`, g.Key)
	if n := once(t, holdKeeper(t, w, o, now)); n != 1 {
		t.Errorf("after the crash: placed %d", n)
	}
	if r := check(t, w); !r.OK() {
		t.Errorf("fsck: %+v", r.Problems)
	}
	v, err := admin.StatObject(ctx, "ward-holds", g.Key, minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.RemoveObject(ctx, "ward-holds", g.Key, minio.RemoveObjectOptions{VersionID: v.VersionID, GovernanceBypass: true}); err == nil {
		t.Error("an administrator removed a held version")
	}
	if r := check(t, w); !r.OK() {
		t.Errorf("fsck after the attempt: %+v", r.Problems)
	}
	if err := admin.RemoveObject(ctx, "ward-holds", g.Key, minio.RemoveObjectOptions{}); err != nil { // hides it
		t.Fatal(err)
	}
	if got := where(check(t, w)); !slices.Contains(got, "object_hold/"+g.Key) {
		t.Errorf("fsck of a hidden object: %v", got)
	}
	if r, err := o.Get(ctx, g.Key, 0, -1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hidden: %v, %v", r, err)
	}
	// A bucket without object lock.
	if err := admin.MakeBucket(ctx, "plain", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	plain, err := objects.OpenS3(ctx, objects.S3Config{Endpoint: server.Endpoint, Bucket: "plain", AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Put(ctx, g.Key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	w.Exec(`UPDATE object_hold SET state = 'wanted'`)
	k = holdKeeper(t, w, plain, now.Add(time.Hour))
	if n, c := once(t, k), k.Count(); n != 0 || c != (storage.HoldCount{NoLock: 4}) {
		t.Errorf("without object lock: placed %d, %+v", n, c)
	}
}
