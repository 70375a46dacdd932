package storage_test

import (
	"slices"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

func TestPagesOfACaseAreTheWholeCase(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := withCase(t, w)
		all, err := w.Store.Evidence(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var items []ward.Evidence
		after := ward.EvidenceID("")
		for {
			page, err := w.Store.EvidencePage(ctx, c.ID, after, 2)
			if err != nil || len(page) > 2 {
				t.Fatalf("%d items, %v", len(page), err)
			}
			if len(page) == 0 {
				break
			}
			items, after = append(items, page...), page[len(page)-1].ID
		}
		if !slices.Equal(items, all) {
			t.Errorf("evidence in pages: %v; whole: %v", items, all)
		}
		if n, err := w.Store.EvidenceCount(ctx, c.ID); err != nil || n != len(all) {
			t.Errorf("%d items, %v; want %d", n, err, len(all))
		}
		if page, err := w.Store.EvidencePage(ctx, "other", all[0].ID, 2); err != nil || len(page) != 0 {
			t.Errorf("after an item of another case: %v, %v", page, err)
		}

		whole, err := w.Store.Custody(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var events []ward.Custody
		for before := int64(0); before != 1; before = events[len(events)-1].Seq {
			page, err := w.Store.CustodyPage(ctx, c.ID, before, 3)
			if err != nil || len(page) == 0 || len(page) > 3 {
				t.Fatalf("%d events, %v", len(page), err)
			}
			events = append(events, page...)
		}
		slices.Reverse(whole)
		if !slices.Equal(events, whole) {
			t.Errorf("custody in pages: %v; whole: %v", events, whole)
		}
	})
}
