package counters

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"wardwatch/ward"
)

// Options size a world.
type Options struct {
	Counters    int
	Settlements int // about
	Seed        uint64
	People      []Person
}

const (
	opening = 10. // seconds until the first person: the cameras must be watched by then
	closing = 12.
	outage  = 150. // seconds in which one camera has no power
	forCut  = 10   // settlements that would fit into the outage
	// apart is how many people for each counter make it unnecessary that
	// anybody appears at two.
	apart = 8
)

// Plan makes a world; the same options give the same world.
func Plan(o Options) *World {
	p := &planner{rng: rand.New(rand.NewPCG(o.Seed, 1)), w: &World{People: o.People}, counters: o.Counters}
	for i, x := range o.People {
		if x.Photo != "" {
			p.members = append(p.members, i)
		} else {
			p.strangers = append(p.strangers, i)
		}
	}
	p.few = len(p.members) < apart*o.Counters
	n := 3
	if p.few || o.Counters < 3 {
		n = 1 // nobody can be in two towns
	}
	skews := []time.Duration{1200 * time.Millisecond, -900 * time.Millisecond, 0}
	for i := range n {
		p.w.Institutions = append(p.w.Institutions, Institution{
			ID: ward.InstitutionID(fmt.Sprintf("h%d", i+1)), Location: ward.Location{Lat: 30 + .6*float64(i), Lon: 120}, Skew: skews[i],
		})
	}
	for i := range o.Counters {
		quota := (o.Settlements + o.Counters - 1) / o.Counters
		p.fill(i, quota)
	}
	slices.SortStableFunc(p.w.Swipes, func(a, b Swipe) int { return cmp.Compare(a.At, b.At) })
	for _, c := range p.w.Counters {
		for _, v := range c.Visits {
			p.w.Length = max(p.w.Length, v.To)
		}
	}
	for _, s := range p.w.Swipes {
		p.w.Length = max(p.w.Length, s.At)
	}
	p.w.Length = float64(int(p.w.Length + closing))
	return p.w
}

type planner struct {
	rng                *rand.Rand
	w                  *World
	members, strangers []int
	counters           int
	few                bool
	nextMember         map[int]int // by counter
	nextStranger       int

	c *Counter
	i int     // of c
	t float64 // the counter is free from here on
}

// fill makes what happens at one counter.
func (p *planner) fill(i, quota int) {
	kind := ward.Charge
	if i%4 == 3 {
		kind = ward.Pharmacy
	}
	picture := Picture{640, 360, 6, 0}
	if i%8 == 1 {
		picture = Picture{1280, 720, 8, 500}
	}
	p.w.Counters = append(p.w.Counters, Counter{
		ID: ward.PlaceID(fmt.Sprintf("counter-%d", i+1)), Institution: i % len(p.w.Institutions), Kind: kind, Picture: picture,
	})
	p.i, p.c, p.t = i, &p.w.Counters[i], opening+p.between(0, 5)
	cut := i == 0 && quota > 2*forCut
	if cut {
		quota -= forCut // in the same time as the others; it has three of them
	}
	for before := len(p.w.Swipes); len(p.w.Swipes)-before < quota; {
		for _, story := range p.deck() {
			if story(); len(p.w.Swipes)-before >= quota {
				break
			}
		}
	}
	if cut {
		p.powerCut()
	}
}

func (p *planner) between(a, b float64) float64 { return a + (b-a)*p.rng.Float64() }

// member is the next enrolled person of this counter.
func (p *planner) member() int {
	if p.nextMember == nil {
		p.nextMember = map[int]int{}
	}
	n := p.nextMember[p.i]
	p.nextMember[p.i]++
	if p.few {
		return p.members[n%len(p.members)]
	}
	own := (len(p.members) - p.i + p.counters - 1) / p.counters // every counters-th from i on
	return p.members[p.i+(n%own)*p.counters]
}

// stranger is somebody who is not enrolled, or else another than not.
func (p *planner) stranger(not int) int {
	if len(p.strangers) > 0 {
		p.nextStranger++
		return p.strangers[(p.nextStranger-1)%len(p.strangers)]
	}
	for {
		if m := p.member(); m != not {
			return m
		}
	}
}

// spare is a new card without an enrolment.
func (p *planner) spare() ward.InsuredID {
	card := ward.InsuredID(fmt.Sprintf("x%04d", len(p.w.Spare)+1))
	p.w.Spare = append(p.w.Spare, card)
	return card
}

// stand adds a visit that begins now and lasts so long.
func (p *planner) stand(who int, c Condition, x, size, seconds float64) {
	p.c.Visits = append(p.c.Visits, Visit{
		Stretch: Stretch{p.t, p.t + seconds}, Who: who, Shown: p.rng.IntN(len(p.w.People[who].Shown)), X: x, Size: size, Condition: c,
	})
}

func (p *planner) swipe(at float64, who int, card ward.InsuredID, story string, c Condition) {
	p.w.Swipes = append(p.w.Swipes, Swipe{p.i, at, card, who, story, c})
}

// leave frees the counter after seconds, and a pause.
func (p *planner) leave(seconds float64) { p.t += seconds + p.between(3, 9) }
