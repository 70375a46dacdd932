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
	// Overlaps are the times that are there more than once, because the
	// server's clock was set back; what was recorded first plays first.
	Overlaps []Stretch
	Covered
}

// Timeline returns the rows of src that touch [from, to), as far as they are
// inst's, and their sums.
// What was recorded within about the last second is not on the disk yet.
func (l *Library) Timeline(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (Timeline, error) {
	var tl Timeline
	rows, places, err := l.locate(ctx, inst, src, from, to)
	if err != nil {
		return tl, fmt.Errorf("timeline of %s: %w", src, err)
	}
	tl.Segments = rows
	for _, p := range places {
		if p.segment.ID != "" {
			continue
		}
		g, ok, err := l.unfinished(inst, p)
		if err != nil {
			return tl, fmt.Errorf("timeline of %s: %w", src, err)
		}
		if ok && g.End.After(from) {
			tl.Live = append(tl.Live, g)
		}
	}
	if tl.Gaps, err = l.gaps(ctx, inst, src, from, to); err != nil {
		return tl, fmt.Errorf("timeline of %s: %w", src, err)
	}
	all := make([]ward.Segment, 0, len(tl.Segments)+len(tl.Live))
	all = append(append(all, tl.Segments...), tl.Live...)
	tl.Covered = Cover(all, tl.Gaps, from, to)
	tl.Overlaps = overlaps(stretchesOf(all))
	return tl, nil
}

// unfinished describes a recording without a row as far as it is on the
// disk. ok is false when there is nothing of inst's in it.
func (l *Library) unfinished(inst ward.InstitutionID, p place) (g ward.Segment, ok bool, err error) {
	rec, err := l.live(p.entry)
	if rec == nil || err != nil {
		return g, false, err
	}
	defer closeAll([]*recording{rec})
	x, ok, err := rec.index(inst)
	if err != nil || !ok || len(x.parts) == 0 {
		return g, false, err
	}
	end, media := x.end()
	return ward.Segment{
		Source: rec.entry.Source, InstitutionID: x.header.InstitutionID, Start: rec.start(), End: end, Media: media,
		Clock: x.header.Clock, CameraOffset: x.header.CameraOffset, Codec: x.header.Codec, Audio: x.sound(), Bytes: x.size, Chunks: x.chunks(), Origin: x.header.Origin,
	}, true, nil
}

// gaps returns inst's gaps of src that touch [from, to).
func (l *Library) gaps(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) ([]ward.Gap, error) {
	all, err := l.Store.GapsBetween(ctx, src, from, to)
	return slices.DeleteFunc(all, func(g ward.Gap) bool { return g.InstitutionID != inst }), err
}
