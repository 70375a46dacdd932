package analytics

import (
	"slices"
	"time"

	"wardwatch/ward"
)

// Somebody without a comparable face counts as one more person when in view
// for so long; for less, it is a known one who turns away, comes or goes, or,
// where no such face was in view before and after, a flicker.
const faceless, facelessAlone = faceHold, peopleHold

// folk is how many different people can have been at the counter in w, at the
// most: the comparable faces that are not certainly of one person, and those
// seen without one. Of these, one may have left another his place unnoticed as
// often as the turnover fits in between the swipes. Each camera may have seen
// others without a face.
func folk(win Window, w, swipes span, r Rule) (n int, seen []ward.SightingID) {
	var known []ward.Sighting
	for _, v := range win.Sightings {
		if !w.touches(v) || v.Kind != ward.PeopleSeen && (v.Kind != ward.FaceSeen || !v.Zone.AtCounter()) {
			continue
		}
		if seen = append(seen, v.ID); len(v.Template) > 0 {
			known = append(known, v)
		}
	}
	n = different(slices.Clone(known), r.cosine("match"))
	for _, cam := range win.Cameras {
		var faces []ward.Sighting
		for _, v := range known {
			if v.CameraID == cam {
				faces = append(faces, v)
			}
		}
		for _, v := range win.Sightings {
			if v.CameraID == cam && v.Kind == ward.PeopleSeen && w.touches(v) {
				n += withoutFace(v, faces, w, swipes, r.seconds("turnover"))
			}
		}
	}
	return n, seen
}

// different counts the people of faces, where those are one who are linked by
// faces certainly alike. It overwrites the slice.
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

// withoutFace counts who was among the people seen in w without one of the
// faces, at most.
func withoutFace(people ward.Sighting, faces []ward.Sighting, w, swipes span, turnover time.Duration) int {
	in := span{latest(people.From, w.from), earliest(people.To, w.to)}
	least := facelessAlone
	if slices.ContainsFunc(faces, in.touches) {
		least = faceless
	}
	n := 0
	for level := range max(people.Count, 1) {
		for _, s := range lacking(faces, in, max(people.Count, 1)-level) {
			if s.to.Sub(s.from) < least {
				continue
			}
			if n++; level == 0 { // one at a time is served
				n += int(max(earliest(s.to, swipes.to).Sub(latest(s.from, swipes.from)), 0) / turnover)
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
