package evidence_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
)

// names lists the files of a package in their order.
func names(t testing.TB, b []byte) []string {
	t.Helper()
	all, err := namesOf(b)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// forge writes a package anew, as an attacker who knows the form would: the
// zip is flawless and SHA256SUMS fits the files.
func forge(order []string, files map[string][]byte) []byte {
	files = maps.Clone(files)
	files["SHA256SUMS"] = sumsOf(slices.DeleteFunc(slices.Clone(order), func(n string) bool { return n == "SHA256SUMS" }), files)
	return zipOf(order, files)
}

// Every byte of the zip's own structure, and one in 16 of the contents.
func TestEveryChangedByteOfTheZipIsRejected(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	key, content := fingerprint(w), contentOf(b)
	eachByte(len(b), 1, func(i int) {
		if content[i] && i%16 != 0 {
			return
		}
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		r, err := verify.Package(bytes.NewReader(bad), int64(len(bad)), verify.Trust{Fingerprint: key})
		if err != nil || r.Authentic() {
			t.Errorf("byte %d of %d: accepted (%v)", i, len(b), err)
		}
	})
}

// Here the attacker repairs the zip and SHA256SUMS after every change.
func TestEveryChangedByteOfEveryFileIsRejectedAndNamed(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	key, order, files := fingerprint(w), names(t, b), unpack(t, b)
	if !bytes.Equal(forge(order, files), b) {
		t.Fatal("forging nothing changes the package")
	}
	for _, name := range order {
		body, step := files[name], 1
		if name == "README.txt" || name == "custody.json" || name == "SHA256SUMS" || strings.HasPrefix(name, "media/") || strings.HasPrefix(name, "snapshots/") {
			step = 29 // sampled: one comparison of hashes covers all of it
		}
		eachByte(len(body), step, func(i int) {
			bad := maps.Clone(files)
			bad[name] = bytes.Clone(body)
			bad[name][i] ^= []byte{1, 0x20, 0x80}[i%3]
			z := forge(order, bad)
			if name == "SHA256SUMS" {
				z = zipOf(order, bad)
			}
			r, err := verify.Package(bytes.NewReader(z), int64(len(z)), verify.Trust{Fingerprint: key})
			if err != nil || r.Authentic() {
				t.Errorf("%s: byte %d: accepted (%v)", name, i, err)
			} else if !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == name }) {
				t.Errorf("%s: byte %d: not named in %+v", name, i, r.Failures)
			}
		})
	}
}

// eachByte calls f for every step-th byte of n, on all cores.
func eachByte(n, step int, f func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for i := k * step; i < n; i += workers * step {
				f(i)
			}
		})
	}
	wg.Wait()
}

func TestRearrangedPackagesAreRejected(t *testing.T) {
	w, other := testcase.SQLite(t), testcase.SQLite(t)
	c := openAlert(t, w)
	b, _ := export(t, w, c.ID)
	key, order, files := fingerprint(w), names(t, b), unpack(t, b)
	visit, err := clerk(w).OpenVisit(t.Context(), w.Visit, "", w.By)
	if err != nil {
		t.Fatal(err)
	}
	sibling, _ := export(t, w, visit.ID) // the same ledger, another case
	again, _ := export(t, w, c.ID)       // the same case, later
	foreign, _ := export(t, other, openAlert(t, other).ID)
	reject := func(what string, z []byte) {
		t.Helper()
		if r := verified(t, z, key); r.Authentic() {
			t.Errorf("%s: accepted", what)
		}
	}
	for i, name := range order {
		reject("without "+name, forge(slices.Delete(slices.Clone(order), i, i+1), files))
		renamed := maps.Clone(files)
		renamed[name+"x"] = files[name]
		next := slices.Clone(order)
		next[i] = name + "x"
		reject("renamed "+name, forge(next, renamed))
		if i > 0 {
			next = slices.Clone(order)
			next[i], next[i-1] = next[i-1], next[i]
			reject("swapped "+name, forge(next, files))
		}
		for from, donor := range map[string][]byte{"sibling": sibling, "foreign": foreign, "again": again} {
			body, ok := unpack(t, donor)[name]
			if !ok || bytes.Equal(body, files[name]) {
				continue
			}
			spliced := maps.Clone(files)
			spliced[name] = body
			z := forge(order, spliced)
			if name == "SHA256SUMS" {
				z = zipOf(order, spliced)
			}
			reject("spliced "+name+" from "+from, z)
		}
		doubled := slices.Insert(slices.Clone(order), i, name)
		reject("twice "+name, forge(doubled, files))
	}
	for _, name := range []string{"extra.txt", "../evil", "/etc/passwd", "media/../../x", "a\\b", "records/custody-000099-3.json", "证据.txt", "x\n"} {
		added := maps.Clone(files)
		added[name] = []byte("hello")
		reject("added "+name, forge(append(slices.Clone(order), name), added))
		reject("added first "+name, forge(append([]string{name}, order...), added))
	}
	reject("whole foreign package", foreign)
	reject("cut off", b[:len(b)-1])
	reject("half", b[:len(b)/2])
	reject("trailing byte", append(bytes.Clone(b), 0))
	reject("leading byte", append([]byte{0}, b...))
	reject("empty", nil)
	for what, z := range map[string][]byte{"untouched": b, "sibling": sibling, "again": again} {
		if r := verified(t, z, key); !r.Authentic() {
			t.Errorf("%s: rejected: %+v", what, r.Failures)
		}
	}
}

// The attack that defeats a rival: other media of the same size, with every
// hash in the package recomputed by the attacker.
func TestExchangedMediaWithRecomputedHashesIsRejected(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	key, order, files := fingerprint(w), names(t, b), unpack(t, b)
	var media string
	for _, n := range order {
		if strings.HasPrefix(n, "media/") {
			media = n
		}
	}
	before := files[media]
	files[media] = bytes.Repeat([]byte("x"), len(before))
	var m pack.Manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(files["manifest.json"]), hexSum(before), hexSum(files[media]))
	files["manifest.json"] = []byte(text)
	r := verified(t, forge(order, files), key)
	var named []string
	for _, f := range r.Failures {
		named = append(named, f.File)
	}
	if !slices.Contains(named, "manifest.json") || !slices.Contains(named, media) {
		t.Errorf("named: %v", named)
	}
}
