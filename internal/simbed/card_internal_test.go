package simbed

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"wardwatch/internal/barcode"
)

func TestHeldCodesAreReadable(t *testing.T) {
	dir := t.TempDir()
	film := filepath.Join(dir, "f.h264")
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=360x288:d=0.04", film+".mp4").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	if err := transcode(t.Context(), film+".mp4", film, "fps=25", 21); err != nil {
		t.Fatal(err)
	}
	stream, err := os.ReadFile(film)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := split(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		bars bool
	}{{"WW1.ABCDEFGH.59123456.12345678", false}, {"a1", true}, {"ZY20260017", true}} {
		held, err := card(t.Context(), frames[0], c.text, c.bars)
		if err != nil {
			t.Fatal(err)
		}
		x := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-")
		x.Stdin = bytes.NewReader(held.Frames[0])
		grey, err := x.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := barcode.Read(grey, 360, 288); !slices.Contains(got, c.text) {
			t.Errorf("%s is read as %q", c.text, got)
		}
		if a, b := parameters(frames[0]), parameters(held.Frames[0]); !bytes.Equal(a, b) {
			t.Errorf("%s: other parameter sets: %x, %x", c.text, a, b)
		}
	}
}

// parameters are the SPS and PPS that a frame begins with.
func parameters(au []byte) []byte {
	slice := bytes.Index(au, []byte{0, 0, 1, 0x06})
	if slice < 0 {
		slice = bytes.Index(au, []byte{0, 0, 1, 0x65})
	}
	return bytes.TrimRight(au[:max(0, slice)], "\x00")
}
