package ingest

import (
	"encoding/binary"
	"io"
)

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
