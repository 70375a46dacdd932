package evidence_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testtsa"
	"wardwatch/storage"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/storage/timestamp/tsa"
	"wardwatch/storage/witness"
)

// outsiders are a witness and an authority that answer for w, and the trust
// of somebody who knows both.
func outsiders(t *testing.T, w *testcase.World) (func(context.Context), *testtsa.TSA, verify.Trust) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	eye, err := witness.Open(filepath.Join(t.TempDir(), "w.json"), "w.example", key, []string{ledger.Verifier(ledger.Origin(w.Store.PublicKey()), w.Store.PublicKey())}, log)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(eye)
	t.Cleanup(s.Close)
	auth := testtsa.Start(t)
	who := ledger.Witness{Name: "w.example", Key: pub}
	c := &storage.Cosigner{Store: w.Store, Peers: []witness.Peer{{URL: s.URL, Key: who}}, Client: http.DefaultClient, Log: log}
	st := &storage.Stamper{Store: w.Store, Authority: tsa.Authority{URL: auth.URL, Roots: auth.Roots}, Client: http.DefaultClient, Log: log}
	ask := func(ctx context.Context) {
		c.Now(ctx)
		if err := st.Now(ctx); (err != nil) != auth.IsAway() {
			t.Error("time stamp:", err)
		}
	}
	return ask, auth, verify.Trust{Fingerprint: fingerprint(w), Witnesses: []ledger.Witness{who}, Authorities: auth.Roots}
}

func TestPackageCarriesWhatOthersSay(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ask, auth, trust := outsiders(t, w)
		c := clerk(w)
		c.Ask = ask
		id := openAlert(t, w).ID
		made := func() []byte {
			p, err := c.Prepare(t.Context(), id, w.By, "")
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := p.Write(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
		b := made()
		check := func(b []byte, trust verify.Trust) verify.Report {
			r, err := verify.Package(bytes.NewReader(b), int64(len(b)), trust)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := check(b, trust)
		if !r.Authentic() || len(r.Outside) != 2 || !r.Outside[0].Checked || !r.Outside[1].Checked || time.Since(r.Outside[0].At).Abs() > time.Minute || time.Since(r.Outside[1].At).Abs() > time.Minute {
			t.Fatalf("%+v", r)
		}
		if r := check(b, verify.Trust{Fingerprint: trust.Fingerprint}); !r.Authentic() || r.Outside[0].Checked || r.Outside[1].Checked {
			t.Errorf("without their keys: %+v", r.Outside)
		}
		stranger := testcase.SQLite(t)
		if r := check(b, verify.Trust{Fingerprint: trust.Fingerprint, Witnesses: []ledger.Witness{{Name: "w.example", Key: stranger.Store.PublicKey()}}}); r.Authentic() {
			t.Error("a witness of the same name with another key: accepted")
		}
		if r := check(b, verify.Trust{Fingerprint: trust.Fingerprint, Authorities: testtsa.Start(t).Roots}); r.Authentic() {
			t.Error("another authority: accepted")
		}

		// The court has openssl.
		dir, files := t.TempDir(), unpack(t, b)
		for _, n := range []string{"checkpoint", "timestamp.tsr"} {
			if err := os.WriteFile(filepath.Join(dir, n), files[n], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "openssl", "ts", "-verify", "-in", "timestamp.tsr", "-data", "checkpoint", "-CAfile", auth.CAFile)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verification: OK") {
			t.Errorf("openssl: %v\n%s", err, out)
		}

		// An attacker who repairs everything else: changed, taken out, or of an earlier export.
		earlier := files
		later := made()
		files = unpack(t, later)
		for _, name := range []string{"cosignatures", "timestamp.tsr"} {
			every := step(7) // package timestamp tries every byte of a token
			each((len(files[name])+every-1)/every, func(k int) {
				i := k * every
				bad := maps.Clone(files)
				bad[name] = bytes.Clone(files[name])
				bad[name][i] ^= 1 << (i % 8)
				r, err := verify.Package(bytes.NewReader(forge(names(t, later), bad)), int64(len(later)), trust)
				if err != nil || r.Authentic() || !slices.ContainsFunc(r.Failures, func(f verify.Finding) bool { return f.File == name }) {
					t.Errorf("%s: byte %d: accepted (%v)", name, i, err)
				}
			})
			without := slices.DeleteFunc(names(t, later), func(n string) bool { return n == name })
			if r := check(forge(without, files), trust); r.Authentic() {
				t.Errorf("without %s: accepted", name)
			}
			spliced := maps.Clone(files)
			spliced[name] = earlier[name]
			if r := check(forge(names(t, later), spliced), trust); r.Authentic() {
				t.Errorf("%s of an earlier export: accepted", name)
			}
		}

		// While the authority is away packages are made without, and say so.
		auth.Away(true)
		b = made()
		if r := check(b, trust); r.Authentic() {
			t.Error("without a time stamp: accepted by somebody who wants one")
		}
		trust.Authorities = nil
		if r := check(b, trust); !r.Authentic() || len(r.Outside) != 1 {
			t.Errorf("%+v", r)
		}
	})
}
