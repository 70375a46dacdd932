package verify_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
)

// zipOf writes files in the one form.
func zipOf(order []string, files map[string][]byte) []byte {
	var out []byte
	var all []pack.Entry
	for _, n := range order {
		e := pack.Entry{Name: n, Size: int64(len(files[n])), CRC: crc32.ChecksumIEEE(files[n]), Offset: int64(len(out))}
		all = append(all, e)
		out = append(append(out, e.Local()...), files[n]...)
	}
	return append(out, pack.Directory(all)...)
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
		r, err := verify.Package(bytes.NewReader(b), int64(len(b)), verify.Trust{})
		if err != nil || r.Authentic() {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(zipOf([]string{"README.txt", "manifest.json"}, map[string][]byte{"manifest.json": []byte(`{"schema":"wardwatch-package/1","items":[{"kind":"segment"}],"files":[{}]}`)}))
	f.Add(zipOf([]string{"records/custody-000001-0.json", "checkpoint", "key.pub"}, map[string][]byte{"checkpoint": []byte("x\n\n— x AAAA\n")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := verify.Package(bytes.NewReader(b), int64(len(b)), verify.Trust{}); err == nil && r.Authentic() {
			t.Error("accepted")
		}
	})
}

func TestNoiseIsRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := zipOf([]string{"manifest.json", "key.pub"}, map[string][]byte{"manifest.json": []byte(`{}`)})
		for range 1 + rnd.IntN(8) {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		r, err := verify.Package(bytes.NewReader(b), int64(len(b)), verify.Trust{})
		if err == nil && r.Authentic() || err != nil && errors.Is(err, io.EOF) {
			t.Fatalf("%v", err)
		}
	}
}
