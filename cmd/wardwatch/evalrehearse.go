package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics/vision"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	evalFrame = 40 * time.Millisecond // of the simulated cameras
	evalLook  = 3 * evalFrame         // between pictures that are looked at, as a session does when it can
	evalSpeed = .1                    // slower or faster that a replay is played at most
	evalKept  = 100                   // earlier visits of each man that replays are drawn from, and all visits compared with
)

// evalStage rehearses the visits to one man's bed.
type evalStage struct {
	store   *storage.Store
	limits  ward.FaceThresholds
	insured ward.InsuredID
	man     evalMan
	other   evalMan
	see     simbed.See
	rand    *rand.Rand

	seen    map[*byte]ward.Seen // by the coded picture: each is measured once
	mirror  map[*byte][]byte    // the mirrored picture, by the picture
	crop    map[*byte][]byte    // likewise
	kept    rounds.RehearsedVisits
	earlier []evalTape
}

// evalTape is what a genuine rehearsed visit showed.
type evalTape struct {
	frames [][]byte
	cues   []int // frame at which each command was given
}

// rehearse plays n genuine visits and n of each attack but that of two beds.
func (v evalRounds) rehearse(ctx context.Context, w *evalWard, pool *vision.Pool, limits ward.FaceThresholds) ([]evalResult, error) {
	if v.Rehearsals == 0 {
		return nil, nil
	}
	var results [2][]evalResult
	all, ctx := errgroup.WithContext(ctx)
	for i := range w.men {
		seed := w.rand.Uint64()
		all.Go(func() error {
			session := pool.NewSession(ward.H264)
			defer session.Close()
			id := fmt.Sprintf("rehearsed%d", i)
			if err := w.enrol(ctx, id, w.men[i].photo); err != nil {
				return err
			}
			s := &evalStage{
				store: w.store, limits: limits, insured: ward.InsuredID(id), man: w.men[i], other: w.men[1-i], rand: rand.New(rand.NewPCG(seed, 3)), //nolint:gosec // a simulation that can be repeated
				seen: map[*byte]ward.Seen{}, see: func(ctx context.Context, au []byte) (ward.Seen, bool, error) {
					return session.See(ctx, au, true, vision.WantFaces|vision.WantTemplates|vision.WantPrint)
				},
			}
			if err := s.changed(ctx, filepath.Join(v.Dir, "films")); err != nil {
				return err
			}
			for _, k := range append([][2]string{{string(genuineVisit)}}, attacks()...) {
				kind := attackKind(k[0])
				for range (v.Rehearsals + 1 - i) / 2 {
					if kind == attackTwoBeds {
						break
					}
					r, err := s.play(ctx, kind)
					if err != nil {
						return fmt.Errorf("rehearse %s: %w", kind, err)
					}
					results[i] = append(results[i], r)
				}
				w.say("bed %d, %d pictures measured so far, rehearsed: %s", i+1, len(s.seen), cmp.Or(k[0], "genuine"))
			}
			return nil
		})
	}
	err := all.Wait()
	return append(results[0], results[1]...), err
}

