package evidence

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// sparse is a package whose contents are zeros that nobody stores.
type sparse struct {
	entries []entry
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
		put(e.local(), e.offset)
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
	for _, e := range []entry{{name: "a", size: 5 << 30}, {name: "b", size: 3}, {name: "c", size: 1<<32 - 1}, {name: "d", size: 0}} {
		e.offset = at
		at = e.end()
		s.entries = append(s.entries, e)
	}
	s.tail = directory(s.entries)
	s.size = at + int64(len(s.tail))
	got, err := walk(s, s.size)
	if err != nil || len(got) != 4 {
		t.Fatalf("got %v, %v", got, err)
	}
	z, err := zip.NewReader(s, s.size) // the standard library agrees
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range s.entries {
		off, err := z.File[i].DataOffset()
		if err != nil || got[i] != e || z.File[i].Name != e.name || int64(z.File[i].UncompressedSize64) != e.size || off != e.offset+int64(len(e.local())) {
			t.Errorf("%+v: walk %+v, zip %+v at %d, %v", e, got[i], z.File[i].FileHeader, off, err)
		}
	}
}

func TestPackagesOfOtherWritersAreRefused(t *testing.T) {
	var deflated, attributes bytes.Buffer
	w := zip.NewWriter(&deflated)
	f, err := w.Create("bomb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 1<<20)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	w = zip.NewWriter(&attributes)
	h := &zip.FileHeader{Name: "link", Method: zip.Store}
	h.SetMode(0o120777) // a symbolic link
	if _, err := w.CreateHeader(h); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{deflated.Bytes(), attributes.Bytes(), nil, []byte("PK"), make([]byte, 100)} {
		r, err := Verify(bytes.NewReader(b), int64(len(b)), Trust{})
		if err != nil || r.Authentic() {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(Zip([]string{"README.txt", "manifest.json"}, map[string][]byte{"manifest.json": []byte(`{"schema":"wardwatch-package/1","items":[{"kind":"segment"}],"files":[{}]}`)}))
	f.Add(Zip([]string{"records/custody-000001-0.json", "checkpoint", "key.pub"}, map[string][]byte{"checkpoint": []byte("x\n\n— x AAAA\n")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := Verify(bytes.NewReader(b), int64(len(b)), Trust{}); err == nil && r.Authentic() {
			t.Error("accepted")
		}
	})
}

func TestNoiseIsRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := Zip([]string{"manifest.json", "key.pub"}, map[string][]byte{"manifest.json": []byte(`{}`)})
		for range 1 + rnd.IntN(8) {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		r, err := Verify(bytes.NewReader(b), int64(len(b)), Trust{})
		if err == nil && r.Authentic() || err != nil && errors.Is(err, io.EOF) {
			t.Fatalf("%v", err)
		}
	}
}
