package storage

import (
	"bytes"
	"context"
	"fmt"

	"wardwatch/ward"
)

// block compares the block that ends with the segment g, if there is one,
// with its rows, which are compared with their seals themselves.
func (f *fsck) block(ctx context.Context, g ward.Segment) error {
	if g.Seq%blockSegments != 0 {
		return nil
	}
	n := blockOf(g.Seq)
	packed, err := listed(ctx, f.s, "read block", func(r row) (b []byte, err error) { return b, r.Scan(&n, &b) }, blocksByNum, g.Source.Kind, g.Source.ID, n, n)
	if err != nil || len(packed) == 0 {
		return err
	}
	rows, err := listed(ctx, f.s, "list segments", scanSegment, segmentsBySeq, g.Source.Kind, g.Source.ID, g.Seq-blockSegments+1, g.Seq)
	if err != nil {
		return err
	}
	if !bytes.Equal(encodeBlock(rows), packed[0]) {
		f.bad(blockName(g.Source, n), "录像索引块与录像记录不同。", "The block differs from the rows that it holds")
	}
	return nil
}

// strayBlocks finds blocks of segments that there are not.
func (f *fsck) strayBlocks(ctx context.Context) error {
	names, err := listed(ctx, f.s, "list blocks", func(r row) (string, error) {
		var src ward.Source
		var n int64
		err := r.Scan(&src.Kind, &src.ID, &n)
		return blockName(src, n), err
	}, `SELECT source_kind, source_id, block FROM segment_block b WHERE NOT EXISTS (SELECT 1 FROM segment s
		WHERE s.source_kind = b.source_kind AND s.source_id = b.source_id AND s.seq = (b.block + 1) * $1) LIMIT 100`, blockSegments)
	for _, name := range names {
		f.bad(name, "录像索引块没有对应的录像记录。", "The block holds segments that have no rows")
	}
	return err
}

func blockName(src ward.Source, n int64) string { return fmt.Sprintf("segment_block/%s/%d", src, n) }
