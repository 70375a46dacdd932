package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// The names of a playlist's files: the recording's start in microseconds
// since 1970, and for a piece its number in the recording, and which part of
// it when it is coded again in several.
const (
	initSuffix  = ".mp4"
	pieceSuffix = ".m4s"
	wholePiece  = "all"
	codedSuffix = ".h264" // before the others: coded again
)

// Piece is a file of a playlist, ready to be sent. It must be closed.
type Piece struct {
	ContentType string
	Size        int64     // bytes that WriteTo writes
	At          time.Time // when its pictures begin; zero when it has none

	from   io.Reader
	close  func() error
	tracks []indexedTrack
	clock  mediaClock
}

// Close releases what the piece is read from.
func (p *Piece) Close() error { return p.close() }

type pieceName struct {
	start  time.Time
	number int // of the piece
	part   int // of the piece, from 0 on; others only of what is coded again
	init   bool
	whole  bool
	coded  bool // again
}

func parsePieceName(name string) (n pieceName, ok bool) {
	rest, init := strings.CutSuffix(name, initSuffix)
	n.init = init
	if !init {
		if rest, ok = strings.CutSuffix(name, pieceSuffix); !ok {
			return n, false
		}
	}
	rest, n.coded = strings.CutSuffix(rest, codedSuffix)
	if !init {
		var number string
		if rest, number, ok = strings.Cut(rest, "-"); !ok {
			return n, false
		}
		if which, part, several := strings.Cut(number, "-"); several {
			if n.part, ok = digits(part, 3); !ok || n.part == 0 || !n.coded {
				return n, false
			}
			number = which
		}
		if n.whole = number == wholePiece; !n.whole {
			if n.number, ok = digits(number, 6); !ok {
				return n, false
			}
		}
	}
	us, ok := digits(rest, 17)
	n.start = time.UnixMicro(int64(us)).UTC()
	return n, ok
}

// digits reads a number as we write it: without sign, without zeros in front.
func digits(s string, most int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int(n), err == nil && len(s) <= most && strconv.FormatUint(n, 10) == s //nolint:gosec // 63 bits
}

func pieceUnknown() error {
	return &ward.Error{Kind: ward.NotFound, Code: "playback.unknown", ZH: "没有这段录像。", EN: "There is no such piece of recording."}
}

// Piece opens a file that a playlist of src names. ward.NotFound when there
// is none, when it is not inst's, or when it was deleted meanwhile.
func (l *Library) Piece(ctx context.Context, inst ward.InstitutionID, src ward.Source, name string) (*Piece, error) {
	n, ok := parsePieceName(name)
	if !ok {
		return nil, pieceUnknown()
	}
	rec, err := l.starting(ctx, inst, src, n.start)
	if err != nil {
		return nil, fmt.Errorf("piece of %s: %w", src, err)
	}
	open := l.piece
	if n.coded {
		open = l.codedPiece
	}
	p, err := open(ctx, inst, rec, n)
	if err != nil {
		return nil, fmt.Errorf("piece of %s: %w", src, errors.Join(err, rec.close()))
	}
	return p, nil
}

// starting opens the recording of src that starts at start.
func (l *Library) starting(ctx context.Context, inst ward.InstitutionID, src ward.Source, start time.Time) (*recording, error) {
	entries, err := l.Spool.EntriesOf(src) // before the row, as in locate
	if err != nil {
		return nil, err
	}
	g, err := l.Store.SegmentStarting(ctx, src, start)
	switch {
	case err == nil && (g.InstitutionID != inst || !g.State.Readable()):
		return nil, pieceUnknown()
	case err == nil:
		return l.open(ctx, place{segment: g})
	case ward.KindOf(err) != ward.NotFound:
		return nil, err
	}
	for _, e := range entries {
		if e.Start.Equal(start) {
			if rec, err := l.live(e); rec != nil || err != nil {
				return rec, err
			}
		}
	}
	return nil, pieceUnknown()
}

