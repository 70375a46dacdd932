package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	counters     = 25
	perSecond    = 50 // settlements
	settlements  = 600
	oldSightings = 100_000
	emptyEvery   = 5 // every fifth counter has nobody at it
)

// counterLoad is a hospital at work: a catalogue with a day of sightings, a
// picture of every counter every second, and settlements at every counter.
type counterLoad struct {
	b       *testing.B
	store   *storage.Store
	gallery *analytics.Gallery
	began   time.Time

	mu     sync.Mutex // guards raised, judged
	raised map[string]time.Time
	judged int
}

// BenchmarkCorrelator sends 50 settlements a second to SQLite with 100,000
// sightings while 25 cameras add theirs, and measures from a settlement's
// moment to its alert. The limit is the time at which a settlement is due:
// the pictures after it must come first.
func BenchmarkCorrelator(b *testing.B) {
	for b.Loop() {
		l := &counterLoad{b: b, store: teststore.SQLite(b), gallery: &analytics.Gallery{}, raised: map[string]time.Time{}}
		l.install()
		due, rate := l.work()
		alerts, at := []time.Duration{}, map[ward.SettlementID]time.Time{}
		for before := ""; ; {
			list, next, err := l.store.Alerts(b.Context(), storage.AlertFilter{Limit: 500, Before: before})
			must(b, err)
			for _, a := range list {
				alerts = append(alerts, l.raised[string(a.ID)].Sub(a.At))
				at[a.SettlementID] = a.At
			}
			if before = next; next == "" {
				break
			}
		}
		if want := settlements / emptyEvery; len(alerts) != want || len(at) != want {
			b.Fatalf("%d alerts on %d settlements, want %d", len(alerts), len(at), want)
		}
		slices.Sort(alerts)
		p50, p99 := alerts[len(alerts)/2], alerts[len(alerts)*99/100]
		b.Logf("%.0f settlements a second, %d alerts: p50 %v = %.2f × the due interval (%v), p99 %v = %.2f ×",
			rate, len(alerts), p50.Round(time.Millisecond), float64(p50)/float64(due), due, p99.Round(time.Millisecond), float64(p99)/float64(due))
		b.ReportMetric(p50.Seconds(), "p50-s")
		b.ReportMetric(p99.Seconds(), "p99-s")
		b.ReportMetric(float64(p50)/float64(due), "p50×due")
		b.ReportMetric(float64(p99)/float64(due), "p99×due")
	}
}

func (l *counterLoad) install() {
	b, ctx := l.b, l.b.Context()
	must(b, l.store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	now := time.Now().UTC()
	for i := range counters {
		must(b, l.store.PutPlace(ctx, ward.Place{ID: placeID(i), InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
		must(b, l.store.AddCamera(ctx, ward.Camera{
			ID: cameraID(i), InstitutionID: "h1", PlaceID: placeID(i), Name: "窗口", URL: "rtsp://127.0.0.1:1/x", Enabled: true, Created: now.Add(-48 * time.Hour),
		}))
		must(b, l.store.PutInsured(ctx, ward.Insured{ID: insuredID(i), Name: "某人", IDNumber: "110105194912310021"}))
		must(b, l.store.Enrol(ctx, insuredID(i), faceOf(i), "m1", ""))
	}
	for k := 0; k < oldSightings; k += 1000 {
		var batch []ward.Sighting
		for i := k; i < k+1000; i++ {
			from := now.Add(-24*time.Hour + time.Duration(i)*23*time.Hour/oldSightings)
			kind := []ward.SightingKind{ward.Watched, ward.PeopleSeen, ward.FaceSeen}[i/counters%3]
			batch = append(batch, sighting(kind, i%counters, from, from.Add(20*time.Second)))
		}
		must(b, l.store.PutSightings(ctx, batch))
	}
}

func placeID(i int) ward.PlaceID     { return ward.PlaceID(fmt.Sprintf("p%d", i)) }
func insuredID(i int) ward.InsuredID { return ward.InsuredID(fmt.Sprintf("i%d", i)) }

// faceOf is the template of the person who stands at counter i.
func faceOf(i int) ward.Template {
	t := make(ward.Template, 192)
	t[i] = 1
	return t
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
// settlement is judged. It returns how long after its moment a settlement is
// due, and how many a second there were.
func (l *counterLoad) work() (due time.Duration, rate float64) {
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
				l.judged++
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
	for sent := range settlements {
		<-time.After(time.Until(began.Add(time.Duration(sent) * time.Second / perSecond)))
		i := sent % counters
		v, _, err := l.store.AddSettlement(l.b.Context(), ward.Settlement{
			InstitutionID: "h1", PlaceID: placeID(i), ExternalNo: fmt.Sprint(sent), InsuredID: insuredID(i), Kind: ward.Outpatient, At: time.Now(), AmountFen: 100,
		})
		must(l.b, err)
		due = v.Due.Sub(v.At)
	}
	rate = settlements / time.Since(began).Seconds()
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		l.mu.Lock()
		judged := l.judged
		l.mu.Unlock()
		if judged == settlements {
			return due, rate
		}
		if time.Now().After(deadline) {
			l.b.Fatalf("only %d of %d settlements are judged", judged, settlements)
		}
	}
}

// watch stores every second what each camera sees, as the watcher does.
func (l *counterLoad) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen := make([][]ward.Sighting, counters)
	jpeg := make([]byte, 60_000)
	for {
		now := time.Now().UTC()
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
			if err := l.store.PutSightings(ctx, seen[i]); err != nil && ctx.Err() == nil {
				l.b.Errorf("camera %d: %v", i, err)
			}
			l.gallery.Put(placeID(i), analytics.Picture{Camera: cameraID(i), At: now, JPEG: jpeg})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
