package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	counters    = 200
	perSecond   = 200 // settlements
	settlements = 6000
	emptyEvery  = 5 // every fifth counter has nobody at it
	// alertLimit is how long after it was due an alert may come at the 99th percentile.
	alertLimit = 2 * time.Second
)

// counterLoad is a city at work: a catalogue with months of sightings, a
// picture of every counter every second, and settlements at every counter.
type counterLoad struct {
	b       *testing.B
	store   *storage.Store
	gallery *analytics.Gallery
	began   time.Time

	mu     sync.Mutex // guards raised, judged
	raised map[string]time.Time
	judged map[string]bool
}

// BenchmarkCorrelator sends 200 settlements a second to either database with
// ten million sightings while 200 cameras add theirs every second, and measures
// from when a settlement is due (5 s after its moment: its rules look that far)
// to its alert. The next picture, up to 1 s later, is part of that. It fails
// when a settlement is lost or an alert comes twice, not when it is late.
func BenchmarkCorrelator(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { correlate(b, months(b)) })
	b.Run("postgres", func(b *testing.B) { correlate(b, monthsOnPostgres(b)) })
}

func correlate(b *testing.B, database string) {
	store, err := storage.Migrate(b.Context(), storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	for run := 0; b.Loop(); run++ {
		l := &counterLoad{b: b, store: store, gallery: &analytics.Gallery{}, raised: map[string]time.Time{}, judged: map[string]bool{}}
		if run == 0 {
			l.install()
		}
		first := time.Now()
		rate := l.work(run)
		var late []time.Duration
		at := map[ward.SettlementID]bool{}
		for before := ""; ; {
			list, next, err := store.Alerts(b.Context(), storage.AlertFilter{Limit: 500, Before: before})
			must(b, err)
			for _, a := range list {
				if a.Raised.After(first) {
					late = append(late, l.raised[string(a.ID)].Sub(a.At.Add(5*time.Second)))
					at[a.SettlementID] = true
				}
			}
			if before = next; next == "" {
				break
			}
		}
		if want := settlements / emptyEvery; len(late) != want || len(at) != want {
			b.Fatalf("%d alerts on %d settlements, want %d", len(late), len(at), want)
		}
		slices.Sort(late)
		p50, p99 := late[len(late)/2], late[len(late)*99/100]
		b.Logf("%.0f settlements a second, %d sightings stored, %d alerts: p50 %v, p99 %v after due = %.2f × the limit (%v)",
			rate, oldSightings(b), len(late), p50.Round(time.Millisecond), p99.Round(time.Millisecond), float64(p99)/float64(alertLimit), alertLimit)
		b.ReportMetric(p50.Seconds(), "p50-s")
		b.ReportMetric(p99.Seconds(), "p99-s")
		b.ReportMetric(float64(p99)/float64(alertLimit), "p99×limit")
	}
}

func (l *counterLoad) install() {
	b, ctx := l.b, l.b.Context()
	must(b, l.store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	for i := range counters {
		must(b, l.store.PutPlace(ctx, ward.Place{ID: placeID(i), InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
		must(b, l.store.AddCamera(ctx, ward.Camera{
			ID: cameraID(i), InstitutionID: "h1", PlaceID: placeID(i), Name: "窗口", URL: "rtsp://127.0.0.1:1/x", Enabled: true, Created: time.Now().Add(-100 * 24 * time.Hour),
		}))
		must(b, l.store.PutInsured(ctx, ward.Insured{ID: insuredID(i), Name: "某人", IDNumber: "110105194912310021"}))
		must(b, l.store.Enrol(ctx, insuredID(i), faceOf(i), "m1", ""))
	}
}

func placeID(i int) ward.PlaceID     { return ward.PlaceID(fmt.Sprintf("p%d", i)) }
func insuredID(i int) ward.InsuredID { return ward.InsuredID(fmt.Sprintf("i%d", i)) }

// faceOf is the template of the person who stands at counter i.
func faceOf(i int) ward.Template {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	t := make(ward.Template, 192)
	for k := range t {
		t[k] = float32(r.NormFloat64())
	}
	return ward.Fuse([]ward.Template{t})
}

func sighting(kind ward.SightingKind, i int, from, to time.Time) ward.Sighting {
	v := ward.Sighting{
		ID: ward.NewID[ward.SightingID](from), CameraID: cameraID(i), PlaceID: placeID(i), InstitutionID: "h1", Kind: kind, From: from, To: to,
		Count: max(1, int(to.Sub(from)/time.Second)), Score: .9, Box: ward.Box{X: .4, Y: .3, W: .2, H: .3},
	}
	if kind == ward.FaceSeen {
		v.ModelID, v.Template = "m1", faceOf(i)
	}
	return v
}

// work runs the correlator, the cameras and the billing system until every
// settlement is judged, and returns how many a second there were.
func (l *counterLoad) work(run int) (rate float64) {
	dir, err := objects.OpenDir(l.b.TempDir())
	must(l.b, err)
	defer dir.Close()
	c := &analytics.Correlator{
		Store: l.store, Objects: dir, Gallery: l.gallery, Log: slog.New(slog.DiscardHandler),
		Notify: func(kind, id string, _ ward.InstitutionID) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if kind == "alert" {
				l.raised[id] = time.Now()
			} else {
				l.judged[id] = true
			}
		},
	}
	ctx, cancel := context.WithCancel(l.b.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l.began = time.Now().UTC()
	wg.Go(func() { _ = c.Run(ctx) }) // it always ends with nil
	wg.Go(func() { l.watch(ctx) })
	<-time.After(10 * time.Second) // the counters must have been watched for a while
	began := time.Now()
	var senders sync.WaitGroup
	for k := range 8 { // billing systems
		senders.Go(func() {
			for sent := k; sent < settlements; sent += 8 {
				<-time.After(time.Until(began.Add(time.Duration(sent) * time.Second / perSecond)))
				i := sent % counters
				_, _, err := l.store.AddSettlement(l.b.Context(), ward.Settlement{
					InstitutionID: "h1", PlaceID: placeID(i), ExternalNo: fmt.Sprint(run, "-", sent), InsuredID: insuredID(i), Kind: ward.Outpatient, At: time.Now(), AmountFen: 100,
				})
				if err != nil {
					l.b.Error(err)
				}
			}
		})
	}
	senders.Wait()
	rate = settlements / time.Since(began).Seconds()
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		l.mu.Lock()
		judged := len(l.judged)
		l.mu.Unlock()
		if judged == settlements {
			return rate
		}
		if time.Now().After(deadline) {
			l.b.Fatalf("only %d of %d settlements are judged", judged, settlements)
		}
	}
}

// watch stores every second what the cameras see, as watchers do, fifty in a transaction.
func (l *counterLoad) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen := make([][]ward.Sighting, counters)
	jpeg := make([]byte, 60_000)
	for {
		now := time.Now().UTC()
		var batch []ward.Sighting
		for i := range seen {
			if seen[i] == nil {
				seen[i] = []ward.Sighting{sighting(ward.Watched, i, l.began, now)}
				if i%emptyEvery != 0 {
					seen[i] = append(seen[i], sighting(ward.PeopleSeen, i, l.began, now), sighting(ward.FaceSeen, i, l.began, now))
				}
			}
			for k := range seen[i] {
				seen[i][k].To = now
				if seen[i][k].Kind != ward.PeopleSeen {
					seen[i][k].Count++
				}
			}
			batch = append(batch, seen[i]...)
			l.gallery.Put(placeID(i), analytics.Picture{Camera: cameraID(i), At: now, JPEG: jpeg})
			if i%50 == 49 {
				if err := l.store.PutSightings(ctx, batch); err != nil && ctx.Err() == nil {
					l.b.Errorf("cameras: %v", err)
				}
				batch = nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
