package bench_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/page"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// BenchmarkEvidence exports and verifies a case of 256 MB. Verify is
// measured against SHA-256 of the same file, the export against one copy of
// the file with SHA-256 on the way. Processor time is compared: the disk's
// share is the same on both sides and varies from one moment to the next.
func BenchmarkEvidence(b *testing.B) {
	clerk, w, file := caseOf(b, 16)
	var err error
	fingerprint := ledger.Fingerprint(w.Store.PublicKey())
	path, copied := filepath.Join(b.TempDir(), "p.zip"), filepath.Join(b.TempDir(), "copy.zip")
	var prepare, write, limit, hash, verified time.Duration
	var bytesOut int64
	round := func() {
		var p *evidence.Package
		prepare += worked(func() { p, err = clerk.Prepare(b.Context(), file.ID, w.By, "基准") })
		must(b, err)
		bytesOut = p.Size
		write += worked(func() { err = create(path, func(f *os.File) error { return p.Write(b.Context(), f) }) })
		must(b, err)
		limit += worked(func() {
			err = create(copied, func(f *os.File) error { return sumOf(path, f) })
		})
		must(b, err)
		hash += worked(func() { err = sumOf(path, io.Discard) })
		must(b, err)
		var r verify.Report
		verified += worked(func() { r, err = verifyFile(path, p.Size, fingerprint) })
		must(b, err)
		if !r.Authentic() {
			b.Fatalf("the package does not verify: %+v", r)
		}
	}
	rounds := 0
	for b.Loop() {
		for range 3 {
			round()
			rounds++
		}
	}
	n := time.Duration(rounds)
	b.Logf("verify %d MB: %v = %.2f × SHA-256 of the file (%v)", bytesOut>>20, verified/n, float64(verified)/float64(hash), hash/n)
	b.Logf("export: write %v = %.2f × copy with SHA-256 (%v); with its preparation %.2f ×",
		write/n, float64(write)/float64(limit), limit/n, float64(prepare+write)/float64(limit))
	b.ReportMetric(float64(verified)/float64(hash), "×sha256")
	b.ReportMetric(float64(write)/float64(limit), "×copy-write")
	b.ReportMetric(float64(prepare+write)/float64(limit), "×copy-export")
}

// caseOf opens a case with that many recordings of 16 MB.
func caseOf(b *testing.B, segments int) (*evidence.Clerk, *testcase.World, ward.Case) {
	b.Helper()
	w := testcase.SQLite(b)
	const size = 16 << 20
	each := 4 * time.Second / time.Duration(segments) // all within the alert's clip
	for i := range segments {
		body := make([]byte, size)
		var seed [32]byte
		seed[0] = byte(i)
		_, _ = rand.NewChaCha8(seed).Read(body) // never fails
		start := w.Start.Add(35*time.Second + time.Duration(i)*each)
		g, err := w.Store.CommitSegment(b.Context(), ward.Segment{
			ID: ward.NewID[ward.SegmentID](start), Source: w.Camera, InstitutionID: "h1", Start: start, End: start.Add(each),
			Media: each, Clock: ward.ServerClock, Codec: ward.H264, Bytes: size, SHA256: sha256.Sum256(body),
		})
		must(b, err)
		must(b, w.Media.Objects.Put(b.Context(), g.Key, bytes.NewReader(body), g.Bytes))
		must(b, w.Store.MarkArchived(b.Context(), g.ID))
	}
	clerk := &evidence.Clerk{Store: w.Store, Media: w.Media, Software: "wardwatch bench"}
	file, err := clerk.OpenAlert(b.Context(), w.Alert, "基准", w.By)
	must(b, err)
	return clerk, w, file
}

