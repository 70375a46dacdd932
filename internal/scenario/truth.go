package scenario

import (
	"fmt"

	"wardwatch/ward"
)

// emptyFor is how long around a nobody_at_counter nobody may be in the picture,
// seconds: well over what the rule looks at, so that the truth is beyond doubt.
const emptyFor = 10

// checkTruth compares what a settlement is said to be with who the picture
// shows. A card's holder is known when the person has an actor.
func (s *Scenario) checkTruth(x Settlement) error {
	if x.Truth == Truth(ward.NobodyAtCounter) {
		if who, near := s.nearest(x); near {
			return fmt.Errorf("nobody_at_counter at %v: %q is in the picture within %d s", x.At, who, emptyFor)
		}
		return nil
	}
	who, ok := s.standing(x)
	if !ok {
		return fmt.Errorf("%s at %v: nobody, or more than one, stands at %q then", x.Truth, x.At, x.Place)
	}
	holder := s.holder(x.Card)
	if x.Truth == Truth(ward.FaceMismatch) {
		if holder.Photo == nil || holder.Actor == "" || holder.Actor == who {
			return fmt.Errorf("face_mismatch at %v: %q stands there; give the card of a person with a photo and another actor", x.At, who)
		}
		return nil
	}
	if holder.Actor != "" && holder.Actor != who {
		return fmt.Errorf("%s at %v: the card is %q's and %q stands there", x.Truth, x.At, holder.Actor, who)
	}
	cards := s.cardsOf(who, x)
	if many := x.Truth == Truth(ward.OneFaceManyCards); many != (cards >= manyCards) {
		return fmt.Errorf("%s at %v: it is card %d of %q; one_face_many_cards is from card %d", x.Truth, x.At, cards, who, manyCards)
	}
	return nil
}

// manyCards is the different card that makes one face many cards.
const manyCards = 3

// cardsOf counts the different cards used at x's institution while who stood
// there, up to and with x.
func (s *Scenario) cardsOf(who string, x Settlement) int {
	used := map[ward.InsuredID]bool{}
	for _, o := range s.Settlements {
		at, ok := s.standing(o)
		if ok && at == who && o.At <= x.At && s.InstitutionOf(o.Place) == s.InstitutionOf(x.Place) {
			used[o.Card] = true
		}
	}
	return len(used)
}

// standing is who has walked up and not begun to leave at a settlement's
// moment; false for nobody or several.
func (s *Scenario) standing(x Settlement) (string, bool) {
	who, n := "", 0
	for _, v := range s.presence(x.Place) {
		if lap := x.lap(s.Length); lap >= v.From+walk && lap <= v.To-walk {
			who, n = v.Who, n+1
		}
	}
	return who, n == 1
}

// nearest is somebody in the picture within emptyFor seconds of a settlement,
// in its lap of the clip or the ones beside it.
func (s *Scenario) nearest(x Settlement) (string, bool) {
	at := x.lap(s.Length)
	for _, v := range s.presence(x.Place) {
		for _, shift := range []float64{-s.Length, 0, s.Length} {
			if v.From+shift < at+emptyFor && v.To+shift > at-emptyFor {
				return v.Who, true
			}
		}
	}
	return "", false
}

// lap is the clip time at a settlement's moment.
func (x Settlement) lap(length float64) float64 {
	return x.At - length*float64(int(x.At/length))
}

func (s *Scenario) presence(place ward.PlaceID) []Presence {
	for _, p := range s.Cameras() {
		if p.ID == place {
			return p.Camera.Presence
		}
	}
	return nil
}

func (s *Scenario) holder(id ward.InsuredID) Insured {
	for _, p := range s.People {
		if p.ID == id {
			return p
		}
	}
	return Insured{}
}
