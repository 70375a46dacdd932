package evidence_test

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestAResumedPackageHasTheSameBytes(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		c, err := clerk(w).OpenVisit(t.Context(), w.Visit, "查房", w.By)
		if err != nil {
			t.Fatal(err)
		}
		whole, p := export(t, w, c.ID)
		if _, err := clerk(w).Prepare(t.Context(), c.ID, w.By, "another, after it"); err != nil {
			t.Fatal(err)
		}
		w.Reopen()
		if _, err := w.Store.RotateKey(t.Context(), time.Hour); err != nil { // another key signs by now
			t.Fatal(err)
		}
		x, err := w.Store.Export(t.Context(), p.Export.ID)
		if err != nil || x.State != ward.ExportOpen || x.Size != int64(len(whole)) {
			t.Fatalf("%+v %v", x, err)
		}
		again, err := clerk(w).Resume(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at <= len(whole); at += step(61) {
			r := again.Reader(t.Context())
			if _, err := r.Seek(int64(at), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, whole[at:]) || r.Close() != nil {
				t.Fatalf("from byte %d: %d bytes, %v", at, len(got), err)
			}
		}
	})
}

// What is cut off between the custody event and the first byte is told after the next start.
func TestAnExportThatWasNeverReadyIsTold(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := openAlert(t, w)
		w.Refuse("UPDATE", "evidence_export")
		if p, err := clerk(w).Prepare(ctx, c.ID, w.By, ""); err == nil {
			t.Fatalf("got %+v", p)
		}
		w.Reopen()
		w.Allow()
		for _, at := range []time.Duration{time.Minute, 2 * time.Hour, 3 * time.Hour} {
			if err := w.Store.SweepExports(ctx, time.Now().Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		events, err := w.Store.Custody(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := events[len(events)-2:]
		if last[0].Action != ward.ActionExport || last[1].Action != ward.ActionEndExport || last[0].Object != last[1].Object || last[1].Reason != "cut off before it was ready; 0 of 0 bytes sent" {
			t.Errorf("got %+v", last)
		}
		if i := slices.IndexFunc(events[:len(events)-1], func(e ward.Custody) bool { return e.Action == ward.ActionEndExport }); i >= 0 {
			t.Errorf("told twice: %+v", events)
		}
		r, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{})
		if err != nil || !r.OK() {
			t.Errorf("fsck: %v %+v", err, r.Problems)
		}
		for change, back := range map[string]string{ // an insider's
			`UPDATE evidence_export SET state = 'open'`:      `UPDATE evidence_export SET state = 'ended'`,
			`UPDATE evidence_export SET object = 'package/'`: `UPDATE evidence_export SET object = '` + last[0].Object + `'`,
		} {
			w.Exec(change)
			if r, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{}); err != nil || r.OK() {
				t.Errorf("%s: %v %+v", change, err, r.Problems)
			}
			w.Exec(back)
		}
	})
}
