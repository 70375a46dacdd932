package witness_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
	"wardwatch/storage/witness"
)

// history is a log's stored hashes, and its key.
type history struct {
	t      testing.TB
	key    ed25519.PrivateKey
	hashes []tlog.Hash
	size   int64
}

func (h *history) ReadHashes(pos []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(pos))
	for i, p := range pos {
		out[i] = h.hashes[p]
	}
	return out, nil
}

// grow appends n leaves that say word.
func (h *history) grow(n int, word string) *history {
	for range n {
		more, err := tlog.StoredHashes(h.size, fmt.Append(nil, word, h.size), h)
		if err != nil {
			h.t.Fatal(err)
		}
		h.hashes = append(h.hashes, more...)
		h.size++
	}
	return h
}

func (h *history) fork() *history {
	return &history{t: h.t, key: h.key, hashes: append([]tlog.Hash(nil), h.hashes...), size: h.size}
}

func (h *history) checkpoint(size int64) string {
	root, err := tlog.TreeHash(size, h)
	if err != nil {
		h.t.Fatal(err)
	}
	signed, err := ledger.Checkpoint{Log: ledger.Origin(public(h.key)), Size: size, Root: root}.Sign(h.key)
	if err != nil {
		h.t.Fatal(err)
	}
	return signed
}

// ask has p sign the whole history, of which it is believed to know since.
func (h *history) ask(p witness.Peer, since int64) (string, error) {
	size, signed := h.size, h.checkpoint(h.size)
	line, at, err := p.Ask(h.t.Context(), http.DefaultClient, signed, since, size, func(old int64) (tlog.TreeProof, error) { return tlog.ProveTree(size, old, h) })
	if err == nil && time.Since(at) > time.Minute {
		h.t.Errorf("signed at %v", at)
	}
	return line, err
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

type rig struct {
	*history
	self  ed25519.PrivateKey
	state string
	peer  witness.Peer
	serve atomic.Pointer[witness.Witness]
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{history: &history{t: t, key: newKey(t)}, self: newKey(t), state: filepath.Join(t.TempDir(), "witness.json")}
	r.open()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.serve.Load().ServeHTTP(w, req) }))
	t.Cleanup(s.Close)
	r.peer = witness.Peer{URL: s.URL + "/", Key: ledger.Witness{Name: "w.example", Key: public(r.self)}}
	return r
}

