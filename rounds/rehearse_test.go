package rounds_test

import (
	"context"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// rehearse conducts a visit on the clips' measured poses, all with one face.
func rehearse(t *testing.T, r *rig, o simbed.Options, nonce byte, noise float32) (rounds.Rehearsed, [][]byte) {
	t.Helper()
	camera, err := simbed.NewCamera(o)
	if err != nil {
		t.Fatal(err)
	}
	of := map[*byte]*simbed.Pose{}
	for _, flip := range []bool{false, true} {
		c := clip(t, "franck", flip)
		for i, p := range poses(c) {
			of[&c.Frames[i][0]] = p
		}
	}
	template := make(ward.Template, 192)
	template[0] = 1
	var shown [][]byte
	got, err := rounds.Rehearsal{
		Store: r.store, Thresholds: ward.DefaultFaceThresholds, Insured: "p1", Nonce: []byte{nonce}, Every: 120 * time.Millisecond,
		Told: camera.Told,
		See: func(at time.Duration) (seen ward.Seen, err error) {
			for time.Duration(len(shown))*40*time.Millisecond < at {
				c, i := camera.Next(time.Duration(len(shown)) * 40 * time.Millisecond)
				shown = append(shown, c.Frames[i])
			}
			f, ok := face(of[&shown[len(shown)-1][0]], noise)
			if ok {
				f.Score, f.EyePx, f.Sharp, f.Bright, f.Template = .9, 50, 100, 120, template
				seen.Faces = []ward.Face{f}
			}
			seen.Print = uint64(len(shown) % 7)
			return seen, nil
		},
	}.Run(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return got, shown
}

func outcome(checks []ward.Check, k ward.CheckKind) ward.Outcome {
	for _, c := range checks {
		if c.Kind == k {
			return c.Outcome
		}
	}
	return ""
}

// A rehearsed patient passes the live check, and what was shown then does
// not pass it again for another nonce, and is known again.
func TestRehearsals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	genuine := simbed.Options{Behaviour: simbed.Genuine, Clip: clip(t, "franck", false), Mirrored: clip(t, "franck", true), React: 500 * time.Millisecond}
	const visits = 20
	passed, again, known := 0, 0, 0
	for i := range byte(visits) {
		genuine.Seed, genuine.Spread = uint64(i)+1, 600*time.Millisecond
		first, shown := rehearse(t, r, genuine, i, 0)
		if outcome(first.Checks, ward.CheckLive) == ward.Pass {
			passed++
		}
		var kept rounds.RehearsedVisits
		if got := kept.SeenBefore(first); got.Outcome != ward.Pass {
			t.Fatalf("seen before: %s", got.Outcome)
		}
		kept.Keep(first)
		replay, _ := rehearse(t, r, simbed.Options{Behaviour: simbed.Loop, Clip: &simbed.Clip{Frames: shown}}, i+100, .25)
		if outcome(replay.Checks, ward.CheckLive) == ward.Pass {
			again++
		}
		if kept.SeenBefore(replay).Outcome == ward.Fail {
			known++
		}
	}
	t.Logf("%d of %d pass; shown again %d pass the live check, %d are known", passed, visits, again, known)
	if passed < visits*8/10 || again > 1 || known < visits/4 { // three of four are
		t.Errorf("%d of %d pass; shown again %d pass the live check, %d are known", passed, visits, again, known)
	}
}
