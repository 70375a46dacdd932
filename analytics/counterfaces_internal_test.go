package analytics

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

// drawFaces draws templates, some of them alike.
func drawFaces(r *rapid.T, n int) []ward.Template {
	out := make([]ward.Template, n)
	for i := range out {
		v := make(ward.Template, 16)
		for k := range v {
			v[k] = float32(rapid.Float64Range(-1, 1).Draw(r, "v"))
		}
		if i > 0 && rapid.Bool().Draw(r, "alike") {
			near := out[rapid.IntRange(0, i-1).Draw(r, "to")]
			for k := range v {
				v[k] = near[k] + v[k]*.25
			}
		}
		if v[0] += 1e-3; ward.Fuse([]ward.Template{v}) == nil {
			v[0] = 1
		}
		out[i] = ward.Fuse([]ward.Template{v})
	}
	return out
}

// What faces are coded to never says that two are less alike than they are, nor by much more.
func TestCodesOfFacesAreNeverBelowTheCosine(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		v := drawFaces(r, 2)
		got, want := codeOf(v[0]).atMost(codeOf(v[1])), v[0].Cosine(v[1])
		if got < want || got > want+.05 {
			r.Fatalf("at most %v for a cosine of %v", got, want)
		}
	})
	if got := codeOf(ward.Template{1, 0}).atMost(codeOf(ward.Template{1})); got != -1 {
		t.Errorf("of other lengths %v", got)
	}
	if c := codeOf(ward.Template{0, 0}); c.lost != 0 || math.IsNaN(float64(c.atMost(c))) {
		t.Errorf("nothing is coded to %+v", c)
	}
}

// All that the rule links is found, and a card that was used before by a path
// of settlements that are linked by the faces of one another.
func TestAllThatIsLinkedIsFound(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const match, within = .6, 30 * time.Minute
		n := rapid.IntRange(1, 12).Draw(r, "uses")
		faces := drawFaces(r, n+1)
		base := time.Unix(1_700_000_000, 0)
		s := ward.Settlement{ID: "s", InsuredID: "i0", At: base}
		var uses []Use
		var known []faceUse
		for i := range n {
			u := Use{
				Settlement: ward.SettlementID(fmt.Sprintf("t%d", i)), Insured: ward.InsuredID(fmt.Sprint("i", rapid.IntRange(0, 4).Draw(r, "card"))),
				At: base.Add(-time.Duration(rapid.IntRange(-60, 1900).Draw(r, "ago")) * time.Second), Person: Person{ModelID: "m", Template: faces[i]},
			}
			uses, known = append(uses, u), append(known, faceUse{u.Settlement, u.Insured, u.At, "m", codeOf(faces[i])})
		}
		face := Person{ModelID: "m", Template: faces[n]}
		want := linked(&ward.Sighting{ModelID: "m", Template: faces[n]}, earlier(s, uses, within), match)
		found, used := like(s, face, known, within, match, true)
		for _, u := range want {
			if !slices.ContainsFunc(found, func(f reached) bool { return f.id == u.Settlement }) {
				r.Fatalf("%s is linked and not found", u.Settlement)
			}
		}
		if card := func(u Use) bool { return u.Insured == s.InsuredID }; slices.ContainsFunc(want, card) && !used {
			r.Fatal("the card was used before, which is not found")
		}
		some, early := like(s, face, known, within, match, false)
		if early != used {
			r.Fatalf("found %v at first, %v in all", early, used)
		}
		if !used {
			return
		}
		way, code := path(some), codeOf(face.Template)
		slices.Reverse(way)
		for _, id := range way {
			i := slices.IndexFunc(known, func(u faceUse) bool { return u.id == id })
			if known[i].code.atMost(code) < match {
				r.Fatalf("%v is no way", way)
			}
			code = known[i].code
		}
		if last := slices.IndexFunc(known, func(u faceUse) bool { return u.id == way[len(way)-1] }); known[last].insured != s.InsuredID {
			r.Fatalf("%v leads to another card", way)
		}
	})
}
