package rounds

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// sealedStep is what replaying needs of an event's body.
type sealedStep struct {
	ID      int            `json:"id"`
	Command string         `json:"cmd"`
	Result  string         `json:"result"`
	Drawn   *uint64        `json:"drawn"`
	Draw    int            `json:"draw"`
	Check   ward.CheckKind `json:"check"`
	Outcome ward.Outcome   `json:"outcome"`
}

// rerun judges a visit of which no tape is kept: again from its pictures and
// its sealed events, by the same functions that judged it while it ran. Which
// pictures were looked at is not known: all are.
type rerun struct {
	looks []look
	lots  *lots

	next     int // look
	base     baseline
	pose     pose
	found    bool
	row      *series // as the answers were sealed: which commands follow
	of       map[ward.CheckKind]tally
	faces    faces
	receipt  map[int]time.Time
	asked    map[int]challenge
	live     ward.Outcome
	differ   []string
	complete bool // both checks came to their end
}

func newRerun(looks []look, nonce []byte) *rerun {
	return &rerun{looks: looks, lots: &lots{nonce: nonce, version: 1}, of: map[ward.CheckKind]tally{}, receipt: map[int]time.Time{}, asked: map[int]challenge{}, live: ward.NotDone}
}

// step takes the next event.
func (r *rerun) step(e ward.VisitEvent) error {
	var b sealedStep
	if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
		return fmt.Errorf("event %d of visit %s: %w", e.Seq, e.VisitID, err)
	}
	switch e.Kind {
	case "live": // begins, perhaps anew
		r.base, r.found, r.row, r.of, r.complete = baseline{}, false, nil, map[ward.CheckKind]tally{}, false
		if b.Drawn != nil {
			r.lots.drawn, r.lots.version = *b.Drawn, max(1, b.Draw)
		}
		r.skip(e.At)
	case "command":
		if c, ok := challengeOf(b.Command); ok && r.asked[b.ID] == 0 {
			r.command(e.At, b.ID, c)
		}
	case "receipt":
		r.receipt[b.ID] = e.At
	case "answer":
		r.answer(e.At, b)
	case "check":
		r.check(e.At, b.Check)
	}
	return nil
}

// skip passes over the pictures before at.
func (r *rerun) skip(at time.Time) {
	for r.next < len(r.looks) && r.looks[r.next].at.Before(at) {
		r.next++
	}
}

// until takes the straight looks before at, and finds the baseline first.
func (r *rerun) until(at time.Time) {
	for ; r.next < len(r.looks) && r.looks[r.next].at.Before(at); r.next++ {
		l := r.looks[r.next]
		if !r.found {
			r.pose, r.found = r.base.see(l)
			r.faces.see(l, r.found)
			continue
		}
		if f, ok := l.face(); ok && neutral(f, r.pose) {
			r.faces.see(l, true)
		}
	}
	if r.row == nil && r.found {
		r.row = newSeries(r.lots)
	}
}

// command checks that the challenge is the one that the nonce draws.
func (r *rerun) command(at time.Time, id int, c challenge) {
	r.until(at)
	r.asked[id] = c
	if r.row == nil {
		r.differs("command %d: no steady straight face before it", id)
		return
	}
	r.lots.pause()
	if want, ok := r.row.next(); !ok || want != c {
		r.differs("command %d is %s, the nonce draws %s", id, ask(c).Command, ask(want).Command)
	}
}

// answer judges the pictures after a receipt again.
func (r *rerun) answer(at time.Time, b sealedStep) {
	if r.row == nil {
		return
	}
	c, given := r.asked[b.ID]
	if !given { // never looked straight: nothing was asked
		r.until(at)
		c, _ = r.row.next()
		r.tally(c, tooLate)
		r.count(tooLate)
		return
	}
	a := attempt{asked: c, baseline: r.pose, receipt: r.receipt[b.ID]}
	got := waiting
	for r.next = max(0, r.next-int(turnEarly/lookEvery)-1); r.next < len(r.looks) && got == waiting; r.next++ {
		l := r.looks[r.next]
		if l.at.After(a.receipt) {
			r.faces.see(l, false)
		}
		if got = a.see(l); l.at.Sub(a.receipt) > turnLate+lagGrace {
			break
		}
	}
	if got == waiting {
		got = tooLate
	}
	if got != result(b.Result) {
		r.differs("answer to command %d was %s, is %s", b.ID, b.Result, got)
	}
	r.tally(c, got)
	r.count(result(b.Result))
	r.skip(at)
}

