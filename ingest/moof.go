package ingest

import (
	"encoding/binary"
	"io"
)

// The lengths of boxes, in bytes.
const (
	boxHead  = 8
	mfhdSize = boxHead + 8
	tfhdSize = boxHead + 8
	tfdtSize = boxHead + 12
	trunHead = boxHead + 12 // without samples
)

// appendFragment appends the samples that wait as prft, check, moof and mdat, and
// says where the pictures will be in the file.
func (f *segmentFile) appendFragment(b []byte) ([]byte, []written) {
	begin := len(b)
	if len(f.video.samples) > 0 {
		b = appendPRFT(b, f.video.ID, f.clock.date(f.video.date), f.video.from)
	}
	check := len(b)
	b = appendCheck(b)
	moof := len(b)
	b = append(b, 0, 0, 0, 0, 'm', 'o', 'o', 'f')
	b = appendBox(b, mfhdSize, "mfhd", 0)
	b = binary.BigEndian.AppendUint32(b, f.seq)
	offsets := make([]int, len(f.tracks)) // where in b the offsets of the tracks' data go
	for i, t := range f.tracks {
		if len(t.samples) > 0 {
			b, offsets[i] = t.appendTraf(b)
		}
	}
	binary.BigEndian.PutUint32(b[moof:], uint32(len(b)-moof)) //nolint:gosec // a second of samples
	mdat := len(b)
	b = append(b, 0, 0, 0, 0, 'm', 'd', 'a', 't')
	var pictures []written
	for i, t := range f.tracks {
		if len(t.samples) == 0 {
			continue
		}
		binary.BigEndian.PutUint32(b[offsets[i]:], uint32(len(b)-moof)) //nolint:gosec // bounded by maxFragmentBytes and a picture
		for _, s := range t.samples {
			if t == f.video {
				pictures = append(pictures, written{s.number, f.file.Size + int64(len(b)-begin), uint32(s.size)}) //nolint:gosec // a picture
			}
			b = t.appendSample(b, s)
		}
	}
	binary.BigEndian.PutUint32(b[mdat:], uint32(len(b)-mdat)) //nolint:gosec // see above
	setCheck(b[begin:], check-begin, f.seed)
	return b, pictures
}

// appendBox appends the beginning of a full box.
func appendBox(b []byte, size int, kind string, versionFlags uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(size)) //nolint:gosec // a second of samples
	b = append(b, kind...)
	return binary.BigEndian.AppendUint32(b, versionFlags)
}

// appendTraf appends the track's part of a moof, and says where in b the
// offset of its data goes.
func (t *trackFile) appendTraf(b []byte) (all []byte, offset int) {
	flags, width := uint32(trunOffset|trunDuration|trunSize), 8
	for _, s := range t.samples {
		if !s.key {
			flags |= trunFlags
		}
		if s.cts != 0 {
			flags |= trunComposition
		}
	}
	for _, f := range []uint32{trunFlags, trunComposition} {
		if flags&f != 0 {
			width += 4
		}
	}
	trun := trunHead + len(t.samples)*width
	b = binary.BigEndian.AppendUint32(b, uint32(boxHead+tfhdSize+tfdtSize+trun)) //nolint:gosec // a second of samples
	b = append(b, "traf"...)
	b = appendBox(b, tfhdSize, "tfhd", tfhdMoofBase)
	b = binary.BigEndian.AppendUint32(b, uint32(t.ID)) //nolint:gosec // from 1
	b = appendBox(b, tfdtSize, "tfdt", 1<<24)
	b = binary.BigEndian.AppendUint64(b, uint64(max(t.from, 0))) //nolint:gosec // not negative
	b = appendBox(b, trun, "trun", 1<<24|flags)
	b = binary.BigEndian.AppendUint32(b, uint32(len(t.samples))) //nolint:gosec // a second of samples
	offset = len(b)
	b = append(b, 0, 0, 0, 0)
	for _, s := range t.samples {
		b = binary.BigEndian.AppendUint32(b, s.duration)
		b = binary.BigEndian.AppendUint32(b, uint32(s.size)) //nolint:gosec // a picture
		if flags&trunFlags != 0 {
			mark := uint32(0)
			if !s.key {
				mark = sampleNonSync
			}
			b = binary.BigEndian.AppendUint32(b, mark)
		}
		if flags&trunComposition != 0 {
			b = binary.BigEndian.AppendUint32(b, uint32(s.cts)) //nolint:gosec // signed by the standard
		}
	}
	return b, offset
}

