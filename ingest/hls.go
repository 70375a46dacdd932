package ingest

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

const (
	// minPiece is what a piece lasts at least, but for a recording's last one:
	// short enough to begin quickly, long enough that a day's playlist stays small.
	minPiece = 4 * time.Second
	// maxUnread is how many recordings without chunks in their rows (from
	// before there were any) one playlist reads; more of them are one piece each.
	maxUnread = 60
)

// Playback is a stretch as HLS: a media playlist of what was recorded.
type Playback struct {
	Playlist []byte
	Ended    bool       // nothing is to be added
	Video    ward.Codec // of the first recording
	Audio    ward.Codec
}

// Playback returns a playlist (RFC 8216, fragmented MP4) of what was recorded
// of src in [from, to) while it was inst's, made from the catalogue alone. It
// begins with the piece that shows from and grows until to, for ever when to
// is zero, by what is being recorded. Gaps, new parameters and another coding
// are discontinuities; each recording has its own map, so that its pictures
// are decoded with their own parameters whatever else was noted. The pieces
// are addressed as "playback/NAME"; see Piece. One that grows is only added to
// at its end: what a device gives for a gap later is in lists that begin later.
//
// With shows, the codings of pictures that the player shows, H.265 and Motion
// JPEG that are not among them are coded again as H.264 when they are asked
// for; without, everything is as it was recorded.
//
// ward.NotFound "playback.nothing" when nothing is recorded (yet).
func (l *Library) Playback(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to, now time.Time, shows ...ward.Codec) (Playback, error) {
	until := to
	if to.IsZero() || to.After(now) {
		until = now
	}
	_, places, err := l.locate(ctx, inst, src, from, until)
	if err != nil {
		return Playback{}, fmt.Errorf("playback of %s: %w", src, err)
	}
	events, err := l.Store.RecordingEvents(ctx, src, from.Add(-maxParamsOff), until.Add(maxParamsOff))
	if err != nil {
		return Playback{}, fmt.Errorf("playback of %s: %w", src, err)
	}
	// One that is just over is asked for again while the end is written.
	grows := to.IsZero() || now.Sub(to) < time.Minute
	places = l.opened.grown(openedKey{inst, src, from.UnixMicro(), to.UnixMicro()}, grows, places, now)
	b := playlist{from: from, to: until, changes: events, again: l.codedAgain(shows)}
	unread, growing := maxUnread, false
	for _, p := range places {
		r, err := l.reel(ctx, inst, p, &unread)
		if err != nil {
			return Playback{}, fmt.Errorf("playback of %s: %w", src, err)
		}
		b.add(r)
		growing = r.growing && r.end().Before(until)
	}
	if b.pieces == 0 {
		return Playback{}, &ward.Error{Kind: ward.NotFound, Code: "playback.nothing", ZH: "这段时间没有录像。", EN: "Nothing was recorded at that time."}
	}
	ended := !to.IsZero() && !to.After(now) && !growing
	return Playback{Playlist: b.text(ended), Ended: ended, Video: b.video, Audio: b.audio}, nil
}

// reel is a recording as a playlist needs it.
type reel struct {
	segment ward.Segment
	clock   mediaClock
	pieces  []piece
	whole   bool // one piece, of a recording whose chunks are not known
	growing bool // the last piece is not over
}

// piece is a part of a recording that begins with a key frame.
type piece struct {
	at, end  time.Duration // media time from the recording's first picture on
	from, to int64         // in the file, in bytes
}

// maxPart is the most of a piece that is coded again at a time: some seconds
// of a core and some MB. A camera may send a key frame less often.
const maxPart = 20 * time.Second

// parts cuts a piece that is coded again into equal ones.
func (p piece) parts() []piece {
	n := max(int((p.end-p.at+maxPart-1)/maxPart), 1)
	all := make([]piece, n)
	for k := range all {
		all[k] = piece{at: p.cut(k, n), end: p.cut(k+1, n), from: p.from, to: p.to}
	}
	return all
}

func (p piece) cut(k, n int) time.Duration {
	return p.at + (p.end-p.at)*time.Duration(k)/time.Duration(n)
}

func (r reel) end() time.Time {
	if len(r.pieces) == 0 {
		return r.segment.Start
	}
	return r.wall(r.pieces[len(r.pieces)-1].end)
}

func (r reel) wall(media time.Duration) time.Time { return r.segment.Start.Add(r.clock.after(media)) }

// reel describes what is at p. What is not inst's has no pieces.
func (l *Library) reel(ctx context.Context, inst ward.InstitutionID, p place, unread *int) (reel, error) {
	g := p.segment
	if g.ID == "" {
		var ok bool
		var err error
		if g, ok, err = l.unfinished(inst, p); err != nil || !ok {
			return reel{segment: ward.Segment{Start: p.start()}}, err
		}
		r := reel{segment: g, clock: clockOf(g), growing: p.entry.Part}
		r.pieces = piecesOf(g, !p.entry.Part)
		return r, nil
	}
	r := reel{segment: g, clock: clockOf(g)}
	if len(g.Chunks) == 0 && *unread > 0 {
		*unread--
		chunks, err := l.readChunks(ctx, g)
		if err != nil {
			return r, err
		}
		r.segment.Chunks = chunks
	}
	if r.pieces = piecesOf(r.segment, true); len(r.pieces) == 0 {
		r.whole, r.pieces = true, []piece{{end: g.Media, to: g.Bytes}}
	}
	return r, nil
}

// piecesOf groups the chunks of a recording: a piece ends with the first
// chunk that completes minPiece, so that the pieces of a recording that
// grows stay as they are. The last one ends with the recording, when it is over.
func piecesOf(g ward.Segment, over bool) []piece {
	var all []piece
	for i, c := range g.Chunks {
		if i == 0 {
			all = append(all, piece{at: c.At, from: c.Offset})
			continue
		}
		last := &all[len(all)-1]
		if c.At-last.at >= minPiece {
			last.end, last.to = c.At, c.Offset
			all = append(all, piece{at: c.At, from: c.Offset})
		}
	}
	if len(all) == 0 {
		return nil
	}
	if !over {
		return all[:len(all)-1]
	}
	last := &all[len(all)-1]
	last.end, last.to = max(g.Media, last.at), g.Bytes
	return all
}
