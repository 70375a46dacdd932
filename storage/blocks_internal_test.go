package storage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// onBoth runs f with an empty catalogue of each engine.
func onBoth(t *testing.T, f func(t *testing.T, o Options, s *Store)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			o := Options{Database: filepath.Join(t.TempDir(), "catalogue.db"), Keys: t.TempDir()}
			if engine == "postgres" {
				o.Database = testserver.Postgres(t)
			}
			s, err := Migrate(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			f(t, o, s)
		})
	}
}

var blockDay = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// blockSegment is the n-th segment of a camera. The clock was set back by half
// an hour before the 70th.
func blockSegment(n int) ward.Segment {
	start := blockDay.Add(time.Duration(n) * time.Minute)
	if n >= 70 {
		start = start.Add(-30 * time.Minute)
	}
	g := ward.Segment{
		ID: ward.SegmentID(fmt.Sprintf("seg-%03d", n)), Source: ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, InstitutionID: "h-1",
		Start: start, End: start.Add(time.Minute + time.Duration(n%7)*time.Second), Media: time.Duration(59900+n) * time.Millisecond, Clock: ward.ServerClock,
		CameraOffset: time.Duration(-n) * time.Microsecond, Codec: ward.H265, Bytes: 12345 + int64(n), SHA256: sha256.Sum256([]byte{byte(n)}), Repaired: n%9 == 0,
	}
	if n%2 == 0 {
		g.Clock, g.Codec, g.Audio, g.Life = ward.CameraClock, ward.H264, ward.PCMA, fmt.Sprintf("life-%d", n/50)
		g.Mono, g.KeepUntil = time.Duration(n)*time.Minute, start.AddDate(0, 0, 90)
		g.Sync, g.ClockError, g.Signature = ward.Unsynced, 16*time.Second, ward.SignatureONVIF
		g.Chunks = []ward.Chunk{{Offset: 1200}, {At: 2 * time.Second, Offset: 520_000}, {At: 3960 * time.Millisecond, Offset: 1<<33 + int64(n)}}
	}
	if n%5 == 0 {
		g.Origin = ward.FromDevice
	}
	if n%11 == 0 {
		g.Key = fmt.Sprintf("v1/elsewhere/%d.mp4", n)
	}
	return g
}

// A stretch is the same whether its segments are read from blocks or from
// rows, and their states are those of now.
func TestBlocks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options, s *Store) {
		ctx := t.Context()
		var stored []ward.Segment
		for n := range 2*blockSegments + 12 {
			g, err := s.CommitSegment(ctx, blockSegment(n))
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, g)
			if n%3 == 0 {
				if err := s.MarkArchived(ctx, g.ID); err != nil {
					t.Fatal(err)
				}
				stored[n].State = ward.Archived
			}
		}
		src := stored[0].Source
		check := func(what string, blocks int) {
			t.Helper()
			if n := count(t, s, `SELECT COUNT(*) FROM segment_block`); n != blocks {
				t.Errorf("%s: there are %d blocks, want %d", what, n, blocks)
			}
			for _, from := range []int{-60, 0, 30, 59, 63, 64, 65, 90, 109, 200} {
				for _, minutes := range []int{1, 10, 64, 100, 300} {
					a := blockDay.Add(time.Duration(from) * time.Minute)
					b := a.Add(time.Duration(minutes) * time.Minute)
					want := slices.DeleteFunc(slices.Clone(stored), func(g ward.Segment) bool { return !g.Start.Before(b) || !g.End.After(a) })
					got, err := s.SegmentsBetween(ctx, src, a, b)
					if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
						t.Errorf("%s: from %d for %d: got %d, %v, want %d", what, from, minutes, len(got), err, len(want))
					}
				}
			}
		}
		check("as committed", 2)

		// The block is what is read: a row that differs from it is not seen.
		mustExec(ctx, t, s, `UPDATE segment SET bytes = bytes + 1 WHERE seq = 10`)
		got, err := s.SegmentsBetween(ctx, src, blockDay, blockDay.Add(20*time.Minute))
		if err != nil || len(got) != 20 || !reflect.DeepEqual(got[9], stored[9]) {
			t.Errorf("got %d, %v", len(got), err)
		}
		mustExec(ctx, t, s, `UPDATE segment SET bytes = bytes - 1 WHERE seq = 10`)

		mustExec(ctx, t, s, `DELETE FROM segment_block WHERE block = 0`)
		check("with a block missing", 1)
		mustExec(ctx, t, s, `DELETE FROM segment_block`)
		check("without blocks", 0)
		again := func() {
			old, err := Migrate(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
		}
		again()
		check("migrated already", 0)
		mustExec(ctx, t, s, `INSERT INTO segment_packing (one) VALUES (1)`)
		again()
		check("packed by migrating", 2)
		if n := count(t, s, `SELECT COUNT(*) FROM segment_packing`); n != 0 {
			t.Error("packing is not done")
		}
	})
}

