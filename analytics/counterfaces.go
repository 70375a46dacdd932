package analytics

import (
	"context"
	"math"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// lately is how long after its moment a settlement is judged with what
	// counterFaces remembers; for a later one the rows are read.
	lately = 15 * time.Minute
	// counterSweep is how often what is too old leaves memory.
	counterSweep = time.Minute
)

// counterFaces remembers who stood at the settlements of each counter of the
// last while, so that of all these only those need to be read that a face may
// have been at. It decides nothing: what has been corrected, reversed or
// removed meanwhile is found out when the rows are read, and a face is in it
// from when it is stored. A face of 192 elements takes some 350 bytes.
type counterFaces struct {
	places map[ward.PlaceID]*counterPlace
	keep   time.Duration // the longest that was asked for
	swept  time.Time
}

// counterPlace has every face at the settlements of a place from a moment on.
type counterPlace struct {
	from time.Time // by the billing system's clock
	uses []faceUse // about in their order
}

type faceUse struct {
	id      ward.SettlementID
	insured ward.InsuredID
	at      time.Time // by the billing system's clock
	model   string
	code    faceCode
}

// prepare reads those of the places that are not in memory since from, and
// forgets what is older than any caller wants to keep.
func (c *counterFaces) prepare(ctx context.Context, store *storage.Store, places []ward.PlaceID, from, now time.Time, keep time.Duration) error {
	if c.places == nil {
		c.places = map[ward.PlaceID]*counterPlace{}
	}
	c.keep = max(c.keep, keep)
	if since := now.Sub(c.swept); since > counterSweep || since < 0 {
		c.sweep(now.Add(-c.keep))
		c.swept = now
	}
	missing := slices.DeleteFunc(slices.Clone(places), func(id ward.PlaceID) bool {
		p := c.places[id]
		return p != nil && !p.from.After(from)
	})
	if len(missing) == 0 {
		return nil
	}
	uses, err := store.UsesAtPlaces(ctx, missing, from, now.Add(storage.MaxOffset+time.Hour))
	if err != nil {
		return err
	}
	for _, id := range missing {
		c.places[id] = &counterPlace{from: from}
	}
	slices.SortFunc(uses, func(a, b storage.Use) int { return a.At.Compare(b.At) })
	for _, u := range uses {
		if u.Face != nil {
			c.places[u.PlaceID].add(u.ID, u.InsuredID, u.At, *u.Face)
		}
	}
	return nil
}

// sweep forgets what was before cut.
func (c *counterFaces) sweep(cut time.Time) {
	for id, p := range c.places {
		p.uses = slices.DeleteFunc(p.uses, func(u faceUse) bool { return u.at.Before(cut) })
		if p.from.Before(cut) {
			p.from = cut
		}
		if len(p.uses) == 0 {
			delete(c.places, id)
		}
	}
}

// add takes in a face that was stored; of a place that was not read there is no need to.
func (c *counterFaces) add(s ward.Settlement, f storage.Face) {
	if p := c.places[s.PlaceID]; p != nil {
		p.add(s.ID, s.InsuredID, s.At, f)
	}
}

func (p *counterPlace) add(id ward.SettlementID, who ward.InsuredID, at time.Time, f storage.Face) {
	p.uses = append(p.uses, faceUse{id, who, at, f.ModelID, codeOf(f.Template)})
}

// reached is a settlement that a face may have been at, and how that was found out.
type reached struct {
	faceUse

	by int // of the list, what it was found by; -1: the face itself
}

// like returns those of the uses before s, at most within, whose face may be
// that of face, or that of another of them: all that linked can find, and
// perhaps more. It ends at the first with the card of s, which is the last of
// the list then.
func like(s ward.Settlement, face Person, uses []faceUse, within time.Duration, match float32, all bool) (found []reached, used bool) {
	left := make([]int, 0, len(uses)) // the newest first: who is still there is soon found
	for i, u := range slices.Backward(uses) {
		before := Use{Settlement: u.id, At: u.at}.before(s)
		if before && u.id != s.ID && u.model == face.ModelID && s.At.Sub(u.at) <= within {
			left = append(left, i)
		}
	}
	code := codeOf(face.Template)
	for k := -1; k < len(found); k++ {
		if k >= 0 {
			code = found[k].code
		}
		n := 0
		for _, i := range left {
			u := uses[i]
			if u.code.atMost(code) < match {
				left[n] = i
				n++
				continue
			}
			found = append(found, reached{u, k})
			if u.insured == s.InsuredID {
				if used = true; !all {
					return found, true
				}
			}
		}
		left = left[:n]
	}
	return found, used
}

// path are the settlements by which the last of the list was found, and itself.
func path(found []reached) (ids []ward.SettlementID) {
	for k := len(found) - 1; k >= 0; k = found[k].by {
		ids = append(ids, found[k].id)
	}
	return ids
}

// faceCode is a template in a byte an element: how long one step is, and the
// length of what rounding lost.
type faceCode struct {
	steps      []int8
	step, lost float32
}

func codeOf(t ward.Template) faceCode {
	most := float32(0)
	for _, v := range t {
		most = max(most, v, -v)
	}
	c := faceCode{steps: make([]int8, len(t)), step: most / math.MaxInt8}
	if most == 0 {
		return c
	}
	lost := 0.
	for i, v := range t {
		n := math.Round(float64(v / c.step))
		c.steps[i] = int8(n)
		d := float64(v) - n*float64(c.step)
		lost += d * d
	}
	c.lost = float32(math.Sqrt(lost))
	return c
}

// atMost is more than the cosine of the two templates, of length 1, can be, by
// some .02: a·b = a'·b' + (a−a')·b + a'·(b−b'), and |a'| is at most 1 + |a−a'|.
func (c faceCode) atMost(d faceCode) float32 {
	if len(c.steps) != len(d.steps) {
		return -1
	}
	sum := int32(0)
	for i, v := range c.steps {
		sum += int32(v) * int32(d.steps[i])
	}
	const rounding = 1e-4 // of float32, and of templates that are not quite of length 1
	return float32(sum)*c.step*d.step + c.lost + (1+c.lost)*d.lost + rounding
}
