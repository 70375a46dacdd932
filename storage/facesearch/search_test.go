package facesearch_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage/facesearch"
	"wardwatch/ward"
)

const model = "model-1"

// crowd is a hospital with faces, and an index that follows it.
type crowd struct {
	*testcase.World
	index *facesearch.Index
	rand  *rand.Rand
	faces []ward.Sighting
}

func each(t *testing.T, f func(t *testing.T, w *crowd)) {
	t.Helper()
	t.Parallel() // they wait for the index
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		must(t, w.Store.PutInstitution(t.Context(), ward.Institution{ID: "h2", Name: "第二医院"}))
		must(t, w.Store.PutPlace(t.Context(), ward.Place{ID: "counter-2", InstitutionID: "h2", Name: "窗口", Kind: ward.Charge}))
		f(t, &crowd{World: w, rand: rand.New(rand.NewPCG(7, 8)), index: &facesearch.Index{Store: w.Store}})
	})
}

// run starts the index, and stops it at the test's end.
func (w *crowd) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.index.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.follow(t)
}

// follow waits until everything stored by now is in the index.
func (w *crowd) follow(t *testing.T) {
	t.Helper()
	now := time.Now()
	for end := now.Add(time.Minute); w.index.Status().Until.Before(now); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the index does not follow: %+v", w.index.Status())
		}
	}
}

// add stores faces, from a minute before now on.
func (w *crowd) add(t *testing.T, n int, change func(i int, v *ward.Sighting)) {
	t.Helper()
	vs := make([]ward.Sighting, n)
	for i := range vs {
		at := w.Start.Add(time.Duration(len(w.faces)+i) * 10 * time.Millisecond)
		vs[i] = ward.Sighting{
			ID: ward.SightingID(fmt.Sprintf("face-%06d", len(w.faces)+i)), CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.FaceSeen,
			From: at, To: at.Add(time.Second), Count: 1, ModelID: model,
		}
		change(i, &vs[i])
	}
	must(t, w.Store.PutSightings(t.Context(), vs))
	w.faces = append(w.faces, vs...)
}

func (w *crowd) unit() ward.Template {
	t := make(ward.Template, 192)
	for i := range t {
		t[i] = float32(w.rand.NormFloat64())
	}
	return ward.Fuse([]ward.Template{t})
}

// like is a face near t: at by 1 the cosine is about .7.
func (w *crowd) like(t ward.Template, by float64) ward.Template {
	u := slices.Clone(t)
	for i, v := range w.unit() {
		u[i] += float32(by) * v
	}
	return ward.Fuse([]ward.Template{u})
}

func (w *crowd) all(q ward.Template) facesearch.Query {
	return facesearch.Query{
		Template: q, ModelID: model, From: w.Start.Add(-time.Hour), To: w.Start.Add(time.Hour), Least: .4, Limit: 500, Purpose: ward.SearchWhereabouts,
	}
}

// brute is what a search must find, compared one by one.
func (w *crowd) brute(q facesearch.Query) []string {
	type one struct {
		id     ward.SightingID
		cosine float64
	}
	var found []one
	for _, v := range w.faces {
		if len(v.Template) != len(q.Template) || v.ModelID != q.ModelID || q.Place != "" && v.PlaceID != q.Place ||
			q.Institutions != nil && !slices.Contains(q.Institutions, v.InstitutionID) || v.To.Before(q.From) || v.From.After(q.To) {
			continue
		}
		var c float64
		for i := range v.Template {
			c += float64(v.Template[i]) * float64(q.Template[i])
		}
		if c >= q.Least {
			found = append(found, one{v.ID, c})
		}
	}
	slices.SortFunc(found, func(a, b one) int { return cmp.Or(cmp.Compare(b.cosine, a.cosine), cmp.Compare(b.id, a.id)) })
	var out []string
	for _, f := range found[:min(len(found), q.Limit)] {
		out = append(out, fmt.Sprintf("%s %.12f", f.id, f.cosine))
	}
	return out
}

func (w *crowd) search(t *testing.T, q facesearch.Query) ([]string, facesearch.Answer) {
	t.Helper()
	a, err := w.index.Search(t.Context(), q)
	must(t, err)
	var out []string
	for _, h := range a.Hits {
		out = append(out, fmt.Sprintf("%s %.12f", h.Sighting.ID, h.Cosine))
	}
	return out, a
}

