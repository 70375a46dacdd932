package storage_test

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

func segmentsOf(t *testing.T, w *testcase.World, src ward.Source) []ward.Segment {
	t.Helper()
	all, err := w.Store.SegmentsBetween(t.Context(), src, w.Start.Add(-time.Hour), w.Start.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPain29HoldInPlaceWhatACaseShows(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		c := withCase(t, w)
		a, err := w.Store.Alert(t.Context(), w.Alert)
		if err != nil {
			t.Fatal(err)
		}
		holds, err := w.Store.Held(t.Context(), w.Camera, a.ClipFrom, a.ClipTo)
		if err != nil || len(holds) == 0 {
			t.Fatal(holds, err)
		}
		if !slices.ContainsFunc(holds, func(h ward.Hold) bool { return !h.From.After(a.ClipFrom) && !h.To.Before(a.ClipTo) && h.CaseID == c.ID }) {
			t.Errorf("no hold covers the alert's clip %s to %s: %+v", a.ClipFrom, a.ClipTo, holds)
		}
		for _, h := range holds {
			r, err := w.Store.Sealed(t.Context(), h.Leaf)
			if err != nil || r.Kind != storage.KindHold || r.Ref != string(h.ID) {
				t.Errorf("hold %s is not sealed: %+v, %v", h.ID, r, err)
			}
		}
		for _, g := range segmentsOf(t, w, w.Camera) {
			if ok, err := w.Store.Evict(t.Context(), g.ID); ok || err != nil {
				t.Errorf("held segment %s (%s) was evicted: %v", g.ID, g.State, err)
			}
		}
		// The visit's recording, once it is a case: all of it, at any time.
		lead, err := w.Store.VisitLead(t.Context(), w.Visit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Store.OpenCase(t.Context(), ward.Case{InstitutionID: "h1", Title: "x"}, lead.Items, w.By); err != nil {
			t.Fatal(err)
		}
		held, err := w.Store.Held(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(w.Visit)}, time.Unix(1, 0), time.Unix(2, 0))
		if err != nil || len(held) != 1 {
			t.Errorf("got %v, %v, want the visit's recording held whatever its time", held, err)
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("fsck: %+v", r.Problems)
		}
		// Whoever removes a hold is found.
		if n := w.Exec(`DELETE FROM hold WHERE id = $1`, holds[0].ID); n != 1 {
			t.Fatal("no hold removed")
		}
		if got := where(check(t, w)); !slices.Contains(got, "hold/"+string(holds[0].ID)) {
			t.Errorf("a removed hold is not named: %v", got)
		}
	})
}

// Pain 1: a full disk costs unheld recordings, one sealed step each, and never evidence.
func TestPain01EvictOnlyWhatIsNotHeld(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		spooled := w.Record(w.Camera, w.Start.Add(40*time.Second), 10*time.Second, false)
		if ok, err := w.Store.Evict(t.Context(), segmentsOf(t, w, w.Camera)[0].ID); ok || err != nil {
			t.Errorf("an archived segment was evicted: %v, %v", ok, err)
		}
		list, err := w.Store.Evictable(t.Context(), ward.Segment{}, 10)
		if err != nil || len(list) != 2 || list[1].ID != spooled.ID {
			t.Fatalf("got %v, %v, want the two spooled ones, oldest first", list, err)
		}
		for _, want := range []bool{true, false} { // again is nothing
			if ok, err := w.Store.Evict(t.Context(), spooled.ID); ok != want || err != nil {
				t.Errorf("got %v, %v, want %v", ok, err, want)
			}
		}
		if err := w.Media.Spool.Remove(spool.Of(spooled)); err != nil {
			t.Fatal(err)
		}
		if err := w.Store.MarkArchived(t.Context(), spooled.ID); !errors.Is(err, &ward.Error{Code: "segment.evicted"}) {
			t.Errorf("an evicted segment was called archived: %v", err)
		}
		gaps, err := w.Store.GapsBetween(t.Context(), w.Camera, spooled.Start, spooled.End)
		if err != nil || len(gaps) != 1 || gaps[0].Cause != ward.CauseEvicted || !gaps[0].From.Equal(spooled.Start) || !gaps[0].To.Equal(spooled.End) {
			t.Errorf("got gaps %v, %v", gaps, err)
		}
		r, err := w.Store.LatestSealed(t.Context(), storage.KindEviction, string(spooled.ID))
		if err != nil {
			t.Errorf("the eviction is not sealed: %v %v", r, err)
		}
		if rep := check(t, w); !rep.OK() {
			t.Errorf("fsck: %+v", rep.Problems)
		}
		// Calling an archived recording evicted hides nothing.
		hidden := segmentsOf(t, w, w.Camera)[0]
		w.Exec(`UPDATE segment SET state = 'evicted' WHERE id = $1`, hidden.ID)
		if got := where(check(t, w)); !slices.Contains(got, "segment/"+string(hidden.ID)) {
			t.Errorf("a hidden recording is not named: %v", got)
		}
	})
}

