package bench_test

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
	"wardwatch/web"
)

const (
	caseItems   = 10_000
	caseOpens   = 40
	caseLimit   = 300 * time.Millisecond
	findLimit   = time.Second
	atOnceAsked = 6 // requests that a browser sends to one server at a time
)

// BenchmarkCasePage opens the page of a case of ten thousand recordings, over
// HTTP and as a user: all that the console asks for until everything is there
// and the first recording has its first megabyte (four seconds) to play, in the
// console's order, six at a time. The
// page's view and the recording's are custody events. It also finds the case
// by its number, as the list of cases does.
func BenchmarkCasePage(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { openCasePages(b, filepath.Join(b.TempDir(), "catalogue.db")) })
	b.Run("postgres", func(b *testing.B) {
		s := testserver.NewPostgres(b)
		s.Durable(b)
		openCasePages(b, s.Database(b))
	})
}

func openCasePages(b *testing.B, database string) {
	c := largeCase(b, database)
	// What web/console/cases/CasePage.tsx asks for: itself, then its cards, then the preview.
	detail := "/api/v1/cases/" + string(c.file.ID)
	steps := [][]string{
		{"/api/v1/me"},
		{"/api/v1/institutions", "/api/v1/places", "/api/v1/users/names", detail, detail + "/evidence?limit=100", detail + "/custody?limit=100"},
		{detail + "/file", detail + "/people", "/api/v1/ledger/key", detail + "/shares", detail + "/holds", "/api/v1/access-policy?case_id=" + string(c.file.ID)},
		{"/api/v1/evidence/" + string(c.first) + "/content"},
	}
	for b.Loop() {
		var whole, found, idle times
		each := map[string]times{}
		for range caseOpens {
			whole = append(whole, timed(func() { c.open(steps, each) }))
			body, took := c.get("/api/v1/cases?number=" + c.file.Number)
			if !strings.Contains(string(body), string(c.file.ID)) {
				b.Fatal("the case was not found by its number")
			}
			found = append(found, took)
			_, took = c.get("/healthz")
			idle = append(idle, took)
		}
		paths := slices.SortedFunc(maps.Keys(each), func(x, y string) int { return cmp.Compare(each[y].p50(), each[x].p50()) })
		for _, path := range paths[:4] {
			b.Logf("of these %s: %s", strings.NewReplacer(string(c.file.ID), "ID", string(c.first), "ID").Replace(path), each[path])
		}
		p99 := whole.p99()
		b.Logf("a case of %d items opened, %d requests: %s = %.2f × the limit of %v; found by its number %s = %.3f × the limit of %v; meanwhile a request for nothing %s",
			caseItems, len(paths), whole, float64(p99)/float64(caseLimit), caseLimit, found, float64(found.p99())/float64(findLimit), findLimit, idle)
		b.ReportMetric(float64(p99)/float64(caseLimit), "p99×limit")
		b.ReportMetric(float64(found.p99())/float64(findLimit), "find×limit")
	}
}

// large is a server with a large case.
type large struct {
	city
	file  ward.Case
	first ward.EvidenceID
}

// open asks for each step's paths at once, and the next step's when all are there.
func (c *large) open(steps [][]string, each map[string]times) {
	for _, step := range steps {
		took := make(times, len(step))
		var all sync.WaitGroup
		slots := make(chan struct{}, atOnceAsked)
		for i, path := range step {
			all.Go(func() {
				slots <- struct{}{}
				took[i] = timed(func() { c.ask(path) })
				<-slots
			})
		}
		all.Wait()
		for i, path := range step {
			each[path] = append(each[path], took[i])
		}
	}
}

// ask asks as a browser's fetch does, and for the content of a recording as its player.
func (c *large) ask(path string) {
	req, err := http.NewRequestWithContext(c.b.Context(), http.MethodGet, c.url+path, nil)
	must(c.b, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	want := http.StatusOK
	if strings.HasSuffix(path, "/content") {
		req.Header.Set("Range", "bytes=0-1048575")
		want = http.StatusPartialContent
	}
	res, err := http.DefaultClient.Do(req)
	must(c.b, err)
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	must(c.b, err)
	if res.StatusCode != want || n < 2 {
		c.b.Fatalf("%s: %s, %d bytes", path, res.Status, n)
	}
}

// largeCase records ten thousand segments of 40 cameras, a minute in five, and adds them all to a case.
func largeCase(b *testing.B, database string) *large {
	b.Helper()
	ctx, home := b.Context(), b.TempDir()
	store, err := storage.Migrate(ctx, storage.Options{Database: database, Keys: filepath.Join(home, "keys")})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	sp, err := spool.Open(filepath.Join(home, "spool"), spool.Options{Reserve: -1})
	must(b, err)
	b.Cleanup(func() { must(b, sp.Close()) })
	dir, err := objects.OpenDir(filepath.Join(home, "objects"))
	must(b, err)
	c := &large{city: city{b: b, store: store}}
	u := ward.User{ID: "u1", Login: "bench", Name: "Bench", Role: ward.Inspector, AllInstitutions: true, Created: time.Now()}
	must(b, store.AddUser(ctx, u, "", ""))
	must(b, store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	one := c.recording(store, sp, dir)
	items := make([]ward.Evidence, caseItems)
	began := time.Now()
	for i := range items {
		start := one.Start.Add(-time.Duration(i/40+1) * 5 * time.Minute) // none touches another
		g := ward.Segment{
			ID: ward.NewID[ward.SegmentID](start), Source: ward.Source{Kind: ward.FromCamera, ID: fmt.Sprint("cam-", i%40)}, InstitutionID: "h1",
			Start: start, End: start.Add(time.Minute), Media: time.Minute, Clock: ward.ServerClock, Codec: one.Codec, Bytes: one.Bytes, SHA256: one.SHA256,
		}
		g, err = store.CommitSegment(ctx, g)
		must(b, err)
		must(b, store.MarkArchived(ctx, g.ID))
		items[i] = ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)}
	}
	c.file, err = store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "基准"}, items[:1], u)
	must(b, err)
	for at := 1; at < caseItems; at += 500 {
		_, err = store.AddEvidence(ctx, c.file.ID, items[at:min(at+500, caseItems)], u)
		must(b, err)
	}
	page, err := store.EvidencePage(ctx, c.file.ID, "", 1)
	must(b, err)
	c.first = page[0].ID
	b.Logf("%d items recorded and added in %s", caseItems, time.Since(began).Round(time.Second))
	c.token, err = web.NewAPIToken(ctx, store, u.ID, "", time.Now().Add(24*time.Hour))
	must(b, err)
	all := oneObject{dir}
	h, err := (&web.Server{Store: store, Objects: all, Spool: sp, Library: &ingest.Library{Store: store, Objects: all, Spool: sp}}).Handler()
	must(b, err)
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}
