package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
)

// What the tests of hostile packages need of the form.

// Names lists the files of a package.
func Names(b []byte) ([]string, error) {
	entries, err := walk(bytes.NewReader(b), int64(len(b)))
	var all []string
	for _, e := range entries {
		all = append(all, e.name)
	}
	return all, err
}

// Zip writes files in the one form.
func Zip(order []string, files map[string][]byte) []byte {
	var out []byte
	var all []entry
	for _, n := range order {
		e := entry{name: n, size: int64(len(files[n])), crc: crc32.ChecksumIEEE(files[n]), offset: int64(len(out))}
		all = append(all, e)
		out = append(append(out, e.local()...), files[n]...)
	}
	return append(out, directory(all)...)
}

// Sums is SHA256SUMS for the named files.
func Sums(names []string, files map[string][]byte) []byte {
	return sums(names, func(n string) [32]byte { return sha256.Sum256(files[n]) })
}

// HexSum is the SHA-256 of b.
func HexSum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// ContentOf says of each byte of a package whether it is a file's content.
func ContentOf(b []byte) []bool {
	in := make([]bool, len(b))
	entries, _ := walk(bytes.NewReader(b), int64(len(b)))
	for _, e := range entries {
		for i := e.end() - e.size; i < e.end(); i++ {
			in[i] = true
		}
	}
	return in
}
