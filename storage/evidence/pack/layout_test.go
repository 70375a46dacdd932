package pack

import (
	"archive/zip"
	"io"
	"testing"
)

// sparse is a package whose contents are zeros that nobody stores.
type sparse struct {
	entries []Entry
	tail    []byte
	size    int64
}

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	if at >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-at))
	clear(p[:n])
	put := func(b []byte, off int64) {
		for i, c := range b {
			if k := off + int64(i) - at; k >= 0 && k < int64(n) {
				p[k] = c
			}
		}
	}
	for _, e := range s.entries {
		put(e.Local(), e.Offset)
	}
	put(s.tail, s.size-int64(len(s.tail)))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestPackagesBeyondFourGigabytesAreRead(t *testing.T) {
	var s sparse
	var at int64
	for _, e := range []Entry{{Name: "a", Size: 5 << 30}, {Name: "b", Size: 3}, {Name: "c", Size: 1<<32 - 1}, {Name: "d", Size: 0}} {
		e.Offset = at
		at = e.End()
		s.entries = append(s.entries, e)
	}
	s.tail = Directory(s.entries)
	s.size = at + int64(len(s.tail))
	got, err := Walk(s, s.size)
	if err != nil || len(got) != 4 {
		t.Fatalf("got %v, %v", got, err)
	}
	z, err := zip.NewReader(s, s.size) // the standard library agrees
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range s.entries {
		off, err := z.File[i].DataOffset()
		if err != nil || got[i] != e || z.File[i].Name != e.Name || int64(z.File[i].UncompressedSize64) != e.Size || off != e.Offset+int64(len(e.Local())) {
			t.Errorf("%+v: Walk %+v, zip %+v at %d, %v", e, got[i], z.File[i].FileHeader, off, err)
		}
	}
}