// play rehearses one visit.
func (s *evalStage) play(ctx context.Context, kind attackKind) (evalResult, error) {
	o := s.man.presents(s.other, kind, "plain", s.rand)
	if kind == attackCued || kind.replays() {
		if len(s.earlier) == 0 {
			return evalResult{}, errors.New("no genuine visit passed that could be shown again")
		}
		was := s.earlier[s.rand.IntN(len(s.earlier))]
		o.Behaviour, o.Clip, o.Mirrored, o.Start = simbed.Loop, &simbed.Clip{Frames: s.again(kind, was.frames)}, nil, s.rand.IntN(25)
		if kind == attackMiddle {
			o.Start = s.rand.IntN(len(was.frames))
		}
		if kind == attackCued { // whoever steers reads each command, and jumps
			o.Behaviour, o.Start, o.Cues, o.React, o.Spread = simbed.Cued, 0, was.cues, 300*time.Millisecond, 400*time.Millisecond
		}
	}
	camera, err := simbed.NewCamera(o)
	if err != nil {
		return evalResult{}, err
	}
	var tape evalTape
	nonce := make([]byte, 0, 32)
	for range 4 {
		nonce = binary.BigEndian.AppendUint64(nonce, s.rand.Uint64())
	}
	done, err := rounds.Rehearsal{
		Store: s.store, Thresholds: s.limits, Insured: s.insured, Nonce: nonce, Every: evalLook,
		Told: func(at time.Duration, command string) {
			camera.Told(at, command)
			tape.cues = append(tape.cues, len(tape.frames))
		},
		See: func(at time.Duration) (ward.Seen, error) {
			for time.Duration(len(tape.frames))*evalFrame < at {
				c, i := camera.Next(time.Duration(len(tape.frames)) * evalFrame)
				tape.frames = append(tape.frames, c.Frames[i])
			}
			return s.measure(ctx, tape.frames[len(tape.frames)-1])
		},
	}.Run(ctx)
	if err != nil {
		return evalResult{}, err
	}
	r := evalResult{kind: kind, condition: "plain", verdict: ward.Decide(done.Checks, ward.DefaultCheckPolicy())}
	if r.verdict == ward.Present { // else it changes nothing, and takes long
		before := s.kept.SeenBefore(done)
		r.verdict, r.seenBefore = ward.Decide(append(done.Checks, before), ward.DefaultCheckPolicy()), before.Outcome == ward.Fail
	}
	if kind == genuineVisit && len(s.earlier) < evalKept {
		s.kept.Keep(done)
		if r.verdict == ward.Present {
			s.earlier = append(s.earlier, tape)
		}
	}
	return r, nil
}

// changed prepares the pictures of replays that are not shown as they were.
func (s *evalStage) changed(ctx context.Context, cache string) error {
	plain := s.man.genuine["plain"]
	cropped, err := simbed.Refilm(ctx, cache, plain, cropFilter, 23)
	if err != nil {
		return err
	}
	s.mirror, s.crop = map[*byte][]byte{}, map[*byte][]byte{}
	for k, c := range plain {
		for i, f := range c.Frames {
			s.mirror[&f[0]], s.crop[&f[0]] = plain[1-k].Frames[min(i, len(plain[1-k].Frames)-1)], cropped[k].Frames[i]
		}
	}
	return nil
}

// again are the pictures of an earlier visit as a kind of attack shows them.
func (s *evalStage) again(kind attackKind, was [][]byte) (out [][]byte) {
	speed := 1.
	if kind == attackSpeed {
		speed += evalSpeed * (2*s.rand.Float64() - 1)
	}
	for x := 0.; int(x) < len(was); x += speed {
		f := was[int(x)]
		switch kind { //nolint:exhaustive // the others show it as it is
		case attackMirrored:
			f = s.mirror[&f[0]]
		case attackCropped:
			f = s.crop[&f[0]]
		}
		out = append(out, f)
	}
	return out
}

// measure is what the worker sees in a coded picture, with the noise of
// coding and light that makes no two pictures measure alike.
func (s *evalStage) measure(ctx context.Context, au []byte) (ward.Seen, error) {
	seen, ok := s.seen[&au[0]]
	if !ok {
		var err error
		if seen, _, err = s.see(ctx, au); err != nil {
			return seen, err
		}
		s.seen[&au[0]] = seen
	}
	faces := make([]ward.Face, len(seen.Faces))
	for i, f := range seen.Faces {
		noise := func(by float64) float32 { return float32(by * s.rand.NormFloat64()) }
		f.Yaw, f.Pitch, f.Mouth, f.Eyes = f.Yaw+noise(.25), f.Pitch+noise(.25), f.Mouth+noise(.0075), f.Eyes+noise(.00375)
		faces[i] = f
	}
	seen.Faces = faces
	return seen, nil
}
