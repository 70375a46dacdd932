package ingest

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"wardwatch/ward"
)

// FuzzPieceName: a name is understood only as it was made.
func FuzzPieceName(f *testing.F) {
	for _, name := range []string{"1795334291704508-12.m4s", "1795334291704508.mp4", "1795334291704508-all.m4s", "-1.m4s", "../x.mp4", "1-+1.m4s", "1-007.m4s", "99999999999999999999.mp4"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, ok := parsePieceName(name)
		if !ok {
			return
		}
		again := fmt.Sprint(n.start.UnixMicro())
		switch {
		case n.init:
			again += initSuffix
		case n.whole:
			again += "-" + wholePiece + pieceSuffix
		default:
			again += fmt.Sprint("-", n.number) + pieceSuffix
		}
		if again != name || n.number < 0 || n.start.Before(time.Unix(0, 0)) {
			t.Fatalf("%q is understood as %q", name, again)
		}
	})
}

// FuzzPiece sends damaged recordings: no panic, never another number of bytes
// than was promised without an error, and no time before the recording's.
func FuzzPiece(f *testing.F) {
	whole := tinyBytes(f)
	x, err := readIndex(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[x.begin:], 1.0)
	f.Add(whole[x.begin:], 1.02)
	f.Add(whole[x.begin:len(whole)-7], 0.5)
	f.Add([]byte{}, 1.0)
	f.Fuzz(func(t *testing.T, b []byte, ratio float64) {
		if !(ratio > 1e-3 && ratio < 1e3) {
			return
		}
		size := int64(len(b))
		p := &Piece{Size: size, from: bytes.NewReader(b), tracks: x.tracks, clock: mediaClock{x.header.Start, ratio}}
		var out bytes.Buffer
		n, err := p.WriteTo(&out)
		if n != int64(out.Len()) || err == nil && n != size {
			t.Fatalf("%d bytes of %d sent, %d said, %v", out.Len(), size, n, err)
		}
	})
}

// FuzzMoov reads damaged descriptions of tracks.
func FuzzMoov(f *testing.F) {
	whole := tinyBytes(f)
	x, err := readIndex(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:x.moov])
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = eachBox(b, func(_ string, moov []byte) error {
			tracks, err := readTracks(moov)
			for _, track := range tracks {
				track.size()
				track.playable()
				if _, e := track.annexB(ward.H264, b); e != nil && err == nil {
					continue
				}
				track.parameterSets()
			}
			return nil
		})
		o := beginning{init: b}
		_ = o.hide()
	})
}

// TestPiecesShareATimeLine: two pieces of a recording whose camera's clock is
// 2 % slow follow each other without a hole, and end with the recording.
func TestPiecesShareATimeLine(t *testing.T) {
	t.Parallel()
	whole := tinyBytes(t)
	x, err := readIndex(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	_, media := x.end()
	g := ward.Segment{ID: "s", Start: x.header.Start, End: x.header.Start.Add(media * 102 / 100), Media: media, Bytes: x.size, Chunks: x.chunks()}
	var out bytes.Buffer
	p := &Piece{Size: x.size - x.begin, from: io.NewSectionReader(bytes.NewReader(whole), x.begin, x.size-x.begin), tracks: x.tracks, clock: clockOf(g)}
	if _, err = p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	moved, err := readIndex(bytes.NewReader(append(bytes.Clone(whole[:x.begin]), out.Bytes()...)), x.size)
	if err != nil {
		t.Fatal(err)
	}
	for _, track := range x.tracks {
		next := int64(-1)
		for _, part := range moved.parts {
			for _, r := range part.runs {
				if r.track != track.id {
					continue
				}
				if next >= 0 && r.samples[0].dts != next {
					t.Errorf("track %d: a fragment begins at %d, the one before ends at %d", track.id, r.samples[0].dts, next)
				}
				last := r.samples[len(r.samples)-1]
				next = last.dts + int64(last.duration)
			}
		}
		if track.video {
			scale := int64(track.timescale)
			want := g.End.Unix()*scale + int64(g.End.Nanosecond())*scale/1e9
			if next < want-1 || next > want+1 {
				t.Errorf("the pictures end at %d, want %d", next, want)
			}
		}
	}
}

// TestTracksThatBrowsersDoNotPlayAreHidden: an old recording with linear
// samples plays its pictures.
func TestTracksThatBrowsersDoNotPlayAreHidden(t *testing.T) {
	t.Parallel()
	whole := tinyBytes(t)
	x, err := readIndex(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.tracks {
		if !x.tracks[i].video {
			x.tracks[i].format = "ipcm"
		}
	}
	o := beginning{tracks: x.tracks, init: bytes.Clone(whole[:x.moov])}
	if err = o.hide(); err != nil {
		t.Fatal(err)
	}
	p := &Piece{Size: x.size - x.begin, from: bytes.NewReader(whole[x.begin:x.size]), tracks: x.tracks, clock: mediaClock{x.header.Start, 1}}
	var out bytes.Buffer
	if _, err = p.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	init, err := readIndex(bytes.NewReader(append(append(o.init, whole[x.moov:x.begin]...), out.Bytes()...)), x.size)
	if err != nil {
		t.Fatal(err)
	}
	if len(init.tracks) != 1 || !init.tracks[0].video || len(init.parts) != len(x.parts) {
		t.Errorf("%d tracks and %d fragments are left of %d and %d", len(init.tracks), len(init.parts), len(x.tracks), len(x.parts))
	}
	for _, part := range init.parts {
		for _, r := range part.runs {
			if r.track != init.tracks[0].id {
				t.Errorf("a run of track %d is left", r.track)
			}
		}
	}
}
