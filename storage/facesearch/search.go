package facesearch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// decided is how many of those that may be like it are looked up at a time.
const decided = 200

// Query is a face that is looked for, and in what.
type Query struct {
	Template     ward.Template
	ModelID      string               // that made it; faces of other models cannot be compared
	Institutions []ward.InstitutionID // nil: all; empty: none
	Place        ward.PlaceID         // empty: all
	From, To     time.Time            // seen at any moment of [From, To]
	Least        float64              // cosine
	Purpose      ward.SearchPurpose
	Limit        int // most hits, at least 1
}

// Hit is a sighting that is as alike.
type Hit struct {
	Sighting ward.Sighting
	Cosine   float64                  // exact, of the stored template
	Near     []storage.NearSettlement // for ward.SearchCards; never empty then
}

// Answer is what a search found.
type Answer struct {
	Hits []Hit // the most alike, in that order
	// More says that there may be further ones, less alike than all of Hits.
	More bool
	// Searched counts the faces that were compared, FromRows those of them that
	// are not in memory and were read from the database.
	Searched, FromRows int64
	Others             int64 // faces in the range that another model made: not compared
	Until              time.Time
}

// Search returns the sightings whose face is like q's: of all that are stored
// in the range, none is missed that was stored before Answer.Until. An Index
// that still begins is a ward.Unavailable "search.loading".
func (x *Index) Search(ctx context.Context, q Query) (Answer, error) {
	a, found, floor, err := x.likely(&q)
	if err != nil {
		return a, err
	}
	if q.From.UnixMicro() < floor {
		older, err := x.older(ctx, &q, &a, floor)
		if err != nil {
			return a, err
		}
		found = append(found, older...)
	}
	slices.SortFunc(found, func(a, b likely) int { return cmp.Or(cmp.Compare(b.high, a.high), cmp.Compare(a.id, b.id)) })
	return a, x.decide(ctx, &q, &a, found)
}

// likely looks through memory.
func (x *Index) likely(q *Query) (a Answer, found []likely, floor int64, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !x.ready {
		percent := 0
		if x.total > 0 {
			percent = 100 * x.done / x.total
		}
		return a, nil, 0, &ward.Error{
			Kind: ward.Unavailable, Code: "search.loading",
			ZH: fmt.Sprintf("人脸检索正在准备（已读入 %d%%），请稍后再试。", percent), EN: fmt.Sprintf("Face search is being prepared (%d%% read); try again shortly.", percent),
		}
	}
	w := wanted{from: q.From.UnixMicro(), to: q.To.UnixMicro(), places: make([]bool, len(x.places))}
	for i, p := range x.places {
		w.places[i] = (q.Place == "" || p.place == q.Place) && (q.Institutions == nil || slices.Contains(q.Institutions, p.inst))
	}
	for model, s := range x.shelves {
		if model == q.ModelID && s.elements == len(q.Template) {
			question := ask(q.Template)
			found, a.Searched = s.find(&question, &w, q.Least)
		} else {
			a.Others += s.admitted(&w)
		}
	}
	a.Until = x.until
	return a, found, x.floor, nil
}

// older looks through the rows of the faces that are not in memory.
func (x *Index) older(ctx context.Context, q *Query, a *Answer, floor int64) (found []likely, err error) {
	in := storage.FaceRange{Institutions: q.Institutions, Place: q.Place, From: q.From, To: q.To, Before: time.UnixMicro(floor)}
	cursor := storage.FaceCursor{Stored: -1}
	for {
		next, n, err := x.Store.OlderFaces(ctx, in, cursor, page, func(r storage.FaceRow) {
			if r.ModelID != q.ModelID || len(r.Template) != len(q.Template) {
				a.Others++
				return
			}
			a.Searched, a.FromRows = a.Searched+1, a.FromRows+1
			if c := cosine(r.Template, q.Template); c >= q.Least {
				found = append(found, likely{r.ID, c})
			}
		})
		if err != nil {
			return nil, tooSlow(err)
		}
		if cursor = next; n < page {
			return found, nil
		}
	}
}

// decide lets the stored templates decide, the likeliest first, until nobody
// can follow who is more alike than the hits that there are.
func (x *Index) decide(ctx context.Context, q *Query, a *Answer, found []likely) error {
	for len(found) > 0 {
		if len(a.Hits) >= q.Limit && a.Hits[q.Limit-1].Cosine >= found[0].high {
			break
		}
		batch := found[:min(decided, len(found))]
		found = found[len(batch):]
		hits, err := x.look(ctx, q, batch)
		if err != nil {
			return tooSlow(err)
		}
		a.Hits = append(a.Hits, hits...)
		slices.SortFunc(a.Hits, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(b.Sighting.ID, a.Sighting.ID))
		})
	}
	a.More = len(found) > 0 || len(a.Hits) > q.Limit
	a.Hits = a.Hits[:min(q.Limit, len(a.Hits))]
	return nil
}

// look returns the hits of a batch.
func (x *Index) look(ctx context.Context, q *Query, batch []likely) ([]Hit, error) {
	ids := make([]ward.SightingID, len(batch))
	for i, l := range batch {
		ids[i] = l.id
	}
	rows, err := x.Store.FacesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	var hits []Hit
	ids = ids[:0]
	for id, v := range rows {
		if c := cosine(v.Template, q.Template); c >= q.Least && v.ModelID == q.ModelID && q.covers(v) {
			v.Template = nil // nobody needs it any more
			hits, ids = append(hits, Hit{Sighting: v, Cosine: c}), append(ids, id)
		}
	}
	if q.Purpose != ward.SearchCards || len(ids) == 0 {
		return hits, nil
	}
	near, err := x.Store.SettlementsNear(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range hits {
		hits[i].Near = near[hits[i].Sighting.ID]
	}
	return slices.DeleteFunc(hits, func(h Hit) bool { return len(h.Near) == 0 }), nil
}

// covers says whether the row, as it is now, is in the range.
func (q *Query) covers(v ward.Sighting) bool {
	return (q.Place == "" || v.PlaceID == q.Place) && (q.Institutions == nil || slices.Contains(q.Institutions, v.InstitutionID)) &&
		!v.To.Before(q.From) && !v.From.After(q.To)
}

func tooSlow(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &ward.Error{
		Kind: ward.Unavailable, Code: "search.slow", Err: err,
		ZH: "检索范围内不在内存中的人脸太多，未能在限定时间内比对完，没有给出结果；请缩小时间或场所范围。",
		EN: "Too many faces of this range are not in memory and could not be compared in time, so there is no result; narrow the time or the place.",
	}
}
