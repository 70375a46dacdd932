package storage

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/ward"
)

// sumsOf counts a day second by second, of segments and gaps of whole seconds.
func sumsOf(c ward.Camera, segs []ward.Segment, gaps []ward.Gap, day, now time.Time) (recorded, gap, filled time.Duration) {
	var seg, given, missing [24 * 3600]bool
	mark := func(of *[24 * 3600]bool, from, to time.Time) {
		for at := max(int(from.Sub(day)/time.Second), 0); at < len(of) && at < int(to.Sub(day)/time.Second); at++ {
			of[at] = true
		}
	}
	for _, g := range segs {
		mark(&seg, g.Start, g.End)
		if g.Origin == ward.FromDevice {
			mark(&given, g.Start, g.End)
		}
	}
	for _, g := range gaps {
		mark(&missing, g.From, g.To)
	}
	for i := range seg {
		at := day.Add(time.Duration(i) * time.Second)
		switch {
		case at.Before(c.Created) || !at.Before(now):
		case missing[i]:
			gap += time.Second
			if given[i] {
				filled += time.Second
			}
		case seg[i]:
			recorded += time.Second
		}
	}
	return recorded, gap, filled
}

// committed records three days of a camera with outages, some of them filled
// by the device, a clock that was set back, holes and damage.
func committed(t *testing.T, s *Store, c ward.Camera) (segs []ward.Segment, gaps []ward.Gap) {
	t.Helper()
	ctx, r, src := t.Context(), rand.New(rand.NewPCG(5, 6)), ward.Source{Kind: ward.FromCamera, ID: string(c.ID)} //nolint:gosec // a test
	commit := func(from time.Time, length time.Duration, origin ward.Origin) {
		g, err := s.CommitSegment(ctx, ward.Segment{
			ID: ward.SegmentID(fmt.Sprintf("seg-%d", len(segs))), Source: src, InstitutionID: c.InstitutionID, Start: from, End: from.Add(length),
			Media: length, Clock: ward.ServerClock, Codec: ward.H264, Origin: origin,
		})
		if err != nil {
			t.Fatal(err)
		}
		segs = append(segs, g)
	}
	gap := func(from, to time.Time, cause ward.Cause) {
		g := ward.Gap{ID: ward.GapID(fmt.Sprintf("gap-%d", len(gaps))), Source: src, InstitutionID: c.InstitutionID, From: from, To: to, Cause: cause}
		if err := s.AddGap(ctx, g); err != nil {
			t.Fatal(err)
		}
		gaps = append(gaps, g)
	}
	seconds := func(most int) time.Duration { return time.Duration(1+r.IntN(most)) * time.Second }
	at := c.Created
	for range 60 {
		for range r.IntN(20) {
			length := 10*time.Minute + seconds(100)
			commit(at, length, ward.FromStream)
			at = at.Add(length)
		}
		switch r.IntN(5) {
		case 0: // an outage that the device fills in part
			end := at.Add(seconds(3000))
			gap(at, end, ward.CauseUnreachable)
			for from := at.Add(seconds(60)); from.Before(end); from = from.Add(5 * time.Minute) {
				commit(from, min(5*time.Minute, end.Sub(from)), ward.FromDevice)
			}
			at = end
		case 1: // the clock was set back
			at = at.Add(-seconds(1000))
		case 2: // damage within what was recorded
			gap(at.Add(-seconds(500)), at, ward.CauseLoss)
		case 3: // nobody knows
			at = at.Add(seconds(300))
		}
	}
	return segs, gaps
}

// TestCoverageIsCountedFromRuns: it is what the rows of segments and gaps say,
// from few rows, also after a database from before there were runs was
// migrated; fsck names a run that is not true.
func TestCoverageIsCountedFromRuns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ Options, s *Store) {
		ctx := t.Context()
		c := ward.Camera{ID: "cam-1", InstitutionID: "h-1", PlaceID: "p-1", Name: "一号", URL: "rtsp://127.0.0.1/1", SegmentSeconds: 600, RetentionDays: 30, Enabled: true, Created: blockDay}
		for _, err := range []error{
			s.PutInstitution(ctx, ward.Institution{ID: "h-1", Name: "一院"}),
			s.PutPlace(ctx, ward.Place{ID: "p-1", InstitutionID: "h-1", Name: "窗口", Kind: ward.Charge}), s.AddCamera(ctx, c),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		segs, gaps := committed(t, s, c)
		now := segs[len(segs)-1].End.Add(-7 * time.Minute)
		check := func(what string) {
			t.Helper()
			days, err := s.Coverage(ctx, nil, []ward.CameraID{c.ID}, blockDay.AddDate(0, 0, -2), now.AddDate(0, 0, 2), now)
			if err != nil || len(days) < 3 {
				t.Fatalf("%s: %d days, %v", what, len(days), err)
			}
			var filled time.Duration
			for _, d := range days {
				recorded, gap, given := sumsOf(c, segs, gaps, d.Day, now)
				if d.Recorded != recorded || d.Gap != gap || d.Filled != given {
					t.Errorf("%s: %s: recorded %s, gap %s, filled %s, want %s, %s, %s", what, d.Day, d.Recorded, d.Gap, d.Filled, recorded, gap, given)
				}
				filled += d.Filled
			}
			if filled == 0 {
				t.Errorf("%s: nothing is filled", what)
			}
		}
		check("as committed")
		if n := count(t, s, `SELECT COUNT(*) FROM segment_run`); n > len(segs)/3 {
			t.Errorf("%d runs of %d segments", n, len(segs))
		}
		mustExec(ctx, t, s, `DELETE FROM segment_run`)
		mustExec(ctx, t, s, `INSERT INTO segment_packing (one) VALUES (2)`)
		if err := s.runsOfOld(ctx); err != nil {
			t.Fatal(err)
		}
		check("made by migrating")
		stray := func() int {
			f := &fsck{s: s}
			if err := f.strayRuns(ctx); err != nil {
				t.Fatal(err)
			}
			return len(f.Problems)
		}
		if n := stray(); n != 0 {
			t.Errorf("fsck finds %d problems", n)
		}
		mustExec(ctx, t, s, `UPDATE segment_run SET to_us = to_us + 1 WHERE seq = (SELECT MIN(seq) FROM segment_run)`)
		if n := stray(); n != 1 {
			t.Errorf("fsck finds %d problems of 1", n)
		}
	})
}
