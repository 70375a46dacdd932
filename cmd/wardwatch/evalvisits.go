package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/internal/demo"
	"wardwatch/internal/simbed"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	evalVisitLimit = 5 * time.Minute // for one visit on a busy machine
	evalHospital   = "eval"
	evalSlow       = 8 * time.Second // an answer is judged in 5 s unless pictures wait to be looked at
)

// evalWard orders and plays visits.
type evalWard struct {
	admin *demo.Client
	store *storage.Store // verdicts are read here
	men   [2]evalMan
	rand  *rand.Rand // of the plan only: it is drawn before the first visit
	say   func(string, ...any)

	mu   sync.Mutex // guards beds
	beds int
}

// evalCase is one presentation, drawn before it is played.
type evalCase struct {
	kind      attackKind
	condition string
	network   evalNetwork
	man       int // 0 or 1: whose bed
	o         simbed.Options
}

// draw makes the n-th case of a kind: people and conditions take turns, the rest is drawn.
func (w *evalWard) draw(kind attackKind, n int) evalCase {
	c := evalCase{kind: kind, man: n % 2, condition: "plain"}
	if kind == genuineVisit {
		conditions, networks := evalConditions(), evalNetworks()
		c.condition = conditions[n/2%len(conditions)].name
		c.network = networks[w.rand.IntN(len(networks))]
	}
	c.o = w.men[c.man].presents(w.men[1-c.man], kind, c.condition, w.rand)
	c.o.Network = c.network.is
	return c
}

// presents are the pictures of a kind; other is the man of the other clip.
func (m *evalMan) presents(other evalMan, kind attackKind, condition string, r *rand.Rand) simbed.Options {
	film, strange := m.genuine[condition], other.genuine["plain"]
	if film[0] == nil { // not made for rehearsals
		film = m.genuine["plain"]
	}
	o := simbed.Options{
		Behaviour: simbed.Genuine, Clip: film[0], Mirrored: film[1], Seed: r.Uint64() | 1,
		React: 500 * time.Millisecond, Spread: 700 * time.Millisecond, Start: r.IntN(evalLoop),
	}
	switch kind {
	case genuineVisit, attackTwoBeds, attackEarlier, attackMiddle, attackSpeed, attackMirrored, attackCropped, attackCued:
	case attackPrint, attackScreenPhoto, attackScreenLoop, attackLoop:
		o.Behaviour, o.Clip = simbed.Loop, m.attack[kind]
	case attackFrozen:
		o.Behaviour, o.Clip = simbed.Frozen, m.attack[kind]
	case attackWrong:
		o.Behaviour = simbed.Wrong
	case attackLate:
		o.React, o.Spread = 5200*time.Millisecond, 2*time.Second
	case attackImpostor:
		o.Behaviour, o.Clip, o.Mirrored = simbed.Impostor, strange[0], strange[1]
	case attackSwitch:
		o.Behaviour, o.Other, o.SwitchAt = simbed.Switch, strange, 1+r.IntN(3)
	}
	return o
}

// visits plays every case. What goes wrong with one is its result, and ends no other.
func (v evalRounds) visits(ctx context.Context, w *evalWard) ([]evalResult, error) {
	if v.Genuine+v.Attacks == 0 {
		return nil, nil
	}
	if err := w.post(ctx, "/institutions", ward.Institution{ID: evalHospital, Name: evalHospital}, nil); err != nil {
		return nil, err
	}
	var cases []evalCase
	for i := range v.Genuine {
		cases = append(cases, w.draw(genuineVisit, i))
	}
	for i := range v.Attacks {
		for _, k := range attacks() {
			if !attackKind(k[0]).rehearsed() {
				cases = append(cases, w.draw(attackKind(k[0]), i))
			}
		}
	}
	w.rand.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	w.say("%d presentations, %d at a time", len(cases), v.AtOnce)
	results := make([]evalResult, len(cases))
	var all errgroup.Group
	all.SetLimit(max(1, v.AtOnce))
	for i, c := range cases {
		all.Go(func() error {
			results[i] = w.play(ctx, c)
			name := string(c.kind)
			if c.kind == genuineVisit {
				name = "genuine, " + c.condition + ", " + c.network.name
			}
			if err := results[i].err; err != nil {
				w.say("%d of %d: %s: ERROR %v", i+1, len(cases), name, err)
			} else {
				w.say("%d of %d: %s: %s", i+1, len(cases), name, results[i].verdict)
			}
			return nil
		})
	}
	_ = all.Wait() // results hold the errors
	return results, ctx.Err()
}

