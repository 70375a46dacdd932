package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// A block is the 64 rows of a source that follow each other by seq, packed
// into one. A row lies between those that all other sources wrote in its
// minute, so a day of a camera is as many pages as it has rows; its blocks
// are some hundred. What a block holds of a segment never changes: its state,
// which does, is not in it. A segment without a block is read from its row.
const blockSegments = 64

// blockOf is the block of the segment with that seq.
func blockOf(seq int64) int64 { return (seq - 1) / blockSegments }

// blockVersion begins a packed block; version 1 had no clock state and no signature.
const blockVersion = 2

var errBlock = errors.New("the block cannot be read")

// encodeBlock packs the segments of one source, which follow each other by seq.
func encodeBlock(all []ward.Segment) []byte {
	w := blockWriter{b: []byte{blockVersion}, words: map[string]uint64{}}
	var last ward.Segment
	for _, g := range all {
		key := g.Key
		if key == ward.SegmentKey(g.InstitutionID, g.Source, g.Start, g.Seq) {
			key = ""
		}
		w.text(string(g.ID))
		w.word(string(g.InstitutionID))
		w.number(us(g.Start)-us(last.Start), us(g.End)-us(g.Start), g.Media.Microseconds(), g.CameraOffset.Microseconds(), g.Bytes,
			int64(flag(g.Repaired)), g.Leaf-last.Leaf, g.Mono.Microseconds()-last.Mono.Microseconds(), us(g.KeepUntil)-us(last.KeepUntil))
		w.word(string(g.Clock))
		w.word(string(g.Codec))
		w.word(string(g.Audio))
		w.word(g.Life)
		w.word(string(g.Origin))
		w.word(string(g.Sync))
		w.word(string(g.Signature))
		w.number(g.ClockError.Microseconds())
		w.text(key)
		w.b = append(w.b, g.SHA256[:]...)
		w.text(string(encodeChunks(g.Chunks)))
		last = g
	}
	return w.b
}

// decodeBlock is the reverse of encodeBlock, for those of block n that are
// wanted: their states by seq.
func decodeBlock(b []byte, src ward.Source, n int64, wanted map[int64]ward.SegmentState) ([]ward.Segment, error) {
	if len(b) == 0 || b[0] == 0 || b[0] > blockVersion {
		return nil, errBlock
	}
	r := blockReader{b: b[1:]}
	var all []ward.Segment
	var last [9]int64 // start, keep until and so on, of the segment before
	for seq := n*blockSegments + 1; len(r.b) > 0; seq++ {
		g := ward.Segment{Source: src, Seq: seq}
		g.ID, g.InstitutionID = ward.SegmentID(r.text()), ward.InstitutionID(r.word())
		var v [9]int64
		for i := range v {
			v[i] = r.number()
		}
		for _, i := range []int{0, 6, 7, 8} { // differences
			v[i] += last[i]
		}
		last = v
		g.Start, g.End, g.KeepUntil = at(v[0]), at(v[0]+v[1]), at(v[8])
		g.Media, g.CameraOffset, g.Mono = micros(v[2]), micros(v[3]), micros(v[7])
		g.Bytes, g.Repaired, g.Leaf = v[4], v[5] == 1, v[6]
		g.Clock, g.Codec, g.Audio, g.Life = ward.Clock(r.word()), ward.Codec(r.word()), ward.Codec(r.word()), r.word()
		g.Origin = ward.Origin(r.word())
		if b[0] > 1 {
			g.Sync, g.Signature, g.ClockError = ward.ClockSync(r.word()), ward.CameraSignature(r.word()), micros(r.number())
		}
		key := r.text()
		copy(g.SHA256[:], r.bytes(uint64(len(g.SHA256))))
		chunks := r.bytes(r.length())
		if r.torn {
			return nil, errBlock
		}
		state, ok := wanted[seq]
		if !ok {
			continue
		}
		if g.State, g.Key = state, key; g.Key == "" {
			g.Key = ward.SegmentKey(g.InstitutionID, src, g.Start, seq)
		}
		var err error
		if g.Chunks, err = decodeChunks(chunks); err != nil {
			return nil, fmt.Errorf("segment %s: %w", g.ID, err)
		}
		all = append(all, g)
	}
	return all, nil
}

// blockWriter appends to a block.
type blockWriter struct {
	b     []byte
	words map[string]uint64 // what was written as a word, and where it is in their list
}

func (w *blockWriter) number(all ...int64) {
	for _, n := range all {
		w.b = binary.AppendVarint(w.b, n)
	}
}

