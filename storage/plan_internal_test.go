package storage

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPlanOfSegments keeps the lookup of a stretch on the index of times,
// also when an administrator has SQLite collect statistics.
func TestPlanOfSegments(t *testing.T) {
	ctx := t.Context()
	s, err := Migrate(ctx, Options{Database: filepath.Join(t.TempDir(), "catalogue.db"), Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const fill = `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
		INSERT INTO segment (id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us, codec, bytes, sha256, object_key, state, repaired, leaf)
		SELECT 'g' || i, 'camera', 'cam-' || (i % 4), 'h-1', i, i * 1000, (i + 1) * 1000, 1000, 'server', 0, 'h264', 1, x'00', 'v1/' || i, 'archived', 0, i FROM n`
	for _, text := range []string{fill, "ANALYZE"} {
		if _, err := s.write.ExecContext(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, stretch := range [][2]int64{{10_000_000, 10_010_000}, {0, 20_000_000}, {-60_000_000, 60_000_000}} {
		plan, err := listed(ctx, s, "explain", func(r row) (step string, err error) {
			var unused int
			return step, r.Scan(&unused, &unused, &unused, &step)
		}, "EXPLAIN QUERY PLAN "+segmentsBetween, "camera", "cam-1", stretch[0], stretch[1], maxBefore)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			if strings.Contains(step, " segment") && !strings.Contains(step, "USING COVERING INDEX segment_time (source_kind=? AND source_id=? AND start_us") {
				t.Errorf("%v: %s", stretch, step)
			}
		}
		if len(plan) < 3 {
			t.Errorf("%v: got the plan %q", stretch, plan)
		}
	}
}
