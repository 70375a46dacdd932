package evidence_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
)

// Who has the fingerprint of a former key is led to the new one; and a second
// signature by SM2 is checked.
func TestPackageAfterTheKeyWasReplaced(t *testing.T) {
	w := testcase.SQLite(t)
	id := openAlert(t, w).ID
	before, _ := export(t, w, id)
	former := fingerprint(w)
	if _, err := ledger.MakeSM2(w.Options.Keys); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.RotateKey(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	w.Reopen()
	b, _ := export(t, w, id)
	now := fingerprint(w)
	if r := verified(t, before, former); !r.Authentic() || !r.Compared {
		t.Errorf("a package from before: %+v", r.Failures)
	}
	r := verified(t, b, now)
	sum, err := w.Store.SM2().Fingerprint()
	if err != nil || !r.Authentic() || !r.Compared || !r.Former.IsZero() || r.SM2 != sum {
		t.Fatalf("got %+v", r)
	}
	if r := verified(t, b, former); !r.Authentic() || !r.Compared || r.Former.IsZero() {
		t.Errorf("by the former key: %+v", r)
	}
	if r := verified(t, b, ledger.Fingerprint(make([]byte, 32))); r.Authentic() {
		t.Error("a stranger's fingerprint is accepted")
	}
	if r := verified(t, before, now); r.Authentic() {
		t.Error("a package by the former key counts as one by the new")
	}
	order, files, j := names(t, b), unpack(t, b), newJudge(t, verify.Trust{Fingerprint: now})
	j.knows(t, b)
	if r := j.of(t, "unchanged", b, false); !r.Authentic() {
		t.Fatalf("got %+v", r)
	}
	if r := newJudge(t, verify.Trust{Fingerprint: former}).of(t, "by the former key", b, false); !r.Authentic() {
		t.Fatalf("got %+v", r)
	}
	for _, name := range []string{"key.pub", "rotations", "sm2.pub", "checkpoint.sm2", "checkpoint"} {
		each(len(files[name]), func(i int) {
			bad := maps.Clone(files)
			bad[name] = bytes.Clone(files[name])
			bad[name][i] ^= []byte{1, 0x20, 0x80}[i%3]
			z := forge(order, bad)
			if j.of(t, fmt.Sprint(name, ": byte ", i), z, false).Authentic() {
				t.Errorf("%s: byte %d: accepted", name, i)
			}
		})
		at := slices.Index(order, name)
		if at < 0 {
			t.Fatalf("%s is not in the package", name)
		}
		if j.of(t, "without "+name, forge(slices.Delete(slices.Clone(order), at, at+1), files), false).Authentic() {
			t.Errorf("without %s: accepted", name)
		}
	}
}
