package evidence

import (
	"context"
	"maps"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// CauseUnknown is a stretch for which neither a segment nor a gap is noted.
const CauseUnknown ward.Cause = "unknown"

// recordings fills the manifest's Recordings, Institution and ModelIDs.
func (d *draft) recordings(ctx context.Context, items []ward.Evidence) error {
	leads, err := d.leads(ctx, items)
	if err != nil {
		return err
	}
	names, err := d.Store.NamesOf(ctx, d.m.Case.InstitutionID, ward.Source{})
	if err != nil {
		return err
	}
	d.m.Institution = names.Institution
	for _, l := range leads {
		d.m.ModelIDs = append(d.m.ModelIDs, l.ModelIDs...)
		if l.From.IsZero() {
			continue
		}
		rec, err := d.recording(ctx, l)
		if err != nil {
			return err
		}
		d.m.Recordings = append(d.m.Recordings, rec)
	}
	slices.Sort(d.m.ModelIDs)
	d.m.ModelIDs = slices.Compact(d.m.ModelIDs)
	return d.devices(ctx)
}

// devices fills the manifest's Devices, and adds their sealed records.
func (d *draft) devices(ctx context.Context) error {
	cameras := map[string]bool{}
	seen := func(s ward.Source) {
		if s.Kind == ward.FromCamera {
			cameras[s.ID] = true
		}
	}
	for _, r := range d.m.Recordings {
		seen(r.Source)
	}
	for _, it := range d.m.Items {
		if it.Segment != nil {
			seen(it.Segment.Source)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(cameras)) {
		all, err := d.Store.CameraDevices(ctx, ward.CameraID(id))
		if err != nil {
			return err
		}
		for _, v := range all {
			r, err := d.Store.Sealed(ctx, v.Leaf)
			if err != nil {
				return err
			}
			d.record(r)
			d.m.Devices = append(d.m.Devices, v)
		}
	}
	return nil
}

func (d *draft) recording(ctx context.Context, l storage.Lead) (pack.Recording, error) {
	rec := pack.Recording{Source: l.Source, From: l.From, To: l.To}
	names, err := d.Store.NamesOf(ctx, l.InstitutionID, l.Source)
	if err != nil {
		return rec, err
	}
	rec.Place, rec.Camera, rec.Stream = names.Place, names.Camera, names.Stream
	segs, err := d.Store.SegmentsBetween(ctx, l.Source, l.From, l.To)
	if err != nil {
		return rec, err
	}
	gaps, err := d.Store.GapsBetween(ctx, l.Source, l.From, l.To)
	if err != nil {
		return rec, err
	}
	rec.Recorded, rec.Filled, rec.Gaps = cover(l.From, l.To, segs, gaps)
	return rec, nil
}

// cover says how many seconds of [from, to) were recorded as they happened,
// where and why none were, and how many seconds of that the device gave
// afterwards.
func cover(from, to time.Time, segs []ward.Segment, gaps []ward.Gap) (recorded, filled float64, without []pack.GapSpan) {
	spans := []pack.GapSpan{}
	type span struct{ from, to time.Time }
	var known, given []span
	clipped := func(f, t time.Time) (span, bool) {
		if f.Before(from) {
			f = from
		}
		if t.IsZero() || t.After(to) {
			t = to
		}
		return span{f, t}, f.Before(t)
	}
	for _, g := range segs {
		switch s, ok := clipped(g.Start, g.End); {
		case ok && g.Origin == ward.FromDevice:
			given = append(given, s)
		case ok:
			recorded += s.to.Sub(s.from).Seconds()
			known = append(known, s)
		}
	}
	for _, g := range gaps {
		if s, ok := clipped(g.From, g.To); ok {
			spans = append(spans, pack.GapSpan{From: s.from, To: s.to, Cause: g.Cause})
			known = append(known, s)
		}
	}
	slices.SortFunc(known, func(a, b span) int { return a.from.Compare(b.from) })
	at := from
	for _, s := range append(known, span{to, to}) {
		// Neighbouring segments may be dated a few milliseconds apart.
		if s.from.Sub(at) > 50*time.Millisecond {
			spans = append(spans, pack.GapSpan{From: at, To: s.from, Cause: CauseUnknown})
		}
		if s.to.After(at) {
			at = s.to
		}
	}
	slices.SortStableFunc(spans, func(a, b pack.GapSpan) int { return a.From.Compare(b.From) })
	slices.SortFunc(given, func(a, b span) int { return a.from.Compare(b.from) })
	at = from
	for _, s := range given {
		for _, g := range spans {
			f, t := s.from, s.to
			for _, begin := range []time.Time{g.From, at} { // no moment counts twice
				if begin.After(f) {
					f = begin
				}
			}
			if g.To.Before(t) {
				t = g.To
			}
			if f.Before(t) {
				filled, at = filled+t.Sub(f).Seconds(), t
			}
		}
	}
	return recorded, filled, spans
}
