package rounds

import (
	"context"
	"math"
	"time"

	"wardwatch/ward"
)

const (
	baselineWait = 45 * time.Second // for a usable, steady, straight face
	hintAfter    = 12 * time.Second
	settleWait   = 20 * time.Second       // to look straight again
	settleHeld   = 400 * time.Millisecond // before the next command may come
	lagGrace     = 8 * time.Second        // for pictures still being looked at
	faceWait     = 10 * time.Second       // for more good pictures after the turns
	talkMax      = 10 * time.Minute       // a call goes on after an undecided visit
)

// conduct is the protocol of one visit, in order. A returned error says why
// it did not come to its end; the checks then hold what was done.
func (s *session) conduct(ctx context.Context) ([]ward.Check, error) {
	tracks, read, err := s.join(ctx)
	if err != nil {
		return nil, err
	}
	if !s.take() {
		return nil, errReplaced
	}
	if s.visit, err = s.e.Store.BeginChecking(ctx, s.visit.ID); err != nil {
		return nil, err
	}
	s.began = true
	s.lasting, s.dropRecording = context.WithCancel(context.WithoutCancel(ctx))
	s.begin(ctx, tracks)
	read()
	s.e.notify(s.visit) // whoever hears of it can call
	s.spawn(func() { s.keepLine(ctx) })
	s.spawn(func() { s.chat(ctx) })

	if err = s.awaitLine(ctx); err != nil {
		return nil, err
	}
	person, err := s.checkPerson(ctx)
	if err != nil {
		return nil, err
	}
	if err = s.event(ctx, "received", s.received.event()); err != nil {
		return nil, err
	}
	others, err := s.checkOtherBeds(ctx)
	if err != nil {
		return nil, err
	}
	before, err := s.checkSeenBefore(ctx)
	if err != nil {
		return nil, err
	}
	if err = s.reveal(ctx); err != nil {
		return nil, err
	}
	checks := append(append(person, others, before), s.done...)
	where, err := s.checkWhere(ctx)
	checks = append(checks, where...)
	if err != nil {
		return checks, err // what decides was done
	}
	s.e.judged(s)
	if ward.Decide(checks, s.policy) == ward.Undecided {
		if err = s.talk(ctx, checks); err != nil {
			return checks, err
		}
	}
	err = s.again(ctx, func() error { _, err := s.tell(ctx, thanks()); return err })
	return checks, err // the checks were done: what happens now changes nothing
}

// checkPerson is what a replay does again with the tape: what it decides by
// comes from each, tell and the lots alone, never from a clock.
func (s *session) checkPerson(ctx context.Context) ([]ward.Check, error) {
	// A check during which the line was lost begins anew, with fresh randomness.
	var live, face, colours ward.Check
	shown := false
	err := s.again(ctx, func() (err error) { live, err = s.checkLive(ctx); return err })
	if err != nil {
		return nil, err
	}
	err = s.again(ctx, func() (err error) { colours, shown, err = s.checkColours(ctx, live); return err })
	if err != nil {
		return nil, err
	}
	err = s.again(ctx, func() (err error) { face, err = s.checkFace(ctx); return err })
	if err != nil {
		return nil, err
	}
	if shown {
		s.done = append(s.done, colours)
	}
	return []ward.Check{live, face}, nil
}

// checkLive asks for what the lots say, and measures it.
func (s *session) checkLive(ctx context.Context) (ward.Check, error) {
	c := ward.Check{VisitID: s.visit.ID, Kind: ward.CheckLive}
	s.done = nil
	if err := s.event(ctx, "live", map[string]any{"drawn": s.lots.drawn, "draw": s.lots.version}); err != nil {
		return c, err
	}
	base, found, err := s.findBaseline(ctx)
	if err != nil {
		return c, err
	}
	c.At = time.Now()
	if !found {
		c.Outcome, c.DetailZH, c.DetailEN = ward.Fail, "未能看到清晰、稳定的正面人脸。", "No clear, steady frontal face was seen."
		return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
	}
	row := newSeries(s.lots)
	for {
		t, ok := row.next()
		if !ok {
			break
		}
		r, err := s.ask(ctx, t, base)
		if err != nil {
			return c, err
		}
		row.count(r)
		if r == twoFaces {
			if _, err := s.tell(ctx, say("画面中请只保留被核验者本人", "Only the person who is checked should be in the picture")); err != nil {
				return c, err
			}
		}
		if _, err := s.tell(ctx, lookStraight()); err != nil {
			return c, err
		}
	}
	c.At = time.Now()
	row.judge(&c)
	s.done = row.kinds(c)
	return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
}

// findBaseline measures how this person's straight look reads.
func (s *session) findBaseline(ctx context.Context) (base pose, found bool, err error) {
	if _, err = s.tell(ctx, lookStraight()); err != nil {
		return base, false, err
	}
	var b baseline
	for _, wait := range []time.Duration{hintAfter, baselineWait - hintAfter} {
		err = s.each(ctx, s.clock().Add(wait), func(l look) bool {
			base, found = b.see(l)
			s.faces.see(l, found)
			return !found
		})
		if err != nil || found {
			return base, found, err
		}
		if _, err = s.tell(ctx, say("请把镜头对准脸部，光线要亮，画面中只有一人", "Point the camera at the face, with good light and one person only")); err != nil {
			return base, false, err
		}
	}
	return base, found, nil
}

