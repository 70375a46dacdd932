package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A package is a zip file in one form only, so that every byte of it can be
// checked: entries stored (not compressed), one after the other from byte 0,
// each with its size and CRC-32 in front, no times, attributes, comments or
// gaps. Every unpacker reads it; Verify writes it anew and compares.

// ErrForm is the cause of every error about the form of the zip file.
var ErrForm = errors.New("not the package as it was exported")

// Entry is one file of the zip.
type Entry struct {
	Name   string
	Size   int64  // of the content
	CRC    uint32 // IEEE
	Offset int64  // of its header
}

const (
	zipLocal    = 0x04034b50
	zipCentral  = 0x02014b50
	zipEnd      = 0x06054b50
	zipEnd64    = 0x06064b50
	zipLocate64 = 0x07064b50

	zipVersion   = 20
	zipVersion64 = 45
	zipUTF8      = 0x800  // flag: the name is UTF-8
	zipDate      = 0x0021 // 1980-01-01, the earliest that zip can say
	zip64Extra   = 1

	localLen = 30
)

type bin []byte

func (b bin) u16(v uint16) bin { return binary.LittleEndian.AppendUint16(b, v) }
func (b bin) u32(v uint32) bin { return binary.LittleEndian.AppendUint32(b, v) }
func (b bin) u64(v uint64) bin { return binary.LittleEndian.AppendUint64(b, v) }

func clip(v int64) uint32 { return uint32(min(v, math.MaxUint32)) }
func big(v int64) bool    { return v >= math.MaxUint32 }

// common is what local and central headers share, from the version to the
// length of the extra field.
func (e Entry) common(b bin, extra int) bin {
	version := uint16(zipVersion)
	if extra > 0 {
		version = zipVersion64
	}
	return b.u16(version).u16(zipUTF8).u16(0).u16(0).u16(zipDate).
		u32(e.CRC).u32(clip(e.Size)).u32(clip(e.Size)).u16(uint16(len(e.Name))).u16(uint16(extra))
}

// Local is the header in front of the content.
func (e Entry) Local() []byte {
	if !big(e.Size) {
		return append(e.common(bin{}.u32(zipLocal), 0), e.Name...)
	}
	return append(e.common(bin{}.u32(zipLocal), 20), e.Name...).u16(zip64Extra).u16(16).u64(uint64(e.Size)).u64(uint64(e.Size))
}

// End is the offset after the content.
func (e Entry) End() int64 { return e.Offset + int64(len(e.Local())) + e.Size }

func (e Entry) central() []byte {
	var x bin
	if big(e.Size) {
		x = x.u64(uint64(e.Size)).u64(uint64(e.Size))
	}
	if big(e.Offset) {
		x = x.u64(uint64(e.Offset))
	}
	if len(x) > 0 {
		x = append(bin{}.u16(zip64Extra).u16(uint16(len(x))), x...)
	}
	b := e.common(bin{}.u32(zipCentral).u16(zipVersion64), len(x))
	b = b.u16(0).u16(0).u16(0).u32(0).u32(clip(e.Offset))
	return append(append(b, e.Name...), x...)
}

// Directory is everything after the last content.
func Directory(entries []Entry) []byte {
	var b bin
	var start int64
	for _, e := range entries {
		b = append(b, e.central()...)
		start = e.End()
	}
	n, size := int64(len(entries)), int64(len(b))
	if n >= math.MaxUint16 || big(start) || big(size) {
		b = b.u32(zipEnd64).u64(44).u16(zipVersion64).u16(zipVersion64).u32(0).u32(0).
			u64(uint64(n)).u64(uint64(n)).u64(uint64(size)).u64(uint64(start))
		b = b.u32(zipLocate64).u32(0).u64(uint64(start + size)).u32(1)
	}
	count := uint16(min(n, math.MaxUint16))
	return b.u32(zipEnd).u16(0).u16(0).u16(count).u16(count).u32(clip(size)).u32(clip(start)).u16(0)
}

// maxName bounds a name in a package, in bytes; ours are shorter.
const maxName = 512

// maxEntries bounds the files of a package.
const maxEntries = 1 << 20

// Walk reads the headers of a package from its first byte to its last and
// returns its entries. It reads no content. Any deviation from the one form
// is an error that names the file where it is.
func Walk(r io.ReaderAt, size int64) ([]Entry, error) {
	var all []Entry
	var at int64
	for {
		head := make([]byte, localLen)
		if err := readAt(r, head, at); err != nil {
			return all, err
		}
		if binary.LittleEndian.Uint32(head) != zipLocal {
			break
		}
		e, err := readLocal(r, head, at, size)
		if err != nil {
			return all, err
		}
		if len(all) >= maxEntries {
			return all, fmt.Errorf("%w: more than %d files", ErrForm, maxEntries)
		}
		all = append(all, e)
		at = e.End()
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: not a package", ErrForm)
	}
	want := Directory(all)
	if size-at != int64(len(want)) {
		return all, fmt.Errorf("%w: what follows %q is not the list of files", ErrForm, all[len(all)-1].Name)
	}
	got := make([]byte, len(want))
	if err := readAt(r, got, at); err != nil {
		return all, err
	}
	if string(got) != string(want) {
		return all, fmt.Errorf("%w: the list of files at the end differs from the files", ErrForm)
	}
	return all, nil
}

func readLocal(r io.ReaderAt, head []byte, at, size int64) (Entry, error) {
	e := Entry{Offset: at, CRC: binary.LittleEndian.Uint32(head[14:]), Size: int64(binary.LittleEndian.Uint32(head[22:]))}
	n := int(binary.LittleEndian.Uint16(head[26:]))
	if n == 0 || n > maxName {
		return e, fmt.Errorf("%w: a name of %d bytes at byte %d", ErrForm, n, at)
	}
	rest := make([]byte, n)
	if err := readAt(r, rest, at+localLen); err != nil {
		return e, err
	}
	e.Name = string(rest)
	if e.Size == math.MaxUint32 {
		x := make([]byte, 20)
		if err := readAt(r, x, at+localLen+int64(n)); err != nil {
			return e, err
		}
		e.Size = int64(binary.LittleEndian.Uint64(x[12:]))
	}
	want := e.Local()
	got := make([]byte, len(want))
	if err := readAt(r, got, at); err != nil {
		return e, err
	}
	if string(got) != string(want) {
		return e, fmt.Errorf("%w: the header of %q is not as Wardwatch writes it", ErrForm, e.Name)
	}
	if e.Size < 0 || e.Size > size-at-int64(len(want)) {
		return e, fmt.Errorf("%w: %q claims %d bytes and the file ends before", ErrForm, e.Name, e.Size)
	}
	return e, nil
}

// readAt fills b or says that the package is cut off.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("%w: cut off at byte %d", ErrForm, at+int64(n))
	}
	return fmt.Errorf("read package at byte %d: %w", at, err)
}
