package pack_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"wardwatch/storage/evidence/pack"
)

// A line that breaks is no end: what came until then is no file.
func TestSumOfALineThatBreaks(t *testing.T) {
	whole := bytes.Repeat([]byte("0123456789"), 30_000)
	for _, r := range []io.Reader{bytes.NewReader(whole), iotest.OneByteReader(bytes.NewReader(whole)), iotest.DataErrReader(bytes.NewReader(whole))} {
		if got, err := (&pack.Summer{}).Sum(r); err != nil || got != pack.SumOf(whole) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for _, n := range []int{0, 1, 128 << 10, len(whole)} {
		broken := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(io.ErrUnexpectedEOF))
		if got, err := (&pack.Summer{}).Sum(broken); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: %+v, %v", n, got, err)
		}
	}
}
