package analytics

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// Outcome is what one rule says about one settlement.
type Outcome string

// The outcomes of a rule.
const (
	Fired         Outcome = "fired"
	Fine          Outcome = "clear"
	Blind         Outcome = "cannot_tell"    // the camera was missing, blind or too poor
	NotApplicable Outcome = "not_applicable" // nothing to compare with
)

// Finding is the answer of one rule. It holds no personal data but Face,
// which is not stored.
type Finding struct {
	Rule      ward.Rule
	Outcome   Outcome
	Reason    string // why Blind or NotApplicable: a code such as "no_camera"
	Severity  ward.Severity
	ZH, EN    string // what was seen, for people; when Fired
	Sightings []ward.SightingID
	Related   []ward.SettlementID
	Camera    ward.CameraID // that saw it; empty when the rule does not know one
	Face      ward.Template // whose picture the alert should show; nil for any
}

// Window is everything that the rules may look at for one settlement. The
// order of the lists does not matter.
type Window struct {
	// Cameras are the enabled cameras of the place that existed by then.
	Cameras []ward.CameraID
	// Sightings are those at the place around At; others are ignored.
	Sightings []ward.Sighting
	// Insured is whose card it was; without enrolment when unknown.
	Insured ward.Insured
	// Others are the other settlements at the place within
	// Params.CardsWithin of At, with the faces seen at them.
	Others []Other
}

// Other is another settlement at the same place and its sightings.
type Other struct {
	Settlement ward.Settlement
	Sightings  []ward.Sighting
}

// Judge asks every rule. It has no clock and does no I/O.
func Judge(s ward.Settlement, win Window, p Params) []Finding {
	return []Finding{nobodyAtCounter(s, win, p), faceMismatch(s, win, p), oneFaceManyCards(s, win, p)}
}

// Conclude is the settlement's state and the reason of cannot_tell: fired
// before cannot tell before clear.
func Conclude(fs []Finding) (ward.SettlementState, string) {
	state, reason := ward.Clear, ""
	for _, f := range fs {
		switch f.Outcome {
		case Fired:
			return ward.Suspicious, ""
		case Blind:
			if state == ward.Clear {
				state, reason = ward.CannotTell, f.Reason
			}
		case Fine, NotApplicable:
		}
	}
	return state, reason
}

// span is a stretch of time around a moment.
type span struct{ from, to time.Time }

func around(at time.Time, before, after time.Duration) span {
	return span{at.Add(-before), at.Add(after)}
}

func (w span) touches(v ward.Sighting) bool { return !v.From.After(w.to) && !v.To.Before(w.from) }

// nobodyAtCounter 空刷: every camera of the place was watching, and nobody
// was seen by any. One that was not watching might have seen somebody.
func nobodyAtCounter(s ward.Settlement, win Window, p Params) Finding {
	f := Finding{Rule: ward.NobodyAtCounter, Outcome: Fine, Severity: 3}
	near := around(s.At, p.NobodyBefore, p.NobodyAfter)
	for _, v := range win.Sightings {
		if (v.Kind == ward.PeopleSeen || v.Kind == ward.FaceSeen) && near.touches(v) {
			return f
		}
	}
	if len(win.Cameras) == 0 {
		f.Outcome, f.Reason = Blind, "no_camera"
		return f
	}
	whole := around(s.At, p.WatchBefore, p.WatchAfter)
	for _, cam := range win.Cameras {
		var watched []ward.Sighting
		for _, v := range win.Sightings {
			if v.Kind == ward.Watched && v.CameraID == cam && whole.touches(v) && dense(v, p.MaxSpacing) {
				watched = append(watched, v)
				f.Sightings = append(f.Sightings, v.ID)
			}
		}
		share, _ := covered(watched, whole)
		if _, hole := covered(watched, near); share < p.WatchedShare || hole > p.MaxHole {
			f.Outcome, f.Reason, f.Sightings = Blind, "not_watched", nil
			return f
		}
	}
	slices.Sort(f.Sightings)
	f.Outcome, f.Camera = Fired, slices.Min(win.Cameras)
	f.ZH = fmt.Sprintf("刷卡前 %d 秒到后 %d 秒，摄像头正常，窗口前没有人。", int(p.NobodyBefore.Seconds()), int(p.NobodyAfter.Seconds()))
	f.EN = fmt.Sprintf("From %d s before to %d s after the swipe the camera worked and nobody was at the counter.", int(p.NobodyBefore.Seconds()), int(p.NobodyAfter.Seconds()))
	return f
}

// dense says whether a watched stretch had a picture at least every spacing on average.
func dense(v ward.Sighting, spacing time.Duration) bool {
	return v.Count > 1 && v.To.Sub(v.From) <= time.Duration(v.Count-1)*spacing ||
		v.Count <= 1 && v.To.Equal(v.From)
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

// facesIn returns the comparable faces that touch w, in a fixed order.
func facesIn(vs []ward.Sighting, w span) []ward.Sighting {
	var out []ward.Sighting
	for _, v := range vs {
		if v.Kind == ward.FaceSeen && len(v.Template) > 0 && w.touches(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b ward.Sighting) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// faceMismatch 冒名: the insured is enrolled, and every comparable face
// around the swipe is somebody else's. One face that matches or may match
// clears it, whoever else is there: people come in company. To fire, such a
// face must have been there at the swipe itself with MinPictures pictures, so
// that neither the customer before nor a blurred glimpse accuses anyone.
func faceMismatch(s ward.Settlement, win Window, p Params) Finding {
	f := Finding{Rule: ward.FaceMismatch, Outcome: NotApplicable, Severity: 3}
	if len(win.Insured.Template) == 0 {
		f.Reason = "not_enrolled"
		return f
	}
	core := around(s.At, p.CoreBefore, p.CoreAfter)
	var accused *ward.Sighting
	faces := facesIn(win.Sightings, around(s.At, p.FaceBefore, p.FaceAfter))
	compared := 0
	for i, v := range faces {
		if v.ModelID != win.Insured.ModelID {
			continue
		}
		compared++
		if p.Faces.Judge(v.Template.Cosine(win.Insured.Template)) != ward.MatchNo {
			f.Outcome = Fine
			return f
		}
		if core.touches(v) && v.Count >= p.MinPictures {
			f.Sightings = append(f.Sightings, v.ID)
			if accused == nil || area(v) > area(*accused) {
				accused = &faces[i]
			}
		}
	}
	switch {
	case len(faces) > 0 && compared == 0:
		f.Reason = "other_model"
		return f
	case accused == nil && !somebody(win.Sightings, core):
		f.Reason = "nobody" // the first rule's matter
		return f
	case accused == nil:
		f.Outcome, f.Reason, f.Sightings = Blind, "no_usable_face", nil
		return f
	}
	f.Outcome, f.Face, f.Camera = Fired, accused.Template, accused.CameraID
	f.ZH = fmt.Sprintf("刷卡时窗口前的人脸与参保人登记照片不符（比对了 %d 张画面）。", accused.Count)
	f.EN = fmt.Sprintf("The face at the counter at the swipe is not the insured person's (compared in %d pictures).", accused.Count)
	return f
}

func somebody(vs []ward.Sighting, w span) bool {
	return slices.ContainsFunc(vs, func(v ward.Sighting) bool {
		return (v.Kind == ward.PeopleSeen || v.Kind == ward.FaceSeen) && w.touches(v)
	})
}

func area(v ward.Sighting) float32 { return v.Box.W * v.Box.H }