// open opens the witness (again) from its file.
func (r *rig) open() {
	w, err := witness.Open(r.state, "w.example", r.self, []string{ledger.Verifier(ledger.Origin(public(r.key)), public(r.key))}, slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	r.serve.Store(w)
}

func TestSignsGrowth(t *testing.T) {
	r := newRig(t)
	last := int64(0)
	for _, n := range []int{1, 1, 5, 250, 1, 700} {
		r.grow(n, "leaf")
		line, err := r.ask(r.peer, last)
		if err != nil {
			t.Fatal(r.size, err)
		}
		if _, err := r.peer.Key.CheckCosignature(r.checkpoint(r.size), line); err != nil {
			t.Error(err)
		}
		last = r.size
		r.open() // as after a crash
	}
	if _, err := r.ask(r.peer, last); err != nil {
		t.Error("the same again:", err)
	}
	for _, believed := range []int64{0, 1, 7, last - 1} { // the asker lost its memory
		r.grow(1, "leaf")
		if _, err := r.ask(r.peer, believed); err != nil {
			t.Error(believed, err)
		}
	}
}

func TestNeverSignsAnotherHistory(t *testing.T) {
	r := newRig(t)
	r.grow(100, "leaf")
	before := r.fork()
	r.grow(100, "leaf")
	if _, err := r.ask(r.peer, 0); err != nil {
		t.Fatal(err)
	}
	for name, liar := range map[string]*history{
		"rolled back":              before.fork(),
		"forked, shorter":          before.fork().grow(50, "other"),
		"forked, of the same size": before.fork().grow(100, "other"),
		"forked, longer":           before.fork().grow(300, "other"),
		"all new":                  (&history{t: t, key: r.key}).grow(201, "new"),
	} {
		for _, believed := range []int64{0, 100, 200} {
			if believed > liar.size {
				continue
			}
			if line, err := liar.ask(r.peer, believed); !errors.Is(err, witness.ErrRewritten) || line != "" {
				t.Errorf("%s, believing %d: %q, %v", name, believed, line, err)
			}
		}
	}
	if _, err := r.grow(1, "leaf").ask(r.peer, 200); err != nil {
		t.Error("the honest history afterwards:", err)
	}
}

// Two askers at once with two histories: one of them is signed, never both.
func TestOneHistoryOfTwoAtOnce(t *testing.T) {
	for range 20 {
		r := newRig(t)
		var signed atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			h := r.fork().grow(10, fmt.Sprint("history", i%2, "-"))
			all.Go(func() {
				if _, err := h.ask(r.peer, 0); err == nil {
					signed.Add(1)
				} else if !errors.Is(err, witness.ErrRewritten) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if signed.Load() != 4 {
			t.Fatalf("%d of 8 were signed, 4 have one history", signed.Load())
		}
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	r.grow(10, "leaf")
	good := "old 0\n\n" + r.checkpoint(10)
	stranger := (&history{t: t, key: newKey(t)}).grow(3, "leaf")
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"nothing":              {"POST", "/add-checkpoint", "", 400},
		"no old size":          {"POST", "/add-checkpoint", "\n\n" + r.checkpoint(10), 400},
		"a negative size":      {"POST", "/add-checkpoint", "old -1\n\n" + r.checkpoint(10), 400},
		"a size with a zero":   {"POST", "/add-checkpoint", "old 00\n\n" + r.checkpoint(10), 400},
		"no hash":              {"POST", "/add-checkpoint", "old 0\nhello\n\n" + r.checkpoint(10), 400},
		"64 hashes":            {"POST", "/add-checkpoint", "old 0\n" + strings.Repeat(strings.Repeat("A", 43)+"=\n", 64) + "\n" + r.checkpoint(10), 400},
		"a proof from nothing": {"POST", "/add-checkpoint", "old 0\n" + strings.Repeat("A", 43) + "=\n\n" + r.checkpoint(10), 422},
		"an old size beyond":   {"POST", "/add-checkpoint", "old 11\n\n" + r.checkpoint(10), 400},
		"another size":         {"POST", "/add-checkpoint", "old 3\n\n" + r.checkpoint(10), 409},
		"no checkpoint":        {"POST", "/add-checkpoint", "old 0\n\n", 404},
		"no signature":         {"POST", "/add-checkpoint", good[:strings.LastIndex(good, "—")], 403},
		"a stranger's log":     {"POST", "/add-checkpoint", "old 0\n\n" + stranger.checkpoint(3), 404},
		"a stranger's key":     {"POST", "/add-checkpoint", "old 0\n\n" + strings.ReplaceAll(stranger.checkpoint(3), ledger.Origin(public(stranger.key)), ledger.Origin(public(r.key))), 403},
		"too much":             {"POST", "/add-checkpoint", good + strings.Repeat("x", 20_000), 400},
		"another method":       {"GET", "/add-checkpoint", "", 405},
		"another address":      {"POST", "/", good, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, strings.TrimSuffix(r.peer.URL, "/")+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != c.status || strings.Contains(string(b), "—") {
			t.Errorf("%s: %d %q, %v; want %d", name, res.StatusCode, b, err, c.status)
		}
	}
	if _, err := r.ask(r.peer, 0); err != nil {
		t.Error("after all that:", err)
	}
}

// A witness that lost its memory would sign anything: it does not start.
func TestDamagedMemory(t *testing.T) {
	r := newRig(t)
	if _, err := r.grow(5, "leaf").ask(r.peer, 0); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", `{"wardwatch/x":{"size":0,"root":""}}`, `{"wardwatch/x":{"size":3,"root":"AA"}}`} {
		if err := os.WriteFile(r.state, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := witness.Open(r.state, "w.example", r.self, nil, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q is a memory", bad)
		}
	}
}

// What was signed is on disk before the answer is: when the memory cannot be
// written nothing is signed.
func TestMemoryThatCannotBeWritten(t *testing.T) {
	r := newRig(t)
	if _, err := r.grow(5, "leaf").ask(r.peer, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(r.state)); err != nil {
		t.Fatal(err)
	}
	if line, err := r.grow(1, "leaf").ask(r.peer, 5); err == nil || line != "" || errors.Is(err, witness.ErrRewritten) {
		t.Errorf("%q, %v", line, err)
	}
}

func FuzzAddCheckpoint(f *testing.F) {
	r := newRig(f)
	r.grow(10, "leaf")
	text, err := ledger.Text(r.checkpoint(10))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("old 0\n\n" + r.checkpoint(10))
	f.Add("old 3\n" + strings.Repeat("A", 43) + "=\n\n" + r.checkpoint(10))
	f.Fuzz(func(t *testing.T, body string) {
		rec := httptest.NewRecorder()
		r.serve.Load().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
		if rec.Code == http.StatusOK && !strings.Contains(body, text) {
			t.Errorf("signed %q", body)
		}
	})
}
