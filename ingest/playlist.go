package ingest

import (
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// maxParamsOff is how far the event of new parameters may be from the
// recording that begins with them.
const maxParamsOff = time.Second

// playlist writes the pieces of [from, to).
type playlist struct {
	from, to time.Time
	changes  []ward.RecordingEvent
	again    func(ward.Codec) bool // pictures of a coding are coded again

	body         []byte
	pieces       int
	longest      time.Duration
	began        time.Time // of the first piece
	origin       time.Time // of the stretch without discontinuity
	end          time.Time // of the last piece
	video, audio ward.Codec
	last         ward.Segment
}

func (b *playlist) add(r reel) {
	mapped := false
	for i, p := range r.pieces {
		parts := []piece{p}
		if b.again(r.segment.Codec) {
			parts = p.parts()
		}
		for k, q := range parts {
			at, end := r.wall(q.at), r.wall(q.end)
			if !end.After(b.from) || !at.Before(b.to) {
				continue
			}
			if !mapped {
				b.begin(r, at)
				mapped = true
			}
			b.piece(r, i, k, end)
		}
	}
}

// begin writes what stands before the first piece of a recording.
func (b *playlist) begin(r reel, at time.Time) {
	g := r.segment
	fresh := b.pieces == 0
	if fresh {
		b.began, b.video, b.audio = at, g.Codec, g.Audio
	} else if at.Sub(b.end).Abs() > maxHole || g.Codec != b.last.Codec || soundOf(g) != soundOf(b.last) || b.changed(g.Start) {
		fresh = true
		b.body = append(b.body, "#EXT-X-DISCONTINUITY\n"...)
	}
	if fresh {
		b.origin, b.end = at, at
		coded := ""
		if b.again(g.Codec) {
			coded = `,CODED="h264"`
		}
		b.body = fmt.Appendf(b.body, "#EXT-X-WARDWATCH-CODEC:VIDEO=%q,AUDIO=%q%s\n#EXT-X-PROGRAM-DATE-TIME:%s\n", g.Codec, g.Audio, coded, at.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	b.body = append(b.body, `#EXT-X-MAP:URI="playback/`...)
	b.body = strconv.AppendInt(b.body, g.Start.UnixMicro(), 10)
	b.body = append(b.body, b.suffix(initSuffix, g)...)
	b.body = append(b.body, "\"\n"...)
	b.last = g
}

// soundOf is the sound as it is kept: both laws of G.711 become FLAC.
func soundOf(g ward.Segment) ward.Codec {
	if g.Audio == ward.PCMU {
		return ward.PCMA
	}
	return g.Audio
}

// changed says whether new parameters were noted at the start of a recording.
func (b *playlist) changed(start time.Time) bool {
	for _, e := range b.changes {
		if e.Kind == ward.ParamsChanged && e.At.Sub(start).Abs() <= maxParamsOff {
			return true
		}
	}
	return false
}

// piece writes a part of the recording's piece of that number.
func (b *playlist) piece(r reel, number, part int, end time.Time) {
	// Rounded ends rather than lengths: a day's rounding does not add up.
	d := end.Sub(b.origin).Round(time.Millisecond) - b.end.Sub(b.origin).Round(time.Millisecond)
	d = max(d, 0)
	b.body = append(b.body, "#EXTINF:"...)
	b.body = strconv.AppendFloat(b.body, d.Seconds(), 'f', 3, 64)
	b.body = append(b.body, ",\nplayback/"...)
	b.body = strconv.AppendInt(b.body, r.segment.Start.UnixMicro(), 10)
	b.body = append(b.body, '-')
	if r.whole {
		b.body = append(b.body, wholePiece...)
	} else {
		b.body = strconv.AppendInt(b.body, int64(number), 10)
	}
	if part > 0 {
		b.body = strconv.AppendInt(append(b.body, '-'), int64(part), 10)
	}
	b.body = append(b.body, b.suffix(pieceSuffix, r.segment)+"\n"...)
	b.pieces++
	b.longest = max(b.longest, d)
	b.end = end
}

// suffix ends the name of a file of the recording g.
func (b *playlist) suffix(kind string, g ward.Segment) string {
	if b.again(g.Codec) {
		return codedSuffix + kind
	}
	return kind
}

// text returns the whole playlist.
func (b *playlist) text(ended bool) []byte {
	target := max(int((b.longest+time.Second/2)/time.Second), 6)
	kind := "EVENT"
	if ended {
		kind = "VOD"
	}
	out := make([]byte, 0, len(b.body)+300)
	out = fmt.Appendf(out, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-PLAYLIST-TYPE:%s\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:0\n", target, kind)
	out = fmt.Appendf(out, "#EXT-X-START:TIME-OFFSET=%.3f,PRECISE=YES\n", max(b.from.Sub(b.began), 0).Seconds())
	out = append(out, b.body...)
	if ended {
		out = append(out, "#EXT-X-ENDLIST\n"...)
	}
	return out
}
