package analytics

import (
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

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
	outages, err := b.outages(ctx, all, from, to)
	if err != nil {
		return err
	}
	for i := range b.questions {
		q := &b.questions[i]
		for _, p := range all[q.read.PlaceID] {
			if p.Cause.Sightless() {
				q.window.Blind = append(q.window.Blind, BlindPeriod{Camera: p.CameraID, From: p.From, To: p.To, Reported: p.CoveredAt(outages, q.settlement.At)})
			}
		}
		q.window.Sightings = unblind(q.window.Sightings, q.window.Blind)
	}
	return nil
}

// outages reads what the institutions of blind periods reported; mostly there are none.
func (b *batch) outages(ctx context.Context, blind map[ward.PlaceID][]ward.BlindPeriod, from, to time.Time) ([]ward.Outage, error) {
	var insts []ward.InstitutionID
	for _, periods := range blind {
		for _, p := range periods {
			if from = earliest(from, p.From); !slices.Contains(insts, p.InstitutionID) {
				insts = append(insts, p.InstitutionID)
			}
		}
	}
	if len(insts) == 0 {
		return nil, nil
	}
	return b.c.Store.OutagesAt(ctx, insts, from, to)
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