// BenchmarkGigabyte exports a case of 1 GB and verifies it with the program
// that a stranger has, beside `cp` and `sha256sum` of the same file: by the
// clock, which a busy machine makes longer, and by processor time.
func BenchmarkGigabyte(b *testing.B) {
	clerk, w, file := caseOf(b, 64)
	dir := b.TempDir()
	program, path, copied := filepath.Join(dir, "wardwatch-verify"), filepath.Join(dir, "p.zip"), filepath.Join(dir, "copy.zip")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", program, "wardwatch/cmd/wardwatch-verify")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	run := func(name string, args ...string) (clock, cpu time.Duration) {
		cmd := exec.CommandContext(b.Context(), name, args...)
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%s: %v: %s", name, err, out)
		}
		return time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	for b.Loop() {
		var p *evidence.Package
		var err error
		began := time.Now()
		exportCPU := worked(func() {
			p, err = clerk.Prepare(b.Context(), file.ID, w.By, "基准")
			must(b, err)
			must(b, create(path, func(f *os.File) error { return p.Write(b.Context(), f) }))
		})
		export := time.Since(began)
		copying, copyCPU := run("cp", path, copied)
		hashing, hashCPU := run("sha256sum", copied)
		verifying, verifyCPU := run(program, path, "--key", ledger.Fingerprint(w.Store.PublicKey()))
		b.Logf("%d MB: verify %v (processor %v); export %v (processor %v); cp and sha256sum %v (processor %v)", p.Size>>20,
			verifying, verifyCPU, export, exportCPU, copying+hashing, copyCPU+hashCPU)
		b.ReportMetric(verifying.Seconds(), "s/verify")
		b.ReportMetric(float64(export)/float64(copying+hashing), "×cp+sha256sum")
		b.ReportMetric(float64(exportCPU)/float64(copyCPU+hashCPU), "×cp+sha256sum-cpu")
	}
}

// BenchmarkGigabytePage verifies 1 GB by the page that is in the package, in
// Chromium, beside the program. The page must not hold the file: the most memory
// that a process of the browser ever had is told, beside what the page has without one.
func BenchmarkGigabytePage(b *testing.B) {
	clerk, w, file := caseOf(b, 64)
	dir := b.TempDir()
	html, path := filepath.Join(dir, "verify.html"), filepath.Join(dir, "p.zip")
	must(b, os.WriteFile(html, page.HTML(), 0o600))
	fingerprint := ledger.Fingerprint(w.Store.PublicKey())
	p, err := clerk.Prepare(b.Context(), file.ID, w.By, "基准")
	must(b, err)
	must(b, create(path, func(f *os.File) error { return p.Write(b.Context(), f) }))
	for b.Loop() {
		program := timed(func() {
			r, err := verifyFile(path, p.Size, fingerprint)
			must(b, err)
			if !r.Authentic() {
				b.Fatalf("the package does not verify: %+v", r)
			}
		})
		cmd := exec.CommandContext(b.Context(), "node", "e2e/gigabyte.mjs", html, path, fingerprint)
		cmd.Dir, cmd.Stderr = filepath.Join("..", "web"), os.Stderr
		out, err := cmd.Output()
		must(b, err)
		var said struct {
			Seconds float64 `json:"seconds"`
			Before  float64 `json:"mb_before"`
			Most    float64 `json:"mb_most"`
			Browser string  `json:"browser"`
		}
		must(b, json.Unmarshal(out, &said))
		b.Logf("%d MB by the page in Chromium %s: %.1f s = %.1f × the program's %v; at most %.0f MB in a process, %.0f without a file",
			p.Size>>20, said.Browser, said.Seconds, said.Seconds/program.Seconds(), program, said.Most, said.Before)
		b.ReportMetric(said.Seconds/program.Seconds(), "×program")
		b.ReportMetric(said.Most-said.Before, "MB-more")
	}
}

// worked is the processor time of this process in f.
func worked(f func()) time.Duration {
	began := used()
	f()
	return used() - began
}

func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails on bad arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func create(path string, fill func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return err
	}
	return f.Close()
}

// sumOf copies the file at path to w and hashes it on the way.
func sumOf(path string, w io.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.MultiWriter(w, sha256.New()), f)
	return err
}

func verifyFile(path string, size int64, fingerprint string) (verify.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return verify.Report{}, err
	}
	defer f.Close()
	return verify.Package(f, size, verify.Trust{Fingerprint: fingerprint})
}
