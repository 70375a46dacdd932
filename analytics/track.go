package analytics

import (
	"cmp"
	"slices"
	"time"

	"wardwatch/ward"
)

const (
	bestShots = 5 // templates fused into a track's
	// A face joins a track when it lies where the track was in the picture
	// before and is similar, or when it is the same person by the strict
	// threshold. A face too poor to compare joins by place alone, and adds no template.
	sameSpot        = .2  // intersection over union
	similarAtSpot   = .45 // cosine; different people measured: 99 % below .467
	similarAnywhere = .56 // cosine, ward.DefaultFaceThresholds.Match
)

// track is one person's face over several pictures.
type track struct {
	open
	counted time.Time // when Count last went up
	shots   []shot    // the best, best first
	last    ward.Face
	best    float32 // quality of the best shot
	jpeg    []byte  // the best shot
}

func (t *track) closed() Change {
	c := Change{Phase: Closed, Sighting: t.Sighting}
	if t.Count > 0 {
		c.Shot = t.jpeg
	}
	return c
}

// shot is one comparable picture of a face.
type shot struct {
	quality  float32
	template ward.Template
}

// quality orders the pictures of one face, 0 to 1: sure, large, sharp, frontal.
func quality(f ward.Face) float32 {
	yaw := min(max(f.Yaw, -f.Yaw)/45, 1)
	return f.Score * min(f.EyePx/80, 1) * min(f.Sharp/300, 1) * (1 - yaw)
}

// add extends the track with one face of one picture. Of pictures closer
// together than fullEvery one is counted: they show the same moment.
func (t *track) add(f ward.Face, seen ward.Seen, at time.Time) {
	t.To, t.last = at, f
	q := quality(f)
	if len(f.Template) > 0 {
		if t.Count == 0 || at.Sub(t.counted) >= fullEvery {
			t.Count, t.counted = t.Count+1, at
		}
		t.ModelID = seen.ModelID
		t.shots = append(t.shots, shot{q, f.Template})
		slices.SortStableFunc(t.shots, better)
		t.shots = t.shots[:min(len(t.shots), bestShots)]
		t.Template = fused(t.shots)
		q++ // a comparable picture is better than any other
	}
	if len(seen.JPEG) > 0 && (t.jpeg == nil || q > t.best) {
		t.best, t.Score, t.Box, t.jpeg = q, f.Score, f.Box, seen.JPEG
	}
}

// better orders shots, the best first.
func better(a, b shot) int { return cmp.Compare(b.quality, a.quality) }

func fused(shots []shot) ward.Template {
	ts := make([]ward.Template, len(shots))
	for i, s := range shots {
		ts[i] = s.template
	}
	return ward.Fuse(ts)
}

// similarity is the cosine of a face with the track, the better of its fused
// and its newest picture.
func (t *track) similarity(f ward.Face) float32 {
	return max(t.Template.Cosine(f.Template), t.last.Template.Cosine(f.Template))
}

// pair is a face of a picture and the track that it belongs to, nil for a new one.
type pair struct {
	face  ward.Face
	track *track
}

// associate gives each face of a picture the track that it continues, best
// pairs first, each track at most once. before is the moment of the picture
// before: only a track that was in it, or later, can be continued by place.
func associate(tracks []*track, faces []ward.Face, before time.Time) []pair {
	type candidate struct {
		face, track int
		worth       float32
	}
	var cs []candidate
	for i, f := range faces {
		for k, t := range tracks {
			spot := float32(0)
			if !t.To.Before(before) {
				spot = overlap(t.last.Box, f.Box)
			}
			cos := t.similarity(f)
			poor := len(f.Template) == 0 || len(t.shots) == 0
			if spot >= sameSpot && (poor || cos >= similarAtSpot) || cos >= similarAnywhere {
				cs = append(cs, candidate{i, k, 2*max(cos, 0) + spot})
			}
		}
	}
	slices.SortStableFunc(cs, func(a, b candidate) int {
		switch {
		case a.worth > b.worth:
			return -1
		case a.worth < b.worth:
			return 1
		}
		return 0
	})
	pairs := make([]pair, len(faces))
	for i, f := range faces {
		pairs[i].face = f
	}
	taken := make([]bool, len(tracks))
	for _, c := range cs {
		if pairs[c.face].track == nil && !taken[c.track] {
			pairs[c.face].track, taken[c.track] = tracks[c.track], true
		}
	}
	return pairs
}

// overlap is the intersection of two boxes over their union, 0 to 1.
func overlap(a, b ward.Box) float32 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	i := w * h
	return i / (a.W*a.H + b.W*b.H - i)
}
