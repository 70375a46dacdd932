package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"wardwatch/ward"
)

// MaxClip is the longest clip.
const MaxClip = 10 * time.Minute

// maxClipBytes bounds a clip: an MP4 with 32-bit offsets holds 4 GB.
const maxClipBytes = 1 << 30

// maxHole is how much two recordings may be apart and still count as one
// stretch: the jitter of arrival.
const maxHole = 200 * time.Millisecond

// ClipInfo says what is in a clip.
type ClipInfo struct {
	From     time.Time // of the first picture that is shown: on screen at the wanted beginning where that is recorded
	To       time.Time // end of the last picture that is shown
	Complete bool      // nothing is missing between the wanted beginning and end
	Missing  []Stretch // what is not in the clip, within the wanted stretch
	Overlap  bool      // a moment is in it twice: the server's clock was set back, and what was recorded first comes first
	// Filled is how much of what is shown the device had stored itself and gave
	// afterwards: it fills gaps, and was not recorded as it happened.
	Filled   time.Duration
	Segments []ward.SegmentID
	Codec    ward.Codec
}

// Stretch is a time without recording. Cause is empty where it is not known
// (yet): the future, or what was recorded last and is not on the disk.
type Stretch struct {
	From, To time.Time
	Cause    ward.Cause
}

// ClipPlan is a clip that can be read: what is in it, and where its bytes
// are. It holds no files open and stays readable while the recordings are;
// they may move to the object store meanwhile.
type ClipPlan struct {
	ClipInfo

	Size   int64 // bytes
	inst   ward.InstitutionID
	src    ward.Source
	head   []byte    // ftyp, moov, and the beginning of mdat
	runs   []clipRun // in the order of the file
	places []place
}

// PlanClip cuts a progressive MP4 (moov first, seekable) that shows what was
// recorded of src in [from, to) while it was inst's, exact to the picture: it
// begins with the one that was on screen at from (or came up less than a
// millisecond later: times are told in milliseconds) and ends with the last
// one before to. Nothing is coded again: what the first picture needs to be
// decoded, from the key frame before it on, is in the file and is left out of
// the presentation by an edit list. New parameters begin a new sample
// description. Stretches that are missing are left out, so that the pictures
// around them follow each other; ClipInfo lists them, and what has another
// coding than the beginning. When to is in the future the clip ends with what
// is on the disk.
//
// Errors: ward.Invalid "clip.too_long" or "clip.range"; ward.NotFound
// "clip.nothing" when nothing of the stretch is recorded.
func (l *Library) PlanClip(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (*ClipPlan, error) {
	switch {
	case !from.Before(to):
		return nil, &ward.Error{Kind: ward.Invalid, Code: "clip.range", ZH: "片段的结束时间应晚于开始时间。", EN: "A clip must end after it begins."}
	case to.Sub(from) > MaxClip:
		return nil, tooLong()
	}
	recs, err := l.find(ctx, inst, src, from, to)
	if err != nil {
		return nil, fmt.Errorf("clip of %s: %w", src, err)
	}
	defer closeAll(recs)
	var info ClipInfo
	var c clip
	for _, rec := range recs {
		x, ok, err := rec.indexBetween(inst, from, to)
		if err != nil {
			return nil, fmt.Errorf("clip of %s: %w", src, err)
		}
		if ok && c.add(x, rec, from, to) && rec.segment.ID != "" {
			info.Segments = append(info.Segments, rec.segment.ID)
		}
	}
	if len(c.video.samples) == 0 {
		return nil, &ward.Error{Kind: ward.NotFound, Code: "clip.nothing", ZH: "这段时间没有录像。", EN: "Nothing was recorded at that time."}
	}
	if c.video.bytes+c.audio.bytes > maxClipBytes {
		return nil, tooLong()
	}
	gaps, err := l.gaps(ctx, inst, src, from, to)
	if err != nil {
		return nil, fmt.Errorf("clip of %s: %w", src, err)
	}
	have := slices.SortedFunc(slices.Values(c.stretches), func(a, b Stretch) int { return a.From.Compare(b.From) })
	info.Codec, info.Overlap = c.codec, len(overlaps(have)) > 0
	info.From, info.To = have[0].From, have[0].To
	for _, h := range have {
		info.To = later(info.To, h.To)
	}
	info.Filled = lengthWithin(c.given, from, to)
	info.Missing = missingOf(have, gaps, from, to)
	info.Complete = len(info.Missing) == 0
	p := &ClipPlan{ClipInfo: info, inst: inst, src: src}
	return p, c.lay(p)
}

// Clip writes the clip that PlanClip plans. Its errors are returned before
// the first byte is written.
func (l *Library) Clip(ctx context.Context, w io.Writer, inst ward.InstitutionID, src ward.Source, from, to time.Time) (info ClipInfo, err error) {
	p, err := l.PlanClip(ctx, inst, src, from, to)
	if err != nil {
		return info, err
	}
	r := l.ReadClip(ctx, p)
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := io.Copy(w, r); err != nil {
		return p.ClipInfo, fmt.Errorf("write clip: %w", err)
	}
	return p.ClipInfo, nil
}

func tooLong() error {
	return &ward.Error{Kind: ward.Invalid, Code: "clip.too_long", ZH: "片段最长 10 分钟、最大 1 GB，请分段下载。", EN: "A clip is at most 10 minutes long and 1 GB large; take it in parts."}
}

// missingOf returns what is not covered, with the causes of the gaps there.
func missingOf(have []Stretch, gaps []ward.Gap, from, to time.Time) []Stretch {
	var missing []Stretch
	at := from
	for _, h := range append(have, Stretch{From: to, To: to}) {
		if h.From.Sub(at) > maxHole {
			missing = append(missing, Stretch{From: at, To: h.From})
		}
		if h.To.After(at) {
			at = h.To
		}
	}
	for i, m := range missing {
		for _, g := range gaps {
			if g.From.Before(m.To) && (g.To.IsZero() || g.To.After(m.From)) {
				missing[i].Cause = g.Cause
			}
		}
	}
	for _, g := range gaps {
		if g.Cause == ward.CauseLoss || g.Cause == ward.CauseSlow { // inside a recording
			missing = append(missing, Stretch{From: later(g.From, from), To: earlier(g.To, to), Cause: g.Cause})
		}
	}
	return missing
}

// lengthWithin is how much of [from, to) the stretches have, each moment once.
func lengthWithin(all []Stretch, from, to time.Time) (sum time.Duration) {
	slices.SortFunc(all, func(a, b Stretch) int { return a.From.Compare(b.From) })
	for _, s := range all {
		if f, t := later(s.From, from), earlier(s.To, to); f.Before(t) {
			sum += t.Sub(f)
			from = t
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
