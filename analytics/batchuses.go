package analytics

import (
	"context"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// uses reads the other settlements at the places and with the cards. Who
// stood at those of this batch is known before it is stored.
func (b *batch) uses(ctx context.Context) error {
	var place, card time.Duration
	for _, q := range b.questions {
		place = max(place, q.book[ward.OneFaceManyCards].minutes("within"), q.book[ward.BatchSwiping].seconds("within"), q.book[ward.MoreCardsThanFolk].seconds("within"))
		card = max(card, q.book[ward.OneCardManyFaces].days("within_days"), q.book[ward.ImpossibleTravel].minutes("within"))
	}
	from, to := b.questions[0].read.At, b.questions[0].read.At
	here := map[ward.SettlementID]Person{}
	for _, q := range b.questions {
		from, to = earliest(from, q.read.At), latest(to, q.read.At)
		if p := q.window.person; p != nil {
			here[q.read.ID] = Person{p.ID, p.ModelID, p.Template}
		}
	}
	atPlace, err := b.c.Store.UsesAtPlaces(ctx, distinct(b.questions, func(q question) ward.PlaceID { return q.read.PlaceID }), from.Add(-place), to)
	if err != nil {
		return err
	}
	ofCard, err := b.c.Store.UsesOfCards(ctx, distinct(b.questions, func(q question) ward.InsuredID { return q.read.InsuredID }), from.Add(-card-storage.MaxOffset), to.Add(2*storage.MaxOffset))
	if err != nil {
		return err
	}
	byPlace, byCard := map[ward.PlaceID][]Use{}, map[ward.InsuredID][]Use{}
	for _, u := range atPlace {
		byPlace[u.PlaceID] = append(byPlace[u.PlaceID], useOf(u, here))
	}
	for _, u := range ofCard {
		byCard[u.InsuredID] = append(byCard[u.InsuredID], useOf(u, here))
	}
	for i, q := range b.questions {
		b.questions[i].window.AtPlace, b.questions[i].window.OfCard = byPlace[q.read.PlaceID], byCard[q.read.InsuredID]
	}
	return nil
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
	found, fresh := map[ward.SettlementID][]int{}, false // by which questions
	for i := range b.questions {
		q := &b.questions[i]
		if q.window.person == nil || q.read.Stage == ward.NotJudged || b.now.Before(q.settlement.At.Add(searchAfter)) ||
			!q.book.on(ward.CardsHoarded, ward.KnownCollector, ward.ImpossibleTravel) {
			continue
		}
		if !fresh {
			if err := b.c.faces.refresh(ctx, b.c.Store, b.now); err != nil {
				return err
			}
		}
		fresh, q.window.Searched = true, true
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
