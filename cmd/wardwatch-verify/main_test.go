package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
)

func TestExitCodes(t *testing.T) {
	w := testcase.SQLite(t)
	clerk := &evidence.Clerk{Store: w.Store, Media: w.Media, Software: "wardwatch test"}
	file, err := clerk.OpenAlert(t.Context(), w.Alert, "甲", w.By)
	if err != nil {
		t.Fatal(err)
	}
	p, err := clerk.Prepare(t.Context(), file.ID, w.By, "移交")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	path, key := filepath.Join(t.TempDir(), "p.zip"), ledger.Fingerprint(w.Store.PublicKey())
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{verify.ExitVerified, "核验通过 VERIFIED", []string{path, "--key", key}},
		{verify.ExitUnchecked, key, []string{path}},
		{verify.ExitFailed, "key.pub", []string{path, "--key", strings.Repeat("0", 64)}},
		{verify.ExitFailed, "cosignatures", []string{path, "--key", key, "--witness", ledger.Witness{Name: "w", Key: w.Store.PublicKey()}.String()}},
		{verify.ExitUsage, "--witness", []string{path, "--witness", "x"}},
		{verify.ExitUsage, "--tsa", []string{path, "--tsa", path + "x"}},
		{verify.ExitUsage, "无法读取证据包", []string{path + "x"}},
		{verify.ExitUsage, "--help", nil},
		{0, "Exit codes: 0 verified", []string{"--help"}},
	} {
		var out, errs bytes.Buffer
		if code := run(c.args, &out, &errs); code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%v: exit code %d, want %d and %q:\n%s%s", c.args, code, c.code, c.want, &out, &errs)
		}
	}
}

// Other systems take the program in because there is little in it.
func TestTheVerifierHasNoDatabaseAndNoServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, bad := range []string{"database/sql", "net/http", "crypto/tls", "wardwatch/storage", "wardwatch/storage/objects"} {
		if slices.Contains(deps, bad) {
			t.Errorf("%s is linked", bad)
		}
	}
}
