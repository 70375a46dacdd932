package ledger_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
)

func TestRotationHasOneForm(t *testing.T) {
	a, b, c := key(t), key(t), key(t)
	log, now := ledger.Origin(public(a)), time.Now()
	one := ledger.Rotate(log, a, b, 7, now, now.Add(time.Hour)).String()
	two := ledger.Rotate(log, b, c, 9, now, now).String()
	all, err := ledger.ParseRotations(one + two)
	if err != nil || len(all) != 2 || all[1].String() != two || !all[0].Until.Equal(now.Add(time.Hour).UTC().Truncate(time.Second)) {
		t.Fatalf("got %+v, %v", all, err)
	}
	for i := range one + two {
		for _, x := range []byte{1, 0x20, 0x80} {
			bad := []byte(one + two)
			bad[i] ^= x
			if _, err := ledger.ParseRotations(string(bad)); err == nil {
				t.Errorf("byte %d ^ %#x: accepted", i, x)
			}
		}
	}
	for what, bad := range map[string]string{
		"out of order":       two + one,
		"without the first":  two,
		"a stranger's":       one + ledger.Rotate(log, key(t), c, 9, now, now).String(),
		"another log's":      one + ledger.Rotate(ledger.Origin(public(b)), b, c, 9, now, now).String(),
		"with falling sizes": one + ledger.Rotate(log, b, c, 6, now, now).String(),
		"cut":                one[:len(one)-1],
	} {
		if _, err := ledger.ParseRotations(bad); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func FuzzRotations(f *testing.F) {
	f.Add("wardwatch/rotation/v1 wardwatch/0123456789ab a b 1 2 3 c d\n")
	f.Fuzz(func(t *testing.T, s string) {
		all, err := ledger.ParseRotations(s)
		if err != nil {
			return
		}
		var back strings.Builder
		for _, r := range all {
			back.WriteString(r.String())
		}
		if back.String() != s {
			t.Errorf("%q was read as %q", s, back.String())
		}
	})
}

// TestSM2AgreesWithOpenSSL signs by SM2 and has OpenSSL verify it.
func TestSM2AgreesWithOpenSSL(t *testing.T) {
	dir, k := t.TempDir(), key(t)
	if _, err := ledger.MakeSM2(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.MakeSM2(dir); err == nil {
		t.Error("a second key replaced the first")
	}
	keys, err := ledger.OpenKeys(dir)
	if err != nil || keys.SM2 == nil {
		t.Fatal(err)
	}
	checkpoint, err := ledger.Checkpoint{Log: ledger.Origin(public(k)), Size: 7, Root: tlog.RecordHash([]byte("x"))}.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ledger.Text(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	line, err := keys.SM2.Sign(text, ledger.Origin(public(k)))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := keys.SM2.PEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckSM2(checkpoint, line, pem); err != nil {
		t.Fatal(err)
	}
	for i := range line {
		bad := []byte(line)
		bad[i] ^= 1
		if ledger.CheckSM2(checkpoint, string(bad), pem) == nil {
			t.Errorf("byte %d of the signature: accepted", i)
		}
	}
	for i := range pem {
		bad := bytes.Clone(pem)
		bad[i] ^= 1
		if ledger.CheckSM2(checkpoint, line, bad) == nil {
			t.Errorf("byte %d of the key: accepted", i)
		}
	}
	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	verify := func(text string) error {
		return exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678",
			"-pubin", "-inkey", file("k.pem", pem), "-sigfile", file("sig", ledger.SM2DER(line)), "-in", file("text", []byte(text))).Run()
	}
	if err := verify(text); err != nil {
		t.Errorf("openssl refuses: %v", err)
	}
	if err := verify(text + "x"); err == nil {
		t.Error("openssl accepts another text")
	}
}
