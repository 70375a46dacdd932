package analytics

import (
	"context"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// uses reads the other settlements at the places and with the cards, as far as
// the rules need them: of those shortly before at the place which cards they
// were with, and of the others at the place those at which the same face may
// have been. Who stood at those of this batch is known before it is stored.
func (b *batch) uses(ctx context.Context) error {
	var near, card time.Duration
	for _, q := range b.questions {
		near = max(near, q.book[ward.BatchSwiping].seconds("within"), q.book[ward.MoreCardsThanFolk].seconds("within"))
		card = max(card, q.book[ward.OneCardManyFaces].days("within_days"), q.book[ward.ImpossibleTravel].minutes("within"))
	}
	here := map[ward.SettlementID]Person{}
	for _, q := range b.questions {
		if p := q.window.person; p != nil {
			here[q.read.ID] = Person{p.ID, p.ModelID, p.Template}
		}
	}
	from, to := b.billed()
	swipes, err := b.c.Store.SwipesAtPlaces(ctx, b.places(), from.Add(-near), to)
	if err != nil {
		return err
	}
	ofCard, err := b.c.Store.UsesOfCards(ctx, distinct(b.questions, func(q question) ward.InsuredID { return q.read.InsuredID }), from.Add(-card-storage.MaxOffset), to.Add(2*storage.MaxOffset))
	if err != nil {
		return err
	}
	byCard := map[ward.InsuredID][]Use{}
	for _, u := range ofCard {
		byCard[u.InsuredID] = append(byCard[u.InsuredID], useOf(u, here))
	}
	for i, q := range b.questions {
		b.questions[i].window.OfCard = byCard[q.read.InsuredID]
	}
	if err := b.sameFaces(ctx, here); err != nil {
		return err
	}
	b.swiped(swipes)
	return nil
}

// swiped adds the settlements at the places that are not in the windows already, with who stood there.
func (b *batch) swiped(swipes []storage.Swipe) {
	byPlace := map[ward.PlaceID][]storage.Swipe{}
	for _, v := range swipes {
		byPlace[v.PlaceID] = append(byPlace[v.PlaceID], v)
	}
	for i := range b.questions {
		q := &b.questions[i]
		named := map[ward.SettlementID]bool{}
		for _, u := range q.window.AtPlace {
			named[u.Settlement] = true
		}
		for _, v := range byPlace[q.read.PlaceID] {
			if !named[v.ID] {
				q.window.AtPlace = append(q.window.AtPlace, Use{
					Settlement: v.ID, Insured: v.InsuredID, Institution: q.read.InstitutionID, Location: q.window.Location,
					Place: v.PlaceID, PlaceKind: q.window.Place.Kind, At: v.At.Add(q.offset),
				})
			}
		}
	}
}

func (b *batch) places() []ward.PlaceID {
	return distinct(b.questions, func(q question) ward.PlaceID { return q.read.PlaceID })
}

// billed are the first and the last of the questions' moments by the billing system's clock.
func (b *batch) billed() (from, to time.Time) {
	from, to = b.questions[0].read.At, b.questions[0].read.At
	for _, q := range b.questions {
		from, to = earliest(from, q.read.At), latest(to, q.read.At)
	}
	return from, to
}

func useOf(u storage.Use, here map[ward.SettlementID]Person) Use {
	v := Use{
		Settlement: u.ID, Insured: u.InsuredID, Institution: u.InstitutionID, Location: u.Location, Place: u.PlaceID, PlaceKind: u.PlaceKind,
		At: u.At.Add(u.Offset), Person: here[u.ID],
	}
	if u.Face != nil && v.Person.Sighting == "" {
		v.Person = Person{u.Face.Sighting, u.Face.ModelID, u.Face.Template}
	}
	return v
}

// search finds the settlements with the same faces, once those before are known.
func (b *batch) search(ctx context.Context) error {
	found := map[ward.SettlementID][]int{} // by which questions
	for i := range b.questions {
		q := &b.questions[i]
		if q.window.person == nil || q.read.Stage == ward.NotJudged || b.now.Before(q.settlement.At.Add(searchAfter)) ||
			!q.book.on(ward.CardsHoarded, ward.KnownCollector, ward.ImpossibleTravel) {
			continue
		}
		if err := b.c.faces.prepare(ctx, b.c.Store, b.now); err != nil {
			return err
		}
		q.window.Searched = true
		for _, id := range b.c.faces.like(q.window.person.ModelID, q.window.person.Template) {
			if id != q.read.ID {
				found[id] = append(found[id], i)
			}
		}
	}
	ids := make([]ward.SettlementID, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	uses, err := b.c.Store.Uses(ctx, ids)
	if err != nil {
		return err
	}
	for _, u := range uses {
		for _, i := range found[u.ID] {
			b.questions[i].window.OfFace = append(b.questions[i].window.OfFace, useOf(u, nil))
		}
	}
	return nil
}
