package counters

import (
	"slices"

	"wardwatch/ward"
)

// Rules are those whose truth is known here, the three of the goal first.
// What is missing needs hours (drugs not collected), a clock that cannot be
// chosen (opening hours), or zones of the staff (no physician).
func Rules() []ward.Rule {
	return []ward.Rule{
		ward.NobodyAtCounter, ward.OneFaceManyCards, ward.FaceMismatch,
		ward.MoreCardsThanFolk, ward.CardsHoarded, ward.OneCardManyFaces, ward.ImpossibleTravel, ward.BatchSwiping, ward.KnownCollector, ward.SettledBlind,
	}
}

// The windows of the rules' definitions, in seconds; analytics/DESIGN.md has them.
const (
	emptyBefore, emptyAfter = 5, 3
	ownerBefore, ownerAfter = 10, 5
	manyWithin              = 30 * 60
	cardsWithin             = 40
	batchWithin             = 60
	travelSpeed, travelSlip = 120. / 3600, 600. // km/s, s
)

// Truth says of which rules swipe i of w is a case, by what happened: not by
// what can be seen of it.
func (w *World) Truth(i int) map[ward.Rule]bool {
	s := w.Swipes[i]
	down := s.Condition == Unpowered
	out := map[ward.Rule]bool{
		ward.NobodyAtCounter: !down && !w.anybody(s, -1, emptyBefore, emptyAfter),
		ward.FaceMismatch:    w.mismatch(s),
		ward.SettledBlind:    down,
	}
	cards := w.distinct(i, func(o Swipe) bool { return o.Counter == s.Counter && s.At-o.At <= batchWithin })
	out[ward.BatchSwiping] = cards >= 5
	cards = w.distinct(i, func(o Swipe) bool { return o.Counter == s.Counter && s.At-o.At <= cardsWithin })
	out[ward.MoreCardsThanFolk] = cards >= 3 && s.Who >= 0 && cards > w.peopleSince(i)
	out[ward.ImpossibleTravel] = w.travelled(i)
	if s.Who < 0 {
		return out
	}
	same := func(o Swipe) bool { return o.Who == s.Who }
	out[ward.OneFaceManyCards] = w.newCard(i, 3, func(o Swipe) bool { return same(o) && o.Counter == s.Counter && s.At-o.At <= manyWithin })
	out[ward.CardsHoarded] = w.newCard(i, 5, same)
	atPharmacy := func(o Swipe) bool { return w.Counters[o.Counter].Kind == ward.Pharmacy }
	institution := w.Counters[s.Counter].Institution
	out[ward.KnownCollector] = atPharmacy(s) && w.newCard(i, 4, func(o Swipe) bool {
		return same(o) && atPharmacy(o) && w.Counters[o.Counter].Institution == institution
	})
	users := map[int]bool{s.Who: true}
	for _, o := range w.Swipes[:i] {
		if o.Card == s.Card && o.Who >= 0 {
			users[o.Who] = true
		}
	}
	out[ward.OneCardManyFaces] = len(users) >= 3
	return out
}

// Judgeable says whether the rule ought to be able to tell of swipe i: the
// camera worked, and where it is about a face, the face can be recognised and
// stands alone in front. A rule about several faces needs those before it, too.
func (w *World) Judgeable(i int, rule ward.Rule) bool {
	s := w.Swipes[i]
	switch rule { //nolint:exhaustive // see Rules
	case ward.SettledBlind, ward.BatchSwiping, ward.NobodyAtCounter, ward.MoreCardsThanFolk:
		return true
	case ward.FaceMismatch:
		return s.Condition.Usable()
	case ward.ImpossibleTravel:
		return true // by the card
	case ward.OneCardManyFaces:
		return alone(s) && !slices.ContainsFunc(w.Swipes[:i], func(o Swipe) bool { return o.Card == s.Card && !alone(o) })
	}
	return alone(s) && !slices.ContainsFunc(w.Swipes[:i], func(o Swipe) bool { return o.Who == s.Who && !alone(o) })
}

// alone says whether the face of the customer can be recognised and is the only large one.
func alone(s Swipe) bool { return s.Condition.Usable() && s.Condition != Beside }

// anybody says whether somebody, or who when it is not negative, was at the
// counter from before to after the swipe.
func (w *World) anybody(s Swipe, who int, before, after float64) bool {
	return slices.ContainsFunc(w.Counters[s.Counter].Visits, func(v Visit) bool {
		return v.touches(s.At-before, s.At+after) && (who < 0 || v.Who == who)
	})
}

// mismatch: somebody was there, and the enrolled owner of the card was not.
func (w *World) mismatch(s Swipe) bool {
	owner := slices.IndexFunc(w.People, func(p Person) bool { return p.Card == s.Card && p.Photo != "" })
	return owner >= 0 && s.Who >= 0 && !w.anybody(s, owner, ownerBefore, ownerAfter)
}

// distinct counts the cards of swipe i and of those before it that in takes.
func (w *World) distinct(i int, in func(Swipe) bool) int {
	cards := map[ward.InsuredID]bool{w.Swipes[i].Card: true}
	for _, o := range w.Swipes[:i] {
		if in(o) {
			cards[o.Card] = true
		}
	}
	return len(cards)
}

// newCard says whether swipe i brings the n-th different card, or a later one, for the first time.
func (w *World) newCard(i, n int, in func(Swipe) bool) bool {
	used := slices.ContainsFunc(w.Swipes[:i], func(o Swipe) bool { return in(o) && o.Card == w.Swipes[i].Card })
	return !used && w.distinct(i, in) >= n
}

// peopleSince counts the different people who were there since the first of the cards of swipe i.
func (w *World) peopleSince(i int) int {
	s := w.Swipes[i]
	first := s.At
	for _, o := range w.Swipes[:i] {
		if o.Counter == s.Counter && s.At-o.At <= cardsWithin {
			first = min(first, o.At)
		}
	}
	folk := map[int]bool{}
	for _, v := range w.Counters[s.Counter].Visits {
		if v.touches(first-3, s.At+2) {
			folk[v.Who] = true
		}
	}
	return len(folk)
}

// travelled says whether the card or the person was shortly before at an
// institution too far away.
func (w *World) travelled(i int) bool {
	s := w.Swipes[i]
	here := w.Institutions[w.Counters[s.Counter].Institution].Location
	return slices.ContainsFunc(w.Swipes[:i], func(o Swipe) bool {
		if o.Card != s.Card && (s.Who < 0 || o.Who != s.Who) {
			return false
		}
		km := here.Km(w.Institutions[w.Counters[o.Counter].Institution].Location)
		return km/travelSpeed > s.At-o.At+travelSlip
	})
}