// fsck finds a block that was changed, and one of segments that there are not.
func TestFsckFindsBlocks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ Options, s *Store) {
		ctx := t.Context()
		for n := range blockSegments {
			if _, err := s.CommitSegment(ctx, blockSegment(n)); err != nil {
				t.Fatal(err)
			}
		}
		objs, err := objects.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		bad := func() (found []string) {
			t.Helper()
			r, err := s.Fsck(ctx, Media{Objects: objs}, FsckOptions{}) // and misses the files, which there are not
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Problems {
				if strings.HasPrefix(p.Where, "segment_block/") {
					found = append(found, p.Where)
				}
			}
			return found
		}
		if all := bad(); all != nil {
			t.Errorf("nothing was changed: got %v", all)
		}
		mustExec(ctx, t, s, `INSERT INTO segment_block (source_kind, source_id, block, packed) SELECT source_kind, source_id, 1, packed FROM segment_block`)
		if all := bad(); !slices.Equal(all, []string{"segment_block/camera/cam-1/1"}) {
			t.Errorf("of segments that there are not: got %v", all)
		}
		mustExec(ctx, t, s, `DELETE FROM segment_block WHERE block = 1`)
		other := []ward.Segment{}
		for n := range blockSegments {
			g, err := s.Segment(ctx, blockSegment(n).ID)
			if err != nil {
				t.Fatal(err)
			}
			g.Bytes++
			other = append(other, g)
		}
		mustExec(ctx, t, s, `UPDATE segment_block SET packed = $1`, encodeBlock(other))
		if all := bad(); !slices.Equal(all, []string{"segment_block/camera/cam-1/0"}) {
			t.Errorf("changed: got %v", all)
		}
	})
}

// A block that is cut off or changed is an error, or other segments, but never a panic.
func TestTornBlock(t *testing.T) {
	var all []ward.Segment
	wanted := map[int64]ward.SegmentState{}
	for n := range blockSegments {
		g := blockSegment(n)
		g.Seq = int64(n) + 1
		all, wanted[g.Seq] = append(all, g), ward.Archived
	}
	whole := encodeBlock(all)
	got, err := decodeBlock(whole, all[0].Source, 0, wanted)
	if err != nil || len(got) != blockSegments {
		t.Fatalf("got %d, %v", len(got), err)
	}
	for n := range whole {
		if got, err := decodeBlock(whole[:n], all[0].Source, 0, wanted); err == nil && len(got) >= blockSegments {
			t.Fatalf("%d of %d bytes: got %d segments", n, len(whole), len(got))
		}
		other := slices.Clone(whole)
		other[n] ^= 0xff
		_, _ = decodeBlock(other, all[0].Source, 0, wanted)
	}
}

func mustExec(ctx context.Context, t *testing.T, s *Store, query string, args ...any) {
	t.Helper()
	if _, err := s.write.ExecContext(ctx, query, args...); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *Store, query string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBlockOfBefore reads a block of four segments that version 1 packed.
func TestBlockOfBefore(t *testing.T) {
	b, err := os.ReadFile("testdata/block-v1.bin")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[int64]ward.SegmentState{1: ward.Archived, 2: ward.Archived, 3: ward.Archived, 4: ward.Archived}
	got, err := decodeBlock(b, ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, 0, wanted)
	if err != nil {
		t.Fatal(err)
	}
	for i := range wanted {
		g := blockSegment(int(i))
		g.Seq, g.Key, g.Leaf, g.State = i, ward.SegmentKey(g.InstitutionID, g.Source, g.Start, i), 10+i, ward.Archived
		g.Sync, g.ClockError, g.Signature = "", 0, ""
		if !reflect.DeepEqual(got[i-1], g) {
			t.Errorf("got %+v\nwant %+v", got[i-1], g)
		}
	}
	b[0] = blockVersion + 1
	if _, err := decodeBlock(b, ward.Source{}, 0, wanted); err == nil {
		t.Error("a block of a later version is read")
	}
}
