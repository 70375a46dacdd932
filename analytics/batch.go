package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// batch reads what the rules need for settlements of about the same time, a
// few statements for all of them instead of several for each.
type batch struct {
	c         *Correlator
	now       time.Time
	settings  []ward.RuleSetting
	books     map[ward.InstitutionID]Rulebook
	counters  map[ward.PlaceID]storage.Counter
	questions []question
}

// question is a settlement with all that the rules may look at.
type question struct {
	read       ward.Settlement // as stored
	settlement ward.Settlement // its moment by the cameras' clock
	offset     time.Duration
	book       Rulebook
	window     Window
}

// face is what is to be remembered of who stood there.
func (q question) face() *storage.Face {
	p := q.window.person
	if p == nil {
		return nil
	}
	return &storage.Face{Settlement: q.read.ID, At: q.settlement.At, Sighting: p.ID, ModelID: p.ModelID, Template: p.Template}
}

// gather makes the questions of those whose pictures are in and returns the others.
func (b *batch) gather(ctx context.Context, due []ward.Settlement) (early []ward.SettlementID, err error) {
	if len(due) == 0 {
		return nil, nil
	}
	b.books = map[ward.InstitutionID]Rulebook{}
	if b.counters, err = b.c.Store.Counters(ctx, distinct(due, func(s ward.Settlement) ward.PlaceID { return s.PlaceID })); err != nil {
		return nil, err
	}
	for _, s := range due {
		if b.books[s.InstitutionID] == nil {
			b.books[s.InstitutionID] = NewRulebook(s.InstitutionID, b.settings)
		}
		b.questions = append(b.questions, b.question(s))
	}
	if early, err = b.wait(ctx); err != nil || len(b.questions) == 0 {
		return early, err
	}
	for _, step := range []func(context.Context) error{b.seen, b.insured, b.uses, b.blind, b.search, b.pharmacies} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return early, nil
}

func (b *batch) question(s ward.Settlement) question {
	counter := b.counters[s.PlaceID]
	q := question{read: s, settlement: s, offset: counter.Offset, book: b.books[s.InstitutionID]}
	q.settlement.At = s.At.Add(counter.Offset)
	q.window = Window{Now: b.now.Add(-deadline), Place: counter.Place, Location: counter.Location}
	for _, cam := range counter.Cameras {
		if cam.Created.Before(q.settlement.At) {
			q.window.Cameras = append(q.window.Cameras, cam.ID)
		}
		if since := q.settlement.At.Add(-q.book[ward.NoPhysician].minutes("before") - 2*zonesEvery); !cam.Staff.IsZero() && cam.Staff.Before(since) {
			q.window.StaffCameras = append(q.window.StaffCameras, cam.ID)
		}
	}
	return q
}

// wait keeps the questions whose pictures are in, or have had their time.
func (b *batch) wait(ctx context.Context) (early []ward.SettlementID, err error) {
	ends := func(q question) time.Time { return q.settlement.At.Add(q.book.reach()) }
	young := slices.DeleteFunc(slices.Clone(b.questions), func(q question) bool { return !b.now.Before(q.settlement.At.Add(deadline)) })
	if len(young) == 0 {
		return nil, nil
	}
	since := ends(young[0])
	for _, q := range young {
		since = earliest(since, ends(q))
	}
	until, err := b.c.Store.WatchedUntil(ctx, distinct(young, func(q question) ward.PlaceID { return q.read.PlaceID }), since)
	if err != nil {
		return nil, err
	}
	b.questions = slices.DeleteFunc(b.questions, func(q question) bool {
		if !b.now.Before(q.settlement.At.Add(deadline)) {
			return false
		}
		end := ends(q)
		if !slices.ContainsFunc(q.window.Cameras, func(cam ward.CameraID) bool { return until[cam].Before(end) }) {
			return false
		}
		early = append(early, q.read.ID)
		return true
	})
	return early, nil
}

// reach is how far after a settlement its prompt rules look.
func (b Rulebook) reach() time.Duration {
	return max(coreAfter, b[ward.NobodyAtCounter].seconds("after")+watchMoreAfter, b[ward.FaceMismatch].seconds("after"))
}

// seen reads the sightings around the settlements and names who stood there.
func (b *batch) seen(ctx context.Context) error {
	before := picturesBefore
	for _, q := range b.questions {
		if q.book.on(ward.MoreCardsThanFolk) {
			before = max(before, q.book[ward.MoreCardsThanFolk].seconds("within")+coreBefore)
		}
	}
	from, to := b.moments()
	all, err := b.c.Store.SightingsAtPlaces(ctx, distinct(b.questions, func(q question) ward.PlaceID { return q.read.PlaceID }), from.Add(-before), to.Add(picturesAfter))
	if err != nil {
		return err
	}
	for i := range b.questions {
		q := &b.questions[i]
		at := q.settlement.At
		q.window.Sightings = inside(all[q.read.PlaceID], around(at, before, picturesAfter))
		if q.read.Kind == ward.TreatmentFee && q.window.Place.Kind == ward.Treatment && q.book.on(ward.NoPhysician) {
			longer := max(before, q.book[ward.NoPhysician].minutes("before"))
			if q.window.Sightings, err = b.c.Store.SightingsAt(ctx, q.read.PlaceID, at.Add(-longer), at.Add(picturesAfter)); err != nil {
				return err
			}
		}
		q.window.person, q.window.unnamed = personAt(q.settlement, q.window, q.book[ward.OneFaceManyCards])
	}
	return nil
}