func (r *rerun) tally(c challenge, got result) {
	t := r.of[c.kind()]
	switch got {
	case turned:
		t.passed++
	case wrongWay, tooLate:
		t.failed++
	case early, twoFaces, waiting:
	}
	r.of[c.kind()] = t
}

func (r *rerun) count(was result) {
	if _, ok := r.row.next(); ok {
		r.row.count(was)
	}
}

// check takes what was seen up to the end of a check.
func (r *rerun) check(at time.Time, kind ward.CheckKind) {
	switch kind {
	case ward.CheckLive:
		r.until(at)
		r.live = ward.Fail
		passed, failed := 0, 0
		for _, t := range r.of {
			passed, failed = passed+t.passed, failed+t.failed
		}
		if r.found && failed <= 1 && passed >= challengesAsked {
			r.live = ward.Pass
		}
	case ward.CheckFace:
		r.complete = true
		for ; r.next < len(r.looks) && r.looks[r.next].at.Before(at); r.next++ {
			if f, ok := r.looks[r.next].face(); ok && math.Abs(float64(f.Yaw)) <= baselineMax && !r.faces.enough() {
				r.faces.see(r.looks[r.next], true)
			}
		}
	case ward.CheckTurn, ward.CheckNod, ward.CheckEyes, ward.CheckMouth: // no events of their own
	case ward.CheckColours: // never without a tape
	case ward.CheckOtherBed, ward.CheckSeenBefore: // see asSealed
	case ward.CheckWardCode, ward.CheckBed, ward.CheckPosition, ward.CheckNetwork: // Replayer.places
	}
}

func (r *rerun) differs(format string, args ...any) {
	r.differ = append(r.differ, fmt.Sprintf(format, args...))
}

// outcomes are the checks as the pictures show them now.
func (r *rerun) outcomes(enrolled ward.Insured, t ward.FaceThresholds) []ward.Check {
	if !r.complete {
		return []ward.Check{{Kind: ward.CheckLive, Outcome: ward.NotDone}, {Kind: ward.CheckFace, Outcome: ward.NotDone}}
	}
	out := []ward.Check{{Kind: ward.CheckLive, Outcome: r.live}, r.faces.judge(enrolled, t)}
	for _, k := range challengeKinds() {
		if c := r.of[k]; c.passed+c.failed > 0 {
			o := ward.Pass
			if c.failed > 0 {
				o = ward.Fail
			}
			out = append(out, ward.Check{Kind: k, Outcome: o})
		}
	}
	return out
}

// against is the person with the version of the reference face that the
// sealed checks were judged against; without a face when none was enrolled
// then. A version that is erased is named in Differ, and nothing is compared
// with another one instead.
func (o *Replayed) against(store *storage.Store, none bool) func(context.Context, ward.Visit) (ward.Insured, error) {
	return func(ctx context.Context, v ward.Visit) (ward.Insured, error) {
		p, err := subject(ctx, store, v)
		i := slices.IndexFunc(o.Sealed, func(c ward.Check) bool { return c.Kind == ward.CheckFace })
		if err != nil || i < 0 || o.Sealed[i].Enrolment == 0 {
			if none {
				p.Template = nil
			}
			return p, err // of before versions were kept: today's
		}
		e, face, err := store.EnrolmentVersion(ctx, v.InsuredID, o.Sealed[i].Enrolment)
		if err != nil {
			return p, err
		}
		if len(face) == 0 {
			o.differs("the face of enrolment version %d is erased: it cannot be compared again", e.Version)
		}
		p.Template, p.ModelID, p.Enrolment, p.Proxy = face, e.ModelID, e.Version, e.Proxy
		return p, nil
	}
}

func challengeOf(command string) (challenge, bool) {
	all := []challenge{turnLeft, turnRight, nodDown, shutEyes, openMouth}
	i := slices.IndexFunc(all, func(c challenge) bool { return ask(c).Command == command })
	if i < 0 {
		return 0, false
	}
	return all[i], true
}