func (w *crowd) same(t *testing.T, q facesearch.Query) facesearch.Answer {
	t.Helper()
	got, a := w.search(t, q)
	if want := w.brute(q); !slices.Equal(got, want) {
		t.Fatalf("least %.3f, limit %d: got %d hits, want %d:\n%s\n---\n%s", q.Least, q.Limit, len(got), len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return a
}

// Among strangers and among people who are alike, the search finds what
// comparing one by one with float64 finds, in the same order: to the last
// place of the limit, and however few are asked for.
func TestSearchIsExact(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		centre := []ward.Template{w.unit(), w.unit(), w.unit()}
		w.add(t, 900, func(i int, v *ward.Sighting) {
			switch i % 3 {
			case 0:
				v.Template = w.unit()
			case 1: // cosines from .3 to 1 with the centre
				v.Template = w.like(centre[i%len(centre)], 3*w.rand.Float64())
			case 2: // nearly the same
				v.Template = w.like(centre[0], .05)
			}
		})
		w.run(t)
		for i, c := range append(centre, w.unit(), w.faces[0].Template, w.faces[1].Template) {
			q := w.all(c)
			for _, q.Least = range []float64{.4, .56, .9, .99} {
				for _, q.Limit = range []int{1, 10, 2000} {
					a := w.same(t, q)
					if a.Searched != 900 || a.FromRows != 0 || q.Limit == 2000 && a.More {
						t.Errorf("question %d: %+v", i, a)
					}
				}
			}
			// A limit that is exactly the cosine of somebody: neither more nor fewer.
			_, a := w.search(t, w.all(c))
			for _, h := range a.Hits[:min(len(a.Hits), 8)] {
				q.Limit, q.Least = 2000, h.Cosine
				w.same(t, q)
			}
		}
	})
}

// Who may see one institution searches in it alone, whatever is asked; place
// and time narrow further; faces of another model are counted, not compared.
func TestSearchKeepsToItsRange(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		face := w.unit()
		w.add(t, 60, func(i int, v *ward.Sighting) {
			v.Template = w.like(face, .3)
			switch i % 3 {
			case 1:
				v.PlaceID, v.InstitutionID = "counter-2", "h2"
			case 2:
				v.ModelID = "model-2"
			}
			v.From = v.From.Add(time.Duration(i) * time.Second)
			v.To = v.From.Add(time.Second)
		})
		w.run(t)
		for _, c := range []struct {
			name   string
			change func(*facesearch.Query)
			hits   int
			others int64
		}{
			{"everything", func(*facesearch.Query) {}, 40, 20},
			{"one institution", func(q *facesearch.Query) { q.Institutions = []ward.InstitutionID{"h2"} }, 20, 0},
			{"none", func(q *facesearch.Query) { q.Institutions = []ward.InstitutionID{} }, 0, 0},
			{"a place", func(q *facesearch.Query) { q.Place = "counter" }, 20, 20},
			{"a place outside the scope", func(q *facesearch.Query) { q.Institutions, q.Place = []ward.InstitutionID{"h1"}, "counter-2" }, 0, 0},
			{"a moment", func(q *facesearch.Query) { q.From, q.To = w.faces[30].From, w.faces[30].From }, 1, 0},
			{"another model", func(q *facesearch.Query) { q.ModelID = "model-2" }, 20, 40},
			{"an unknown model", func(q *facesearch.Query) { q.ModelID = "model-3" }, 0, 60},
		} {
			q := w.all(face)
			c.change(&q)
			if a := w.same(t, q); len(a.Hits) != c.hits || a.Others != c.others {
				t.Errorf("%s: %d hits, %d of other models, want %d and %d", c.name, len(a.Hits), a.Others, c.hits, c.others)
			}
		}
	})
}

// For the purpose of cards only faces near settlements are told, with them;
// for that of whereabouts no settlement is.
func TestSearchTellsWhatItsPurposeNeeds(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		face := w.unit()
		swiped := w.Start.Add(20 * time.Second) // w.Settlement, at the counter
		for i, at := range []time.Duration{-11 * time.Second, -9 * time.Second, 0, 4 * time.Second, 6 * time.Second} {
			w.add(t, 1, func(_ int, v *ward.Sighting) {
				v.ID, v.Template, v.From, v.To = ward.SightingID(fmt.Sprint("at-", i)), w.like(face, .1*float64(i)), swiped.Add(at), swiped.Add(at)
			})
		}
		w.add(t, 1, func(_ int, v *ward.Sighting) {
			v.ID, v.Template, v.From, v.To, v.PlaceID, v.InstitutionID = "elsewhere", face, swiped, swiped, "counter-2", "h2"
		})
		w.run(t)
		q := w.all(face)
		a := w.same(t, q)
		for _, h := range a.Hits {
			if h.Near != nil {
				t.Errorf("whereabouts told %d settlements", len(h.Near))
			}
		}
		q.Purpose = ward.SearchCards
		_, a = w.search(t, q)
		var ids []ward.SightingID
		for _, h := range a.Hits {
			ids = append(ids, h.Sighting.ID)
			if len(h.Near) != 1 || h.Near[0].Settlement.ID != w.Settlement || h.Near[0].Settlement.InsuredID != "p-1" {
				t.Errorf("%s: %+v", h.Sighting.ID, h.Near)
			}
		}
		if want := []ward.SightingID{"at-1", "at-2", "at-3"}; !slices.Equal(ids, want) {
			t.Errorf("got %v, want %v", ids, want)
		}
	})
}

