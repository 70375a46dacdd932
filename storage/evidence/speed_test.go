package evidence

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkVerifyHash reads a package of one big file: the bytes per second
// are those of hashing.
func BenchmarkVerifyHash(b *testing.B) {
	path := filepath.Join(b.TempDir(), "p.zip")
	body := make([]byte, 256<<20)
	if err := os.WriteFile(path, Zip([]string{"media/x.mp4"}, map[string][]byte{"media/x.mp4": body}), 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := Verify(f, info.Size(), ""); err != nil {
			b.Fatal(err)
		}
	}
}
