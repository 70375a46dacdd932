package rounds_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// poses is the pose of every frame of a clip, as far as known; between
// measured ones the face moves evenly.
func poses(c *simbed.Clip) []*simbed.Pose {
	out := make([]*simbed.Pose, len(c.Frames))
	for i, p := range c.Poses {
		out[p.Frame] = &p
		if i == 0 || p.Frame-c.Poses[i-1].Frame > 4 {
			continue
		}
		q := c.Poses[i-1]
		for f := q.Frame + 1; f < p.Frame; f++ {
			w := float32(f-q.Frame) / float32(p.Frame-q.Frame)
			out[f] = &simbed.Pose{Yaw: q.Yaw + w*(p.Yaw-q.Yaw), Pitch: q.Pitch + w*(p.Pitch-q.Pitch), Mouth: q.Mouth + w*(p.Mouth-q.Mouth), Eyes: q.Eyes + w*(p.Eyes-q.Eyes)}
		}
	}
	return out
}

// filmed is one simulated visit of the rightful patient, in virtual time,
// and the face that its camera showed at every 40 ms.
type filmed struct {
	moves  rounds.Moves
	passed bool
	face   []*simbed.Pose
	frames [][]byte
}

// film plays a Genuine bedside. Each answers after its own time, as people do.
func film(t *testing.T, name string) filmed {
	t.Helper()
	c, m := clip(t, name, false), clip(t, name, true)
	a, err := simbed.NewActor(c, m)
	if err != nil {
		t.Fatal(err)
	}
	of := map[*simbed.Clip][]*simbed.Pose{c: poses(c), m: poses(m)}
	var out filmed
	type reaction struct {
		at      time.Duration
		command string
	}
	var due []reaction
	o, moves := rounds.PlayTold(func(now time.Duration) (ward.Face, bool) {
		for at := time.Duration(len(out.face)) * 40 * time.Millisecond; at <= now; at += 40 * time.Millisecond {
			for len(due) > 0 && due[0].at <= at {
				a.Show(due[0].command)
				due = due[1:]
			}
			shown, i := a.Next()
			out.face, out.frames = append(out.face, of[shown][i]), append(out.frames, shown.Frames[i])
		}
		return face(out.face[len(out.face)-1], 0)
	}, func(now time.Duration, command string) {
		due = append(due, reaction{now + 500*time.Millisecond + rand.N(600*time.Millisecond), command})
	})
	out.moves, out.passed = moves, o == ward.Pass
	return out
}

// face is a pose with the noise of measuring another coding of the picture.
func face(p *simbed.Pose, noise float32) (ward.Face, bool) {
	if p == nil {
		return ward.Face{}, false
	}
	n := func(v, by float32) float32 { return v + noise*by*float32(rand.NormFloat64()) }
	return ward.Face{Yaw: n(p.Yaw, 1), Pitch: n(p.Pitch, 1), Mouth: n(p.Mouth, .03), Eyes: n(p.Eyes, .015)}, true
}

// TestEarlierVisitIsKnownAgain compares simulated visits of one person in one
// bed, with the same stretches of the same film, with each other, and with
// recordings of them that are shown again.
func TestEarlierVisitIsKnownAgain(t *testing.T) {
	t.Parallel()
	const visits = 25
	for _, name := range []string{"franck", "cap12_edit"} {
		var all []filmed
		for range visits {
			all = append(all, film(t, name))
		}
		passed, foundRound := 0, 0
		var honest, again []float64
		length := func(v filmed) time.Duration { return time.Duration(len(v.face)) * 40 * time.Millisecond }
		for i, v := range all {
			if v.passed {
				passed++
			}
			for _, o := range all[:i] {
				honest = append(honest, rounds.Agreement(v.moves, o.moves))
			}
			// Shown again from a random moment of its first second, up to a tenth
			// slower or faster, with noise, mirrored every other time.
			speed := []float64{1, .9, 1.1, .97, 1.05}[i%5]
			shown := rounds.MovesLike(rand.N(time.Second), time.Duration(float64(length(v))/speed), func(at time.Duration) (ward.Face, bool) {
				f, ok := face(v.face[min(int(float64(at)*speed/float64(40*time.Millisecond)), len(v.face)-1)], .25)
				if i%2 == 1 {
					f.Yaw = -f.Yaw
				}
				return f, ok
			})
			again = append(again, rounds.Agreement(shown, v.moves))
			begin := rand.N(len(v.face)) // and round and round
			shown = rounds.MovesLike(0, time.Duration(float64(length(v))/speed), func(at time.Duration) (ward.Face, bool) {
				return face(v.face[(begin+int(float64(at)*speed/float64(40*time.Millisecond)))%len(v.face)], .25)
			})
			if rounds.Agreement(shown, v.moves) > 0 {
				foundRound++
			}
		}
		same, found := 0, 0
		for _, v := range honest {
			if v > 0 {
				same++
			}
		}
		for _, v := range again {
			if v > 0 {
				found++
			}
		}
		t.Logf("%s: %d of %d visits pass; %d of %d honest pairs called the same; of %d shown again %d found, begun in the middle %d",
			name, passed, visits, same, len(honest), len(again), found, foundRound)
		if same > len(honest)/20 || found < len(again)*9/10 || foundRound < len(again)*7/10 || passed < visits*8/10 {
			t.Error("that is too few, or too many")
		}
	}
}

// What is shown again is found, and names the earlier visit; another visit
// in the same bed, with the same pictures, is not.
func TestSeenBeforeNamesTheEarlierVisit(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	ctx := t.Context()
	first, second, third := r.order(time.Hour).Visit, r.order(time.Hour).Visit, r.order(time.Hour).Visit
	a, b := film(t, "franck"), film(t, "franck")
	prints := make([]uint64, 20)
	for i := range prints {
		prints[i] = 1 << i
	}
	for _, c := range []struct {
		visit ward.Visit
		moves rounds.Moves
		want  ward.Outcome
	}{{first, a.moves, ward.Pass}, {second, a.moves[5:], ward.Fail}, {third, b.moves, ward.Pass}} {
		got, err := rounds.SeenBefore(ctx, r.engine, c.visit, prints, c.moves)
		if err != nil || got.Outcome != c.want {
			t.Errorf("got %s, want %s, %v", got.Outcome, c.want, err)
		}
	}
	found, err := r.store.FindingsOf(ctx, second.ID)
	if err != nil || len(found) != 1 || found[0].Other != first.ID || found[0].Kind != ward.CheckSeenBefore {
		t.Errorf("findings %+v, %v", found, err)
	}
	if short, err := rounds.SeenBefore(ctx, r.engine, r.order(time.Hour).Visit, prints, a.moves[:50]); err != nil || short.Outcome != ward.NotDone {
		t.Errorf("too short: %s, %v", short.Outcome, err)
	}
	if err := r.store.EraseCompared(ctx, time.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if got, err := rounds.SeenBefore(ctx, r.engine, r.order(time.Hour).Visit, prints, a.moves); err != nil || got.Outcome != ward.Pass {
		t.Errorf("after its time: %s, %v", got.Outcome, err)
	}
}
