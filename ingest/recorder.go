package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// recorderDepth is how many units the recorder may fall behind: 20 s of
	// 25 pictures and 50 audio packets a second.
	recorderDepth = 1500
	// DefaultSegmentSeconds is used when a recorder has no SegmentSeconds.
	DefaultSegmentSeconds = 60
	// maxLengths is how many times its wanted length a segment may last while
	// no key frame comes.
	maxLengths = 10
	// cutBytes is the size from which a segment ends at the next key frame, and
	// maxBytes the one at which it ends without.
	cutBytes = 1 << 30
	maxBytes = 2 * cutBytes
)

// Recorder writes one stream to the spool until the stream closes or ctx
// ends: fragments of 1 s, segments that begin with a key frame. A finished
// segment is durable and committed before it is announced.
type Recorder struct {
	Store          *storage.Store
	Spool          *spool.Spool
	SegmentSeconds int // wanted length of a segment; 0 means DefaultSegmentSeconds
	Log            *slog.Logger
	// OnSegment, when set, is called after each segment is committed, in the
	// recorder's own goroutines; it must not block.
	OnSegment func(ward.Segment)

	noKey    func()    // called when no key frame comes; may be nil
	clerk    *clerk    // nil: the recorder has its own
	coverage *coverage // nil: the recorder has its own, from the start of Run
	stats    *counters // nil: not counted

	tracks []Track
	file   *segmentFile
	over   *overlap // the file before, while sound for it may still come
	seq    int64
	lost   ward.Cause // why pictures are damaged since lostAt, until a key frame
	lostAt time.Time
	prev   time.Time // when the last picture written ends
}

// Run records. It returns nil when the stream closed or ctx ended; by then
// what was recorded is finished, and committed unless the catalogue could
// not be reached (Recover commits it at the next start).
func (r *Recorder) Run(ctx context.Context, s *Stream) error {
	if _, ok := s.Video(); !ok {
		return &ward.Error{Kind: ward.Invalid, Code: "ingest.no_video", ZH: "没有可录制的视频。", EN: "There is no video that can be recorded."}
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.clerk == nil {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r.clerk = newClerk(r.Log)
		var wg sync.WaitGroup
		wg.Go(func() { r.clerk.Run(own) })
		defer func() {
			stop()
			wg.Wait()
			r.clerk = nil
		}()
	}
	if r.coverage == nil {
		r.coverage = &coverage{store: r.Store, clerk: r.clerk, src: s.Source(), inst: s.Institution()}
		r.coverage.missing(ward.CauseConnecting, time.Now())
		defer func() {
			r.coverage.recorded(time.Now()) // a closed source is not expected any more
			r.coverage = nil
		}()
	}
	last, err := r.Store.LastSegment(ctx, s.Source())
	if err != nil && ward.KindOf(err) != ward.NotFound {
		r.Log.WarnContext(ctx, "number of the last segment not read", "source", s.Source().String(), "error", err)
	}
	r.seq = last.Seq
	rd := s.Subscribe(recorderDepth, true)
	defer rd.Close()
	defer func() {
		if r.stats != nil {
			r.stats.dropped.Add(rd.Dropped())
		}
	}()
	return r.loop(ctx, s, rd)
}

func (r *Recorder) loop(ctx context.Context, s *Stream, rd *Reader) error {
	for {
		u, err := rd.Next(ctx)
		if err != nil {
			r.stop(s)
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil //nolint:nilerr // the orderly end
			}
			return fmt.Errorf("read stream %s: %w", s.Source(), err)
		}
		r.take(s, u)
	}
}

// take records one unit.
func (r *Recorder) take(s *Stream, u Unit) {
	if r.tracks == nil {
		r.tracks = s.Tracks()
	}
	video, _ := videoOf(r.tracks)
	if u.Track == video.ID {
		r.damage(u)
		if u.Key {
			r.cut(s, video, u)
		} else if r.endless(u) {
			r.finish(s, u.Arrived, u.DTS)
			r.mend(u.Arrived)
			r.coverage.missing(ward.CauseCodec, u.Arrived)
			if r.noKey != nil {
				r.noKey()
			}
		}
	}
	if r.late(s, u) || r.file == nil {
		return
	}
	err := r.file.add(u)
	if err == nil && r.file.due(u) {
		err = r.file.flush()
	}
	if err != nil {
		r.fail(s, err)
		return
	}
	if u.Track == video.ID {
		r.prev = u.Arrived
	}
}

// damage accounts for pictures lost before u, and until the next key frame.
func (r *Recorder) damage(u Unit) {
	if r.file == nil {
		r.lost = ""
		return
	}
	if u.Lost != "" && r.lost == "" {
		r.lost, r.lostAt = u.Lost, r.prev
	}
	if u.Key {
		r.mend(u.Arrived)
	}
}

