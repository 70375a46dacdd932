package rounds

import (
	"context"
	"strconv"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// Rehearsal is a visit in virtual time and without a line, a decoder or a
// ledger: the very checkPerson of a session asks what the nonce draws and
// judges what See says. It is for evaluations, thousands at a time.
type Rehearsal struct {
	Store      *storage.Store // the enrolment is read from it, nothing is written
	Thresholds ward.FaceThresholds
	Insured    ward.InsuredID
	Nonce      []byte
	Every      time.Duration                             // between pictures that are looked at
	See        func(at time.Duration) (ward.Seen, error) // asked for rising moments
	Told       func(at time.Duration, command string)    // what the bedside displays
}

// Rehearsed is what came of it.
type Rehearsed struct {
	Checks []ward.Check // live, face and the kinds of challenges
	Length time.Duration

	insured ward.InsuredID
	trace   trace
}

// Run conducts the checks of the person to their end.
func (r Rehearsal) Run(ctx context.Context) (Rehearsed, error) {
	p := &rehearsing{Rehearsal: r}
	s := &session{
		e:     &Engine{Store: r.Store, Thresholds: r.Thresholds},
		visit: ward.Visit{ID: "rehearsal", InsuredID: r.Insured}, lots: newLots(r.Nonce), played: p,
	}
	checks, err := s.checkPerson(ctx)
	return Rehearsed{Checks: append(checks, s.done...), Length: p.at, insured: r.Insured, trace: p.trace}, err
}

// rehearsing is a rehearsal's bedside.
type rehearsing struct {
	Rehearsal

	at    time.Duration
	still stillness
	trace trace
}

func (p *rehearsing) now() time.Time { return time.Unix(0, 0).Add(p.at) }

func (p *rehearsing) each(until time.Time, f func(look) bool) error {
	for p.now().Before(until) {
		p.at += p.Every
		seen, err := p.See(p.at)
		if err != nil {
			return err
		}
		l := look{at: p.now(), seen: seen}
		l.frozen = p.still.see(l.at, l.seen)
		p.trace.see(l)
		if !f(l) {
			return nil
		}
	}
	return nil
}

// tell displays a command at once.
func (p *rehearsing) tell(c prompt) (time.Time, error) {
	p.Told(p.at, c.Command)
	return p.now(), nil
}

func (p *rehearsing) event(string, map[string]any) error { return nil }

func (p *rehearsing) awaitLine() error { return nil }

// RehearsedVisits are earlier visits, kept in memory as Seen before keeps real ones.
type RehearsedVisits struct {
	all   []storage.VisitTrace
	moves map[ward.VisitID][]move
}

// Keep adds a visit.
func (k *RehearsedVisits) Keep(r Rehearsed) {
	if !r.trace.long() {
		return
	}
	if k.moves == nil {
		k.moves = map[ward.VisitID][]move{}
	}
	id := ward.VisitID(strconv.Itoa(len(k.all)))
	k.all = append(k.all, storage.VisitTrace{VisitID: id, Who: string(r.insured), Prints: r.trace.prints})
	k.moves[id] = r.trace.moves
}

// SeenBefore is the check of that name against those that are kept.
func (k *RehearsedVisits) SeenBefore(r Rehearsed) ward.Check {
	c := ward.Check{Kind: ward.CheckSeenBefore, Outcome: ward.NotDone}
	if !r.trace.long() {
		return c
	}
	c.Outcome = ward.Pass
	for _, id := range candidates(k.all, "", string(r.insured), r.trace.prints) {
		if shownAgain(r.trace.moves, k.moves[id], traceAgree) > 0 {
			c.Outcome = ward.Fail
			break
		}
	}
	return c
}
