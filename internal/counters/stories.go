package counters

// deck is a shuffled mixture of stories, 40 settlements or so.
func (p *planner) deck() []func() {
	var d []func()
	add := func(n int, story func()) {
		for range n {
			d = append(d, story)
		}
	}
	add(6, func() { p.honest(Plain) })
	add(2, func() { p.honest(Compressed) })
	add(1, func() { p.honest(Company) })
	add(1, func() { p.honest(Beside) })
	add(1, p.unknown)
	add(1, p.relative)
	add(1, p.twoCards)
	add(6, p.emptyCounter)
	add(4, func() { p.impostor(Plain) })
	add(1, func() { p.impostor(Compressed) })
	add(1, func() { p.impostor(Company) })
	add(2, p.collector)
	add(1, p.returning)
	for i, c := range []Condition{Back, Masked, Dark, Blurred, Far} {
		add(1, func() { p.honest(c) })
		if (p.rng.IntN(5)+i)%2 == 0 {
			add(1, func() { p.impostor(c) })
		}
	}
	if p.rng.IntN(3) == 0 {
		add(1, p.batch)
	}
	if p.rng.IntN(3) == 0 {
		add(1, p.lentCard)
	}
	if len(p.w.Institutions) > 1 {
		add(1, p.travelled)
	}
	p.rng.Shuffle(len(d), func(i, k int) { d[i], d[k] = d[k], d[i] })
	return d
}

// with adds somebody else, who is not the customer, to the visit that begins now.
func (p *planner) with(c Condition, customer int, seconds float64) (x float64) {
	switch c { //nolint:exhaustive // the others are alone
	case Company:
		p.stand(p.stranger(customer), Plain, .78, .55, seconds-1)
		return .42
	case Beside:
		p.stand(p.stranger(customer), Plain, .74, 1, seconds)
		return .3
	}
	return .5 + p.between(-.1, .1)
}

// customer stands alone or in company at the counter and returns when the card is swiped.
func (p *planner) customer(who int, c Condition) (at float64) {
	seconds := p.between(8, 13)
	x, size := p.with(c, who, seconds), 1.
	if c == Far {
		size = .3
	}
	p.stand(who, c, x, size, seconds)
	at = p.t + p.between(4, seconds-2.5)
	p.leave(seconds)
	return at
}

func (p *planner) honest(c Condition) {
	who := p.member()
	p.swipe(p.customer(who, c), who, p.w.People[who].Card, "honest", c)
}

// unknown is somebody who is not enrolled, with a card of his own.
func (p *planner) unknown() {
	who := p.stranger(-1)
	p.swipe(p.customer(who, Plain), who, p.spare(), "unknown", Plain)
}

// relative swipes for the owner of the card, who stands behind.
func (p *planner) relative() {
	owner := p.member()
	who, seconds := p.stranger(owner), p.between(8, 12)
	p.stand(owner, Plain, .78, .6, seconds)
	p.stand(who, Plain, .42, 1, seconds)
	p.swipe(p.t+p.between(4, seconds-2.5), who, p.w.People[owner].Card, "relative", Company)
	p.leave(seconds)
}

// twoCards pays for himself and one other: one card too few for an alert.
func (p *planner) twoCards() {
	who := p.member()
	p.stand(who, Plain, .5, 1, 16)
	p.swipe(p.t+4, who, p.w.People[who].Card, "two_cards", Plain)
	p.swipe(p.t+11, who, p.spare(), "two_cards", Plain)
	p.leave(16)
}

// emptyCounter: the clerk swipes a card that nobody has brought.
func (p *planner) emptyCounter() {
	card := p.w.People[p.member()].Card
	p.t += p.between(6.5, 10)
	p.swipe(p.t, -1, card, "empty", Unmanned)
	p.t += p.between(6, 8)
}

// impostor swipes the card of an enrolled person who is not there.
func (p *planner) impostor(c Condition) {
	owner := p.member()
	if p.few {
		p.t += 9 // the owner may just have left
	}
	who := p.stranger(owner)
	p.swipe(p.customer(who, c), who, p.w.People[owner].Card, "impostor", c)
	if p.few {
		p.t += 4
	}
}

// collector stays and swipes several cards, one of them perhaps of an enrolled person.
func (p *planner) collector() {
	who := p.stranger(-1)
	n := 3 + p.rng.IntN(2)
	seconds := 5 + 7*float64(n)
	p.stand(who, Plain, .5, 1, seconds)
	for k := range n {
		card := p.spare()
		if k == 1 && p.rng.IntN(2) == 0 && !p.few {
			card = p.w.People[p.member()].Card
		}
		p.swipe(p.t+4+7*float64(k)+p.between(0, 1), who, card, "collector", Plain)
	}
	p.leave(seconds)
}

// returning is a collector who goes away between the cards; each time
// another picture of the face is shown, where there are several.
func (p *planner) returning() {
	who := p.stranger(-1)
	if !p.few {
		who = p.member()
	}
	for range 3 {
		seconds := p.between(8, 11)
		p.stand(who, Plain, .5+p.between(-.1, .1), 1, seconds)
		p.swipe(p.t+p.between(4, seconds-2.5), who, p.spare(), "returning", Plain)
		p.leave(seconds)
	}
}

// batch is one person with six cards in half a minute.
func (p *planner) batch() {
	who := p.stranger(-1)
	p.stand(who, Plain, .5, 1, 36)
	for k := range 6 {
		p.swipe(p.t+4+5*float64(k), who, p.spare(), "batch", Plain)
	}
	p.leave(36)
}

// lentCard is one card, not enrolled, that three people use one after the other.
func (p *planner) lentCard() {
	card, last := p.spare(), -1
	for range 3 {
		last = p.stranger(last)
		p.swipe(p.customer(last, Plain), last, card, "lent", Plain)
	}
}

// travelled uses a card that was just swiped at another institution.
func (p *planner) travelled() {
	for _, s := range p.w.Swipes {
		if p.w.Counters[s.Counter].Institution != p.c.Institution && s.Story == "honest" && s.At < p.t-20 && s.At > p.t-200 {
			who := p.stranger(s.Who)
			p.swipe(p.customer(who, Plain), who, s.Card, "travelled", Plain)
			return
		}
	}
}

// powerCut ends the counter's day: its camera is off while three cards are swiped.
func (p *planner) powerCut() {
	p.t += 10
	p.c.Down = append(p.c.Down, Stretch{p.t, p.t + outage})
	for k := range 3 {
		p.swipe(p.t+outage/2+4*float64(k), -1, p.spare(), "power_cut", Unpowered)
	}
	p.t += outage + 20
}
