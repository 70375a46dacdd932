package ingest

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Before each moof is a uuid box with the CRC-32C of the rest of its
// fragment. A power cut can leave a file that is as long as it was, with
// holes in what was written last: the boxes are whole then, and the pictures
// are not.

// checkUUID marks the box: random, made once.
var checkUUID = [16]byte{0xc2, 0x5d, 0x7a, 0x11, 0x8e, 0x06, 0x4f, 0x9d, 0xb3, 0x64, 0x19, 0xee, 0x47, 0x0c, 0xd8, 0x52}

const checkSize = boxHead + 16 + 4 // bytes

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
// as whole.
func (x *index) verify(r io.ReaderAt) error {
	for i, p := range x.parts {
		seed := uint32(0)
		if i == 0 {
			b, err := readAt(r, 0, p.offset, maxMoov+maxHeader)
			if err != nil {
				return err
			}
			seed = beginningSum(b)
		}
		end := x.size
		if i+1 < len(x.parts) {
			end = x.parts[i+1].offset
		}
		b, err := readAt(r, p.offset, end-p.offset, maxBytes)
		if err != nil {
			return err
		}
		if !wholeFragment(b, seed) {
			x.parts, x.size = x.parts[:i], p.offset
			return nil
		}
	}
	return nil
}

// wholeFragment says whether the sum of the fragment b is right.
func wholeFragment(b []byte, seed uint32) bool {
	for at := 0; at+boxHead <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n < boxHead || n > len(b)-at {
			return false
		}
		switch kind := string(b[at+4 : at+8]); {
		case kind == "uuid" && n == checkSize && [16]byte(b[at+8:]) == checkUUID:
			return binary.BigEndian.Uint32(b[at+checkSize-4:]) == sumOf(b, at, seed)
		case kind == "moof":
			return true // it has none
		}
		at += n
	}
	return false
}
