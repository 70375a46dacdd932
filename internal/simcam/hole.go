package simcam

import (
	"slices"
	"sync"
	"time"
)

// maxHoles is how many holes a camera remembers.
const maxHoles = 10_000

// Hole is a stretch in which a camera sent nothing that can be shown, and
// would have sent nothing to a client that was connected: from the first
// picture that was not sent whole to the next key frame that was. To is zero
// while it lasts.
type Hole struct {
	From, To time.Time
}

// Holes of the camera at path, oldest first. Packets that a client was too
// slow for, or that the network lost, are not in them. When several watch, a
// picture counts as whole when everybody was sent all of it.
func (s *Server) Holes(path string) []Hole {
	o, err := s.outlet(path)
	if err != nil {
		return nil
	}
	o.holes.mu.Lock()
	defer o.holes.mu.Unlock()
	return slices.Clone(o.holes.all)
}

// holes of one camera.
type holes struct {
	mu  sync.Mutex // guards all
	all []Hole
}

// picture notes that a picture was sent, or would have been, or not.
func (h *holes) picture(at time.Time, key, whole bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.all)
	lasts := n > 0 && h.all[n-1].To.IsZero()
	switch {
	case lasts && whole && key:
		h.all[n-1].To = at
	case !lasts && !whole:
		if n == maxHoles {
			h.all = slices.Delete(h.all, 0, 1)
		}
		h.all = append(h.all, Hole{From: at})
	}
}

// deaf says whether nobody can begin to watch a camera with these faults.
func (f *Faults) deaf() bool {
	return f.Answer != "" || f.Redirect != "" || f.OddCodec || f.Auth == "wrong_realm" ||
		f.Garbage == "rtsp" || f.Garbage == "sdp" || f.Garbage == "endless_sdp"
}

// spoils says whether no media come of a camera with these faults.
func (s *setting) spoils() bool {
	return s.Stall || !s.on() || s.Garbage == "payload" || s.Garbage == "packets"
}
