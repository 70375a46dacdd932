package redact_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/analytics/redact"
	"wardwatch/internal/models/modeltest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// odd is a store that has no room for one key, and tells what it has stored.
type odd struct {
	objects.Objects
	full string
	then func(b []byte)
}

func (o odd) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if key == o.full {
		return syscall.ENOSPC
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err = o.Objects.Put(ctx, key, bytes.NewReader(b), size); err == nil && o.then != nil {
		o.then(b)
	}
	return err
}

// What is queued is made by one service after the other: one that is stopped in
// the middle leaves nothing, what is cancelled stays undone, and an original
// that is not what was sealed is told.
func TestQueuedRedactionsAreMade(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := modeltest.Pool(t, 1, nil)
	lib, g, dir := recorded(t)
	s, folder := lib.Store, t.TempDir()
	objs, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = objs.Close() })
	lib.Objects = objs
	by := ward.User{ID: "u-1", Role: ward.Inspector}
	c, err := s.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "遮挡"}, []ward.Evidence{{Kind: ward.EvidenceSegment, Ref: string(g.ID)}}, by)
	if err != nil {
		t.Fatal(err)
	}
	items, err := s.Evidence(ctx, c.ID)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	queue := func() ward.Redaction {
		t.Helper()
		r, err := s.QueueRedaction(ctx, items[0], "h1", ward.RedactionPlan{Faces: true}, "保护隐私", by)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	var store objects.Objects = objs
	start := func() (*redact.Maker, func()) {
		m := &redact.Maker{
			Store: s, Media: storage.Media{Objects: store, Spool: lib.Spool}, Folder: folder, Log: log,
			Artist: &redact.Artist{Library: lib, Pool: pool, Worker: pool.Path, Log: log},
		}
		in, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- m.Run(in) }()
		return m, func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited for %s", what)
			}
		}
	}
	state := func(r ward.Redaction) ward.Redaction {
		r, err := s.Redaction(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	first := queue()
	m, stop := start()
	until("its middle", func() bool { return m.Progress(first.ID) > .2 })
	stop()
	if err := os.WriteFile(filepath.Join(folder, "redaction-of-a-killed-one"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := state(first); r.State != ward.RedactionQueued {
		t.Fatalf("stopped in the middle: %+v", r)
	}
	if _, err := objs.Stat(ctx, first.Key); err == nil {
		t.Error("half a derivative is in the store")
	}

	m, stop = start()
	until("the first", func() bool { return state(first).State == ward.RedactionDone })
	done := state(first)
	result, err := s.EvidenceItem(ctx, done.ResultID)
	if err != nil || result.Ref != first.Key || !storage.IsDerivative(result) {
		t.Errorf("made %+v, %v", result, err)
	}
	if rep, err := s.Fsck(ctx, storage.Media{Objects: objs, Spool: lib.Spool}, storage.FsckOptions{}); err != nil || !rep.OK() {
		t.Errorf("fsck: %+v, %v", rep.Problems, err)
	}

	second := queue()
	m.Wake()
	until("its beginning", func() bool { return m.Progress(second.ID) > 0 })
	if err := m.Cancel(ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	if err := m.Cancel(ctx, second.ID); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "redaction.ended"}) {
		t.Errorf("cancelled twice: %v", err)
	}
	until("its end", func() bool { return m.Progress(second.ID) == 0 })
	stop()
	if r := state(second); r.State != ward.RedactionCancelled || r.ResultID != "" {
		t.Errorf("cancelled: %+v", r)
	}

	// One that is tried again keeps none behind it waiting, and what an attempt
	// left in the store gives way.
	again, behind, left := queue(), queue(), queue()
	if err := objs.Put(ctx, left.Key, strings.NewReader("half"), 4); err != nil {
		t.Fatal(err)
	}
	store = odd{Objects: objs, full: again.Key}
	m, stop = start()
	until("the one behind", func() bool {
		return state(behind).State == ward.RedactionDone && state(left).State == ward.RedactionDone
	})
	if r := state(again); r.State != ward.RedactionQueued {
		t.Errorf("to be tried again: %+v", r)
	}
	if err := objs.Put(ctx, again.Key, strings.NewReader("half"), 4); err != nil {
		t.Fatal(err)
	}
	if err := m.Cancel(ctx, again.ID); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := objs.Stat(ctx, again.Key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left by the cancelled one: %v", err)
	}

	// The commit was made, and its answer an error.
	lost := queue()
	store = odd{Objects: objs, then: func(b []byte) {
		sum := sha256.Sum256(b)
		if _, err := s.FinishRedaction(ctx, lost.ID, sealed.Upload{
			Institution: "h1", Name: string(lost.ID), MediaType: "video/mp4", Bytes: int64(len(b)), SHA256: hex.EncodeToString(sum[:]), By: by.ID,
			Derived: &sealed.Derived{From: "segment/" + items[0].Ref, SHA256: hex.EncodeToString(items[0].SHA256[:]), Tool: redact.Tool, Plan: lost.Plan, Reason: lost.Reason},
		}); err != nil {
			t.Error(err)
		}
	}}
	m, stop = start()
	until("its beginning", func() bool { return m.Progress(lost.ID) > 0 })
	until("its end", func() bool { return m.Progress(lost.ID) == 0 })
	stop()
	if _, err := objs.Stat(ctx, lost.Key); err != nil {
		t.Errorf("the sealed derivative: %v", err)
	}
	if rep, err := s.Fsck(ctx, storage.Media{Objects: objs, Spool: lib.Spool}, storage.FsckOptions{}); err != nil || !rep.OK() {
		t.Errorf("fsck: %+v, %v", rep.Problems, err)
	}

	// Somebody changes the recording.
	if err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(name) != ".mp4" {
			return err
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteAt([]byte{1}, g.Bytes-1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	third := queue()
	_, stop = start()
	until("its failure", func() bool { return state(third).State == ward.RedactionFailed })
	stop()
	if r := state(third); r.Fault != "changed" {
		t.Errorf("of a changed original: %+v", r)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
