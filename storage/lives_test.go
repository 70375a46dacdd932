package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// reading is the clocks at t0 and up, the wall clock set by off since the
// machine's start.
func reading(boot string, up, off time.Duration) storage.Reading {
	return storage.Reading{Wall: t0.Add(up + off), Boot: boot, Up: up}
}

func TestLives(t *testing.T) {
	t.Parallel()
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		begin := func(r storage.Reading) (storage.Life, storage.Life, storage.Away) {
			t.Helper()
			life, before, away, err := s.BeginLife(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			return life, before, away
		}
		beat := func(id string, r storage.Reading, want time.Duration) {
			t.Helper()
			if step, err := s.Beat(ctx, id, r); err != nil || step != want {
				t.Fatalf("got a step of %s, %v, want %s", step, err, want)
			}
		}
		first, before, away := begin(reading("a", 0, 0))
		if before.ID != "" || away != (storage.Away{}) {
			t.Fatalf("got %v, %v, want no earlier life", before, away)
		}
		beat(first.ID, reading("a", time.Minute, time.Second), 0)
		second, before, away := begin(reading("a", time.Hour, time.Second))
		if before.ID != first.ID || !before.Seen.Equal(t0.Add(61*time.Second)) || !before.Ended.IsZero() || away != (storage.Away{Known: true, Lasted: 59 * time.Minute}) {
			t.Fatalf("got %+v, %+v, want a crash after a minute", before, away)
		}
		// Set back by an hour in that life, and by another while it was away:
		// the order of lives is not that of their dates.
		beat(second.ID, reading("a", 61*time.Minute, -time.Hour), -time.Hour-time.Second)
		beat(second.ID, reading("a", 62*time.Minute, -time.Hour), 0)
		if err := s.EndLife(ctx, second.ID, reading("a", 2*time.Hour, -time.Hour)); err != nil {
			t.Fatal(err)
		}
		third, before, away := begin(reading("a", 2*time.Hour+10*time.Minute, -2*time.Hour))
		if before.ID != second.ID || !before.Ended.Equal(t0.Add(time.Hour)) || away != (storage.Away{Known: true, Lasted: 10 * time.Minute, Step: -time.Hour}) {
			t.Fatalf("got %+v, %+v, want an orderly end and a step", before, away)
		}
		// Another start of the machine, of which nobody knows when it was.
		_, before, away = begin(reading("b", time.Minute, 0))
		if before.ID != third.ID || away != (storage.Away{}) {
			t.Fatalf("got %+v, %+v, want nothing known", before, away)
		}
	})
}

// What was recorded and committed while the clock was behind is not due when
// the clock is set right, nor are the pictures of it.
func TestRetentionCountsTheTimeThatPassed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		const day, behind = 24 * time.Hour, 5000 * 24 * time.Hour
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-7"}
		w.Keep = 10 * day
		picture := func(id ward.SightingID, from time.Time) {
			w.Exec(`INSERT INTO sighting (id, camera_id, place_id, institution_id, kind, from_us, to_us, people, score, box, model_id, snapshot_key, keep_until_us, leaves)
				SELECT $1, 'cam-7', 'p', 'h', 'people', $2, $2, 1, 0.5, '{}', '', 'v1/pictures/' || $1, $3, COALESCE(MAX(idx) + 1, 0) FROM log_entry`,
				id, from.UnixMicro(), from.Add(10*day).UnixMicro())
		}
		due := func(when string, now time.Time, segments, pictures int) {
			t.Helper()
			segs, err := w.Store.Due(ctx, now, ward.Segment{}, 10)
			if err != nil || len(segs) != segments {
				t.Errorf("%s: %d segments due, %v, want %d", when, len(segs), err, segments)
			}
			pics, err := w.Store.DuePictures(ctx, now, 10)
			if err != nil || len(pics) != pictures {
				t.Errorf("%s: %d pictures due, %v, want %d", when, len(pics), err, pictures)
			}
		}
		up := func(d, off time.Duration) storage.Reading {
			return storage.Reading{Wall: w.Start.Add(d + off), Boot: "a", Up: d}
		}
		// A day with the right clock, then one that is 5000 days behind.
		right := w.Record(src, w.Start, time.Minute, true)
		picture("right", w.Start)
		life, _, _, err := w.Store.BeginLife(ctx, up(0, 0))
		if err == nil {
			_, err = w.Store.Beat(ctx, life.ID, up(day, -behind))
		}
		if err != nil {
			t.Fatal(err)
		}
		w.Record(src, w.Start.Add(day-behind), time.Minute, true)
		picture("behind", w.Start.Add(day-behind))
		due("behind", w.Start.Add(day-behind), 0, 0)
		// It is set right while the process is away, and a bit more later.
		life, _, away, err := w.Store.BeginLife(ctx, up(2*day, 0))
		if err == nil {
			_, err = w.Store.Beat(ctx, life.ID, up(3*day, time.Hour))
		}
		if err != nil || away.Step != behind {
			t.Fatal(err, away)
		}
		late := w.Record(src, w.Start.Add(3*day+time.Hour), time.Minute, true)
		picture("late", late.Start)
		due("set right", w.Start.Add(3*day+time.Hour), 0, 0)
		if p, err := w.Store.PlanDeletion(ctx, w.Start.Add(3*day+time.Hour), 10); err != nil || len(p.Segments)+len(p.Pictures)+len(p.Refused) != 0 {
			t.Errorf("planned %+v, %v", p, err)
		}
		due("ten days after the first", w.Start.Add(10*day+30*time.Minute), 0, 0)
		due("and the hour that never was", w.Start.Add(10*day+time.Hour), 1, 1)
		due("ten days after the second", w.Start.Add(11*day+time.Hour), 2, 2)
		due("ten days after the last", w.Start.Add(13*day+time.Hour), 3, 3)
		p, err := w.Store.PlanDeletion(ctx, w.Start.Add(10*day+2*time.Hour), 10)
		if err != nil || len(p.Segments) != 1 || p.Segments[0].ID != right.ID || len(p.Pictures) != 1 || p.Pictures[0].ID != "right" {
			t.Errorf("planned %+v, %v", p, err)
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("fsck: %+v", r.Problems)
		}
	})
}
