package storage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

const (
	// maxBefore is how many segments that start before a stretch are looked at
	// for one that reaches into it. Segments of a source follow each other; only
	// a clock that was set back lets several of them overlap.
	maxBefore = 16
	// fewSegments is how many are rather read from their rows than from blocks.
	fewSegments = 4
)

// segmentsBetween says which segments touch a stretch, from the index of times
// alone. It asks for no order: by seq, SQLite would rather read everything of
// a source along that index, once it has statistics.
const segmentsBetween = `SELECT seq, state FROM segment WHERE source_kind = $1 AND source_id = $2 AND start_us >= $3 AND start_us < $4 AND end_us > $3
	UNION ALL SELECT seq, state FROM (SELECT seq, state, end_us FROM segment WHERE source_kind = $1 AND source_id = $2 AND start_us < $3 AND start_us < $4
		ORDER BY start_us DESC LIMIT $5) earlier WHERE end_us > $3`

const (
	segmentsBySeq = `SELECT ` + segmentColumns + ` FROM segment WHERE source_kind = $1 AND source_id = $2 AND seq >= $3 AND seq <= $4 ORDER BY seq`
	blocksByNum   = `SELECT block, packed FROM segment_block WHERE source_kind = $1 AND source_id = $2 AND block >= $3 AND block <= $4`
)

// SegmentsBetween returns the segments of src that touch [from, to), by Seq.
// What it reads does not grow with what src ever recorded: the index says which
// they are and their states, blocks what does not change of them, and rows
// what is in no block yet.
func (s *Store) SegmentsBetween(ctx context.Context, src ward.Source, from, to time.Time) ([]ward.Segment, error) {
	what := "list segments of " + src.String()
	states := map[int64]ward.SegmentState{}
	seqs, err := listed(ctx, s, what, func(r row) (seq int64, err error) {
		var state ward.SegmentState
		err = r.Scan(&seq, &state)
		states[seq] = state
		return seq, err
	}, segmentsBetween, src.Kind, src.ID, us(from), us(to), maxBefore)
	if err != nil {
		return nil, err
	}
	slices.Sort(seqs)
	all := make([]ward.Segment, 0, len(seqs))
	if len(seqs) > fewSegments {
		if all, err = s.packed(ctx, src, seqs, states); err != nil {
			return nil, err
		}
		for _, g := range all {
			delete(states, g.Seq)
		}
		seqs = slices.DeleteFunc(seqs, func(seq int64) bool { _, ok := states[seq]; return !ok })
	}
	for _, r := range runs(seqs) {
		more, err := listed(ctx, s, what, scanSegment, segmentsBySeq, src.Kind, src.ID, r[0], r[1])
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return sortedBySeq(all), nil
}

// packed returns those of the segments that are in blocks.
func (s *Store) packed(ctx context.Context, src ward.Source, seqs []int64, states map[int64]ward.SegmentState) ([]ward.Segment, error) {
	var blocks []int64
	for _, seq := range seqs {
		blocks = append(blocks, blockOf(seq))
	}
	all := make([]ward.Segment, 0, len(seqs))
	for _, r := range runs(slices.Compact(blocks)) {
		parts, err := listed(ctx, s, "read blocks of "+src.String(), func(r row) (part []ward.Segment, err error) {
			var n int64
			var b []byte
			if err := r.Scan(&n, &b); err != nil {
				return nil, err
			}
			return decodeBlock(b, src, n, states)
		}, blocksByNum, src.Kind, src.ID, r[0], r[1])
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			all = append(all, part...)
		}
	}
	return all, nil
}

// runs are the first and the last of those sorted numbers that follow each other without holes.
func runs(numbers []int64) (all [][2]int64) {
	for _, n := range numbers {
		if len(all) > 0 && all[len(all)-1][1]+1 >= n {
			all[len(all)-1][1] = n
			continue
		}
		all = append(all, [2]int64{n, n})
	}
	return all
}

func sortedBySeq(all []ward.Segment) []ward.Segment {
	slices.SortFunc(all, func(a, b ward.Segment) int { return cmp.Compare(a.Seq, b.Seq) })
	return all
}