func TestCoverageOfDays(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		china := time.FixedZone("", 8*3600)
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, china)
		if err := w.Store.AddCamera(ctx, ward.Camera{
			ID: "cam-2", InstitutionID: "h1", PlaceID: "counter", Name: "x", URL: "rtsp://127.0.0.1/2", Transport: ward.TransportTCP,
			SegmentSeconds: 60, RetentionDays: 30, Enabled: true, Created: noon,
		}); err != nil {
			t.Fatal(err)
		}
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-2"}
		// 12:00 disabled, 18:00 to 24:00 recorded, over midnight, until 06:00; a loss inside; then a gap that lasts.
		gap := func(from, to time.Time, cause ward.Cause) {
			t.Helper()
			var err error
			if to.IsZero() {
				_, err = w.Store.OpenGap(ctx, ward.Gap{Source: src, InstitutionID: "h1", From: from, Cause: cause})
			} else {
				err = w.Store.AddGap(ctx, ward.Gap{Source: src, InstitutionID: "h1", From: from, To: to, Cause: cause})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		at := func(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }
		gap(at(0), at(6), ward.CauseDisabled)
		w.Record(src, at(6), 4*time.Hour, true)
		w.Record(src, at(10), 8*time.Hour, true) // over midnight
		gap(at(11), at(11.5), ward.CauseLoss)
		evicted := w.Record(src, at(18), time.Hour, false)
		if ok, err := w.Store.Evict(ctx, evicted.ID); !ok || err != nil {
			t.Fatal(ok, err)
		}
		gap(at(19), time.Time{}, ward.CauseUnreachable)
		got, err := w.Store.Coverage(ctx, []ward.InstitutionID{"h1"}, []ward.CameraID{"cam-2", "nobody"}, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 3), at(30))
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(got, func(c storage.Covered) bool { return c.CameraID != "cam-2" }) {
			t.Errorf("days of a camera that was not asked for: %v", got)
		}
		type day struct{ expected, recorded, gap, lost, evicted, away float64 }
		var days []day
		for _, c := range got {
			days = append(days, day{
				c.Expected.Hours(), c.Recorded.Hours(), c.Gap.Hours(),
				c.Causes[ward.CauseLoss].Hours(), c.Causes[ward.CauseEvicted].Hours(), c.Causes[ward.CauseUnreachable].Hours(),
			})
		}
		want := []day{{6, 5.5, 6.5, .5, 0, 0}, {18, 6, 12, 0, 1, 11}}
		if !slices.Equal(days, want) {
			t.Errorf("got %+v, want %+v", days, want)
		}
		if len(got) > 0 && got[0].Day.Format(time.RFC3339) != "2026-03-01T00:00:00+08:00" {
			t.Errorf("the first day is %s", got[0].Day)
		}
		if none, err := w.Store.Coverage(ctx, []ward.InstitutionID{}, []ward.CameraID{"cam-2"}, noon, at(24), at(30)); err != nil || len(none) != 0 {
			t.Errorf("no institution: got %v, %v", none, err)
		}
	})
}

// Pain 4: what nobody knows is put aside, with a record, and never deleted.
func TestPain04OrphansArePutAside(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		const key = "v1/h1/cam-9/2026/01/01/00/20260101T000000.000Z-000001.mp4"
		if err := w.Media.Objects.Put(ctx, key, strings.NewReader("an orphan"), 9); err != nil {
			t.Fatal(err)
		}
		ghost, err := w.Media.Spool.Create(ward.Source{Kind: ward.FromCamera, ID: "ghost"}, w.Start, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ghost.Write([]byte("of nobody")); err != nil {
			t.Fatal(err)
		}
		if _, err := ghost.Finish(); err != nil {
			t.Fatal(err)
		}
		ours := w.Record(w.Camera, w.Start.Add(40*time.Second), 10*time.Second, false)
		r := &storage.Reconciler{Store: w.Store, Media: w.Media, Log: slog.New(slog.DiscardHandler)}
		if n, err := r.Once(ctx); n != 0 || err != nil {
			t.Errorf("put aside %d at once, %v: an upload may be under way", n, err)
		}
		if got := where(check(t, w)); !slices.Contains(got, "object/"+key) {
			t.Errorf("the orphan is not named: %v", got)
		}
		r.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
		for i, want := range []int{2, 0} {
			if n, err := r.Once(ctx); n != want || err != nil {
				t.Errorf("pass %d put aside %d, %v, want %d", i, n, err, want)
			}
		}
		rep := check(t, w)
		if !rep.OK() || len(rep.Quarantined) != 2 {
			t.Fatalf("fsck: %+v", rep)
		}
		for _, q := range rep.Quarantined {
			if q.Origin != "object/"+key && q.Origin != "spool/camera/ghost/"+ghostName(w) {
				t.Errorf("put aside: %+v", q)
			}
		}
		body, err := w.Media.Objects.Get(ctx, rep.Quarantined[0].MovedTo[len("object/"):], 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(body); err != nil || string(b) != "an orphan" {
			t.Errorf("got %q, %v", b, err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
		if f, err := w.Media.Spool.Open(spool.Of(ours)); err != nil {
			t.Errorf("our own file went: %v", err)
		} else if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

func ghostName(w *testcase.World) string {
	return w.Start.UTC().Format("20060102T150405.000000Z") + "-000001.mp4"
}
