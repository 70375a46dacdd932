package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	counters   = 200
	perSecond  = 200              // settlements
	emptyEvery = 5                // every fifth counter has nobody at it
	customer   = 25 * time.Second // is at the counter, with one card
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
	bills   int // how many are sent

	mu     sync.Mutex // guards raised, judged
	raised map[string]time.Time
	judged map[string]bool
}

// BenchmarkCorrelator sends 200 settlements a second to either database with
// ten million sightings while 200 cameras add theirs every second, and measures
// from when a settlement is due (5 s after its moment: its rules look that far)
// to its alert. The next picture, up to 1 s later, is part of that. It fails
// when a settlement is lost or an alert comes twice, not when it is late.
// CORRELATOR_FOR=10m sends for so long (30 s) and prints what each minute was like.
func BenchmarkCorrelator(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { correlate(b, months(b)) })
	b.Run("postgres", func(b *testing.B) { correlate(b, monthsOnPostgres(b)) })
}

func correlate(b *testing.B, database string) {
	store, err := storage.Migrate(b.Context(), storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	for run := 0; b.Loop(); run++ {
		l := &counterLoad{b: b, store: store, gallery: &analytics.Gallery{}, bills: int(lasting(b).Seconds() * perSecond), raised: map[string]time.Time{}, judged: map[string]bool{}}
		if run == 0 {
			l.install()
		}
		first, used := time.Now(), processor()
		rate := l.work(run)
		used = processor() - used
		var late []time.Duration
		minutes := map[int][]time.Duration{}
		at := map[ward.SettlementID]bool{}
		for before := ""; ; {
			list, next, err := store.Alerts(b.Context(), storage.AlertFilter{Limit: 500, Before: before})
			must(b, err)
			for _, a := range list {
				if a.Raised.After(first) {
					d := l.raised[string(a.ID)].Sub(a.At.Add(5 * time.Second))
					late, at[a.SettlementID] = append(late, d), true
					minutes[int(a.At.Sub(first).Minutes())] = append(minutes[int(a.At.Sub(first).Minutes())], d)
				}
			}
			if before = next; next == "" {
				break
			}
		}
		if want := l.bills / emptyEvery; len(late) != want || len(at) != want {
			b.Fatalf("%d alerts on %d settlements, want %d", len(late), len(at), want)
		}
		slices.Sort(late)
		p50, p99 := at50(late), at99(late)
		b.Logf("%.0f settlements a second, %d sightings stored, %d alerts: p50 %v, p99 %v after due = %.2f × the limit (%v)",
			rate, oldSightings(b), len(late), p50.Round(time.Millisecond), p99.Round(time.Millisecond), float64(p99)/float64(alertLimit), alertLimit)
		for m := range len(minutes) {
			slices.Sort(minutes[m])
			b.Logf("minute %d: %d alerts, p50 %v, p99 %v", m+1, len(minutes[m]), at50(minutes[m]), at99(minutes[m]))
		}
		b.Logf("%.2f ms of this process's processor a settlement, the cameras' and the billing systems' part included", used.Seconds()*1000/float64(l.bills))
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
		for k := range l.customers() {
			must(b, l.store.PutInsured(ctx, ward.Insured{ID: insuredID(i, k), Name: "某人", IDNumber: "110105194912310021"}))
			must(b, l.store.Enrol(ctx, insuredID(i, k), faceOf(i, k), "m1", ""))
		}
	}
}

// lasting is for how long bills are sent: CORRELATOR_FOR, or half a minute.
func lasting(b *testing.B) time.Duration {
	text := os.Getenv("CORRELATOR_FOR")
	if text == "" {
		return 30 * time.Second
	}
	d, err := time.ParseDuration(text)
	must(b, err)
	return d
}

// customers is more than come to a counter one after the other: the rate may not be kept.
func (l *counterLoad) customers() int { return l.bills*int(time.Second)/perSecond/int(customer)*2 + 8 }

// at is who stands at counter i.
func (l *counterLoad) at(i int, now time.Time) int {
	k := int((now.Sub(l.began) + time.Duration(i)*customer/counters) / customer)
	return min(k, l.customers()-1)
}

func at50(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2].Round(time.Millisecond) }

func at99(sorted []time.Duration) time.Duration {
	return sorted[len(sorted)*99/100].Round(time.Millisecond)
}

// processor is what this process has used of the processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func placeID(i int) ward.PlaceID { return ward.PlaceID(fmt.Sprintf("p%d", i)) }

func insuredID(i, k int) ward.InsuredID { return ward.InsuredID(fmt.Sprintf("i%d-%d", i, k)) }

// faceOf is the template of the k-th person who stands at counter i.
func faceOf(i, k int) ward.Template {
	r := rand.New(rand.NewPCG(uint64(i), uint64(1+k)))
	t := make(ward.Template, 192)
	for k := range t {
		t[k] = float32(r.NormFloat64())
	}
	return ward.Fuse([]ward.Template{t})
}

func sighting(kind ward.SightingKind, i, k int, from, to time.Time) ward.Sighting {
	v := ward.Sighting{
		ID: ward.NewID[ward.SightingID](from), CameraID: cameraID(i), PlaceID: placeID(i), InstitutionID: "h1", Kind: kind, From: from, To: to,
		Count: max(1, int(to.Sub(from)/time.Second)), Score: .9, Box: ward.Box{X: .4, Y: .3, W: .2, H: .3},
	}
	if kind == ward.FaceSeen {
		v.ModelID, v.Template = "m1", faceOf(i, k)
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
			for sent := k; sent < l.bills; sent += 8 {
				<-time.After(time.Until(began.Add(time.Duration(sent) * time.Second / perSecond)))
				i, now := sent%counters, time.Now()
				_, _, err := l.store.AddSettlement(l.b.Context(), ward.Settlement{
					InstitutionID: "h1", PlaceID: placeID(i), ExternalNo: fmt.Sprint(run, "-", sent), InsuredID: insuredID(i, l.at(i, now)), Kind: ward.Outpatient, At: now, AmountFen: 100,
				})
				if err != nil {
					l.b.Error(err)
				}
			}
		})
	}
	senders.Wait()
	rate = float64(l.bills) / time.Since(began).Seconds()
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		l.mu.Lock()
		judged := len(l.judged)
		l.mu.Unlock()
		if judged == l.bills {
			return rate
		}
		if time.Now().After(deadline) {
			l.b.Fatalf("only %d of %d settlements are judged", judged, l.bills)
		}
	}
}

// watch stores every second what the cameras see, as watchers do, fifty in a transaction.
func (l *counterLoad) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen, who := make([][]ward.Sighting, counters), make([]int, counters)
	jpeg := make([]byte, 60_000)
	for {
		now := time.Now().UTC()
		var batch []ward.Sighting
		for i := range seen {
			k := l.at(i, now)
			if seen[i] == nil || k != who[i] {
				if seen[i] == nil {
					seen[i] = []ward.Sighting{sighting(ward.Watched, i, k, l.began, now)}
				}
				if who[i] = k; i%emptyEvery != 0 {
					seen[i] = append(seen[i][:1], sighting(ward.PeopleSeen, i, k, now, now), sighting(ward.FaceSeen, i, k, now, now))
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