// appendSample appends a sample's bytes: NAL units as they are, each with
// its length before it.
func (t *trackFile) appendSample(b []byte, s pending) []byte {
	for _, part := range s.au {
		if t.nalus() {
			b = binary.BigEndian.AppendUint32(b, uint32(len(part))) //nolint:gosec // a NAL unit
		}
		b = append(b, part...)
	}
	return b
}

// The flags of trun (ISO/IEC 14496-12 §8.8.8) and of a sample (§8.8.3.1).
const (
	trunOffset      = 0x1
	trunFirstFlags  = 0x4
	trunDuration    = 0x100
	trunSize        = 0x200
	trunFlags       = 0x400
	trunComposition = 0x800
	sampleNonSync   = 1 << 16
	tfhdMoofBase    = 0x20000
)

// maxRunSamples bounds a run: a fragment of ours holds about a second.
const maxRunSamples = 1 << 14

// readMoof reads where the samples of a fragment are. It knows what our
// writer writes; anything else is errTorn.
func readMoof(r io.ReaderAt, at, length int64) ([]run, error) {
	b, err := readAt(r, at, length, maxMoof)
	if err != nil {
		return nil, err
	}
	var runs []run
	err = eachBox(b[8:], func(kind string, traf []byte) error {
		if kind != "traf" {
			return nil
		}
		one, err := readTraf(traf, at)
		if err == nil {
			runs = append(runs, one)
		}
		return err
	})
	if err == nil && len(runs) == 0 {
		err = errTorn
	}
	return runs, err
}

// eachBox calls f with the kind and body of each box in b.
func eachBox(b []byte, f func(kind string, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return errTorn
		}
		n := binary.BigEndian.Uint32(b)
		if n < 8 || uint64(n) > uint64(len(b)) {
			return errTorn
		}
		if err := f(string(b[4:8]), b[8:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func readTraf(b []byte, moof int64) (run, error) {
	var one run
	var dts int64
	err := eachBox(b, func(kind string, body []byte) error {
		if len(body) < 8 {
			return errTorn
		}
		flags := binary.BigEndian.Uint32(body) & 0xffffff
		switch kind {
		case "tfhd":
			if flags != tfhdMoofBase {
				return errTorn
			}
			one.track = int(binary.BigEndian.Uint32(body[4:]))
		case "tfdt":
			if body[0] != 1 || len(body) < 12 {
				return errTorn
			}
			t := binary.BigEndian.Uint64(body[4:])
			if t > 1<<62 {
				return errTorn
			}
			dts = int64(t) //nolint:gosec // just checked
		case "trun":
			return one.readTrun(body, flags, moof, dts)
		}
		return nil
	})
	if err == nil && (one.track == 0 || len(one.samples) == 0) {
		err = errTorn
	}
	return one, err
}

func (one *run) readTrun(b []byte, flags uint32, moof, dts int64) error {
	n := binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	if flags&trunOffset == 0 || flags&trunFirstFlags != 0 || flags&trunDuration == 0 || flags&trunSize == 0 || n > maxRunSamples || len(b) < 4 || one.samples != nil {
		return errTorn
	}
	at := moof + int64(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // signed by the standard
	b = b[4:]
	width := 8
	for _, f := range []uint32{trunFlags, trunComposition} {
		if flags&f != 0 {
			width += 4
		}
	}
	if len(b) != int(n)*width {
		return errTorn
	}
	one.samples = make([]sample, 0, n)
	for ; len(b) > 0; b = b[width:] {
		s := sample{dts: dts, duration: binary.BigEndian.Uint32(b), size: binary.BigEndian.Uint32(b[4:]), key: true, offset: at}
		rest := b[8:]
		if flags&trunFlags != 0 {
			s.key = binary.BigEndian.Uint32(rest)&sampleNonSync == 0
			rest = rest[4:]
		}
		if flags&trunComposition != 0 {
			s.cts = int32(binary.BigEndian.Uint32(rest)) //nolint:gosec // signed by the standard
		}
		one.samples = append(one.samples, s)
		dts += int64(s.duration)
		at += int64(s.size)
	}
	return nil
}
