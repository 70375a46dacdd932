package evidence_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testpage"
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
// zip is flawless, and both lists of hashes fit the files but for those in kept.
func forge(order []string, files map[string][]byte, kept ...string) []byte {
	files = maps.Clone(files)
	for i, list := range []string{"SM3SUMS", "SHA256SUMS"} {
		if !slices.Contains(kept, list) {
			files[list] = sumsOf(slices.DeleteFunc(slices.Clone(order), func(n string) bool { return n == "SHA256SUMS" || n == "SM3SUMS" && i == 0 }), files, i == 0)
		}
	}
	return zipOf(order, files)
}

// judge is both verifiers: the program's and the page's.
type judge struct {
	trust     verify.Trust
	witnesses []string
	pages     chan *testpage.Page
	judged    atomic.Int64
}

func newJudge(t testing.TB, trust verify.Trust) *judge {
	j := &judge{trust: trust, pages: make(chan *testpage.Page, runtime.GOMAXPROCS(0))}
	for _, w := range trust.Witnesses {
		j.witnesses = append(j.witnesses, w.String())
	}
	for range cap(j.pages) {
		j.pages <- testpage.Start(t)
	}
	t.Cleanup(func() { t.Logf("%d packages judged by both", j.judged.Load()) })
	return j
}

// knows says that the packages to come resemble b.
func (j *judge) knows(t testing.TB, b []byte) {
	for range cap(j.pages) {
		p := <-j.pages
		if err := p.Knows(b); err != nil {
			t.Error(err)
		}
		j.pages <- p
	}
}

// of is what both say of b, which must be the same files for the same reasons.
// What is wrong with a time stamp beyond what it stamps, only the program sees.
// folded: an attacker wrote a capital for a small letter or the other way
// round; in the names of JSON's fields, Go does not mind and looks further.
func (j *judge) of(t testing.TB, what string, b []byte, folded bool) verify.Report {
	r, err := verify.Package(bytes.NewReader(b), int64(len(b)), j.trust)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	p := <-j.pages
	defer func() { j.pages <- p }()
	got, err := p.Verify(b, j.trust.Fingerprint, j.witnesses...)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	j.judged.Add(1)
	// What is no UTF-8 in a forged name, the two replace by other numbers of U+FFFD.
	said := func(file string) string {
		return strings.ToValidUTF8(strings.ReplaceAll(file, "\ufffd", "\xff"), "\ufffd")
	}
	var ours, theirs []string
	for _, f := range r.Failures {
		if f.File != "timestamp.tsr" {
			ours = append(ours, said(f.File))
		}
	}
	for _, f := range got.Failures {
		if f.File != "timestamp.tsr" {
			theirs = append(theirs, said(f.File))
		}
	}
	if r.Authentic() != (len(got.Failures) == 0) && len(ours)+len(theirs) > 0 {
		t.Errorf("%s: the program names %q, the page %q", what, ours, theirs)
	}
	if !folded && !slices.Equal(ours, theirs) {
		t.Errorf("%s: the program names %q, the page %q", what, ours, theirs)
	}
	if r.Authentic() && (!got.Compared || got.Records != r.Records || got.Events != r.Events || got.Items != r.Items || got.Filled != r.Filled || got.Lines != r.Lines || len(got.Missing) != len(r.Missing) || len(got.Outside) != len(r.Outside)) {
		t.Errorf("%s: the program found %+v, the page %+v", what, r, got)
	}
	return r
}

// step is every how manyth byte is changed: all of them with WARDWATCH_MUTANTS=all.
func step(n int) int {
	if os.Getenv("WARDWATCH_MUTANTS") == "all" {
		return 1
	}
	return n
}

// Bytes of the zip's own structure, and some of the contents.
func TestEveryChangedByteOfTheZipIsRejected(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	j, content := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)}), contentOf(b)
	var at []int
	for i := range b {
		if structure := !content[i]; structure && i%step(37) == 0 || i%997 == 0 {
			at = append(at, i)
		}
	}
	j.knows(t, b)
	each(len(at), func(k int) {
		i := at[k]
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		if j.of(t, fmt.Sprint("byte ", i), bad, i%8 == 5).Authentic() {
			t.Errorf("byte %d of %d: accepted", i, len(b))
		}
	})
}

// Here the attacker repairs the zip and the lists of hashes after every change.
func TestEveryChangedByteOfEveryFileIsRejectedAndNamed(t *testing.T) {
	w := testcase.SQLite(t)
	ask, _, trust := outsiders(t, w)
	c := clerk(w)
	c.Ask = ask
	p, err := c.Prepare(t.Context(), openAlert(t, w).ID, w.By, "移交")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := p.Write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	order, files, j := names(t, b), unpack(t, b), newJudge(t, trust)
	if !bytes.Equal(forge(order, files), b) {
		t.Fatal("forging nothing changes the package")
	}
	type change struct {
		name string
		at   int
	}
	var changes []change
	for _, name := range order {
		every := step(67)
		if slices.Contains([]string{"README.txt", "verify.html", "custody.json", "SHA256SUMS", "SM3SUMS"}, name) || strings.HasPrefix(name, "media/") || strings.HasPrefix(name, "snapshots/") {
			every = 307 // sampled: one comparison of hashes covers all of it
		}
		for i := 0; i < len(files[name]); i += every {
			changes = append(changes, change{name, i})
		}
	}
	j.knows(t, b)
	each(len(changes), func(k int) {
		name, i := changes[k].name, changes[k].at
		bad := maps.Clone(files)
		bad[name] = bytes.Clone(files[name])
		bad[name][i] ^= []byte{1, 0x20, 0x80}[i%3]
		r := j.of(t, fmt.Sprint(name, ": byte ", i), forge(order, bad, name), i%3 == 1)
		if r.Authentic() {
			t.Errorf("%s: byte %d: accepted", name, i)
		} else if !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == name }) {
			t.Errorf("%s: byte %d: not named in %+v", name, i, r.Failures)
		}
	})
}

// each calls f with 0 to n-1, on all cores.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for i := k; i < n; i += workers {
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
	j, order, files := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)}), names(t, b), unpack(t, b)
	visit, err := clerk(w).OpenVisit(t.Context(), w.Visit, "", w.By)
	if err != nil {
		t.Fatal(err)
	}
	sibling, _ := export(t, w, visit.ID) // the same ledger, another case
	again, _ := export(t, w, c.ID)       // the same case, later
	foreign, _ := export(t, other, openAlert(t, other).ID)
	reject := func(what string, z []byte) {
		t.Helper()
		if j.of(t, what, z, false).Authentic() {
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
			reject("spliced "+name+" from "+from, forge(order, spliced, name))
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
		if r := j.of(t, what, z, false); !r.Authentic() {
			t.Errorf("%s: rejected: %+v", what, r.Failures)
		}
	}
}
