package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"

	"wardwatch/storage/evidence/pack"
)

// What the tests of hostile packages need of the form.

// namesOf lists the files of a package.
func namesOf(b []byte) ([]string, error) {
	entries, err := pack.Walk(bytes.NewReader(b), int64(len(b)))
	var all []string
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return all, err
}

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

// sumsOf is SHA256SUMS, or SM3SUMS, for the named files.
func sumsOf(names []string, files map[string][]byte, chinese bool) []byte {
	return pack.Sums(names, func(n string) [32]byte {
		s := pack.SumOf(files[n])
		if chinese {
			return s.SM3
		}
		return s.SHA256
	})
}

// hexSum is the SHA-256 of b.
func hexSum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// contentOf says of each byte of a package whether it is a file's content.
func contentOf(b []byte) []bool {
	in := make([]bool, len(b))
	entries, _ := pack.Walk(bytes.NewReader(b), int64(len(b)))
	for _, e := range entries {
		for i := e.End() - e.Size; i < e.End(); i++ {
			in[i] = true
		}
	}
	return in
}
