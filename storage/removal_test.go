package storage_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// A clock that is wrong deletes nothing: what is ahead of what is known must
// stay so, by the monotonic clock, and people hear of it.
func TestRetentionDoesNotBelieveAClockThatJumps(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		w.Keep = 30 * 24 * time.Hour
		g := w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, w.Start, time.Minute, true)
		if err := w.Store.SetKnownTime(t.Context(), w.Start); err != nil {
			t.Fatal(err)
		}
		now, mono := w.Start, time.Duration(0)
		r := retentionOf(w.Store, w.Media.Objects, now)
		r.Now, r.Mono = func() time.Time { return now }, func() time.Duration { return mono }
		year := 365 * 24 * time.Hour
		for i, step := range []struct {
			jump, passes time.Duration
			ahead        bool
			deleted      int
		}{
			{0, 0, false, 0},
			{year, 10 * time.Minute, true, 0},    // one pass a year ahead
			{0, 2 * time.Hour, true, 0},          // and more of them
			{-year, 10 * time.Minute, false, 0},  // corrected
			{year, 23 * time.Hour, true, 0},      // again: it begins anew
			{-2 * time.Hour, time.Hour, true, 0}, // not steady
			{0, 23 * time.Hour, true, 0},
			{0, time.Hour, false, 1}, // a day without anybody's objection
		} {
			now, mono = now.Add(step.jump+step.passes), mono+step.passes
			done, err := r.Once(t.Context())
			if ahead := r.State().ClockAhead > 0; err != nil || done.Segments != step.deleted || ahead != step.ahead {
				t.Errorf("step %d: %+v, %v, ahead %s", i, done, err, r.State().ClockAhead)
			}
		}
		if has(t, w, g.Key) {
			t.Error("it is still there")
		}
	})
}

// Without a known time the clock must be steady for an hour; a restart
// forgets nothing of what was known.
func TestRetentionWaitsForAKnownTime(t *testing.T) {
	w := testcase.SQLite(t)
	w.Keep = time.Hour
	w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, w.Start.Add(-24*time.Hour), time.Minute, true)
	for i, want := range []int{0, 1} {
		mono := time.Duration(0)
		r := retentionOf(w.Store, w.Media.Objects, w.Start)
		r.Now, r.Mono = func() time.Time { return w.Start.Add(mono) }, func() time.Duration { return mono }
		if done, err := r.Once(t.Context()); err != nil || done.Segments != 0 {
			t.Errorf("start %d: %+v, %v", i, done, err)
		}
		mono = time.Duration(want) * time.Hour
		if done, err := r.Once(t.Context()); err != nil || done.Segments != want || r.State().ClockAhead != 0 {
			t.Errorf("start %d: %+v, %v", i, done, err)
		}
	}
	known, err := w.Store.KnownTime(t.Context())
	if err != nil || !known.Equal(w.Start.Add(time.Hour)) {
		t.Errorf("known is %s, %v", known, err)
	}
	r := retentionOf(w.Store, w.Media.Objects, w.Start.Add(24*time.Hour))
	if _, err := r.Once(t.Context()); err != nil || r.State().ClockAhead != 23*time.Hour {
		t.Errorf("after a restart: ahead %s, %v", r.State().ClockAhead, err)
	}
}

// during calls meanwhile before each deletion, one at a time.
type during struct {
	objects.Objects

	mu        *sync.Mutex
	meanwhile func(key string)
}

func (d *during) Delete(ctx context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.meanwhile(key)
	return d.Objects.Delete(ctx, key)
}

