package pack

import (
	"crypto/sha256"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/emmansun/gmsm/sm3"
)

// Sum is what a package says of the content of one file.
type Sum struct {
	SHA256, SM3 [32]byte
	CRC         uint32 // IEEE
	Size        int64
}

// SumOf is the Sum of b.
func SumOf(b []byte) Sum {
	return Sum{SHA256: sha256.Sum256(b), SM3: sm3.Sum(b), CRC: crc32.ChecksumIEEE(b), Size: int64(len(b))}
}

// Summer sums readers one after the other. It holds 256 kB.
type Summer struct{ buffers [2][]byte }

// Sum reads r to its end. SM3 takes longer than the rest together, so it has
// a goroutine of its own, one buffer behind.
func (s *Summer) Sum(r io.Reader) (Sum, error) {
	for i := range s.buffers {
		if s.buffers[i] == nil {
			s.buffers[i] = make([]byte, 128<<10)
		}
	}
	var out Sum
	h, chinese := sha256.New(), sm3.New()
	var done chan struct{}
	wait := func() {
		if done != nil {
			<-done
		}
	}
	defer wait()
	for i := 0; ; i ^= 1 {
		n, err := ReadFull(r, s.buffers[i])
		b := s.buffers[i][:n]
		wait()
		done = make(chan struct{})
		go write(chinese, b, done)
		_, _ = h.Write(b) // never fails
		out.CRC = crc32.Update(out.CRC, crc32.IEEETable, b)
		out.Size += int64(n)
		if errors.Is(err, io.EOF) {
			wait()
			out.SHA256, out.SM3 = [32]byte(h.Sum(nil)), [32]byte(chinese.Sum(nil))
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

// ReadFull fills b with what r has. io.EOF, with what there was, says that r
// ended; io.ReadFull's error for that is also the one of a line that broke.
func ReadFull(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	if n == len(b) && errors.Is(err, io.EOF) {
		err = nil // the next reading says so
	}
	return n, err
}

func write(h hash.Hash, b []byte, done chan<- struct{}) {
	_, _ = h.Write(b) // never fails
	close(done)
}
