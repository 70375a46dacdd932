package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

const segmentColumns = `id, source_kind, source_id, institution_id, seq, start_us, end_us, media_us, clock, camera_offset_us, codec, bytes, sha256, object_key, state, repaired, leaf, audio, life, mono_us, keep_until_us, chunks, origin, sync, clock_error_us, signature`

// CommitSegment stores a finished segment and its ledger leaf and returns
// only after both are durable. The file stays in the spool until the
// uploader has verified the object. A zero Seq becomes the next one; an
// empty Key becomes ward.SegmentKey; the state becomes Spooled. Times are
// cut to microseconds. A segment whose ID
// is stored already is returned as it is, so that a caller may try again.
// ward.Conflict "segment.seq" when Seq is not the next one.
func (s *Store) CommitSegment(ctx context.Context, g ward.Segment) (ward.Segment, error) {
	err := s.change(ctx, fmt.Sprintf("commit segment %s of %s", g.ID, g.Source), func(t *tx) error {
		stored, err := scanSegment(t.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE id = $1`, g.ID))
		if err == nil {
			g = stored
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var last int64
		err = t.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM segment WHERE source_kind = $1 AND source_id = $2`, g.Source.Kind, g.Source.ID).Scan(&last)
		if err != nil {
			return err
		}
		if g.Seq == 0 {
			g.Seq = last + 1
		}
		if g.Seq != last+1 {
			return &ward.Error{Kind: ward.Conflict, Code: "segment.seq", ZH: "录像段序号不连续。", EN: fmt.Sprintf("The segment's number is %d, and %d is next.", g.Seq, last+1)}
		}
		if g.Key == "" {
			g.Key = ward.SegmentKey(g.InstitutionID, g.Source, g.Start, g.Seq)
		}
		g.Start, g.End, g.KeepUntil, g.State = at(us(g.Start)), at(us(g.End)), at(us(g.KeepUntil)), ward.Spooled
		g.Leaf, err = t.sealRecord(ctx, "segment", string(g.ID), recordOf(g))
		if err != nil {
			return err
		}
		return t.insertSegment(ctx, g)
	})
	return g, err
}

func (t *tx) insertSegment(ctx context.Context, g ward.Segment) error {
	_, err := t.ExecContext(ctx, `INSERT INTO segment (`+segmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
		g.ID, g.Source.Kind, g.Source.ID, g.InstitutionID, g.Seq, us(g.Start), us(g.End), g.Media.Microseconds(), g.Clock, g.CameraOffset.Microseconds(),
		g.Codec, g.Bytes, g.SHA256[:], g.Key, g.State, flag(g.Repaired), g.Leaf, g.Audio, g.Life, g.Mono.Microseconds(), us(g.KeepUntil), encodeChunks(g.Chunks), g.Origin, g.Sync, g.ClockError.Microseconds(), g.Signature)
	if err == nil && g.Seq%blockSegments == 0 {
		err = t.pack(ctx, g)
	}
	if err == nil {
		err = t.extend(ctx, g)
	}
	return err
}

// recordOf tells g as its sealed record.
func recordOf(g ward.Segment) sealed.Segment {
	return sealed.Segment{
		ID: g.ID, Source: g.Source, InstitutionID: g.InstitutionID, Seq: g.Seq, Start: g.Start, End: g.End, MediaUS: g.Media.Microseconds(),
		Clock: g.Clock, CameraOffsetUS: g.CameraOffset.Microseconds(), Codec: g.Codec, Bytes: g.Bytes,
		SHA256: hex.EncodeToString(g.SHA256[:]), Key: g.Key, Repaired: g.Repaired,
		Audio: g.Audio, Life: g.Life, MonoUS: g.Mono.Microseconds(), KeepUntil: g.KeepUntil, Origin: g.Origin,
		Sync: g.Sync, ClockErrorUS: g.ClockError.Microseconds(), Signature: g.Signature,
	}
}