// inside returns the sightings that touch w.
func inside(vs []ward.Sighting, w span) []ward.Sighting {
	var out []ward.Sighting
	for _, v := range vs {
		if w.touches(v) {
			out = append(out, v)
		}
	}
	return out
}

func (b *batch) insured(ctx context.Context) error {
	people, err := b.c.Store.InsuredMany(ctx, distinct(b.questions, func(q question) ward.InsuredID { return q.read.InsuredID }))
	if err != nil {
		return err
	}
	for i, q := range b.questions {
		b.questions[i].window.Insured = people[q.read.InsuredID]
	}
	return nil
}

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

// ofDevice says whether a gap lies with the camera or its line: else it was
// we who did not look.
func ofDevice(c ward.Cause) bool {
	return c == ward.CauseUnreachable || c == ward.CauseNotFound || c == ward.CauseStalled
}

// blind reads when the cameras saw nothing. What a camera showed meanwhile
// tells nothing: it counts as not watched.
func (b *batch) blind(ctx context.Context) error {
	longest := picturesBefore
	for _, q := range b.questions {
		longest = max(longest, q.book[ward.NoPhysician].minutes("before"))
	}
	from, to := b.moments()
	all, err := b.c.Store.BlindAt(ctx, distinct(b.questions, func(q question) ward.PlaceID { return q.read.PlaceID }), from.Add(-longest), to.Add(picturesAfter))
	if err != nil {
		return err
	}
	for i := range b.questions {
		q := &b.questions[i]
		for _, p := range all[q.read.PlaceID] {
			if p.Cause.Sightless() {
				q.window.Blind = append(q.window.Blind, BlindPeriod{Camera: p.CameraID, From: p.From, To: p.To})
			}
		}
		q.window.Sightings = unblind(q.window.Sightings, q.window.Blind)
	}
	return nil
}

// unblind takes from the watched stretches what lies in a blind period.
func unblind(vs []ward.Sighting, blind []BlindPeriod) []ward.Sighting {
	for _, b := range blind {
		var out []ward.Sighting
		for _, v := range vs {
			if v.Kind != ward.Watched || v.CameraID != b.Camera || v.To.Before(b.From) || !b.To.IsZero() && !v.From.Before(b.To) {
				out = append(out, v)
				continue
			}
			if v.From.Before(b.From) {
				out = append(out, part(v, v.From, b.From))
			}
			if !b.To.IsZero() && v.To.After(b.To) {
				out = append(out, part(v, b.To, v.To))
			}
		}
		vs = out
	}
	return vs
}

// part is the stretch [from, to] of a watched one, with its share of the pictures.
func part(v ward.Sighting, from, to time.Time) ward.Sighting {
	share := float64(to.Sub(from)) / float64(max(v.To.Sub(v.From), 1))
	v.Count = max(2, int(float64(v.Count)*share+.5))
	v.From, v.To = from, to
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

// pharmacies reads who came to the pharmacies after a drug sale elsewhere.
func (b *batch) pharmacies(ctx context.Context) error {
	for i := range b.questions {
		q := &b.questions[i]
		if q.read.Kind != ward.DrugSale || q.window.Place.Kind == ward.Pharmacy || !q.book.on(ward.DrugNotCollected) {
			continue
		}
		all, err := b.c.Store.Pharmacies(ctx, []ward.InstitutionID{q.read.InstitutionID})
		if err != nil {
			return err
		}
		ids := all[q.read.InstitutionID]
		counters, err := b.c.Store.Counters(ctx, ids)
		if err != nil {
			return err
		}
		from, to := q.settlement.At, q.settlement.At.Add(q.book[ward.DrugNotCollected].minutes("within"))
		var seen map[ward.PlaceID][]ward.Sighting
		if !q.window.Now.Before(to) {
			if seen, err = b.c.Store.SightingsAtPlaces(ctx, ids, from, to); err != nil {
				return err
			}
		}
		slices.Sort(ids)
		for _, id := range ids {
			p := Counter{Sightings: seen[id]}
			for _, cam := range counters[id].Cameras {
				if cam.Created.Before(from) {
					p.Cameras = append(p.Cameras, cam.ID)
				}
			}
			q.window.Pharmacies = append(q.window.Pharmacies, p)
		}
	}
	return nil
}

// moments are the first and the last of the questions' moments by the cameras' clock.
func (b *batch) moments() (from, to time.Time) {
	from, to = b.questions[0].settlement.At, b.questions[0].settlement.At
	for _, q := range b.questions {
		from, to = earliest(from, q.settlement.At), latest(to, q.settlement.At)
	}
	return from, to
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// distinct are the different values that of gives for all, in order.
func distinct[T any, K cmp.Ordered](all []T, of func(T) K) []K {
	out := make([]K, len(all))
	for i, v := range all {
		out[i] = of(v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shifted tells that a settlement's moment was put right by offset.
func shifted(offset time.Duration) (zh, en string) {
	s := offset.Round(time.Second)
	switch {
	case s.Abs() < 2*time.Second:
		return "", ""
	case s > 0:
		return fmt.Sprintf("（收费系统时钟比摄像头慢 %d 秒，已换算。）", int(s.Seconds())), fmt.Sprintf(" (The billing clock is %d s behind the cameras'; allowed for.)", int(s.Seconds()))
	default:
		return fmt.Sprintf("（收费系统时钟比摄像头快 %d 秒，已换算。）", -int(s.Seconds())), fmt.Sprintf(" (The billing clock is %d s ahead of the cameras'; allowed for.)", -int(s.Seconds()))
	}
}