func (r *Recorder) mend(at time.Time) {
	if r.lost != "" {
		r.coverage.damaged(r.lost, r.lostAt, at)
		r.lost = ""
	}
}

// cut begins a segment with the key frame u: the first one, the next one
// when the wanted length is reached, or one after the parameter sets changed.
func (r *Recorder) cut(s *Stream, video Track, u Unit) {
	changed := video.adopt(u.AU)
	if changed {
		r.tracks = replaced(r.tracks, video)
	}
	if r.file != nil {
		if !changed && u.Arrived.Sub(r.file.start) < r.length() && r.file.file.Size < cutBytes {
			return
		}
		r.finish(s, u.Arrived, u.DTS)
	}
	r.begin(s, u)
}

func (r *Recorder) length() time.Duration {
	if r.SegmentSeconds <= 0 {
		return DefaultSegmentSeconds * time.Second
	}
	return time.Duration(r.SegmentSeconds) * time.Second
}

// endless says whether the segment must end before u though u is no key
// frame. What follows cannot be recorded until one comes, since a segment
// that begins otherwise could not be shown: a gap with cause codec.
func (r *Recorder) endless(u Unit) bool {
	return r.file != nil && (u.Arrived.Sub(r.file.start) >= maxLengths*r.length() || r.file.file.Size >= maxBytes)
}

func replaced(tracks []Track, t Track) []Track {
	all := make([]Track, 0, len(tracks))
	for _, old := range tracks {
		if old.ID == t.ID {
			old = t
		}
		all = append(all, old)
	}
	return all
}

func (r *Recorder) begin(s *Stream, u Unit) {
	video, _ := videoOf(r.tracks)
	clock, offset := s.Clock()
	h := header{V: 1, Source: s.Source(), InstitutionID: s.Institution(), Codec: video.Codec, Clock: clock, CameraOffset: offset}
	f, err := beginSegment(r.Spool, h, r.tracks, u, r.seq+1)
	if err != nil {
		r.Log.Error("recording not begun", "source", s.Source().String(), "error", err)
		cause := ward.CauseDisk
		if errors.Is(err, errTracks) {
			cause = ward.CauseCodec
		}
		r.coverage.missing(cause, u.Arrived)
		return
	}
	r.seq++
	r.file, r.prev = f, u.Arrived
	r.coverage.recorded(f.start)
}

// fail ends the file at what is on the disk; recording begins again with the
// next key frame for which there is room.
func (r *Recorder) fail(s *Stream, err error) {
	r.close(s)
	r.Log.Error("recording not written", "source", s.Source().String(), "error", err)
	f := r.file
	r.file = nil
	r.mend(f.born)
	r.commit(s, f, f.born)
	r.coverage.missing(ward.CauseDisk, f.born)
}

// stop ends the file with the last picture; why is for the caller to say.
func (r *Recorder) stop(s *Stream) {
	r.close(s)
	if r.file == nil {
		return
	}
	f := r.file
	r.file = nil
	end, err := f.end(time.Time{}, 0)
	if now := time.Now(); end.After(now) {
		end = now
	}
	r.mend(end)
	r.commit(s, f, end)
	r.coverage.stopped(end)
	if err != nil {
		r.Log.Error("recording not written", "source", s.Source().String(), "error", err)
		r.coverage.missing(ward.CauseDisk, end)
	}
}

// commit makes the file durable and then its row.
func (r *Recorder) commit(s *Stream, f *segmentFile, end time.Time) {
	clock, offset := s.Clock()
	video := f.video
	g := ward.Segment{
		ID: ward.NewID[ward.SegmentID](f.start), Source: s.Source(), InstitutionID: s.Institution(), Start: f.start, End: end,
		Media: video.span(f.media), Clock: clock, CameraOffset: offset, Codec: video.Codec, Bytes: f.file.Size,
	}
	if f.media == 0 {
		r.clerk.add("discard empty file", func(context.Context) error { return f.file.Discard() })
		r.coverage.damaged(ward.CauseDisk, f.start, end)
		return
	}
	finished := false
	announce := r.OnSegment
	r.clerk.add("commit segment", func(ctx context.Context) error {
		if !finished {
			sum, err := f.file.Finish()
			if err != nil {
				r.Log.ErrorContext(ctx, "recording abandoned", "source", g.Source.String(), "error", errors.Join(err, f.file.Discard()))
				return r.Store.AddGap(ctx, ward.Gap{Source: g.Source, InstitutionID: g.InstitutionID, From: g.Start, To: g.End, Cause: ward.CauseDisk})
			}
			finished, g.SHA256 = true, sum
		}
		stored, err := r.Store.CommitSegment(ctx, g)
		if err != nil {
			return err
		}
		if announce != nil {
			announce(stored)
		}
		return nil
	})
}