func (l *Library) piece(ctx context.Context, inst ward.InstitutionID, rec *recording, n pieceName) (*Piece, error) {
	o, err := l.beginning(ctx, inst, rec)
	if err != nil {
		return nil, err
	}
	if n.init {
		return &Piece{ContentType: "video/mp4", Size: int64(len(o.init)), from: bytes.NewReader(o.init), close: rec.close}, nil
	}
	g, p, err := l.pieceOf(ctx, inst, rec, n, o)
	if err != nil {
		return nil, err
	}
	c := clockOf(g)
	body, err := l.between(ctx, rec, p.from, p.to-p.from)
	if err != nil {
		return nil, err
	}
	return &Piece{
		ContentType: "video/iso.segment", Size: p.to - p.from, At: g.Start.Add(c.after(p.at)), tracks: o.tracks, clock: c,
		from: body, close: func() error { return errors.Join(body.Close(), rec.close()) },
	}, nil
}

// pieceOf says which part of the recording, described as a row does, has the name n.
func (l *Library) pieceOf(ctx context.Context, inst ward.InstitutionID, rec *recording, n pieceName, o beginning) (g ward.Segment, p piece, err error) {
	g, over := rec.segment, true
	if g.ID == "" {
		x, ok, err := rec.index(inst)
		if err != nil || !ok {
			return g, p, errors.Join(err, pieceUnknown())
		}
		_, media := x.end()
		g, over = ward.Segment{Start: rec.start(), Media: media, Bytes: x.size, Chunks: x.chunks()}, !rec.entry.Part
	} else if len(g.Chunks) == 0 && !n.whole {
		if g.Chunks, err = l.readChunks(ctx, g); err != nil {
			return g, p, err
		}
	}
	if n.whole {
		return g, piece{end: g.Media, from: o.size, to: g.Bytes}, nil
	}
	if pieces := piecesOf(g, over); n.number < len(pieces) {
		return g, pieces[n.number], nil
	}
	return g, p, pieceUnknown()
}

// between reads size bytes of a recording in order.
func (l *Library) between(ctx context.Context, rec *recording, from, size int64) (io.ReadCloser, error) {
	if o, ok := rec.ReaderAt.(*objectReader); ok {
		return l.Objects.Get(ctx, o.key, from, size)
	}
	return io.NopCloser(io.NewSectionReader(rec, from, size)), nil
}

// WriteTo sends the piece, with the times of its fragments moved to the time
// line that all recordings share.
func (p *Piece) WriteTo(w io.Writer) (int64, error) {
	if p.tracks == nil {
		return io.Copy(w, p.from)
	}
	in := bufio.NewReaderSize(p.from, 64<<10)
	sent, silent := int64(0), false
	for sent < p.Size {
		head, err := in.Peek(8)
		if err != nil {
			return sent, fmt.Errorf("read piece: %w", err)
		}
		kind, size := string(head[4:]), int64(be32(head))
		if size < 8 || size > p.Size-sent {
			return sent, fmt.Errorf("read piece: %w", errTorn)
		}
		var box []byte
		if kind == "moof" && size <= maxMoof || kind == "prft" && size == 32 || kind == "mdat" {
			box = make([]byte, size)
			if kind == "mdat" {
				box = box[:8] // the rest is only passed on
			}
			if _, err := io.ReadFull(in, box); err != nil {
				return sent, fmt.Errorf("read piece: %w", err)
			}
		}
		switch kind {
		case "moof":
			if silent, err = p.move(box); err != nil {
				return sent, fmt.Errorf("read piece: %w", err)
			}
		case "prft":
			p.moveDate(box)
		case "mdat":
			if silent {
				copy(box[4:], "free")
			}
		}
		n, err := w.Write(box)
		sent += int64(n)
		if err != nil {
			return sent, err
		}
		m, err := io.CopyN(w, in, size-int64(len(box)))
		sent += m
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}