// A face that grows changes, one whose row or picture is gone is not told of,
// and leaves memory.
func TestIndexFollowsTheRows(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		face := w.unit()
		w.add(t, 50, func(_ int, v *ward.Sighting) { v.Template = w.unit() })
		w.run(t)
		for _, i := range []int{3, 40} { // was somebody else until its best picture came
			w.faces[i].Template, w.faces[i].To = w.like(face, .2), w.faces[i].To.Add(time.Second)
			must(t, w.Store.PutSighting(t.Context(), w.faces[i]))
		}
		w.faces[7].ModelID, w.faces[7].Template = "model-2", face
		must(t, w.Store.PutSighting(t.Context(), w.faces[7]))
		w.follow(t)
		if a := w.same(t, w.all(face)); len(a.Hits) != 2 || a.Searched != 49 || a.Others != 1 {
			t.Fatalf("%+v", a)
		}
		exec(t, w, `DELETE FROM sighting WHERE id = 'face-000003'`)
		exec(t, w, `UPDATE sighting SET picture_state = 'deleted' WHERE id = 'face-000040'`)
		if got, _ := w.search(t, w.all(face)); len(got) != 0 {
			t.Errorf("a search told of what is removed: %v", got)
		}
		exec(t, w, `UPDATE sighting SET keep_until_us = 1 WHERE id > 'face-000044'`)
		again := &facesearch.Index{Store: w.Store}
		w.index = again
		w.run(t)
		if n := again.Status().Faces; n != 43 {
			t.Errorf("an index that begins holds %d faces, want 43", n)
		}
	})
}

// What an older version stored bears no moment: it is read once, not always.
func TestOldRowsAreReadOnce(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		w.add(t, 10, func(_ int, v *ward.Sighting) { v.Template = w.unit() })
		exec(t, w, `UPDATE sighting SET stored_us = 0`)
		exec(t, w, `UPDATE sighting SET picture_state = 'deleted' WHERE id = 'face-000003'`)
		w.run(t)
		exec(t, w, `UPDATE sighting SET picture_state = '' WHERE id = 'face-000003'`) // seen if it is read again
		w.follow(t)
		if n := w.index.Status().Faces; n != 9 {
			t.Errorf("the index holds %d faces, want the 9 of its beginning", n)
		}
		w.add(t, 1, func(_ int, v *ward.Sighting) { v.Template = w.unit() })
		w.follow(t)
		if n := w.index.Status().Faces; n != 10 {
			t.Errorf("the index holds %d faces, want 10 with the new one", n)
		}
	})
}

// Past its bound the index keeps the faces that were seen last; the others are
// read from the database, and the answer says how many.
func TestSearchBeyondMemoryReadsTheRows(t *testing.T) {
	each(t, func(t *testing.T, w *crowd) {
		face := w.unit()
		w.index.Most = 100
		add := func() {
			w.add(t, 150, func(_ int, v *ward.Sighting) { v.Template = w.like(face, 2*w.rand.Float64()) })
		}
		add()
		w.run(t)
		q := w.all(face)
		a := w.same(t, q)
		s := w.index.Status()
		if s.Faces > 100 || s.Faces < 80 || s.Floor.IsZero() || a.Searched != 150 || a.FromRows != int64(150-s.Faces) {
			t.Errorf("%+v; searched %d, %d from rows", s, a.Searched, a.FromRows)
		}
		q.From = s.Floor
		if a := w.same(t, q); a.FromRows != 0 {
			t.Errorf("what memory holds was read from %d rows", a.FromRows)
		}
		add() // while it runs
		w.follow(t)
		if a := w.same(t, w.all(face)); a.Searched != 300 || w.index.Status().Faces > 100 {
			t.Errorf("searched %d, status %+v", a.Searched, w.index.Status())
		}
		q = w.all(face)
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		if _, err := w.index.Search(ctx, q); !errors.Is(err, &ward.Error{Kind: ward.Unavailable}) {
			t.Errorf("out of time: got %v", err)
		}
	})
}

func TestAnIndexThatBeginsSaysSo(t *testing.T) {
	x := &facesearch.Index{}
	_, err := x.Search(t.Context(), facesearch.Query{Template: ward.Template{1}, Limit: 1})
	if w, ok := errors.AsType[*ward.Error](err); !ok || w.Code != "search.loading" {
		t.Errorf("got %v", err)
	}
}

func exec(t *testing.T, w *crowd, query string) {
	t.Helper()
	_, err := w.DB.ExecContext(t.Context(), query)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
