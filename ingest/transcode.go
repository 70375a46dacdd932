package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

const (
	// transcodeDepth is how many units a transcode may fall behind, about
	// 2.5 s; beyond that it goes on at the next key frame.
	transcodeDepth = 64
	// transcodeLag is from when on pictures are only decoded, to catch up.
	transcodeLag = 800 * time.Millisecond
	// transcodeLeast is how often one is shown even so.
	transcodeLeast = time.Second
	// transcodeHeld is how many pictures a decoder may hold back.
	transcodeHeld = 32
)

// Transcoder turns the pictures of one stream into H.264 that every browser
// shows: baseline, at most 720 lines, in the order of showing. One goroutine
// uses it.
type Transcoder interface {
	// Transcode takes the next access unit and returns the pictures that came
	// out, if they are to be shown: else it only decodes, to keep up. With fresh
	// the next picture is a key frame. An error costs the pictures up to the
	// next key frame of the stream.
	Transcode(ctx context.Context, in Coded, show, fresh bool) ([]Coded, error)
	// Flush returns the pictures that the decoder holds back; what comes next is a key frame.
	Flush(ctx context.Context) ([]Coded, error)
	// Close ends it and waits.
	Close()
}

// Coded is one coded picture on its way through a Transcoder.
type Coded struct {
	PTS  int64 // 1/90000 s
	Key  bool
	Data []byte // Annex B; MJPEG and VP8: the frame
}

// transcode makes d a coded-again copy of in, until ctx or in ends.
func (l *LiveView) transcode(ctx context.Context, in *Stream, d *derived) {
	video, _ := in.Video()
	t := l.Transcodes.New(ctx, video.Codec)
	defer t.Close()
	tracks := []Track{{ID: video.ID, Codec: ward.H264, ClockRate: 90000}}
	for _, other := range in.Tracks() {
		if !other.Video() {
			tracks = append(tracks, other)
		}
	}
	x := &transcode{in: in, out: NewStream(in.Source(), in.Institution(), tracks), video: video.ID, coder: t, arrived: map[int64]time.Time{}}
	defer x.out.Close()
	r := in.Subscribe(transcodeDepth, true)
	defer r.Close()
	begun := false
	for {
		u, err := r.Next(ctx)
		if err != nil {
			if !begun {
				d.begin(nil, notLive(err))
			}
			return
		}
		if err := x.unit(ctx, u); err != nil && ctx.Err() == nil {
			l.Fleet.logger().WarnContext(ctx, "picture not transcoded", "camera", in.Source().ID, "error", err)
		}
		if !begun && x.shown > 0 {
			begun = true
			d.begin(x.out, nil)
		}
	}
}

// transcode is one stream being coded again.
type transcode struct {
	in, out *Stream
	video   int // the track
	coder   Transcoder
	arrived map[int64]time.Time // by PTS, of pictures in the decoder
	last    time.Time           // when one was shown
	shown   int
	pts     int64 // of the last one
}

// unit takes the next unit of in.
func (x *transcode) unit(ctx context.Context, u Unit) error {
	if u.Track != x.video {
		x.out.Write(u)
		return nil
	}
	t, ok := x.in.Video()
	if !ok {
		return nil
	}
	if len(x.arrived) > transcodeHeld {
		clear(x.arrived)
	}
	pts := u.PTS * 90000 / int64(t.ClockRate)
	x.arrived[pts] = u.Arrived
	show := time.Since(u.Arrived) < transcodeLag || time.Since(x.last) > transcodeLeast
	out, err := x.coder.Transcode(ctx, Coded{PTS: pts, Key: u.Key, Data: t.AnnexB(u)}, show, u.Lost != "")
	if err != nil {
		return err
	}
	for _, c := range out {
		if err := x.show(c, u.Arrived); err != nil {
			return err
		}
	}
	return nil
}

// show writes a picture; arrived is when it came at the latest.
func (x *transcode) show(c Coded, arrived time.Time) error {
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(c.Data); err != nil {
		return fmt.Errorf("read a transcoded picture: %w", err)
	}
	if at, ok := x.arrived[c.PTS]; ok {
		arrived = at
		delete(x.arrived, c.PTS)
	}
	if x.shown > 0 && c.PTS <= x.pts {
		return nil
	}
	x.shown++
	x.last, x.pts = time.Now(), c.PTS
	x.out.Write(Unit{Track: x.video, PTS: c.PTS, DTS: c.PTS, Arrived: arrived, AU: nalus, Key: c.Key})
	return nil
}
