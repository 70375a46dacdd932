package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

// RecordedPicture is one picture of a recording as a decoder takes it.
type RecordedPicture struct {
	KeyFrame // of any kind in spite of the name

	Key bool
}

// Pictures hands to f every recorded picture of src in [from, to), in the
// order of decoding, until f returns an error.
func (l *Library) Pictures(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time, f func(RecordedPicture) error) error {
	recs, err := l.find(ctx, inst, src, from, to)
	if err != nil {
		return fmt.Errorf("pictures of %s: %w", src, err)
	}
	defer closeAll(recs)
	for _, rec := range recs {
		x, ok, err := rec.index(inst)
		if err != nil {
			return fmt.Errorf("pictures of %s: %w", src, err)
		}
		v, ok := x.videoIf(ok)
		if !ok {
			continue
		}
		for _, p := range x.pictures(v, rec.clock()) {
			if p.wall.Before(from) || !p.wall.Before(to) {
				continue
			}
			pic, err := recorded(keyPicture{p, rec, v, x.header.Codec}, src)
			if err == nil {
				err = f(pic)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// PicturesOf hands to f every picture of a segment in the order of decoding,
// with when and how long it is shown, in 1/90000 s from the segment's first,
// until f returns an error.
func (l *Library) PicturesOf(ctx context.Context, g ward.Segment, f func(p RecordedPicture, shown, lasts int64) error) error {
	rec, err := l.open(ctx, place{segment: g})
	if err != nil {
		return fmt.Errorf("pictures of recording %s: %w", g.ID, err)
	}
	defer closeAll([]*recording{rec})
	x, ok, err := rec.index(g.InstitutionID)
	if err != nil {
		return fmt.Errorf("pictures of recording %s: %w", g.ID, err)
	}
	v, ok := x.videoIf(ok)
	if !ok {
		return nil
	}
	all := x.pictures(v, rec.clock())
	first, ok := nextShown(all, math.MinInt64)
	if !ok {
		return nil
	}
	scaled := func(ticks int64) int64 { return ticks * 90000 / int64(v.timescale) }
	for _, p := range all {
		pic, err := recorded(keyPicture{p, rec, v, x.header.Codec}, g.Source)
		if err == nil {
			err = f(pic, scaled(p.shown()-first.shown()), scaled(int64(p.duration)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func recorded(k keyPicture, src ward.Source) (RecordedPicture, error) {
	frame, err := k.read(src)
	if err != nil || k.key || k.codec != ward.H264 {
		return RecordedPicture{KeyFrame: frame, Key: k.key}, err
	}
	b := make([]byte, k.size)
	if _, err := k.rec.ReadAt(b, k.offset); err != nil {
		return RecordedPicture{}, fmt.Errorf("picture of %s: %w", src, err)
	}
	var nalus h264.AVCC
	if err := nalus.Unmarshal(b); err != nil {
		return RecordedPicture{}, fmt.Errorf("picture of %s: %w", src, err)
	}
	frame.AU = AnnexB(nalus)
	return RecordedPicture{KeyFrame: frame}, nil
}

// Sums is the SHA-256 of every committed segment of src in [from, to), of
// the bytes as they are stored now.
func (l *Library) Sums(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (map[ward.SegmentID][32]byte, error) {
	recs, err := l.find(ctx, inst, src, from, to)
	if err != nil {
		return nil, fmt.Errorf("hash recordings of %s: %w", src, err)
	}
	defer closeAll(recs)
	sums := map[ward.SegmentID][32]byte{}
	for _, rec := range recs {
		if rec.segment.ID == "" {
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(rec, 0, rec.size)); err != nil {
			return nil, fmt.Errorf("hash recording %s: %w", rec.segment.ID, err)
		}
		sums[rec.segment.ID] = [32]byte(h.Sum(nil))
	}
	return sums, nil
}
