package bench_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	entryRate  = 1000 // a second
	entrySpell = 10 * time.Second
	entryLimit = 50 * time.Millisecond // at the 99th percentile
)

// BenchmarkLedgerEntries seals a thousand custody events a second, as views
// do: every one is asked for at its moment by a goroutine of its own, whether
// or not those before it are done, and its time counts from that moment, so
// that a queue shows. The ledger is signed every second beside it (ten times
// as often as the service signs), of which the last signature must cover all.
// Both engines sync every commit to the disk.
func BenchmarkLedgerEntries(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { sealEntries(b, filepath.Join(b.TempDir(), "catalogue.db")) })
	b.Run("postgres", func(b *testing.B) {
		s := testserver.NewPostgres(b)
		s.Durable(b)
		sealEntries(b, s.Database(b))
	})
}

func sealEntries(b *testing.B, database string) {
	b.Helper()
	store, err := storage.Migrate(b.Context(), storage.Options{Database: database, Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	const entries = entryRate * int(entrySpell/time.Second)
	for b.Loop() {
		_, before, err := store.Checkpoint(b.Context())
		must(b, err)
		took, signed := make(times, entries), times{}
		failed := make(chan error, entries)
		var all sync.WaitGroup
		began := time.Now()
		for i := range entries {
			due := began.Add(time.Duration(i) * time.Second / entryRate)
			time.Sleep(time.Until(due))
			all.Go(func() {
				err := store.Record(b.Context(), ward.Custody{Actor: "u-1", Role: ward.Inspector, Action: ward.ActionView, Object: "segment/1"})
				took[i] = time.Since(due)
				if err != nil {
					failed <- err
				}
			})
			if i%entryRate == entryRate/2 {
				all.Go(func() {
					began := time.Now()
					_, _, err := store.Checkpoint(b.Context())
					signed = append(signed, time.Since(began)) // the next one is a second away
					if err != nil {
						failed <- err
					}
				})
			}
		}
		all.Wait()
		spell := time.Since(began)
		close(failed)
		must(b, <-failed)
		_, after, err := store.Checkpoint(b.Context())
		must(b, err)
		if after-before != int64(entries) {
			b.Fatalf("%d entries are under the signature, want %d", after-before, entries)
		}
		p99 := took.p99()
		b.Logf("%d entries asked for in %v were durable after %.1f s: %s = %.2f × the limit of %v; a checkpoint beside them %s; a write of 4 kB with fsync afterwards %s",
			entries, entrySpell, spell.Seconds(), took, float64(p99)/float64(entryLimit), entryLimit, signed, syncs(b, b.TempDir()))
		b.ReportMetric(float64(p99)/float64(entryLimit), "p99×limit")
		b.ReportMetric(float64(entries)/spell.Seconds(), "entries/s")
	}
}

// syncs is how long a write of 4 kB with fsync takes in dir.
func syncs(b *testing.B, dir string) (all times) {
	file, err := os.Create(filepath.Join(dir, "fsync"))
	must(b, err)
	defer file.Close()
	for range 200 {
		all = append(all, timed(func() {
			_, err := file.Write(make([]byte, 4096))
			must(b, err)
			must(b, file.Sync())
		}))
	}
	return all
}
