package ingest

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"wardwatch/ward"
)

// recodeWait is how long a piece waits for a transcoder: those of other
// pieces are free after a second or two.
const recodeWait = 8 * time.Second

// recoding is one part of a piece that is being coded again.
type recoding struct {
	lib         *Library
	rec         *recording
	of          piece // whose bytes, and which time of it
	clock       mediaClock
	init        bool
	first, last bool // part of the piece

	index *index
	video indexedTrack
	feed  []picture // for the decoder: those that are wanted, and what they need
	begin int64     // media time of the first picture that is wanted
	end   int64     // media time at which the last one ends
}

// run returns the part, or the init segment.
func (r *recoding) run(ctx context.Context, inst ward.InstitutionID, o beginning) ([]byte, error) {
	to := min(r.of.to+1, r.rec.size) // with the fragment after it
	if r.init {
		to = r.of.from + 1 // the first one is enough
	}
	x, ok, err := r.rec.indexOf(inst, r.of.from, to)
	if err != nil {
		return nil, err
	}
	v, ok := x.videoIf(ok)
	if !ok || x.header.Codec != ward.H265 && x.header.Codec != ward.MJPEG {
		return nil, pieceUnknown()
	}
	r.index, r.video = x, v
	r.choose()
	if r.init {
		r.feed = r.feed[:min(len(r.feed), 1)]
	} else {
		r.narrow()
	}
	wait, err := r.wait(inst, o)
	if err != nil {
		return nil, err
	}
	for {
		b, err := r.inTurn(ctx, o, wait)
		if !errors.Is(err, errYielded) {
			return b, err
		}
	}
}

// inTurn codes and writes while it has a transcoder; the memory that it takes
// is bounded by how many may. The error is errYielded when that is taken away.
func (r *recoding) inTurn(ctx context.Context, o beginning, wait int64) ([]byte, error) {
	ctx, free, err := r.lib.Transcodes.forPiece(ctx, recodeWait)
	if err != nil {
		return nil, err
	}
	defer free()
	coded, err := r.pictures(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	if r.init {
		return withH264(o.init, r.video, coded[0])
	}
	return r.fragment(coded, wait)
}

// wait is how long after it is decoded the recording's first picture is shown.
// The coded ones, which are sent in the order of showing, all wait so long:
// they are then shown when they were, and pieces follow each other.
func (r *recoding) wait(inst ward.InstitutionID, o beginning) (int64, error) {
	x, _, err := r.rec.indexOf(inst, o.size, o.size+1)
	if err != nil {
		return 0, err
	}
	for _, p := range x.pictures(r.video, r.clock) {
		return r.clock.scaled(p.shown()) - r.clock.scaled(p.dts), nil
	}
	return 0, nil
}

// choose finds the pictures of the piece: those from its key frame on, as they
// are shown, until the next piece's. Pictures that are shown before a key
// frame and sent after it are decoded by means of those before it, so they
// belong to the piece before.
func (r *recoding) choose() {
	r.begin = math.MinInt64
	var key, next *picture
	for _, p := range r.index.pictures(r.video, r.clock) {
		switch {
		case p.offset < r.of.to && key == nil:
			if !p.key {
				continue
			}
			key = &p
		case p.offset < r.of.to && p.shown() < key.shown():
			continue
		case p.offset >= r.of.to && next == nil:
			if key == nil || !p.key {
				return
			}
			next, r.end = &p, p.shown()
		case next != nil && p.shown() > next.shown():
			return
		}
		r.feed = append(r.feed, p)
		if next == nil {
			r.end = max(r.end, p.shown()+int64(p.duration))
		}
	}
}

// narrow leaves what the part shows, as its piece is cut, and what that needs
// to be decoded, from a key frame on.
func (r *recoding) narrow() {
	if !r.first {
		r.begin = r.ticks(r.of.at)
		if key := lastKey(r.feed, r.begin); key > 0 {
			r.feed = r.feed[key:]
		}
	}
	if next, ok := nextShown(r.feed, r.ticks(r.of.end)-1); ok && !r.last {
		r.end = next.shown()
		r.feed = slices.DeleteFunc(r.feed, func(p picture) bool { return p.dts >= r.end })
	}
}

// lastKey is where the last key frame is that is shown at t at the latest.
func lastKey(all []picture, t int64) int {
	at := 0
	for i, p := range all {
		if p.key && p.shown() <= t {
			at = i
		}
	}
	return at
}

// wants says whether the part shows a picture of feed.
func (r *recoding) wants(p picture) bool {
	return p.shown() >= r.begin && (p.shown() < r.end || r.last && p.offset < r.of.to)
}

// ticks is a time of the recording as media time.
func (r *recoding) ticks(d time.Duration) int64 {
	return int64(d) / int64(time.Microsecond) * int64(r.video.timescale) / int64(time.Second/time.Microsecond)
}

// pts is a media time in 1/90000 s.
func (r *recoding) pts(t int64) int64 { return t * 90000 / int64(r.video.timescale) }
