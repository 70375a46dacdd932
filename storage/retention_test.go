package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// stopper is the world's store, whose user is stopped at the n-th call, as a
// kill would stop it: before the call, or after it.
type stopper struct {
	objects.Objects

	after bool
	stop  func()

	mu   sync.Mutex // guards left, and makes calls one at a time
	left int
}

func (s *stopper) step(ctx context.Context, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left--
	if s.left == 0 && !s.after {
		s.stop()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := do()
	if s.left == 0 && s.after {
		s.stop()
	}
	return err
}

func (s *stopper) Delete(ctx context.Context, key string) error {
	return s.step(ctx, func() error { return s.Objects.Delete(ctx, key) })
}

func (s *stopper) Stat(ctx context.Context, key string) (info objects.Info, err error) {
	err = s.step(ctx, func() error {
		info, err = s.Objects.Stat(ctx, key)
		return err
	})
	return info, err
}

func has(t *testing.T, w *testcase.World, key string) bool {
	t.Helper()
	_, err := w.Media.Objects.Stat(t.Context(), key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// retention is one whose clock says now, and is believed.
func retention(w *testcase.World, now time.Time) *storage.Retention {
	w.T.Helper()
	if err := w.Store.SetKnownTime(w.T.Context(), now); err != nil {
		w.T.Fatal(err)
	}
	return retentionOf(w.Store, w.Media.Objects, now)
}

func retentionOf(s *storage.Store, o objects.Objects, now time.Time) *storage.Retention {
	return &storage.Retention{Store: s, Objects: o, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}
}

// Pain 2: how long a recording is kept is its own, sealed with it; what the
// camera is set to later, or somebody writes into the row, changes nothing.
func TestPain02RetentionBelongsToTheSegment(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		day := 24 * time.Hour
		began := w.Start.Add(-100 * day)
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-7"}
		w.Keep = 10 * day
		due := w.Record(src, began, time.Minute, true)
		spooled := w.Record(src, began.Add(time.Minute), time.Minute, false)
		w.Keep = 200 * day
		longer := w.Record(src, began.Add(2*time.Minute), time.Minute, true)
		forged := w.Record(src, began.Add(3*time.Minute), time.Minute, true)
		w.Keep = 0
		forever := w.Record(src, began.Add(4*time.Minute), time.Minute, true)
		w.Exec(`UPDATE segment SET keep_until_us = 1 WHERE id = $1`, forged.ID)

		list, err := w.Store.Due(ctx, w.Start, ward.Segment{}, 10)
		if err != nil || len(list) != 2 || list[1].ID != due.ID {
			t.Errorf("dry run: got %v, %v", list, err)
		}
		done, err := retention(w, w.Start).Once(ctx)
		if err != nil || done.Segments != 1 || done.Refused != 1 {
			t.Fatalf("got %+v, %v, want one deleted and the forged one refused", done, err)
		}
		if has(t, w, due.Key) {
			t.Error("it is still there")
		}
		for _, g := range []ward.Segment{longer, forged, forever} {
			if !has(t, w, g.Key) {
				t.Errorf("%s was deleted", g.Key)
			}
		}
		if g, err := w.Store.Segment(ctx, due.ID); err != nil || g.State != ward.Deleted {
			t.Errorf("got %s, %v", g.State, err)
		}
		if g, err := w.Store.Segment(ctx, spooled.ID); err != nil || g.State != ward.Spooled {
			t.Errorf("one that is not archived is %s, %v", g.State, err)
		}
		// The forged one is looked at, and logged, once a day.
		for _, later := range []struct {
			after   time.Duration
			refused int
		}{{10 * time.Minute, 0}, {23 * time.Hour, 0}, {25 * time.Hour, 1}, {26 * time.Hour, 0}} {
			if done, err := retention(w, w.Start.Add(later.after)).Once(ctx); err != nil || done.Refused != later.refused || done.Segments != 0 {
				t.Errorf("%s later: %+v, %v, want %d refused", later.after, done, err, later.refused)
			}
		}
		w.Exec(`UPDATE segment SET keep_until_us = $2 WHERE id = $1`, forged.ID, forged.KeepUntil.UnixMicro())
		if r := check(t, w); !r.OK() {
			t.Errorf("fsck: %+v", r.Problems)
		}
		// Calling a recording deleted hides nothing.
		w.Exec(`UPDATE segment SET state = 'deleted' WHERE id = $1`, longer.ID)
		if got := where(check(t, w)); !slices.Contains(got, "segment/"+string(longer.ID)) || !slices.Contains(got, "object/"+longer.Key) {
			t.Errorf("a hidden recording is not named: %v", got)
		}
	})
}

// Pain 3: plan, delete, look, confirm; whenever it is killed it goes on,
// deletes nothing else, and what is held meanwhile is spared.
func TestPain03DeletionIsPlannedAndConfirmed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		began := w.Start.AddDate(0, 0, -100)
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-7"}
		var due []ward.Segment
		for n := 1; ; n++ {
			w.Keep = 24 * time.Hour
			due = due[:0]
			for range 2 {
				began = began.Add(time.Minute)
				due = append(due, w.Record(src, began, time.Minute, true))
			}
			w.Keep = 0
			began = began.Add(time.Minute)
			kept := w.Record(src, began, time.Minute, true)
			killed, stop := context.WithCancel(ctx)
			r := retention(w, w.Start)
			s := &stopper{Objects: w.Media.Objects, left: (n + 1) / 2, after: n%2 == 0, stop: stop}
			r.Objects = s
			_, err := r.Once(killed)
			stop()
			if s.left > 0 {
				break // it came to its end before the n-th call
			}
			if err == nil {
				t.Errorf("step %d: no error", n)
			}
			done, err := retention(w, w.Start).Once(ctx)
			if err != nil || done.Segments > 2 {
				t.Fatalf("after a kill at step %d: %+v, %v", n, done, err)
			}
			for _, g := range due {
				if now, err := w.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Deleted || has(t, w, g.Key) {
					t.Errorf("after a kill at step %d: %s, there %v, %v", n, now.State, has(t, w, g.Key), err)
				}
			}
			if !has(t, w, kept.Key) {
				t.Errorf("after a kill at step %d: one that is to be kept was deleted", n)
			}
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}

		// Planned, then held: it stays.
		c := withCase(t, w)
		w.Keep = 24 * time.Hour
		began = began.Add(time.Minute)
		g := w.Record(src, began, time.Minute, true)
		if p, err := w.Store.PlanDeletion(ctx, w.Start, 10); err != nil || len(p.Segments) != 1 {
			t.Fatal(p, err)
		}
		if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: ward.EvidenceSegment, Ref: string(g.ID)}}, w.By); err != nil {
			t.Fatal(err)
		}
		for _, spared := range []int{1, 0} {
			done, err := retention(w, w.Start).Once(ctx)
			if err != nil || done.Spared != spared || done.Segments != 0 || !has(t, w, g.Key) {
				t.Errorf("held after it was planned: %+v, %v", done, err)
			}
		}
		if now, err := w.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Archived {
			t.Errorf("got %s, %v, want archived", now.State, err)
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}
	})
}

