package ingest

import (
	"bytes"
	"encoding/binary"
	"io"
)

// indexedTrack is a track of a recording. Its sample entry is kept as it was
// written, so that whatever was recorded can be played on.
type indexedTrack struct {
	id        int
	timescale uint32 // ticks a second
	video     bool
	format    string // of the sample entry: avc1, hev1, mp4a
	entry     []byte // the whole sample entry box
}

// playable says whether browsers play the track's sound in MP4: a track that
// they do not know, as linear samples, would stop them from playing the pictures.
func (t indexedTrack) playable() bool {
	switch t.format {
	case "mp4a", "Opus", "fLaC":
		return true
	}
	return false
}

// size is the size of the pictures in pixels.
func (t indexedTrack) size() (w, h uint16) {
	if len(t.entry) < 36 {
		return 0, 0
	}
	return binary.BigEndian.Uint16(t.entry[32:]), binary.BigEndian.Uint16(t.entry[34:])
}

func (x *index) readMoov(r io.ReaderAt, at, length int64) error {
	b, err := readAt(r, at, length, maxMoov)
	if err != nil {
		return err
	}
	tracks, err := readTracks(b[8:])
	if err != nil {
		return err
	}
	x.tracks, x.moov = tracks, at+length
	return nil
}

// readTracks reads the body of a moov box.
func readTracks(moov []byte) ([]indexedTrack, error) {
	var all []indexedTrack
	err := eachBox(moov, func(kind string, trak []byte) error {
		if kind != "trak" {
			return nil
		}
		var t indexedTrack
		if err := t.read(trak); err != nil {
			return err
		}
		if t.id == 0 || t.timescale == 0 || t.format == "" {
			return errTorn
		}
		all = append(all, t)
		return nil
	})
	return all, err
}

// read takes what it needs from the boxes in b and from those in them.
func (t *indexedTrack) read(b []byte) error {
	return eachBox(b, func(kind string, body []byte) error {
		switch kind {
		case "mdia", "minf", "stbl":
			return t.read(body)
		case "tkhd":
			return fullBox(body, 12, 20, func(n uint32) { t.id = int(n) })
		case "mdhd":
			return fullBox(body, 12, 20, func(n uint32) { t.timescale = n })
		case "hdlr":
			if len(body) < 12 {
				return errTorn
			}
			t.video = string(body[8:12]) == "vide"
		case "stsd":
			if len(body) < 16 || binary.BigEndian.Uint32(body[4:]) != 1 {
				return errTorn
			}
			n := binary.BigEndian.Uint32(body[8:])
			if n < 8 || uint64(n) > uint64(len(body)-8) {
				return errTorn
			}
			t.entry = bytes.Clone(body[8 : 8+n])
			t.format = string(t.entry[4:8])
		}
		return nil
	})
}

// fullBox reads the number that stands at v0 in version 0 of a box and at v1
// in version 1, where times are longer.
func fullBox(b []byte, v0, v1 int, take func(uint32)) error {
	if len(b) == 0 || b[0] > 1 {
		return errTorn
	}
	at := v0
	if b[0] == 1 {
		at = v1
	}
	if len(b) < at+4 {
		return errTorn
	}
	take(binary.BigEndian.Uint32(b[at:]))
	return nil
}

// parameterSets returns the NAL units of an H.264 or H.265 sample entry's
// configuration (ISO/IEC 14496-15 §5.3.3 and §8.3.3), in their order.
func (t indexedTrack) parameterSets() (sets [][]byte) {
	const visual = 86 // a visual sample entry's own fields
	if len(t.entry) < visual {
		return nil
	}
	take := func(b []byte, n int) []byte {
		for range n {
			if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
				return nil
			}
			end := 2 + int(binary.BigEndian.Uint16(b))
			sets, b = append(sets, b[2:end]), b[end:]
		}
		return b
	}
	_ = eachBox(t.entry[visual:], func(kind string, b []byte) error { // a damaged one has no sets
		switch {
		case kind == "avcC" && len(b) > 6:
			if b = take(b[6:], int(b[5]&0x1f)); len(b) > 0 {
				take(b[1:], int(b[0]))
			}
		case kind == "hvcC" && len(b) > 23:
			arrays := int(b[22])
			b = b[23:]
			for range arrays {
				if len(b) < 3 {
					break
				}
				b = take(b[3:], int(binary.BigEndian.Uint16(b[1:])))
			}
		}
		return nil
	})
	return sets
}
