package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

func newObjects(t testing.TB) *objects.Dir {
	t.Helper()
	d, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// probe is what ffprobe says of a file.
type probe struct {
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
	Streams []struct {
		CodecName string `json:"codec_name"`
		CodecType string `json:"codec_type"`
		Frames    string `json:"nb_read_frames"`
		Width     int    `json:"width"`
	} `json:"streams"`
}

func ffprobe(t testing.TB, file string) probe {
	t.Helper()
	cmd := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("ffprobe complains about %s: %v: %s", file, err, &stderr)
	}
	var p probe
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p probe) seconds(t testing.TB) float64 {
	t.Helper()
	d, err := strconv.ParseFloat(p.Format.Duration, 64)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func clipTo(t testing.TB, lib *ingest.Library, from, to time.Time) (string, ingest.ClipInfo) {
	t.Helper()
	var b bytes.Buffer
	info, err := lib.Clip(t.Context(), &b, inst, src("cam-1"), from, to)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, info
}

func TestClipSpansObjectsSpoolAndTheFileBeingWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*clip{"h264": h264Clip(t), "h265": h265Clip(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newObjects(t)
			r := newRig(t, nil)
			up := &ingest.Uploader{Store: r.store, Spool: r.spool, Objects: store}
			upCtx, stopUp := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- up.Run(upCtx) }()
			defer func() { stopUp(); <-done }()
			addCamera(t, r.store, camera("cam-1", serve(t, c).url))
			archived := func() (n int) {
				for _, g := range r.segments(t, "cam-1") {
					if g.State == ward.Archived {
						n++
					}
				}
				return n
			}
			until(t, "two archived segments", 20*time.Second, func() bool { return archived() >= 2 })
			segs := r.segments(t, "cam-1")
			from := segs[0].Start.Add(1500 * time.Millisecond)
			lib := &ingest.Library{Store: r.store, Objects: store, Spool: r.spool}

			to := segs[1].End.Add(time.Second)
			until(t, "the file being written reaches the end of the clip", 10*time.Second, func() bool {
				_, info := clipTo(t, lib, from, to)
				return info.Complete
			})
			file, info := clipTo(t, lib, from, to)
			// A moment less than a millisecond before a picture means that picture.
			if d := from.Sub(info.From); d <= -time.Millisecond || d > tolerance(300*time.Millisecond) {
				t.Errorf("clip begins %s before the wanted time, want the picture on screen then", d)
			}
			p := ffprobe(t, file)
			ffmpegReads(t, file)
			if got, want := p.seconds(t), info.To.Sub(info.From).Seconds(); math.Abs(got-want) > tolerance(300*time.Millisecond).Seconds() {
				t.Errorf("clip lasts %.2f s, want %.2f", got, want)
			}
			if len(info.Segments) < 2 {
				t.Errorf("clip names segments %v, want 2 or more", info.Segments)
			}

			// The same camera id of another institution sees none of it: rows, gaps, the file being written.
			if _, err := lib.Clip(t.Context(), &bytes.Buffer{}, "hospital-2", src("cam-1"), from, time.Now().Add(time.Minute)); !errors.Is(err, &ward.Error{Code: "clip.nothing"}) {
				t.Errorf("a clip for another institution: %v", err)
			}
			tl, err := lib.Timeline(t.Context(), "hospital-2", src("cam-1"), segs[0].Start.Add(-time.Minute), time.Now().Add(time.Minute))
			if err != nil || len(tl.Segments)+len(tl.Live)+len(tl.Gaps) != 0 {
				t.Errorf("timeline for another institution: %+v, %v", tl, err)
			}
			until(t, "its own timeline has rows, gaps and the file being written", 5*time.Second, func() bool {
				tl, err := lib.Timeline(t.Context(), inst, src("cam-1"), segs[0].Start.Add(-time.Minute), time.Now().Add(time.Minute))
				return err == nil && len(tl.Segments) > 0 && len(tl.Live) > 0 && len(tl.Gaps) > 0
			})

			file, info = clipTo(t, lib, time.Now().Add(-10*time.Second), time.Now().Add(20*time.Second))
			ffmpegReads(t, file)
			if info.Complete || len(info.Missing) == 0 {
				t.Errorf("a clip into the future says %+v, want incomplete", info)
			}
		})
	}
}

func TestClipRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	lib := &ingest.Library{Store: r.store, Objects: newObjects(t), Spool: r.spool}
	now := time.Now()
	for code, to := range map[string]time.Time{"clip.range": now, "clip.too_long": now.Add(time.Hour), "clip.nothing": now.Add(time.Second)} {
		if _, err := lib.Clip(t.Context(), &bytes.Buffer{}, inst, src("cam-1"), now, to); !errors.Is(err, &ward.Error{Code: code}) {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}