// ask waits until the person looks straight, then, after a random
// pause, asks for one challenge and judges the pictures that follow.
func (s *session) ask(ctx context.Context, t challenge, base pose) (result, error) {
	ok, err := s.settle(ctx, base)
	if err != nil {
		return waiting, err
	}
	if !ok {
		return tooLate, s.event(ctx, "answer", map[string]any{"result": "never_straight"})
	}
	if err = s.each(ctx, s.clock().Add(s.lots.pause()), func(l look) bool { s.straight(l, base); return true }); err != nil {
		return waiting, err
	}
	p := ask(t)
	displayed, err := s.tell(ctx, p)
	if err != nil {
		return waiting, err
	}
	a := attempt{asked: t, baseline: base, receipt: displayed}
	r := waiting
	var last ward.Face
	err = s.each(ctx, displayed.Add(turnLate+lagGrace), func(l look) bool {
		s.faces.see(l, false)
		if f, ok := l.face(); ok {
			last = f
		}
		r = a.see(l)
		return r == waiting
	})
	if err != nil {
		return waiting, err
	}
	if r == waiting { // pictures came too slowly to see an answer
		r = tooLate
	}
	return r, s.event(ctx, "answer", map[string]any{
		"id": s.command, "cmd": p.Command, "result": r,
		"after_ms": time.Since(displayed).Milliseconds(), "yaw": tenth(last.Yaw - base.yaw), "pitch": tenth(last.Pitch - base.pitch),
		"mouth": hundredth(last.Mouth - base.mouth), "eyes": hundredth(last.Eyes),
	})
}

func tenth(v float32) float64     { return math.Round(float64(v)*10) / 10 }
func hundredth(v float32) float64 { return math.Round(float64(v)*100) / 100 }

// settle waits until the head has been straight for settleHeld.
func (s *session) settle(ctx context.Context, base pose) (ok bool, err error) {
	var since time.Time
	err = s.each(ctx, s.clock().Add(settleWait), func(l look) bool {
		switch {
		case !s.straight(l, base):
			since = time.Time{}
		case since.IsZero():
			since = l.at
		default:
			ok = l.at.Sub(since) >= settleHeld
		}
		return !ok
	})
	return ok, err
}

// straight says whether the person of l looks straight, and keeps the face.
func (s *session) straight(l look, base pose) bool {
	f, ok := l.face()
	ok = ok && neutral(f, base)
	if ok {
		s.faces.see(l, true)
	}
	return ok
}

// checkFace compares the collected faces with the enrolment.
func (s *session) checkFace(ctx context.Context) (ward.Check, error) {
	if !s.faces.enough() {
		err := s.each(ctx, s.clock().Add(faceWait), func(l look) bool {
			if f, ok := l.face(); ok && math.Abs(float64(f.Yaw)) <= baselineMax {
				s.faces.see(l, true)
			}
			return !s.faces.enough()
		})
		if err != nil {
			return ward.Check{}, err
		}
	}
	reference := s.reference
	if reference == nil {
		reference = func(ctx context.Context, v ward.Visit) (ward.Insured, error) { return subject(ctx, s.e.Store, v) }
	}
	p, err := reference(ctx, s.visit)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return ward.Check{}, err
	}
	s.enrolled = enrolledAs(p.Template)
	judge := s.faces.judge
	if s.visit.Purpose == ward.ForEnrolment {
		judge = s.faces.judgeNew
	}
	c := judge(p, s.e.Thresholds)
	c.VisitID, c.At = s.visit.ID, time.Now()
	return c, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
}

// each hands looks to f until it returns false or the time is over. The
// error says why the session ended, or that the line was lost.
func (s *session) each(ctx context.Context, until time.Time, f func(look) bool) (err error) {
	if s.played != nil {
		return s.played.each(until, f)
	}
	s.tape.put(tapeLooks)
	defer func() { s.tape.end(err) }()
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	for {
		changed, up := s.down()
		if !up {
			return errOutage
		}
		select {
		case l := <-s.looks:
			l.at = s.tape.at(l.at)
			if s.tape.look(l) {
				s.still = stillness{}
			}
			l.frozen = s.still.see(l.at, l.seen)
			s.trace.see(l)
			if !f(l) {
				return nil
			}
		case <-t.C:
			return nil
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// talk keeps the connection open while an inspector is in the call, so
// that an undecided visit can be decided face to face.
func (s *session) talk(ctx context.Context, checks []ward.Check) error {
	if !s.inCall() {
		return nil
	}
	if err := s.await(ctx, checks); err != nil {
		return err
	}
	until := time.Now().Add(talkMax)
	return s.again(ctx, func() error {
		if _, err := s.tell(ctx, prompt{Command: "wait", ZH: "请稍候，稽核员将与您通话", EN: "Please wait, the inspector will talk to you"}); err != nil {
			return err
		}
		for s.inCall() && time.Now().Before(until) {
			if err := s.each(ctx, time.Now().Add(time.Second), func(look) bool { return true }); err != nil {
				return err
			}
		}
		return nil
	})
}