func TestSnapshotsOfOldSightingsGo(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		old := w.Start.AddDate(0, 0, -40) // the camera keeps 30 days
		sight := func(id ward.SightingID, from time.Time) string {
			t.Helper()
			key, _ := w.Picture("v1/h1/cam-1/snap/" + string(id) + ".jpg")
			if err := w.Store.PutSighting(ctx, ward.Sighting{ID: id, CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.FaceSeen, From: from, To: from.Add(time.Second)}); err != nil {
				t.Fatal(err)
			}
			if err := w.Store.SetSightingSnapshot(ctx, id, key); err != nil {
				t.Fatal(err)
			}
			return key
		}
		gone, young, held := sight("s-1", old), sight("s-2", w.Start), sight("s-3", old.Add(time.Hour))
		c := withCase(t, w)
		if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: ward.EvidenceSnapshot, Ref: held}}, w.By); err != nil {
			t.Fatal(err)
		}
		// The policy of the day counts, not the camera's now.
		cam, err := w.Store.Camera(ctx, "cam-1")
		if err != nil {
			t.Fatal(err)
		}
		cam.RetentionDays = 1
		if err := w.Store.UpdateCamera(ctx, cam); err != nil {
			t.Fatal(err)
		}
		if done, err := retention(w, w.Start.AddDate(0, 0, 5)).Once(ctx); err != nil || done.Pictures != 1 {
			t.Errorf("got %+v, %v, want one picture", done, err)
		}
		if has(t, w, gone) || !has(t, w, young) || !has(t, w, held) {
			t.Errorf("old there %v, young there %v, held there %v", has(t, w, gone), has(t, w, young), has(t, w, held))
		}
	})
}
