package rounds

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

var t0 = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func at(ms int, yaws ...float32) look {
	l := look{at: t0.Add(time.Duration(ms) * time.Millisecond)}
	for _, y := range yaws {
		l.seen.Faces = append(l.seen.Faces, ward.Face{Yaw: y, Eyes: .3, Score: .9, EyePx: 50, Sharp: 100, Bright: 120})
	}
	return l
}

func TestAttempt(t *testing.T) {
	frozen := at(1200, 17)
	frozen.frozen = true
	for name, c := range map[string]struct {
		asked challenge
		looks []look
		want  result
	}{
		"left":                        {turnLeft, []look{at(100, 5), at(900, 10), at(1100, 17), at(1300, 18)}, turned},
		"right":                       {turnRight, []look{at(100, 5), at(900, 0), at(1100, -7), at(1300, -8)}, turned},
		"the wrong way":               {turnLeft, []look{at(100, 5), at(900, -6), at(1100, 20)}, wrongWay},
		"turned before it was asked":  {turnLeft, []look{at(-100, 17), at(900, 17), at(1100, 17)}, early},
		"faster than a human reads":   {turnLeft, []look{at(-100, 5), at(300, 17)}, early},
		"too late":                    {turnLeft, []look{at(100, 5), at(5100, 17), at(5300, 17)}, tooLate},
		"never":                       {turnLeft, []look{at(100, 5), at(3000, 5), at(5001)}, tooLate},
		"only one picture of it":      {turnLeft, []look{at(1000, 17), at(1100, 5), at(1200, 17), at(1250, 5)}, waiting},
		"a frozen picture of it":      {turnLeft, []look{at(1000, 5), frozen, frozen}, waiting},
		"a second face":               {turnLeft, []look{at(1000, 5), at(1100, 17, 0)}, twoFaces},
		"a second face, before":       {turnLeft, []look{at(-300, 5, 5), at(1100, 17), at(1300, 17)}, turned},
		"the face is lost for a time": {turnLeft, []look{at(1000, 17), at(1100), at(1200, 17)}, turned},
	} {
		a := attempt{asked: c.asked, baseline: pose{yaw: 5, eyes: .3}, receipt: t0}
		got := waiting
		for _, l := range c.looks {
			if got = a.see(l); got != waiting {
				break
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestSeries(t *testing.T) {
	for name, c := range map[string]struct {
		results []result
		want    ward.Outcome
		asked   int
	}{
		"four of four":         {[]result{turned, turned, turned, turned}, ward.Pass, 4},
		"four of five":         {[]result{turned, tooLate, turned, turned, turned}, ward.Pass, 5},
		"the extra one fails":  {[]result{turned, turned, turned, wrongWay, tooLate}, ward.Fail, 5},
		"two fail":             {[]result{wrongWay, tooLate}, ward.Fail, 2},
		"repeats do not count": {[]result{early, turned, twoFaces, turned, turned, turned}, ward.Pass, 6},
		"always turned":        {[]result{early, early, early, early, early}, ward.Fail, 5},
	} {
		s := newSeries(newLots(nil))
		asked := 0
		for _, r := range c.results {
			if _, ok := s.next(); !ok {
				break
			}
			asked++
			s.count(r)
		}
		if _, more := s.next(); more || asked != c.asked || s.live() != c.want {
			t.Errorf("%s: %s after %d, more %v", name, s.live(), asked, more)
		}
	}
	l, seen := newLots(nil), map[string]bool{}
	for range 5000 {
		cs := l.sequence()
		seen[fmt.Sprint(cs)] = true
		slices.Sort(cs)
		turns := 0
		for i, c := range cs {
			if c.kind() == ward.CheckTurn {
				turns++
			} else if i > 0 && cs[i-1] == c {
				t.Fatalf("twice: %v", cs)
			}
		}
		if len(cs) != 4 || turns < 2 || turns > 3 || turns == 3 && cs[0] == cs[2] {
			t.Fatalf("sequence %v", cs)
		}
		if p := l.pause(); p < shortestPause || p >= longestPause {
			t.Fatalf("pause %v", p)
		}
		if c := l.instead(shutEyes); c == shutEyes || c.kind() == "" {
			t.Fatalf("instead of the eyes: %v", c)
		}
	}
	for range 100 {
		if c := l.anew([]challenge{turnLeft, openMouth, nodDown}); c == openMouth || c == nodDown {
			t.Fatalf("anew: %v", c)
		}
	}
	if len(seen) != 216 {
		t.Errorf("%d sequences", len(seen))
	}
}

// Visits from before version 2 are drawn as they were.
func TestFirstVersionIsDrawnAsItWas(t *testing.T) {
	l := &lots{nonce: []byte("a nonce"), version: 1}
	for i, want := range [][]challenge{{turnRight, shutEyes, turnLeft, openMouth}, {turnRight, shutEyes, openMouth, turnLeft}, {nodDown, turnLeft, turnRight, openMouth}} {
		got, pause := l.sequence(), l.pause()
		if wait := []time.Duration{806266492, 664117867, 1092962374}[i]; !slices.Equal(got, want) || pause != wait {
			t.Errorf("%v after %v", got, pause)
		}
	}
	if a, b := l.instead(shutEyes), l.anew([]challenge{shutEyes}); a != openMouth || b != shutEyes || l.drawn != 28 {
		t.Errorf("%v, %v, %d numbers", a, b, l.drawn)
	}
	for version, body := range map[int]string{1: `{"drawn":0}`, 2: `{"drawn":0,"draw":2}`} {
		if v, err := drawOf([]ward.VisitEvent{{Kind: "consent"}, {Kind: "live", Body: body}}); v != version || err != nil {
			t.Errorf("%s: version %d, %v", body, v, err)
		}
	}
}

// Who knows the nonce draws the same; who does not know it has nothing.
func TestLotsFollowFromTheNonce(t *testing.T) {
	a, b, other := newLots([]byte("a nonce")), newLots([]byte("a nonce")), newLots([]byte("another"))
	same, seen := 0, map[string]bool{}
	for range 100 {
		x, y, z := a.sequence(), b.sequence(), other.sequence()
		if !slices.Equal(x, y) {
			t.Fatalf("%v and %v of one nonce", x, y)
		}
		if slices.Equal(x, z) {
			same++
		}
		seen[fmt.Sprint(x)] = true
	}
	if same > 10 || len(seen) < 30 {
		t.Errorf("%d of 100 sequences as with another nonce, %d different", same, len(seen))
	}
}

func TestPoses(t *testing.T) {
	base := pose{yaw: 5, pitch: 2, mouth: .05, eyes: .3}
	face := func(ms int, p pose) look {
		l := at(ms, p.yaw)
		l.seen.Faces[0].Pitch, l.seen.Faces[0].Mouth, l.seen.Faces[0].Eyes = p.pitch, p.mouth, p.eyes
		return l
	}
	nod, shut, open := pose{5, 12, .05, .25}, pose{5, 2, .05, .18}, pose{5, -3, .4, .3}
	for name, c := range map[string]struct {
		asked challenge
		looks []look
		want  result
	}{
		"nods":                  {nodDown, []look{face(900, nod), face(1100, nod)}, turned},
		"turns instead":         {nodDown, []look{face(900, pose{16, 2, .05, .3})}, wrongWay},
		"shuts the eyes":        {shutEyes, []look{face(900, shut), face(1100, shut), face(1400, shut)}, turned},
		"blinks":                {shutEyes, []look{face(900, shut), face(1150, shut), face(1300, base), face(1400, shut)}, waiting},
		"has shut them before":  {shutEyes, []look{face(-100, shut)}, early},
		"opens the mouth":       {openMouth, []look{face(900, open), face(1100, open), face(1350, open)}, turned},
		"says something":        {openMouth, []look{face(900, open), face(1100, base), face(1350, open)}, waiting},
		"opens it and turns":    {openMouth, []look{face(900, pose{-6, 2, .4, .3})}, wrongWay},
		"opens it, to nod":      {nodDown, []look{face(900, open), face(1350, open), face(5100, base)}, tooLate},
		"looks down, eyes open": {shutEyes, []look{face(900, nod), face(1400, nod), face(5100, nod)}, tooLate},
	} {
		a := attempt{asked: c.asked, baseline: base, receipt: t0}
		got := waiting
		for _, l := range c.looks {
			if got = a.see(l); got != waiting {
				break
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if !neutral(at(0, 7).seen.Faces[0], pose{yaw: 5, eyes: .3}) || neutral(face(0, shut).seen.Faces[0], base) || neutral(face(0, nod).seen.Faces[0], base) {
		t.Error("neutral")
	}
}

func TestStillness(t *testing.T) {
	var s stillness
	see := func(ms int, hash uint64, yaw float32) bool {
		l := at(ms, yaw)
		l.seen.Print = hash
		return s.see(l.at, l.seen)
	}
	if see(0, 1, 5) || see(1000, 1, 5.01) || see(2000, 1, 5) {
		t.Error("frozen too soon")
	}
	if !see(2100, 1, 5) {
		t.Error("not frozen after 2.1 s of the same")
	}
	if see(2200, 1, 5.4) || see(4000, 2, 5.4) {
		t.Error("frozen though the face or the picture moved")
	}
	// A patient lies still: the hash stays, the face's measures breathe.
	for i := range 50 {
		if see(5000+i*150, 3, 5+float32(i%3)*.2) {
			t.Fatal("a still patient counts as frozen")
		}
	}
}

func TestFaces(t *testing.T) {
	unit := func(i int) ward.Template { x := make(ward.Template, 8); x[i] = 1; return x }
	collect := func(straight, turned []ward.Template) *faces {
		var c faces
		for i, x := range straight {
			l := at(i*500, 5)
			l.seen.ModelID, l.seen.Faces[0].Template = "m", x
			c.see(l, true)
		}
		for i, x := range turned {
			l := at(9000+i*500, 15)
			l.seen.ModelID, l.seen.Faces[0].Template = "m", x
			c.see(l, false)
		}
		return &c
	}
	a := []ward.Template{unit(0), unit(0), unit(0), unit(0), unit(0), unit(0)}
	b := []ward.Template{unit(1), unit(1), unit(1)}
	half := ward.Fuse([]ward.Template{unit(0), unit(2), unit(3), unit(4)}) // cosine .5 with unit(0)
	for name, c := range map[string]struct {
		f        *faces
		enrolled ward.Template
		model    string
		want     ward.Outcome
	}{
		"the same":             {collect(a, a[:2]), unit(0), "m", ward.Pass},
		"another":              {collect(a, nil), unit(1), "m", ward.Fail},
		"near":                 {collect(a, nil), half, "m", ward.Unsure},
		"too few":              {collect(a[:3], nil), unit(0), "m", ward.NotDone},
		"not enrolled":         {collect(a, nil), nil, "", ward.NotDone},
		"another model":        {collect(a, nil), unit(0), "old", ward.NotDone},
		"swapped for turns":    {collect(a, b), unit(0), "m", ward.Fail},
		"swapped, no enrol":    {collect(a, b), nil, "", ward.Fail},
		"one odd picture":      {collect(a, b[:1]), unit(0), "m", ward.Pass},
		"nobody was looked at": {&faces{}, unit(0), "m", ward.NotDone},
	} {
		if got := c.f.judge(ward.Insured{Template: c.enrolled, ModelID: c.model}, ward.DefaultFaceThresholds); got.Outcome != c.want {
			t.Errorf("%s: %s (%s)", name, got.Outcome, got.DetailEN)
		}
	}
}
