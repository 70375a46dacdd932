package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

// MaxStep is how many pictures Frame goes at most.
const MaxStep = 250

// frameReach is how far from a moment Frame and KeyFrame look for a
// recording: over the gap to the one before or after.
const frameReach = 10 * time.Minute

// frameWindow is how much of a recording around a moment is read at first.
const frameWindow = 3 * time.Second

// forever is after every recording.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Frame returns the moment of the picture that is on screen at at, or with a
// step of the one so many pictures later or, when negative, earlier, over the
// ends of recordings. The moment is that of playing and clips.
//
// ward.NotFound "frame.nothing" when there is no such picture within ten
// minutes; ward.Invalid "frame.step" for a step beyond MaxStep.
func (l *Library) Frame(ctx context.Context, inst ward.InstitutionID, src ward.Source, at time.Time, step int) (time.Time, error) {
	if step > MaxStep || step < -MaxStep {
		return at, &ward.Error{Kind: ward.Invalid, Code: "frame.step", ZH: "一次最多跨 250 帧。", EN: "One step is at most 250 pictures."}
	}
	_, places, err := l.locate(ctx, inst, src, at.Add(-frameReach), at.Add(frameReach))
	if err != nil {
		return at, fmt.Errorf("frame of %s: %w", src, err)
	}
	here := showing(places, at)
	places, here = ascending(places, here)
	if here >= 0 {
		// Mostly the pictures around are enough; those at the edges may be incomplete.
		const edge = 8
		walls, err := l.walls(ctx, inst, places[here], at.Add(-frameWindow), at.Add(frameWindow))
		if err != nil {
			return at, fmt.Errorf("frame of %s: %w", src, err)
		}
		if now := onScreen(walls, at); now >= edge && now+step >= edge && max(now, now+step) < len(walls)-edge {
			return walls[now+step], nil
		}
	}
	return l.farFrame(ctx, inst, places, here, at, step)
}

// farFrame is Frame over whole recordings, the one at index here and as many
// around it as the step needs.
func (l *Library) farFrame(ctx context.Context, inst ward.InstitutionID, places []place, here int, at time.Time, step int) (time.Time, error) {
	var walls []time.Time
	now := -1 // in walls
	// Reordered pictures are shown a little after they came: those on screen
	// when a recording starts may be of the one before.
	begin := max(here-1, 0)
	for i := begin; i < len(places) && (i <= here || now < 0 || now+step >= len(walls)); i++ {
		w, err := l.walls(ctx, inst, places[i], time.Time{}, forever)
		if err != nil {
			return at, err
		}
		walls = append(walls, w...)
		now = onScreen(walls, at)
	}
	for i := min(begin, len(places)) - 1; i >= 0 && now+step < 0; i-- {
		w, err := l.walls(ctx, inst, places[i], time.Time{}, forever)
		if err != nil {
			return at, err
		}
		walls, now = append(w, walls...), now+len(w)
	}
	if now < 0 && step > 0 && len(walls) > 0 {
		now = 0 // the picture before at is too far away: the first one is the next
		step--
	}
	if i := now + step; now >= 0 && i >= 0 && i < len(walls) {
		return walls[i], nil
	}
	return at, &ward.Error{Kind: ward.NotFound, Code: "frame.nothing", ZH: "附近没有录像画面。", EN: "There is no recorded picture near that time."}
}

// onScreen is the index of the latest moment that is not after at, or -1.
func onScreen(walls []time.Time, at time.Time) int {
	n := -1
	for i, w := range walls {
		if !w.After(at.Add(pictureSlack)) {
			n = i
		}
	}
	return n
}

// walls returns when the pictures of a recording are shown, in that order, at
// least those of [from, to).
func (l *Library) walls(ctx context.Context, inst ward.InstitutionID, p place, from, to time.Time) ([]time.Time, error) {
	rec, err := l.open(ctx, p)
	if rec == nil || err != nil {
		return nil, err
	}
	defer closeAll([]*recording{rec})
	x, ok, err := rec.indexBetween(inst, from, to)
	if err != nil || !ok {
		return nil, err
	}
	v, ok := x.video()
	if !ok {
		return nil, nil
	}
	var walls []time.Time
	for _, p := range x.pictures(v, rec.clock()) {
		walls = append(walls, p.wall)
	}
	slices.SortFunc(walls, time.Time.Compare)
	return walls, nil
}

// KeyFrame is a recorded picture that a decoder can begin with.
type KeyFrame struct {
	Codec ward.Codec
	At    time.Time
	AU    []byte // Annex B with parameter sets for H.264 and H.265, the raw picture else
}

