package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Before each moof is a uuid box with the CRC-32C of the rest of its
// fragment. A power cut can leave a file that is as long as it was, with
// holes in what was written last: the boxes are whole then, and the pictures
// are not.

// checkUUID marks the box: random, made once.
var checkUUID = [16]byte{0xc2, 0x5d, 0x7a, 0x11, 0x8e, 0x06, 0x4f, 0x9d, 0xb3, 0x64, 0x19, 0xee, 0x47, 0x0c, 0xd8, 0x52}

const (
	checkSize = boxHead + 16 + 4 // bytes
	prftSize  = 32               // of the box that dates a fragment
)

// appendCheck appends the box, without its sum.
func appendCheck(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, checkSize)
	b = append(b, "uuid"...)
	b = append(b, checkUUID[:]...)
	return append(b, 0, 0, 0, 0)
}

// setCheck puts the sum of the fragment b into its box at at. Seed is the
// sum of what comes before the first fragment, and 0 for those after it.
func setCheck(b []byte, at int, seed uint32) {
	binary.BigEndian.PutUint32(b[at+checkSize-4:], sumOf(b, at, seed))
}

func sumOf(b []byte, at int, seed uint32) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(seed, table, b[:at]), table, b[at+checkSize:])
}

func beginningSum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// verify cuts x before the first fragment whose bytes are not those that
// were written. Fragments of recordings made before there were checks count
// as whole; in others, the check itself is damaged where there is none. It reads in small pieces, however long a damaged file says that
// a fragment is.
func (x *index) verify(r io.ReaderAt) error {
	for i, p := range x.parts {
		seed := uint32(0)
		if i == 0 {
			var err error
			if seed, err = sumBetween(r, 0, p.offset, 0); err != nil {
				return err
			}
		}
		end := x.size
		if i+1 < len(x.parts) {
			end = x.parts[i+1].offset
		}
		whole, err := wholeFragment(r, p.offset, end, seed, x.header.V < checkedVersion)
		if err != nil {
			return err
		}
		if !whole {
			x.parts, x.size = x.parts[:i], p.offset
			return nil
		}
	}
	return nil
}

// wholeFragment says whether the sum of the fragment in [from, to) is right;
// bare is what to say of a fragment without one.
func wholeFragment(r io.ReaderAt, from, to int64, seed uint32, bare bool) (bool, error) {
	for at := from; at < to; {
		kind, n, err := boxAt(r, at, to)
		if errors.Is(err, errTorn) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch {
		case kind == "uuid" && n == checkSize:
			box, err := readAt(r, at, n, checkSize)
			if err != nil {
				return false, err
			}
			if [16]byte(box[boxHead:]) != checkUUID {
				break
			}
			sum, err := sumBetween(r, from, at, seed)
			if err == nil {
				sum, err = sumBetween(r, at+checkSize, to, sum)
			}
			return sum == binary.BigEndian.Uint32(box[checkSize-4:]), err
		case kind == "moof":
			return bare, nil
		}
		at += n
	}
	return false, nil
}

// sumBetween continues the sum with the bytes in [from, to).
func sumBetween(r io.ReaderAt, from, to int64, sum uint32) (uint32, error) {
	table := crc32.MakeTable(crc32.Castagnoli)
	err := inPieces(r, from, to, 0, func(_ int64, b []byte) bool {
		sum = crc32.Update(sum, table, b)
		return true
	})
	return sum, err
}

// pieceSize is how much of a file is read at a time, in bytes.
const pieceSize = 1 << 16

// inPieces reads [from, to) in pieces, each with the last few bytes of the
// one before in front, until use says that it is enough.
func inPieces(r io.ReaderAt, from, to int64, again int, use func(at int64, b []byte) bool) error {
	buf := make([]byte, pieceSize)
	for at := from; at < to; {
		b := buf[:min(int64(len(buf)), to-at)]
		if n, err := r.ReadAt(b, at); n < len(b) {
			return err
		}
		if !use(at, b) || at+int64(len(b)) == to {
			return nil
		}
		at += int64(len(b) - again)
	}
	return nil
}

// holdsMoof says whether the head of a fragment is anywhere in [from, to),
// whole or not.
func holdsMoof(r io.ReaderAt, from, to int64) (found bool, err error) {
	err = inPieces(r, from, to, 3, func(_ int64, b []byte) bool {
		found = bytes.Contains(b, []byte("moof"))
		return !found
	})
	return found, err
}

// holdsWhole says whether a fragment begins in [from, to) that is whole: the
// boxes before it may be broken, so that it is looked for by its bytes.
func holdsWhole(r io.ReaderAt, from, to int64) (found bool, err error) {
	var broken error
	err = inPieces(r, from, to, 3, func(at int64, b []byte) bool {
		for i := 0; broken == nil && !found; i += 4 {
			n := bytes.Index(b[i:], []byte("moof"))
			if n < 0 {
				break
			}
			i += n
			found, broken = wholeAround(r, at+int64(i)-4, from, to)
		}
		return broken == nil && !found
	})
	return found, errors.Join(err, broken)
}

// wholeAround says whether a whole fragment not before from has its moof box
// at at.
func wholeAround(r io.ReaderAt, at, from, to int64) (bool, error) {
	if at < from {
		return false, nil
	}
	end := at
	for _, want := range []string{"moof", "mdat"} {
		kind, n, err := boxAt(r, end, to)
		if errors.Is(err, errTorn) || err == nil && kind != want {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		end += n
	}
	begin := at
	for _, before := range []struct {
		kind string
		size int64
	}{{"uuid", checkSize}, {"prft", prftSize}} {
		if begin-before.size < from {
			continue
		}
		kind, n, err := boxAt(r, begin-before.size, to)
		if err != nil && !errors.Is(err, errTorn) {
			return false, err
		}
		if err == nil && kind == before.kind && n == before.size {
			begin -= n
		}
	}
	return wholeFragment(r, begin, end, 0, true)
}
