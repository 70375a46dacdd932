package analytics

import (
	"slices"
	"time"

	"wardwatch/ward"
)

// faceless is how long somebody without a face must be in view to count as
// one more person: for less, it is a known one who turns away, comes or goes.
const faceless = faceHold

// folk is how many different people can have been at the counter in w, at the
// most: the faces that are not certainly of one person, each face that cannot
// be compared, and those seen without a face. Somebody of these may have left
// another his place unnoticed as often as the turnover fits into the time.
// Each camera may have seen others without a face.
func folk(win Window, w, swipes span, r Rule) (n int, seen []ward.SightingID) {
	var known []ward.Sighting
	for _, v := range win.Sightings {
		if !w.touches(v) || v.Kind != ward.PeopleSeen && (v.Kind != ward.FaceSeen || !v.Zone.AtCounter()) {
			continue
		}
		seen = append(seen, v.ID)
		switch {
		case v.Kind != ward.FaceSeen:
		case len(v.Template) == 0:
			n++
		default:
			known = append(known, v)
		}
	}
	n += different(known, r.cosine("match"))
	for _, cam := range win.Cameras {
		n += withoutFace(cam, win.Sightings, w, swipes, r.seconds("turnover"))
	}
	return n, seen
}

// different counts the people of faces, where those are one who are linked by
// faces certainly alike.
func different(faces []ward.Sighting, match float32) int {
	n := 0
	for len(faces) > 0 {
		n++
		for reached := []ward.Sighting{faces[0]}; len(reached) > 0; reached = reached[1:] {
			faces = slices.DeleteFunc(faces, func(v ward.Sighting) bool {
				same := v.ModelID == reached[0].ModelID && v.Template.Cosine(reached[0].Template) >= match
				if same {
					reached = append(reached, v)
				}
				return same || v.ID == reached[0].ID
			})
		}
	}
	return n
}

// withoutFace counts who was seen by a camera in w without a face, at most.
func withoutFace(cam ward.CameraID, vs []ward.Sighting, w, swipes span, turnover time.Duration) int {
	var faces []ward.Sighting
	for _, v := range vs {
		if v.CameraID == cam && v.Kind == ward.FaceSeen && v.Zone.AtCounter() && w.touches(v) {
			faces = append(faces, v)
		}
	}
	n := 0
	for _, v := range vs {
		if v.CameraID != cam || v.Kind != ward.PeopleSeen || !w.touches(v) {
			continue
		}
		in := span{latest(v.From, w.from), earliest(v.To, w.to)}
		for level := range max(v.Count, 1) {
			for _, s := range lacking(faces, in, v.Count-level) {
				if s.to.Sub(s.from) < faceless {
					continue
				}
				if n++; level == 0 { // one at a time is served
					n += int(max(earliest(s.to, swipes.to).Sub(latest(s.from, swipes.from)), 0) / turnover)
				}
			}
		}
	}
	return n
}

// lacking returns the stretches of w in which fewer than want of the faces
// were seen.
func lacking(faces []ward.Sighting, w span, want int) []span {
	turns := []time.Time{w.from, w.to}
	for _, f := range faces {
		for _, t := range []time.Time{f.From, f.To} {
			if t.After(w.from) && t.Before(w.to) {
				turns = append(turns, t)
			}
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	var out []span
	for i := range len(turns) - 1 {
		part, n := span{turns[i], turns[i+1]}, 0
		for _, f := range faces {
			if !f.From.After(part.from) && !f.To.Before(part.to) {
				n++
			}
		}
		if n >= want {
			continue
		}
		if k := len(out) - 1; k >= 0 && out[k].to.Equal(part.from) {
			out[k].to = part.to
		} else {
			out = append(out, part)
		}
	}
	return out
}