// KeyFrame returns the key frame that is nearest to at, at most before
// earlier or after later; both are at most ten minutes.
//
// ward.NotFound "frame.nothing" when there is none.
func (l *Library) KeyFrame(ctx context.Context, inst ward.InstitutionID, src ward.Source, at time.Time, before, after time.Duration) (KeyFrame, error) {
	recs, err := l.find(ctx, inst, src, at.Add(-min(before, frameReach)-pictureSlack), at.Add(min(after, frameReach)+pictureSlack))
	if err != nil {
		return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
	}
	defer closeAll(recs)
	var best keyPicture
	for _, rec := range recs {
		x, ok, err := rec.indexBetween(inst, at.Add(-before), at.Add(after))
		if err != nil {
			return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
		}
		v, ok2 := x.videoIf(ok)
		if !ok2 {
			continue
		}
		for _, p := range x.pictures(v, rec.clock()) {
			off := p.wall.Sub(at)
			if p.key && off >= -before-pictureSlack && off <= after+pictureSlack && (best.rec == nil || off.Abs() < best.wall.Sub(at).Abs()) {
				best = keyPicture{p, rec, v, x.header.Codec}
			}
		}
	}
	return best.read(src)
}

// KeyFrameBefore returns the latest key frame that is not after at, at most
// ten minutes before it, and reads little more than it.
//
// ward.NotFound "frame.nothing" when there is none.
func (l *Library) KeyFrameBefore(ctx context.Context, inst ward.InstitutionID, src ward.Source, at time.Time) (KeyFrame, error) {
	_, places, err := l.locate(ctx, inst, src, at.Add(-frameReach), at.Add(pictureSlack))
	if err != nil {
		return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
	}
	slices.SortStableFunc(places, func(a, b place) int { return a.start().Compare(b.start()) })
	for _, p := range slices.Backward(places) {
		rec, err := l.open(ctx, p)
		if err != nil {
			return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
		}
		if rec == nil {
			continue
		}
		k, ok, err := rec.keyBefore(inst, at)
		if err == nil && ok {
			f, err := k.read(src)
			closeAll([]*recording{rec})
			return f, err
		}
		closeAll([]*recording{rec})
		if err != nil {
			return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
		}
	}
	return keyPicture{}.read(src)
}

// keyPicture is a key frame in a recording.
type keyPicture struct {
	picture

	rec   *recording // nil: there is none
	track indexedTrack
	codec ward.Codec
}

// keyBefore finds the latest key frame that is not after at; with chunks it
// reads the fragment that begins with it and nothing else.
func (r *recording) keyBefore(inst ward.InstitutionID, at time.Time) (k keyPicture, ok bool, err error) {
	c, begin, end := r.clock(), int64(0), r.size
	for _, chunk := range r.segment.Chunks {
		if begin > 0 && r.start().Add(c.after(chunk.At)).After(at.Add(pictureSlack)) {
			break
		}
		begin, end = chunk.Offset, chunk.Offset+1
	}
	x, ok, err := r.indexOf(inst, begin, end)
	v, ok := x.videoIf(ok)
	if err != nil || !ok {
		return k, false, err
	}
	for _, p := range x.pictures(v, c) {
		// A chunk's picture may be shown a little after it is decoded.
		if p.key && (k.rec == nil || !p.wall.After(at.Add(pictureSlack))) {
			k = keyPicture{p, r, v, x.header.Codec}
		}
	}
	return k, k.rec != nil && k.wall.Before(at.Add(time.Second)), nil
}

// videoIf is video of an index that may not be there.
func (x *index) videoIf(ok bool) (indexedTrack, bool) {
	if !ok {
		return indexedTrack{}, false
	}
	return x.video()
}

func (k keyPicture) read(src ward.Source) (KeyFrame, error) {
	if k.rec == nil {
		return KeyFrame{}, &ward.Error{Kind: ward.NotFound, Code: "frame.nothing", ZH: "附近没有录像画面。", EN: "There is no recorded picture near that time."}
	}
	b := make([]byte, k.size)
	if _, err := k.rec.ReadAt(b, k.offset); err != nil {
		return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
	}
	au, err := k.track.annexB(k.codec, b)
	if err != nil {
		return KeyFrame{}, fmt.Errorf("key frame of %s: %w", src, err)
	}
	return KeyFrame{Codec: k.codec, At: k.wall, AU: au}, nil
}

// annexB turns a key frame as it is in a file into one that a decoder begins with.
func (t indexedTrack) annexB(codec ward.Codec, b []byte) ([]byte, error) {
	if codec != ward.H264 && codec != ward.H265 {
		return b, nil
	}
	var nalus h264.AVCC // four-byte lengths, in H.265 too
	if err := nalus.Unmarshal(b); err != nil {
		return nil, err
	}
	// What the picture brings itself comes last and counts.
	return AnnexB(append(t.parameterSets(), nalus...)), nil
}
