package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"wardwatch/ward"
)

// The largest boxes that we read into memory, in bytes. What we write is far
// smaller; a file may be damaged.
const (
	maxMoov   = 1 << 20
	maxHeader = 1 << 16
	maxMoof   = 1 << 22
)

// index says what is in a recording, up to its last complete fragment.
type index struct {
	header header
	tracks []indexedTrack
	parts  []part
	moov   int64 // bytes up to the end of the moov box
	begin  int64 // bytes before the first fragment
	size   int64 // bytes up to the end of the last complete fragment
}

// part is one fragment.
type part struct {
	offset int64     // in the file, of its first box
	wall   time.Time // arrival of the first picture; zero when the fragment has none
	media  int64     // its decode time
	runs   []run
}

// run is the samples of one track in a fragment.
type run struct {
	track   int
	samples []sample
}

type sample struct {
	dts      int64 // from the beginning of the file
	duration uint32
	cts      int32
	key      bool
	offset   int64 // in the file
	size     uint32
}

// video returns the video track.
func (x *index) video() (indexedTrack, bool) {
	for _, t := range x.tracks {
		if t.video {
			return t, true
		}
	}
	return indexedTrack{}, false
}

// sound returns the coding of the sound that browsers play, as the camera
// sent it: G.711 is kept as FLAC, and the header says of which law it was.
func (x *index) sound() ward.Codec {
	if x.header.Audio != ward.NoCodec {
		return x.header.Audio
	}
	for _, t := range x.tracks {
		switch {
		case t.video || !t.playable():
		case t.format == "mp4a":
			return ward.AAC
		case t.format == "Opus":
			return ward.Opus
		case t.format == "fLaC":
			return ward.PCMA
		}
	}
	return ward.NoCodec
}

// chunks returns where playing can begin, as the recorder notes it in the row.
func (x *index) chunks() []ward.Chunk {
	v, ok := x.video()
	if !ok {
		return nil
	}
	var all []ward.Chunk
	for _, p := range x.parts {
		for _, r := range p.runs {
			if r.track == v.id && r.samples[0].key {
				all = append(all, ward.Chunk{At: v.span(r.samples[0].dts).Round(time.Millisecond), Offset: p.offset})
			}
		}
	}
	return all
}

// end returns the time at which the last picture ends, and the sum of the
// pictures' durations.
func (x *index) end() (time.Time, time.Duration) {
	v, ok := x.video()
	if !ok {
		return time.Time{}, 0
	}
	end, media := x.header.Start, int64(0)
	for _, p := range x.parts {
		for _, r := range p.runs {
			if r.track != v.id {
				continue
			}
			for _, s := range r.samples {
				media += int64(s.duration)
				end = p.wall.Add(v.span(s.dts + int64(s.duration) - p.media))
			}
		}
	}
	return end, v.span(media)
}

func (t indexedTrack) span(ticks int64) time.Duration {
	return Track{ClockRate: int(t.timescale)}.span(ticks)
}

var errTorn = errors.New("incomplete box")

// readIndex reads the boxes of the first size bytes of r. It stops without an
// error where a crash tore the file. A file without a readable beginning is
// an error.
func readIndex(r io.ReaderAt, size int64) (*index, error) { return readIndexBetween(r, size, 0, size) }

// readIndexBetween is readIndex for the fragments that begin in [from, to)
// only; from is where one begins.
func readIndexBetween(r io.ReaderAt, size, from, to int64) (*index, error) {
	x := &index{}
	var f fragment
	for at := int64(0); at < to || f.begun || f.open; {
		kind, length, err := boxAt(r, at, size)
		if err == nil && len(x.parts) == 0 && !f.begun && !f.open && kind != "prft" && kind != "moof" {
			x.begin = at + length
		}
		if err == nil && (kind == "prft" || kind == "moof") && at < from {
			at = from // what is before is not wanted
			continue
		}
		if err == nil {
			err = x.readBox(r, &f, kind, at, length)
		}
		if broken, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, fmt.Errorf("read recording: %w", broken) // the disk, or the object store, not the file
		}
		if err != nil {
			break
		}
		at += length
	}
	if len(x.tracks) == 0 || x.header.V == 0 {
		return nil, fmt.Errorf("read recording: %w: no beginning", errTorn)
	}
	return x, nil
}

// fragment is what is known of the fragment that is being read.
type fragment struct {
	dated, pending part
	begun, open    bool // dated, or pending, says something
}

func (x *index) readBox(r io.ReaderAt, f *fragment, kind string, at, length int64) error {
	switch kind {
	case "moov":
		return x.readMoov(r, at, length)
	case "uuid":
		if x.header.V == 0 {
			return x.readHeader(r, at, length)
		}
		if length == checkSize && !f.begun {
			f.dated, f.begun = part{offset: at}, true
		}
	case "prft":
		f.dated, f.begun = part{offset: at}, true
		if length == 32 {
			b, err := readAt(r, at, length, 32)
			if err != nil {
				return err
			}
			f.dated.wall, f.dated.media = readPRFT(b)
		}
	case "moof":
		if length > maxMoof || len(x.tracks) == 0 {
			return errTorn
		}
		if !f.begun {
			f.dated = part{offset: at}
		}
		f.pending, f.open, f.begun = f.dated, true, false
		var err error
		f.pending.runs, err = readMoof(r, at, length)
		return err
	case "mdat":
		if f.open && !f.pending.inside(at+8, at+length) {
			return errTorn
		}
		if f.open {
			x.parts = append(x.parts, f.pending)
			x.size = at + length
		}
		f.open = false
	}
	return nil
}

// inside says whether every sample lies in [from, to).
func (p part) inside(from, to int64) bool {
	for _, r := range p.runs {
		for _, s := range r.samples {
			if s.offset < from || s.offset+int64(s.size) > to {
				return false
			}
		}
	}
	return true
}

// boxAt reads a box header; a box that reaches beyond size is errTorn.
func boxAt(r io.ReaderAt, at, size int64) (kind string, length int64, err error) {
	if size-at < 8 {
		return "", 0, errTorn
	}
	var b [8]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return "", 0, err
	}
	length = int64(binary.BigEndian.Uint32(b[:]))
	if length < 8 || length > size-at { // we write no 64-bit and no open-ended boxes
		return "", 0, errTorn
	}
	return string(b[4:]), length, nil
}

func readAt(r io.ReaderAt, at, length, most int64) ([]byte, error) {
	if length > most {
		return nil, errTorn
	}
	b := make([]byte, length)
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, err
	}
	return b, nil
}

func (x *index) readHeader(r io.ReaderAt, at, length int64) error {
	b, err := readAt(r, at, length, maxHeader)
	if err != nil || len(b) < 24 || !bytes.Equal(b[8:24], headerUUID[:]) {
		return err
	}
	var h header
	if err := json.Unmarshal(b[24:], &h); err != nil {
		return fmt.Errorf("read recording header: %w", err)
	}
	if h.V < 1 || h.V > checkedVersion || !ward.ValidID(h.Source.ID) {
		return errTorn
	}
	x.header = h
	return nil
}
