package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// recodedKept bounds what is kept of pieces that were coded again, in bytes:
// half a minute for each of three viewers.
const recodedKept = 32 << 20

// codedAgain says which recordings a player that shows these codings gets
// coded again: with none it takes everything as it is.
func (l *Library) codedAgain(shows []ward.Codec) func(ward.Codec) bool {
	able := len(shows) > 0 && l.Transcodes != nil && l.Transcodes.Most > 0
	return func(c ward.Codec) bool {
		return able && (c == ward.H265 || c == ward.MJPEG) && !slices.Contains(shows, c)
	}
}

// codedPiece is piece with pictures that are coded again. It is whole before
// it is sent, so that a viewer with a slow link holds no transcoder.
func (l *Library) codedPiece(ctx context.Context, inst ward.InstitutionID, rec *recording, n pieceName) (p *Piece, err error) {
	o, err := l.beginning(ctx, inst, rec)
	if err != nil {
		return nil, err
	}
	of := piece{from: o.size, to: rec.size}
	g, c := rec.segment, clockOf(rec.segment)
	last := false
	if !n.init {
		if g, of, err = l.pieceOf(ctx, inst, rec, n, o); err != nil {
			return nil, err
		}
		c = clockOf(g)
		parts := of.parts()
		if n.part >= len(parts) {
			return nil, pieceUnknown()
		}
		of, last = parts[n.part], n.part+1 == len(parts)
	}
	key := fmt.Sprintf("%s/%s/%d/%d/%d/%t/%t", rec.segment.ID, rec.entry.Source, rec.start().UnixMicro(), n.number, n.part, n.init, n.whole)
	shrink, done, err := l.room.take(ctx) // before the look at what is kept: who waits holds nothing
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	b, ok := l.coded.Get(key)
	if !ok {
		r := recoding{lib: l, rec: rec, of: of, clock: c, init: n.init, first: n.part == 0, last: last}
		if b, err = r.run(ctx, inst, o); err != nil {
			return nil, err
		}
		l.coded.Put(key, b, recodedKept)
	}
	shrink(len(b))
	p = &Piece{
		ContentType: "video/iso.segment", Size: int64(len(b)), At: g.Start.Add(c.after(of.at)),
		from: bytes.NewReader(b), close: func() error { done(); return rec.close() },
	}
	if n.init {
		p.ContentType, p.At = "video/mp4", time.Time{}
	}
	return p, nil
}
