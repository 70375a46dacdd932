package rounds

import (
	"slices"
	"sync"
	"time"

	"wardwatch/ward"
)

// received counts what a bedside's line carried during the checks: a thin one
// sends fewer pictures, and the face stays as large.
type received struct {
	mu     sync.Mutex // guards the rest
	bytes  int        // of pictures, as RTP
	whole  int        // pictures
	lost   int        // times that pictures before one were missing
	shown  time.Duration
	last   time.Time
	width  int // of the last picture that was looked at
	height int
	faces  []float32 // pixels
}

const facesMeasured = 500 // of a visit; more say nothing new

// take counts a packet.
func (r *received) take(bytes int) {
	r.mu.Lock()
	r.bytes += bytes
	r.mu.Unlock()
}

// picture counts a picture that came at now; a hole is no time of the line.
func (r *received) picture(p picture, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if gap := now.Sub(r.last); gap < quietAfter {
		r.shown += gap
	}
	r.last = now
	r.whole++
	if p.lost {
		r.lost++
	}
}

// see measures the face of a picture.
func (r *received) see(seen ward.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.width, r.height = seen.Width, seen.Height
	if len(seen.Faces) == 1 && len(r.faces) < facesMeasured {
		r.faces = append(r.faces, seen.Faces[0].Box.W*float32(seen.Width))
	}
}

// event says it in kbit/s, pictures a second and pixels; face is the median width.
func (r *received) event() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	face := 0
	if n := len(r.faces); n > 0 {
		all := slices.Sorted(slices.Values(r.faces))
		face = int(all[n/2])
	}
	seconds := max(r.shown.Seconds(), 1)
	return map[string]any{
		"kbit": int(float64(r.bytes) * 8 / 1000 / seconds), "fps": tenth(float32(float64(r.whole) / seconds)), "lost": r.lost,
		"width": r.width, "height": r.height, "face_px": face,
	}
}
