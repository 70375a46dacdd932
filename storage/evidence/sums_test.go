package evidence_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
)

// What the README tells a stranger to type works on the unpacked package.
func TestTheListsOfHashesAreReadByOtherTools(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	dir := t.TempDir()
	files := unpack(t, b)
	for n, body := range files {
		p := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	if out := tool("sha256sum", "-c", "--strict", "SHA256SUMS"); strings.Count(out, ": OK\n") != len(files)-1 {
		t.Errorf("got %s", out)
	}
	// OpenSSL writes such lines with -r, but for a star before the name.
	names := strings.Fields(string(files["SM3SUMS"]))
	args := []string{"dgst", "-sm3", "-r"}
	for i := 1; i < len(names); i += 2 {
		args = append(args, names[i])
	}
	if out := strings.ReplaceAll(tool("openssl", args...), " *", "  "); out != string(files["SM3SUMS"]) || len(names) != 2*(len(files)-2) {
		t.Errorf("openssl: %s\nSM3SUMS: %s", out, files["SM3SUMS"])
	}
}