// Segment returns one segment.
func (s *Store) Segment(ctx context.Context, id ward.SegmentID) (ward.Segment, error) {
	g, err := scanSegment(s.read.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE id = $1`, id))
	return g, segmentRead(err, string(id))
}

// LastSegment returns the segment of src with the highest Seq, or
// ward.NotFound when there is none. What a device gave afterwards does not count.
func (s *Store) LastSegment(ctx context.Context, src ward.Source) (ward.Segment, error) {
	g, err := scanSegment(s.read.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE source_kind = $1 AND source_id = $2 AND origin = $3 ORDER BY seq DESC LIMIT 1`, src.Kind, src.ID, ward.FromStream))
	return g, segmentRead(err, "last of "+src.String())
}

// SegmentStarting returns the segment of src that starts at start, or ward.NotFound.
func (s *Store) SegmentStarting(ctx context.Context, src ward.Source, start time.Time) (ward.Segment, error) {
	g, err := scanSegment(s.read.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE source_kind = $1 AND source_id = $2 AND start_us = $3`, src.Kind, src.ID, us(start)))
	return g, segmentRead(err, fmt.Sprintf("of %s at %s", src, start))
}

func segmentRead(err error, which string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read segment %s: %w", which, missing(err, "segment.unknown", "没有这段录像。", "There is no such recording."))
}

// SpooledSegments returns the segments that wait for upload, oldest first.
func (s *Store) SpooledSegments(ctx context.Context, limit int) ([]ward.Segment, error) {
	return s.SpooledAfter(ctx, ward.Segment{}, limit)
}

// SpooledAfter continues SpooledSegments after the segment last.
func (s *Store) SpooledAfter(ctx context.Context, last ward.Segment, limit int) ([]ward.Segment, error) {
	return listed(ctx, s, "list spooled segments", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE state = 'spooled' AND (start_us, id) > ($1, $2) ORDER BY start_us, id LIMIT $3`, us(last.Start), last.ID, limit)
}

// AllSegments returns the segments after the given id, by id (fsck).
func (s *Store) AllSegments(ctx context.Context, after ward.SegmentID, limit int) ([]ward.Segment, error) {
	return listed(ctx, s, "list all segments", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// MarkArchived records that the object store has the segment and that its
// checksum was re-read. Again is no error. A segment that was given up
// meanwhile is a ward.Conflict ("segment.evicted").
func (s *Store) MarkArchived(ctx context.Context, id ward.SegmentID) error {
	return s.change(ctx, fmt.Sprintf("mark segment %s archived", id), func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE segment SET state = $2 WHERE id = $1 AND state = $3`, id, ward.Archived, ward.Spooled); err != nil {
			return err
		}
		var now ward.SegmentState
		if err := t.QueryRowContext(ctx, `SELECT state FROM segment WHERE id = $1`, id).Scan(&now); err != nil {
			return segmentRead(err, string(id))
		}
		if now == ward.Evicted {
			return &ward.Error{Kind: ward.Conflict, Code: "segment.evicted", ZH: "该录像已因暂存空间已满而被舍弃。", EN: "This recording was given up because the spool was full."}
		}
		return nil
	})
}

func scanSegment(r row) (ward.Segment, error) {
	var g ward.Segment
	var start, end, media, offset, mono, keep, off int64
	var sum, chunks []byte
	var repaired int
	err := r.Scan(&g.ID, &g.Source.Kind, &g.Source.ID, &g.InstitutionID, &g.Seq, &start, &end, &media, &g.Clock, &offset,
		&g.Codec, &g.Bytes, &sum, &g.Key, &g.State, &repaired, &g.Leaf, &g.Audio, &g.Life, &mono, &keep, &chunks, &g.Origin, &g.Sync, &off, &g.Signature)
	if err != nil {
		return ward.Segment{}, err
	}
	g.Start, g.End, g.Repaired = at(start), at(end), repaired == 1
	g.Mono, g.KeepUntil, g.ClockError = time.Duration(mono)*time.Microsecond, at(keep), time.Duration(off)*time.Microsecond
	g.Media, g.CameraOffset = time.Duration(media)*time.Microsecond, time.Duration(offset)*time.Microsecond
	if g.Chunks, err = decodeChunks(chunks); err != nil {
		return ward.Segment{}, fmt.Errorf("segment %s: %w", g.ID, err)
	}
	if copy(g.SHA256[:], sum) != len(g.SHA256) || len(sum) != len(g.SHA256) {
		return ward.Segment{}, fmt.Errorf("segment %s: its hash has %d bytes", g.ID, len(sum))
	}
	return g, nil
}