// play orders one case's beds and answers them.
func (w *evalWard) play(ctx context.Context, c evalCase) evalResult {
	r := evalResult{kind: c.kind, condition: c.condition, network: c.network.name}
	ctx, stop := context.WithTimeout(ctx, 2*evalVisitLimit)
	defer stop()
	r.err = func() error {
		photo := w.men[c.man].photo
		bed, err := w.admit(ctx, photo)
		if err != nil {
			return err
		}
		beds := []ward.AdmissionID{bed}
		o := c.o
		if c.kind == attackTwoBeds {
			second, err := w.admit(ctx, photo) // enrolled so by a fraud
			if err != nil {
				return err
			}
			beds = append(beds, second)
		}
		if c.kind == attackEarlier {
			var tape [][]byte
			o.Tape = &tape
			if _, err := w.round(ctx, beds, o); err != nil {
				return fmt.Errorf("the earlier round: %w", err)
			}
			if len(tape) == 0 {
				return errors.New("the earlier round showed nothing")
			}
			o.Behaviour, o.Clip, o.Mirrored, o.Tape, o.Start = simbed.Loop, &simbed.Clip{Frames: tape}, nil, nil, 0
		}
		got, err := w.round(ctx, beds, o)
		if err != nil {
			return err
		}
		r.verdict = got[0].verdict
		for _, x := range got { // of two beds both have to be taken for present
			r.seenBefore, r.slow = r.seenBefore || x.seenBefore, r.slow || x.slow
			if x.verdict != ward.Present {
				r.verdict = x.verdict
			}
		}
		if c.kind != genuineVisit && (r.slow || r.verdict == ward.Interrupted) {
			return errVoid
		}
		return nil
	}()
	return r
}

// errVoid is of an attack that the checks did not stop: the machine was too
// slow to look at its pictures in time, or lost its line. A genuine visit
// that ends so counts as rejected.
var errVoid = errors.New("void: the machine was too slow, or the line was lost")

// admit makes a patient with that photo in an own bed.
func (w *evalWard) admit(ctx context.Context, photo []byte) (ward.AdmissionID, error) {
	w.mu.Lock()
	w.beds++
	id := fmt.Sprintf("e%05d", w.beds)
	w.mu.Unlock()
	if err := w.enrol(ctx, id, photo); err != nil {
		return "", err
	}
	var a ward.Admission
	err := w.post(ctx, "/admissions", map[string]any{
		"institution_id": evalHospital, "insured_id": id, "ward": "评测", "bed": id, "physician": "评测", "from": time.Now().Add(-time.Hour).UTC(),
	}, &a)
	return a.ID, err
}

// enrol makes an insured person with that photo.
func (w *evalWard) enrol(ctx context.Context, id string, photo []byte) error {
	if err := w.post(ctx, "/insured", map[string]any{"id": id, "name": "评测", "id_number": "110101195003070019"}, nil); err != nil {
		return err
	}
	return w.admin.Do(ctx, http.MethodPut, "/api/v1/insured/"+id+"/photo", photo, nil)
}

// round orders the beds in one round, answers them all at once and waits for the verdicts.
func (w *evalWard) round(ctx context.Context, beds []ward.AdmissionID, o simbed.Options) ([]evalResult, error) {
	ctx, stop := context.WithTimeout(ctx, evalVisitLimit)
	defer stop()
	var made struct {
		Visits []struct {
			Visit ward.Visit `json:"visit"`
			Link  string     `json:"link"`
		} `json:"visits"`
	}
	err := w.post(ctx, "/rounds", map[string]any{
		"institution_id": evalHospital, "ward": "评测", "reason": "评测", "admission_ids": beds, "deadline": time.Now().Add(2 * evalVisitLimit).UTC(),
	}, &made)
	if err != nil {
		return nil, err
	}
	got := make([]evalResult, len(made.Visits))
	all, ctx := errgroup.WithContext(ctx)
	for i, v := range made.Visits {
		all.Go(func() (err error) {
			o := o
			o.Server, o.Link = w.admin.Base, v.Link
			if _, err := simbed.Run(ctx, o); err != nil {
				return fmt.Errorf("bedside: %w", err)
			}
			got[i], err = w.verdict(ctx, v.Visit.ID)
			return err
		})
	}
	return got, all.Wait()
}

// verdict waits until the checks have decided, or left it to a human.
func (w *evalWard) verdict(ctx context.Context, id ward.VisitID) (r evalResult, err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for r.verdict == "" {
		v, err := w.store.Visit(ctx, id)
		switch {
		case err != nil:
			return r, err
		case v.State == ward.VisitDeciding:
			r.verdict = ward.Undecided
		case v.State == ward.VisitSealed:
			r.verdict = v.Verdict
		default:
			select {
			case <-tick.C:
			case <-ctx.Done():
				return r, errors.Join(ctx.Err(), errors.New("no verdict in time"))
			}
		}
	}
	found, err := w.store.FindingsOf(ctx, id)
	r.seenBefore = slices.ContainsFunc(found, func(f ward.VisitFinding) bool { return f.Kind == ward.CheckSeenBefore && f.VisitID == id })
	if err != nil {
		return r, err
	}
	events, err := w.store.VisitEvents(ctx, id)
	for _, e := range events {
		var answer struct {
			After int `json:"after_ms"`
		}
		if e.Kind == "answer" && json.Unmarshal([]byte(e.Body), &answer) == nil {
			r.slow = r.slow || time.Duration(answer.After)*time.Millisecond > evalSlow
		}
	}
	return r, err
}

func (w *evalWard) post(ctx context.Context, path string, in, out any) error {
	return w.admin.Do(ctx, http.MethodPost, "/api/v1"+path, in, out)
}
