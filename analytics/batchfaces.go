package analytics

import (
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

// sameFaces reads the settlements at which the face of each question may have
// been at its place, as far as they decide whether it has used many cards: when
// it has used this card before, the newest of those; else all, or none when
// they are too few.
func (b *batch) sameFaces(ctx context.Context, here map[ward.SettlementID]Person) error {
	within := time.Duration(0)
	var asked []int
	var places []ward.PlaceID
	for i, q := range b.questions {
		if q.window.person != nil && q.book.on(ward.OneFaceManyCards) {
			within, asked, places = max(within, q.book[ward.OneFaceManyCards].minutes("within")), append(asked, i), append(places, q.read.PlaceID)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	slices.Sort(places)
	from, to := b.billed()
	if from.Before(b.now.Add(-lately)) {
		return b.allUses(ctx, from.Add(-within), to, here)
	}
	if err := b.c.counters.prepare(ctx, b.c.Store, slices.Compact(places), from.Add(-within), b.now, within+lately); err != nil {
		return err
	}
	unsure, err := b.read(ctx, asked, here, false)
	if err == nil && len(unsure) > 0 { // what was the newest has changed since, or is only nearly alike
		_, err = b.read(ctx, unsure, here, true)
	}
	return err
}

// read reads for the questions asked what like finds, all or as far as it
// decides, and returns those for which it did not.
func (b *batch) read(ctx context.Context, asked []int, here map[ward.SettlementID]Person, all bool) (unsure []int, err error) {
	batch := map[ward.PlaceID][]faceUse{}
	for _, q := range b.questions {
		if p, ok := here[q.read.ID]; ok {
			batch[q.read.PlaceID] = append(batch[q.read.PlaceID], faceUse{q.read.ID, q.read.InsuredID, q.read.At, p.ModelID, codeOf(p.Template)})
		}
	}
	wanted, short := map[ward.SettlementID][]int{}, map[int]bool{}
	for _, i := range asked {
		q := &b.questions[i]
		rule := q.book[ward.OneFaceManyCards]
		uses := slices.Concat(b.c.counters.places[q.read.PlaceID].uses, batch[q.read.PlaceID])
		found, used := like(q.read, here[q.read.ID], uses, rule.minutes("within"), rule.cosine("match"), all)
		ids := path(found)
		if !used || all {
			cards := map[ward.InsuredID]bool{q.read.InsuredID: true}
			ids = ids[:0]
			for _, u := range found {
				cards[u.insured], ids = true, append(ids, u.id)
			}
			if len(cards) < rule.count("cards") {
				ids = nil
			}
		}
		short[i] = used && !all
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) { // a corrected one may be there twice
			wanted[id] = append(wanted[id], i)
		}
		q.window.AtPlace = nil
	}
	ids := make([]ward.SettlementID, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	uses, err := b.c.Store.Uses(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, u := range uses {
		for _, i := range wanted[u.ID] {
			if q := &b.questions[i]; u.PlaceID == q.read.PlaceID {
				q.window.AtPlace = append(q.window.AtPlace, useOf(u, here))
			}
		}
	}
	for _, i := range asked {
		q := b.questions[i]
		rule := q.book[ward.OneFaceManyCards]
		same := linked(q.window.person, earlier(q.settlement, q.window.AtPlace, rule.minutes("within")), rule.cosine("match"))
		if short[i] && !slices.ContainsFunc(same, func(u Use) bool { return u.Insured == q.read.InsuredID }) {
			unsure = append(unsure, i)
		}
	}
	return unsure, nil
}

// allUses reads every settlement at the places with moments in [from, to].
func (b *batch) allUses(ctx context.Context, from, to time.Time, here map[ward.SettlementID]Person) error {
	uses, err := b.c.Store.UsesAtPlaces(ctx, b.places(), from, to)
	if err != nil {
		return err
	}
	byPlace := map[ward.PlaceID][]Use{}
	for _, u := range uses {
		byPlace[u.PlaceID] = append(byPlace[u.PlaceID], useOf(u, here))
	}
	for i, q := range b.questions {
		b.questions[i].window.AtPlace = slices.Clone(byPlace[q.read.PlaceID])
	}
	return nil
}
