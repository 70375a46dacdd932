package storage_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

func TestCase(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		year := time.Now().In(time.FixedZone("", 8*60*60)).Year()
		if want := fmt.Sprintf("医保稽〔%d〕000001号", year); c.Number != want {
			t.Errorf("got %s, want %s", c.Number, want)
		}
		got, err := w.Store.CaseByNumber(ctx, " "+c.Number+" ")
		if err != nil || got != c {
			t.Errorf("by number: %+v, %v; want %+v", got, err, c)
		}
		if _, err := w.Store.CaseByNumber(ctx, "x"); !errors.Is(err, &ward.Error{Code: "case.unknown"}) {
			t.Errorf("unknown number: %v", err)
		}
		a, err := w.Store.Alert(ctx, w.Alert)
		if err != nil || a.CaseID != c.ID {
			t.Errorf("the alert is in case %q, %v", a.CaseID, err)
		}
		_, err = w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1"}, []ward.Evidence{{Kind: ward.EvidenceAlert, Ref: string(w.Alert)}}, w.By)
		if !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "case.exists"}) {
			t.Errorf("the same alert again: %v", err)
		}
		items, err := w.Store.Evidence(ctx, c.ID)
		if err != nil || len(items) != 6 {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for _, e := range items {
			one, err := w.Store.EvidenceItem(ctx, e.ID)
			if err != nil || one != e || e.SHA256 == [32]byte{} {
				t.Errorf("%+v: %+v, %v", e, one, err)
			}
			r, err := w.Store.Sealed(ctx, e.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			// Segments and snapshots: the record holds the hash; others: it is the thing.
			sum := hex.EncodeToString(e.SHA256[:])
			if r.Sum() != e.SHA256 && !strings.Contains(string(r.Body), sum) {
				t.Errorf("%s %s: leaf %d does not vouch for it", e.Kind, e.Ref, e.Leaf)
			}
		}
		inside, err := w.Store.Cases(ctx, []ward.InstitutionID{"h1"}, "", 10)
		outside, err2 := w.Store.Cases(ctx, []ward.InstitutionID{"h2"}, "", 10)
		if err != nil || err2 != nil || len(inside) != 1 || len(outside) != 0 {
			t.Errorf("cases: %v %v, %v %v", inside, outside, err, err2)
		}
	})
}

func TestCustodyIsOneChain(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := w.Store.Record(ctx, ward.Custody{CaseID: c.ID, Actor: "u", Role: ward.Inspector, Action: ward.ActionView, Object: "alert/x"})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		events, err := w.Store.Custody(ctx, c.ID)
		if err != nil || len(events) != 27 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		prev := ""
		for i, e := range events {
			r, err := w.Store.Sealed(ctx, e.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			var rec sealed.Custody
			if err := r.Into(&rec); err != nil || rec.Seq != int64(i+1) || rec.Prev != prev || !rec.At.Equal(e.At) || rec.Object != e.Object {
				t.Errorf("event %d: %+v, %v", i, rec, err)
			}
			sum := r.Sum()
			prev = hex.EncodeToString(sum[:])
		}
	})
}

func TestCaseNumbersAreUniqueUnderConcurrency(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		if err := s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var numbers []string
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				c, err := s.OpenCase(t.Context(), ward.Case{InstitutionID: "h1"}, nil, ward.User{ID: "u", Role: ward.Inspector})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				numbers = append(numbers, c.Number)
			})
		}
		wg.Wait()
		slices.Sort(numbers)
		if len(slices.Compact(numbers)) != 12 || !strings.HasSuffix(numbers[11], "〕000012号") {
			t.Errorf("got %v", numbers)
		}
	})
}

func TestAVisitWithoutAVerdictIsNoEvidence(t *testing.T) {
	w := testcase.SQLite(t)
	w.Exec(`DELETE FROM sealed_record WHERE kind = 'verdict'`)
	lead, err := w.Store.VisitLead(t.Context(), w.Visit)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Store.OpenCase(t.Context(), ward.Case{InstitutionID: "h1"}, lead.Items, w.By)
	if !errors.Is(err, &ward.Error{Code: "evidence.not_sealed"}) {
		t.Errorf("got %v", err)
	}
	if v, err := w.Store.Visit(t.Context(), w.Visit); err != nil || v.CaseID != "" {
		t.Errorf("half a case is left: %+v, %v", v, err)
	}
}

func TestCheckpointGrowsWithTheLedger(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		one, size, err := w.Store.Checkpoint(ctx)
		if err != nil || size == 0 {
			t.Fatal(size, err)
		}
		if again, n, err := w.Store.Checkpoint(ctx); err != nil || again != one || n != size {
			t.Errorf("it signed again without growth: %d, %v", n, err)
		}
		var wg sync.WaitGroup
		run, stop := context.WithCancel(ctx)
		wg.Go(func() {
			c := storage.Checkpointer{Store: w.Store, Every: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
			if err := c.Run(run); err != nil {
				t.Error(err)
			}
		})
		for range 5 {
			if err := w.Store.Record(ctx, ward.Custody{Action: ward.ActionView, Object: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		wg.Wait() // Run signs what is left before it returns
		var last int64
		if err := w.DB.QueryRowContext(ctx, `SELECT MAX(size) FROM log_checkpoint`).Scan(&last); err != nil || last != size+5 {
			t.Errorf("signed %d of %d, %v", last, size+5, err)
		}
	})
}

func TestCheckpointOfAnEmptyLedger(t *testing.T) {
	if note, size, err := teststore.SQLite(t).Checkpoint(t.Context()); note != "" || size != 0 || err != nil {
		t.Errorf("got %q, %d, %v", note, size, err)
	}
}