func (w *blockWriter) text(s string) {
	w.b = append(binary.AppendUvarint(w.b, uint64(len(s))), s...)
}

// word writes a text that comes again and again: the first time 0 and the
// text, then its place in the list from 1 on.
func (w *blockWriter) word(s string) {
	n, ok := w.words[s]
	if !ok {
		w.words[s] = uint64(len(w.words)) + 1
		w.b = append(w.b, 0)
		w.text(s)
		return
	}
	w.b = binary.AppendUvarint(w.b, n)
}

// blockReader reads a block; torn is set where it ends too early.
type blockReader struct {
	b     []byte
	words []string
	torn  bool
}

func (r *blockReader) number() int64 {
	v, n := binary.Varint(r.b)
	return took(r, v, n)
}

func (r *blockReader) length() uint64 {
	v, n := binary.Uvarint(r.b)
	return took(r, v, n)
}

// took passes the n bytes that v was read from.
func took[T any](r *blockReader, v T, n int) T {
	if n <= 0 {
		r.b, r.torn = nil, true
		return v
	}
	r.b = r.b[n:]
	return v
}

func (r *blockReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.torn = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *blockReader) text() string { return string(r.bytes(r.length())) }

func (r *blockReader) word() string {
	n := r.length()
	if n == 0 {
		r.words = append(r.words, r.text())
		n = uint64(len(r.words))
	}
	if n > uint64(len(r.words)) {
		r.torn = true
		return ""
	}
	return r.words[n-1]
}

// pack stores the block of the segment g, which is its last one.
func (t *tx) pack(ctx context.Context, g ward.Segment) error {
	rows, err := t.QueryContext(ctx, segmentsBySeq, g.Source.Kind, g.Source.ID, g.Seq-blockSegments+1, g.Seq)
	if err != nil {
		return err
	}
	all, err := collect(rows, scanSegment) // closes rows
	if err != nil {
		return err
	}
	return t.insertBlock(ctx, all)
}

// insertBlock stores a block of segments in the order of seq, unless one is missing or the block is there.
func (t *tx) insertBlock(ctx context.Context, all []ward.Segment) error {
	if len(all) != blockSegments {
		return nil
	}
	_, err := t.ExecContext(ctx, `INSERT INTO segment_block (source_kind, source_id, block, packed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		all[0].Source.Kind, all[0].Source.ID, blockOf(all[0].Seq), encodeBlock(all))
	return err
}

// blockKey names a block.
type blockKey struct {
	src ward.Source
	n   int64
}

const (
	// packPage is how many rows are read at a time to be packed.
	packPage = 2000
	// maxUnpacked is how many rows wait for the others of their blocks, some
	// 1 kB each; those beyond stay rows.
	maxUnpacked = 400_000
	// packReport is how often it is told how far packing is.
	packReport = 10 * time.Second
)

// packOld packs the segments from before there were blocks, if that was not
// done yet. When it is interrupted it begins anew.
func (s *Store) packOld(ctx context.Context) error {
	var todo, total int
	err := s.read.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM segment_packing WHERE one = 1), (SELECT COUNT(*) FROM segment)`).Scan(&todo, &total)
	if err != nil {
		return fmt.Errorf("pack segments: %w", err)
	}
	if todo == 0 {
		return nil
	}
	wait := map[blockKey][]ward.Segment{}
	var last ward.SegmentID
	waiting, done, told := 0, 0, time.Now()
	for {
		all, err := s.AllSegments(ctx, last, packPage)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			break
		}
		if waiting > maxUnpacked {
			clear(wait)
			waiting = 0
		}
		var full [][]ward.Segment
		for _, g := range all {
			k := blockKey{g.Source, blockOf(g.Seq)}
			wait[k] = append(wait[k], g)
			if waiting++; len(wait[k]) == blockSegments {
				full = append(full, wait[k])
				delete(wait, k)
				waiting -= blockSegments
			}
		}
		if err := s.packFull(ctx, full); err != nil {
			return err
		}
		last, done = all[len(all)-1].ID, done+len(all)
		if time.Since(told) > packReport {
			told = time.Now()
			s.log.InfoContext(ctx, "packing segments", "done", done, "of", total)
		}
	}
	return s.change(ctx, "pack segments", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM segment_packing WHERE one = 1`)
		return err
	})
}

func (s *Store) packFull(ctx context.Context, full [][]ward.Segment) error {
	if len(full) == 0 {
		return nil
	}
	return s.change(ctx, "pack segments", func(t *tx) error {
		for _, all := range full {
			if err := t.insertBlock(ctx, sortedBySeq(all)); err != nil {
				return err
			}
		}
		return nil
	})
}