// What is being removed cannot be held in silence.
func TestPain29NoHoldOverWhatIsBeingRemoved(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		w.Keep = 24 * time.Hour
		old := w.Start.AddDate(0, 0, -100)
		g := w.Record(w.Camera, old, time.Minute, true)
		pic := sight(t, w, "s-1", old.Add(time.Second))
		r := retention(w, w.Start)
		removing := &ward.Error{Kind: ward.Conflict, Code: "hold.removing"}
		n := 0
		r.Objects = &during{w.Media.Objects, &sync.Mutex{}, func(key string) {
			n++
			item := ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)}
			if key == pic {
				item = ward.Evidence{Kind: ward.EvidenceSnapshot, Ref: pic}
				if _, err := raise(t, w, pic); !errors.Is(err, removing) {
					t.Errorf("raise an alert on a picture while it is removed: %v", err)
				}
			}
			if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{item}, w.By); !errors.Is(err, removing) {
				t.Errorf("add %s while it is removed: %v", item.Kind, err)
			}
			if _, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "x"}, []ward.Evidence{item}, w.By); !errors.Is(err, removing) {
				t.Errorf("open a case over %s while it is removed: %v", item.Kind, err)
			}
		}}
		if done, err := r.Once(ctx); err != nil || done.Segments != 1 || done.Pictures != 1 || n != 2 {
			t.Errorf("%+v, %v, %d deletions", done, err, n)
		}
		if holds, err := w.Store.Held(ctx, w.Camera, old, old.Add(time.Minute)); err != nil || len(holds) != 0 {
			t.Errorf("holds over nothing: %v, %v", holds, err)
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}
	})
}

// raise judges a settlement of its own with an alert that shows the picture.
func raise(t *testing.T, w *testcase.World, pic string) (ward.AlertID, error) {
	t.Helper()
	v, _, err := w.Store.AddSettlement(t.Context(), ward.Settlement{InstitutionID: "h1", PlaceID: "counter", ExternalNo: "S-" + pic, InsuredID: "p-1", Kind: ward.Outpatient, At: w.Start, AmountFen: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := ward.Alert{
		ID: ward.NewID[ward.AlertID](w.Start), InstitutionID: "h1", PlaceID: "counter", CameraID: "cam-1", Rule: ward.NobodyAtCounter, RuleVersion: 1, SettlementID: v.ID,
		At: w.Start, Raised: w.Start, Severity: 1, SnapshotKey: pic, SnapshotSHA: sha256.Sum256([]byte("\xff\xd8 picture " + pic + " \xff\xd9")),
	}
	_, _, err = w.Store.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{a}})
	return a.ID, err
}

// An alert that is raised between plan and removal keeps its picture.
func TestPain29AnAlertKeepsItsPlannedPicture(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		pic := sight(t, w, "s-1", w.Start.AddDate(0, 0, -100))
		if p, err := w.Store.PlanDeletion(t.Context(), w.Start, 10); err != nil || len(p.Pictures) != 1 {
			t.Fatal(p, err)
		}
		if _, err := raise(t, w, pic); err != nil {
			t.Fatal(err)
		}
		if done, err := retention(w, w.Start).Once(t.Context()); err != nil || done != (storage.Swept{Spared: 1}) || !has(t, w, pic) {
			t.Errorf("%+v, %v, there %v", done, err, has(t, w, pic))
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}
	})
}

// atOnce counts how many deletions run at the same time. The first waits for
// a second.
type atOnce struct {
	objects.Objects

	now, most atomic.Int32
	once      sync.Once
	both      chan struct{} // closed when two run, or one was alone for long
}

func (o *atOnce) Delete(ctx context.Context, key string) error {
	n := o.now.Add(1)
	for most := o.most.Load(); n > most; most = o.most.Load() {
		o.most.CompareAndSwap(most, n)
	}
	if n > 1 {
		o.once.Do(func() { close(o.both) })
	}
	defer o.now.Add(-1)
	select {
	case <-o.both:
	case <-time.After(10 * time.Second):
		o.once.Do(func() { close(o.both) })
	}
	return o.Objects.Delete(ctx, key)
}

