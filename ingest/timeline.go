package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// Timeline is what was recorded of a source in a stretch, and what was not.
type Timeline struct {
	Segments []ward.Segment
	// Live are recordings without a row: the one being written, and one about
	// to be committed. Their State is empty and End is what is on the disk.
	Live []ward.Segment
	Gaps []ward.Gap
	Covered
}

// Timeline returns the rows of src that touch [from, to), as far as they are
// inst's, and their sums.
// What was recorded within about the last second is not on the disk yet.
func (l *Library) Timeline(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (Timeline, error) {
	var tl Timeline
	recs, err := l.find(ctx, inst, src, from, to)
	if err != nil {
		return tl, fmt.Errorf("timeline of %s: %w", src, err)
	}
	defer closeAll(recs)
	for _, rec := range recs {
		if rec.segment.ID != "" {
			continue
		}
		x, ok, err := rec.index(inst)
		if err != nil {
			return tl, fmt.Errorf("timeline of %s: %w", src, err)
		}
		if !ok || len(x.parts) == 0 {
			continue
		}
		end, media := x.end()
		if end.After(from) {
			tl.Live = append(tl.Live, ward.Segment{
				Source: src, InstitutionID: x.header.InstitutionID, Start: rec.start, End: end, Media: media,
				Clock: x.header.Clock, CameraOffset: x.header.CameraOffset, Codec: x.header.Codec, Bytes: x.size,
			})
		}
	}
	if tl.Segments, err = l.Store.SegmentsBetween(ctx, src, from, to); err != nil {
		return tl, fmt.Errorf("timeline of %s: %w", src, err)
	}
	tl.Segments = slices.DeleteFunc(tl.Segments, func(g ward.Segment) bool { return g.InstitutionID != inst })
	if tl.Gaps, err = l.gaps(ctx, inst, src, from, to); err != nil {
		return tl, fmt.Errorf("timeline of %s: %w", src, err)
	}
	all := make([]ward.Segment, 0, len(tl.Segments)+len(tl.Live))
	tl.Covered = Cover(append(append(all, tl.Segments...), tl.Live...), tl.Gaps, from, to)
	return tl, nil
}

// gaps returns inst's gaps of src that touch [from, to).
func (l *Library) gaps(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) ([]ward.Gap, error) {
	all, err := l.Store.GapsBetween(ctx, src, from, to)
	return slices.DeleteFunc(all, func(g ward.Gap) bool { return g.InstitutionID != inst }), err
}
