package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"wardwatch/ward"
)

// maxBeginnings bounds how many recordings' beginnings and chunks are
// remembered, about 3 kB each.
const maxBeginnings = 512

// beginning is the beginning of a recording: what every piece of it needs.
type beginning struct {
	tracks []indexedTrack
	inst   ward.InstitutionID
	init   []byte // as browsers get it: without header, and without the tracks that they do not play
	size   int64  // in the file
}

// remembered are the beginnings of recordings that are being played; the
// zero value is ready.
type remembered struct {
	mu         sync.Mutex // guards the rest
	beginnings map[string]beginning
	chunks     map[ward.SegmentID][]ward.Chunk
}

// beginning reads the beginning of rec, which must be inst's.
func (l *Library) beginning(ctx context.Context, inst ward.InstitutionID, rec *recording) (beginning, error) {
	key := string(rec.segment.ID) + "/" + rec.entry.Source.String() + "/" + rec.start().String()
	l.known.mu.Lock()
	o, ok := l.known.beginnings[key]
	l.known.mu.Unlock()
	if !ok {
		var err error
		if o, err = l.readBeginning(ctx, rec); err != nil {
			return o, err
		}
		l.known.mu.Lock()
		if l.known.beginnings == nil || len(l.known.beginnings) >= maxBeginnings {
			l.known.beginnings = map[string]beginning{}
		}
		l.known.beginnings[key] = o
		l.known.mu.Unlock()
	}
	if rec.segment.ID == "" && o.inst != inst {
		return o, pieceUnknown()
	}
	return o, nil
}

func (l *Library) readBeginning(ctx context.Context, rec *recording) (beginning, error) {
	r, size := rec.ReaderAt, rec.size
	if chunks := rec.segment.Chunks; len(chunks) > 0 && chunks[0].Offset <= maxMoov {
		body, err := l.between(ctx, rec, 0, chunks[0].Offset)
		if err != nil {
			return beginning{}, err
		}
		b, err := io.ReadAll(body)
		if e := body.Close(); err == nil {
			err = e
		}
		if err != nil {
			return beginning{}, fmt.Errorf("read beginning of recording: %w", err)
		}
		r, size = bytes.NewReader(b), int64(len(b))
	}
	x, err := readIndexBetween(r, size, size, size)
	if err != nil {
		if rec.segment.ID == "" {
			return beginning{}, pieceUnknown() // only being begun
		}
		return beginning{}, err
	}
	o := beginning{tracks: x.tracks, inst: x.header.InstitutionID, size: x.begin, init: make([]byte, x.moov)}
	if _, err := r.ReadAt(o.init, 0); err != nil {
		return o, fmt.Errorf("read beginning of recording: %w", err)
	}
	return o, o.hide()
}

// hide makes the tracks that browsers do not play free space.
func (o beginning) hide() error {
	return eachBox(o.init, func(kind string, moov []byte) error {
		if kind != "moov" {
			return nil
		}
		return eachBox(moov, func(kind string, body []byte) error {
			switch kind {
			case "trak":
				var t indexedTrack
				if err := t.read(body); err != nil {
					return err
				}
				if !o.shows(t.id) {
					free(o.init, body)
				}
			case "mvex":
				return eachBox(body, func(kind string, trex []byte) error {
					if kind == "trex" && len(trex) >= 8 && !o.shows(int(be32(trex[4:]))) {
						free(o.init, trex)
					}
					return nil
				})
			}
			return nil
		})
	})
}

func (o beginning) shows(id int) bool {
	for _, t := range o.tracks {
		if t.id == id {
			return t.video || t.playable()
		}
	}
	return false
}

// readChunks reads from the file where playing can begin, for a row from
// before that was noted.
func (l *Library) readChunks(ctx context.Context, g ward.Segment) ([]ward.Chunk, error) {
	l.known.mu.Lock()
	chunks, ok := l.known.chunks[g.ID]
	l.known.mu.Unlock()
	if ok {
		return chunks, nil
	}
	rec, err := l.open(ctx, place{segment: g})
	if err != nil {
		return nil, err
	}
	defer closeAll([]*recording{rec})
	x, err := readIndex(rec, rec.size)
	if err != nil {
		return nil, fmt.Errorf("segment %s: %w", g.ID, err)
	}
	chunks = x.chunks()
	l.known.mu.Lock()
	defer l.known.mu.Unlock()
	if l.known.chunks == nil || len(l.known.chunks) >= maxBeginnings {
		l.known.chunks = map[ward.SegmentID][]ward.Chunk{}
	}
	l.known.chunks[g.ID] = chunks
	return chunks, nil
}
