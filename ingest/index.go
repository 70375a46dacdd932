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

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"

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
	size   int64 // bytes up to the end of the last complete fragment
}

type indexedTrack struct {
	id        int
	timescale uint32
	codec     mp4.Codec
}

// part is one fragment.
type part struct {
	wall  time.Time // arrival of the first picture; zero when the fragment has none
	media int64     // its decode time
	runs  []run
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
		if t.codec.IsVideo() {
			return t, true
		}
	}
	return indexedTrack{}, false
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
func readIndex(r io.ReaderAt, size int64) (*index, error) {
	x := &index{}
	var broken error
	var dated part
	moof := int64(-1) // where the fragment's moof began
	var pending part
	for at := int64(0); ; {
		kind, length, err := boxAt(r, at, size)
		switch kind {
		case "moov":
			err = x.readMoov(r, at, length)
		case "uuid":
			err = x.readHeader(r, at, length)
		case "prft":
			dated = part{}
			if length == 32 {
				var b []byte
				if b, err = readAt(r, at, length, 32); err == nil {
					dated.wall, dated.media = readPRFT(b)
				}
			}
		case "moof":
			if length > maxMoof || len(x.tracks) == 0 {
				err = errTorn
				break
			}
			pending, moof = dated, at
			dated = part{}
			pending.runs, err = readMoof(r, at, length)
		case "mdat":
			if moof >= 0 && pending.inside(at+8, at+length) {
				x.parts = append(x.parts, pending)
				x.size = at + length
			} else if moof >= 0 {
				err = errTorn
			}
			moof = -1
		}
		if err != nil {
			if e, ok := errors.AsType[*fs.PathError](err); ok {
				broken = e // the disk, or the object store, not the file
			}
			break
		}
		at += length
	}
	if broken != nil {
		return nil, fmt.Errorf("read recording: %w", broken)
	}
	if len(x.tracks) == 0 || x.header.V == 0 {
		return nil, fmt.Errorf("read recording: %w: no beginning", errTorn)
	}
	return x, nil
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

func (x *index) readMoov(r io.ReaderAt, at, length int64) error {
	b, err := readAt(r, at, length, maxMoov)
	if err != nil {
		return err
	}
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(bytes.Replace(b, []byte("vp08"), []byte("vp09"), 1))); err != nil {
		return fmt.Errorf("read moov: %w", err)
	}
	for _, t := range in.Tracks {
		if t.TimeScale == 0 || t.Codec == nil {
			return errTorn
		}
		x.tracks = append(x.tracks, indexedTrack{t.ID, t.TimeScale, t.Codec})
	}
	return nil
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
	if h.V != 1 || !ward.ValidID(h.Source.ID) {
		return errTorn
	}
	x.header = h
	return nil
}
