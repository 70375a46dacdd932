package bench_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/facesearch"
	"wardwatch/ward"
)

const faceElements = 192

// searchedFaces is how many are stored: BENCH_FACES, or a million.
func searchedFaces(b *testing.B) int {
	text := os.Getenv("BENCH_FACES")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	must(b, err)
	return n
}

// BenchmarkFaceSearch stores a million faces, lets the index read them, and
// searches for one after the other with all processors. The limit is how long
// the same processors take to read the same million templates, as they are
// stored (768 bytes each), once from memory; and beside it how long for what
// the index keeps of them (192 bytes each). Both sides take turns.
func BenchmarkFaceSearch(b *testing.B) {
	n := searchedFaces(b)
	store := teststore.SQLite(b)
	wanted := storeFaces(b, store, n)
	before := memory()
	index := &facesearch.Index{Store: store, Most: n}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- index.Run(ctx) }()
	for !index.Status().Ready {
		select {
		case err := <-done:
			b.Fatal("the index ended: ", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	b.Logf("%d faces read from the database in %s, %.0f bytes of memory a face", index.Status().Faces, time.Since(began).Round(time.Millisecond), float64(memory()-before)/float64(n))
	if index.Status().Faces != n {
		b.Fatalf("the index holds %d faces", index.Status().Faces)
	}
	asWords := make([]uint64, n*faceElements/2) // as float32
	for i := range asWords {
		asWords[i] = uint64(i)
	}
	var search, floats, codes []time.Duration
	i := 0
	for b.Loop() {
		q := facesearch.Query{Template: wanted[i%len(wanted)], ModelID: "m", From: time.UnixMicro(0), To: time.Now().AddDate(1, 0, 0), Least: .6, Limit: 100, Purpose: ward.SearchWhereabouts}
		i++
		search = append(search, timed(func() {
			a, err := index.Search(ctx, q)
			must(b, err)
			if len(a.Hits) == 0 || a.Hits[0].Cosine < .99 || a.Searched != int64(n) {
				b.Fatalf("it did not find who is there: %d hits of %d", len(a.Hits), a.Searched)
			}
		}))
		floats = append(floats, timed(func() { readOnce(asWords) }))
		codes = append(codes, timed(func() { readOnce(asWords[:n*faceElements/8]) }))
	}
	stop()
	must(b, <-done)
	for _, s := range [][]time.Duration{search, floats, codes} {
		slices.Sort(s)
	}
	at := func(s []time.Duration, p int) float64 { return ms(s[len(s)*p/100]) }
	b.Logf("%d processors: search p50 %.1f ms, least %.1f ms, p99 %.1f ms; reading the templates once p50 %.1f, least %.1f ms (%.1f GB/s); reading their codes once p50 %.1f, least %.1f ms",
		runtime.GOMAXPROCS(0), at(search, 50), at(search, 0), at(search, 99), at(floats, 50), at(floats, 0), float64(8*len(asWords))/1e6/at(floats, 0), at(codes, 50), at(codes, 0))
	b.Logf("×%.2f of reading the templates once (p50; of the least ×%.2f), ×%.2f of reading the codes", at(search, 50)/at(floats, 50), at(search, 0)/at(floats, 0), at(search, 50)/at(codes, 50))
	b.ReportMetric(at(search, 50), "ms/search")
	b.ReportMetric(at(search, 50)/at(floats, 50), "×read-templates")
}

// readOnce reads every word with all processors.
func readOnce(words []uint64) {
	var all sync.WaitGroup
	for part := range slices.Chunk(words, (len(words)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			var a, b, c, d uint64
			for ; len(part) >= 8; part = part[8:] {
				a, b, c, d = a+part[0]+part[4], b+part[1]+part[5], c+part[2]+part[6], d+part[3]+part[7]
			}
			runtime.KeepAlive(a + b + c + d)
		})
	}
	all.Wait()
}

// storeFaces stores n faces of n/20 people, and returns some of their templates.
func storeFaces(b *testing.B, store *storage.Store, n int) []ward.Template {
	b.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	random := func() ward.Template {
		t := make(ward.Template, faceElements)
		for i := range t {
			t[i] = float32(r.NormFloat64())
		}
		return ward.Fuse([]ward.Template{t})
	}
	people := make([]ward.Template, max(1, n/20))
	for i := range people {
		people[i] = random()
	}
	var some []ward.Template
	start := time.Now().AddDate(0, -1, 0)
	const batch = 5000
	for at := 0; at < n; at += batch {
		vs := make([]ward.Sighting, min(batch, n-at))
		for i := range vs {
			face, noise := people[r.IntN(len(people))], random()
			t := make(ward.Template, faceElements) // cosine about .75 with the person, .56 with another of theirs
			for j := range t {
				t[j] = face[j] + .9*noise[j]
			}
			from := start.Add(time.Duration(at+i) * time.Second)
			vs[i] = ward.Sighting{
				ID: ward.NewID[ward.SightingID](from), CameraID: ward.CameraID(fmt.Sprint("c-", i%200)), PlaceID: ward.PlaceID(fmt.Sprint("p-", i%100)), InstitutionID: "h",
				Kind: ward.FaceSeen, From: from, To: from.Add(5 * time.Second), Count: 5, ModelID: "m", Template: ward.Fuse([]ward.Template{t}),
			}
		}
		if at%(n/20+1) < batch {
			some = append(some, vs[0].Template)
		}
		must(b, store.PutSightings(b.Context(), vs))
	}
	return some
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
