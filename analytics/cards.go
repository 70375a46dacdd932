package analytics

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// oneFaceManyCards 一人多卡: the person at this settlement was also the person
// at settlements with other cards, and this is the Cards-th different card
// or a later one. A person's own card counts as one of the cards, enrolled or
// not: somebody who pays for himself and for two others has used three. A card
// that the same face has used before in the window does not fire again.
//
// The person at a settlement is the nearest (largest) comparable face at the
// swipe. When another face there is of like size it is unclear whose card it
// was, and that settlement does not count: people in a queue behind each
// other are not one person with many cards.
func oneFaceManyCards(s ward.Settlement, win Window, p Params) Finding {
	f := Finding{Rule: ward.OneFaceManyCards, Outcome: Fine, Severity: 2}
	face, ok := personAt(s, win.Sightings, p)
	if !ok {
		f.Outcome, f.Reason = NotApplicable, "no_single_face"
		return f
	}
	cards := map[ward.InsuredID]bool{s.InsuredID: true}
	f.Sightings = []ward.SightingID{face.ID}
	for _, o := range others(s, win.Others, p) {
		v, ok := personAt(o.Settlement, o.Sightings, p)
		if !ok || v.ModelID != face.ModelID || p.Faces.Judge(v.Template.Cosine(face.Template)) != ward.MatchYes {
			continue
		}
		if o.Settlement.InsuredID == s.InsuredID {
			return f // used before: the alert is on its first use
		}
		cards[o.Settlement.InsuredID] = true
		f.Related = append(f.Related, o.Settlement.ID)
		if !slices.Contains(f.Sightings, v.ID) {
			f.Sightings = append(f.Sightings, v.ID)
		}
	}
	if len(cards) < p.Cards {
		f.Related = nil
		return f
	}
	f.Outcome, f.Face, f.Camera = Fired, face.Template, face.CameraID
	f.ZH = fmt.Sprintf("同一个人在 %d 分钟内用了 %d 张不同的医保卡。", int(p.CardsWithin.Minutes()), len(cards))
	f.EN = fmt.Sprintf("The same person used %d different cards within %d minutes.", len(cards), int(p.CardsWithin.Minutes()))
	return f
}

// others returns those that s is counted after, oldest first: the
// settlements before it, and those after it that may have been judged before
// s came, because they could not count s. That depends on what was received
// when, not on the order of judging.
func others(s ward.Settlement, all []Other, p Params) []Other {
	var out []Other
	for _, o := range all {
		v := o.Settlement
		before := v.At.Before(s.At) || v.At.Equal(s.At) && v.ID < s.ID
		earliest := v.At.Add(p.FaceAfter)
		if v.Received.After(earliest) {
			earliest = v.Received
		}
		if v.ID != s.ID && v.At.Sub(s.At).Abs() <= p.CardsWithin && (before || s.Received.After(earliest)) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Other) int {
		if c := a.Settlement.At.Compare(b.Settlement.At); c != 0 {
			return c
		}
		return strings.Compare(string(a.Settlement.ID), string(b.Settlement.ID))
	})
	return out
}

// personAt returns the nearest comparable face at the swipe, unless another
// person's is nearly as large.
func personAt(s ward.Settlement, vs []ward.Sighting, p Params) (ward.Sighting, bool) {
	var best ward.Sighting
	faces := facesIn(vs, around(s.At, p.CoreBefore, p.CoreAfter))
	for _, v := range faces {
		if v.Count >= p.MinPictures && area(v) > area(best) {
			best = v
		}
	}
	if best.ID == "" {
		return best, false
	}
	for _, v := range faces {
		same := v.ModelID == best.ModelID && p.Faces.Judge(v.Template.Cosine(best.Template)) != ward.MatchNo
		if !same && area(v) >= p.Rival*area(best) {
			return best, false
		}
	}
	return best, true
}

// lookBack is how far around a settlement its rules look.
func (p Params) lookBack() time.Duration { return p.CardsWithin + max(p.FaceBefore, p.WatchBefore) }