// Several objects are removed at a time, and not all at once.
func TestRetentionRemovesSeveralAtATime(t *testing.T) {
	w := testcase.SQLite(t)
	w.Keep = time.Hour
	for n := range 30 {
		w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, w.Start.AddDate(0, 0, -9).Add(time.Duration(n)*time.Minute), time.Minute, true)
	}
	r := retention(w, w.Start)
	o := &atOnce{Objects: w.Media.Objects, both: make(chan struct{})}
	r.Objects = o
	if done, err := r.Once(t.Context()); err != nil || done.Segments != 30 {
		t.Errorf("%+v, %v", done, err)
	}
	if n := o.most.Load(); n < 2 || n > 8 {
		t.Errorf("%d at a time", n)
	}
}

// sight stores a sighting with a picture and returns the picture's key.
func sight(t *testing.T, w *testcase.World, id ward.SightingID, from time.Time) string {
	t.Helper()
	key, _ := w.Picture("v1/h1/cam-1/snap/" + string(id) + ".jpg")
	err := w.Store.PutSighting(t.Context(), ward.Sighting{ID: id, CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.FaceSeen, From: from, To: from.Add(time.Second)})
	if err == nil {
		err = w.Store.SetSightingSnapshot(t.Context(), id, key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A picture that a case shows after it was planned stays.
func TestPain03PlannedPicturesAreSpared(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		old := w.Start.AddDate(0, 0, -100)
		shown, gone := sight(t, w, "s-1", old), sight(t, w, "s-2", old)
		if p, err := w.Store.PlanDeletion(ctx, w.Start, 10); err != nil || len(p.Pictures) != 2 {
			t.Fatal(p, err)
		}
		if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: ward.EvidenceSnapshot, Ref: shown}}, w.By); err != nil {
			t.Fatal(err)
		}
		for i, want := range []storage.Swept{{Pictures: 1, Spared: 1}, {}} {
			if done, err := retention(w, w.Start).Once(ctx); err != nil || done != want {
				t.Errorf("pass %d: %+v, %v, want %+v", i, done, err, want)
			}
		}
		if !has(t, w, shown) || has(t, w, gone) {
			t.Errorf("shown there %v, gone there %v", has(t, w, shown), has(t, w, gone))
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}
	})
}

// What the store refuses to delete does not keep the rest, is counted, may be
// held, and goes when the store lets it.
func TestRetentionPassesOverWhatTheStoreKeeps(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	server := testserver.MinIO(t)
	o, err := objects.OpenS3(ctx, objects.S3Config{Endpoint: server.Endpoint, Bucket: "ward-kept", AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	client, err := minio.New(server.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(server.AccessKey, server.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	hold := func(key string, status minio.LegalHoldStatus) {
		t.Helper()
		if err := client.PutObjectLegalHold(ctx, "ward-kept", key, minio.PutObjectLegalHoldOptions{Status: &status}); err != nil {
			t.Fatal(err)
		}
	}
	w.Keep = 24 * time.Hour
	old := w.Start.AddDate(0, 0, -100)
	var all []ward.Segment
	for n := range 5 {
		g := w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, old.Add(time.Duration(n)*time.Minute), time.Minute, true)
		if err := o.Put(ctx, g.Key, strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
		if n < 4 { // the oldest are in the way
			hold(g.Key, minio.LegalHoldEnabled)
		}
		all = append(all, g)
	}
	r := retention(w, w.Start)
	r.Objects = o
	for i, want := range []storage.Swept{{Segments: 1, Kept: 4}, {}} {
		if done, err := r.Once(ctx); err != nil || done != want || r.State().Kept != 4 {
			t.Errorf("pass %d: %+v, %v, kept %d, want %+v", i, done, err, r.State().Kept, want)
		}
	}
	c := withCase(t, w)
	if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: ward.EvidenceSegment, Ref: string(all[0].ID)}}, w.By); err != nil {
		t.Errorf("hold what was kept: %v", err)
	}
	hold(all[1].Key, minio.LegalHoldDisabled)
	r = retention(w, w.Start.Add(7*time.Hour))
	r.Objects = o
	if done, err := r.Once(ctx); err != nil || done != (storage.Swept{Segments: 1, Spared: 1, Kept: 2}) || r.State().Kept != 2 {
		t.Errorf("later: %+v, %v, kept %d", done, err, r.State().Kept)
	}
}
