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
	// lagging is how far a recorder may be behind its stream before uploads
	// rest for it: two seconds more than it gathers at a time.
	lagging = fragmentLength + 2*time.Second
	// DefaultSegmentSeconds is used when a recorder has no SegmentSeconds.
	DefaultSegmentSeconds = 60
	// maxUnsynced is how many files may wait to be made durable: the one being
	// written, and those before it.
	maxUnsynced = 4
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
	RetentionDays  int // how long segments are kept; 0: until somebody decides
	Log            *slog.Logger
	// OnSegment, when set, is called after each segment is committed, in the
	// recorder's own goroutines; it must not block.
	OnSegment func(ward.Segment)

	noKey    func()    // called when no key frame comes; may be nil
	clerk    *clerk    // nil: the recorder has its own
	coverage *coverage // nil: the recorder has its own, from the start of Run
	stats    *counters // nil: not counted

	tracks   []Track
	clock    steady
	file     *segmentFile
	over     *overlap // the file before, while sound for it may still come
	seq      int64
	last     time.Time  // when the source's last segment ended, in another life of the process
	jump     bool       // the wall clock was set, which is told and not followed yet
	newest   time.Time  // arrival of the last key frame that a segment began with because of its parameters
	unstable bool       // the parameter sets change all the time: nothing is recorded until paramsEvery after newest
	lost     ward.Cause // why pictures are damaged since lostAt, until a key frame
	lostAt   time.Time
	hurt     ward.Gap         // damage that is over and not told yet; no Cause: none
	prev     time.Time        // arrival of the last picture written
	syncs    chan *spool.File // written to, and not yet durable
	told     map[ward.RecordingEventKind]time.Time
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
	r.resume(ctx, s)
	r.syncs = make(chan *spool.File, maxUnsynced)
	rd := s.subscribe(recorderDepth, recorderBytes, true)
	defer rd.Close()
	defer func() {
		if r.stats != nil {
			r.stats.dropped.Add(rd.Dropped())
		}
	}()
	var syncing sync.WaitGroup
	syncing.Go(r.syncFiles)
	defer syncing.Wait()
	defer close(r.syncs)
	return r.loop(ctx, s, rd)
}

func (r *Recorder) loop(ctx context.Context, s *Stream, rd *Reader) error {
	var units []Unit
	for {
		var err error
		units, err = rd.take(ctx, units[:0], r.rest())
		if len(units) > 0 && time.Since(units[0].Arrived) > lagging {
			r.Spool.Hurry()
		}
		for _, u := range units {
			r.take(s, u)
		}
		clear(units) // their bytes are not needed any more
		if err != nil {
			r.stop(s)
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil //nolint:nilerr // the orderly end
			}
			return fmt.Errorf("read stream %s: %w", s.Source(), err)
		}
	}
}

// rest is the arrival until which there is nothing to do but to gather.
func (r *Recorder) rest() time.Time {
	if r.file == nil || r.over != nil {
		return time.Time{}
	}
	return r.file.born.Add(fragmentLength)
}

// sync asks for what was written of f to be made durable.
func (r *Recorder) sync(f *segmentFile) {
	select {
	case r.syncs <- f.file:
	default: // the disk is slow: the next fragment's turn makes this one durable too
	}
}

// syncFiles makes what was written durable, away from the media: a disk may
// take its time.
func (r *Recorder) syncFiles() {
	for f := range r.syncs {
		if err := f.Sync(); err != nil {
			r.Log.Error("recording not made durable", "source", f.Source.String(), "error", err)
		}
	}
}

// take records one unit.
func (r *Recorder) take(s *Stream, u Unit) {
	if r.tracks == nil {
		r.tracks = s.Tracks()
	}
	video, _ := videoOf(r.tracks)
	if u.Track == video.ID {
		r.watch(s, u)
		r.damage(u)
		if u.Key {
			r.cut(s, video, u)
		} else if r.endless(u) {
			at := r.clock.moment(u.Arrived)
			r.mend(at.wall)
			r.finish(s, u.Arrived, u.DTS)
			r.coverage.missingFrom(ward.CauseCodec, at)
			if r.noKey != nil {
				r.noKey()
			}
		}
	}
	if r.late(s, u) || r.file == nil {
		return
	}
	r.file.add(u)
	if r.file.due(u) {
		if err := r.file.flush(); err != nil {
			r.fail(s, err)
			return
		}
		r.sync(r.file)
	}
	if u.Track == video.ID {
		r.prev = u.Arrived
	}
}
