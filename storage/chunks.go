package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// encodeChunks packs chunks into the segment row, about four bytes each: for
// each one the milliseconds and the bytes since the one before, as unsigned varints.
func encodeChunks(chunks []ward.Chunk) []byte {
	var b []byte
	var last ward.Chunk
	for _, c := range chunks {
		at := c.At.Round(time.Millisecond)
		b = binary.AppendUvarint(b, uint64(max(at-last.At, 0).Milliseconds())) //nolint:gosec // not negative
		b = binary.AppendUvarint(b, uint64(max(c.Offset-last.Offset, 0)))      //nolint:gosec // not negative
		last = ward.Chunk{At: at, Offset: c.Offset}
	}
	return b
}

var errChunks = errors.New("its chunks cannot be read")

func decodeChunks(b []byte) ([]ward.Chunk, error) {
	var chunks []ward.Chunk
	var c ward.Chunk
	for len(b) > 0 {
		at, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errChunks
		}
		off, m := binary.Uvarint(b[n:])
		if m <= 0 || at > 1<<40 || off > 1<<40 {
			return nil, fmt.Errorf("%w: byte %d from the end", errChunks, len(b))
		}
		c.At += time.Duration(at) * time.Millisecond //nolint:gosec // bounded
		c.Offset += int64(off)                       //nolint:gosec // bounded
		chunks, b = append(chunks, c), b[n+m:]
	}
	return chunks, nil
}
