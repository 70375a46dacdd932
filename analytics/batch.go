package analytics

import (
	"cmp"
	"context"
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
