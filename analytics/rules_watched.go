package analytics

import (
	"cmp"
	"slices"
	"time"

	"wardwatch/ward"
)

// span is a stretch of time around a moment.
type span struct{ from, to time.Time }

func around(at time.Time, before, after time.Duration) span {
	return span{at.Add(-before), at.Add(after)}
}

func (w span) touches(v ward.Sighting) bool { return !v.From.After(w.to) && !v.To.Before(w.from) }

// watchedBy returns the sightings that show that a camera watched w: those
// with a picture at least every spacing on average, 0 meaning any.
func watchedBy(cam ward.CameraID, vs []ward.Sighting, w span, spacing time.Duration) []ward.Sighting {
	var out []ward.Sighting
	for _, v := range vs {
		if v.Kind == ward.Watched && v.CameraID == cam && w.touches(v) && (spacing == 0 || dense(v, spacing)) {
			out = append(out, v)
		}
	}
	return out
}

// dense says whether a watched stretch had a picture at least every spacing on average.
func dense(v ward.Sighting, spacing time.Duration) bool {
	return v.Count > 1 && v.To.Sub(v.From) <= time.Duration(v.Count-1)*spacing ||
		v.Count <= 1 && v.To.Equal(v.From)
}

// allWatched says whether each of the cameras watched at least share of w,
// and returns the sightings that show it.
func allWatched(cams []ward.CameraID, vs []ward.Sighting, w span, share float64) ([]ward.SightingID, bool) {
	var ids []ward.SightingID
	for _, cam := range cams {
		watched := watchedBy(cam, vs, w, 0)
		if got, _ := covered(watched, w); got < share {
			return nil, false
		}
		ids = append(ids, sightingIDs(watched)...)
	}
	slices.Sort(ids)
	return ids, true
}

// covered returns which share of w the sightings cover together, and the
// longest hole inside w.
func covered(vs []ward.Sighting, w span) (share float64, hole time.Duration) {
	slices.SortFunc(vs, func(a, b ward.Sighting) int { return a.From.Compare(b.From) })
	reached, sum := w.from, time.Duration(0)
	for _, v := range vs {
		from, to := v.From, v.To
		if to.After(w.to) {
			to = w.to
		}
		if from.After(reached) {
			hole = max(hole, min(from.Sub(reached), w.to.Sub(reached)))
			reached = from
		}
		if to.After(reached) {
			sum += to.Sub(reached)
			reached = to
		}
	}
	if w.to.After(reached) {
		hole = max(hole, w.to.Sub(reached))
	}
	return float64(sum) / float64(w.to.Sub(w.from)), hole
}

// somebody says whether any customer was seen in w: a person or a face.
func somebody(vs []ward.Sighting, w span) bool {
	return slices.ContainsFunc(vs, func(v ward.Sighting) bool {
		return (v.Kind == ward.PeopleSeen || v.Kind == ward.FaceSeen && v.Zone.AtCounter()) && w.touches(v)
	})
}

// facesIn returns the comparable faces that touch w, but the staff's, in a fixed order.
func facesIn(vs []ward.Sighting, w span) []ward.Sighting {
	var out []ward.Sighting
	for _, v := range vs {
		if v.Kind == ward.FaceSeen && v.Zone != ward.StaffZone && len(v.Template) > 0 && w.touches(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b ward.Sighting) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func area(v ward.Sighting) float32 { return v.Box.W * v.Box.H }

func sightingIDs(vs []ward.Sighting) []ward.SightingID {
	ids := make([]ward.SightingID, len(vs))
	for i, v := range vs {
		ids[i] = v.ID
	}
	slices.Sort(ids)
	return ids
}

// firstCamera is the camera to show, when the rule has no better one.
func firstCamera(cams []ward.CameraID) ward.CameraID {
	if len(cams) == 0 {
		return ""
	}
	return slices.Min(cams)
}

func settlementIDs(uses []Use) []ward.SettlementID {
	ids := make([]ward.SettlementID, len(uses))
	for i, u := range uses {
		ids[i] = u.Settlement
	}
	return ids
}
