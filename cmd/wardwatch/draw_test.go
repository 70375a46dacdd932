package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testdrand"
	"wardwatch/ward"
)

// TestDrawOverAKill commits a draw, kills the service before the beacon's
// round, and finds it concluded after the next start; the program verifies
// its proof from the file and from the database.
func TestDrawOverAKill(t *testing.T) {
	t.Parallel()
	relay := testdrand.New(t, "service", time.Now().Add(-time.Hour))
	dir := t.TempDir()
	env := []string{
		"WARDWATCH_DRAWS_RELAYS=" + relay.URL, "WARDWATCH_DRAWS_CHAIN_HASH=" + relay.Chain.Hash, "WARDWATCH_DRAWS_CHAIN_PUBLIC_KEY=" + relay.Chain.PublicKey,
		fmt.Sprint("WARDWATCH_DRAWS_CHAIN_PERIOD=", relay.Chain.Period), fmt.Sprint("WARDWATCH_DRAWS_CHAIN_GENESIS=", relay.Chain.Genesis),
		"WARDWATCH_DRAWS_CHAIN_GROUP_HASH=" + relay.Chain.GroupHash, "WARDWATCH_DRAWS_CHAIN_BEACON_ID=" + relay.Chain.BeaconID,
	}
	s := serve(t, dir, env...)
	c := signIn(t, s)
	c.hospital()
	c.must(201, "POST", "/api/v1/users", map[string]any{"login": "wang", "name": "王稽核", "role": "inspector", "all_institutions": true, "institutions": []string{}}, nil)
	for i := range 5 {
		id := fmt.Sprint("p", i)
		c.must(201, "POST", "/api/v1/insured", map[string]any{"id": id, "name": "张三", "id_number": "11010119900101001" + fmt.Sprint(i)}, nil)
		c.must(201, "POST", "/api/v1/admissions", map[string]any{"id": "a" + id, "institution_id": "h1", "insured_id": id, "ward": "内科", "bed": fmt.Sprint(i), "from": time.Now().Add(-time.Hour).UTC()}, nil)
	}
	var d ward.Draw
	c.must(201, "POST", "/api/v1/draws", map[string]any{"institution_id": "h1", "source": "drand", "strata": []any{map[string]any{"ward": "", "take": 2}}, "inspectors": 1}, &d)
	s.signal(syscall.SIGKILL)
	s.wait(5 * time.Second)
	if out := time.Until(d.Due); out <= 0 {
		t.Logf("the machine was so slow that the round is out already: %v", out)
	}
	s = serve(t, dir, env...)
	c.s = s // the session outlives the crash
	until(t, "the draw is concluded", 2*time.Minute, func() bool {
		var v struct{ Draw ward.Draw }
		c.must(200, "GET", "/api/v1/draws/"+string(d.ID), nil, &v)
		return v.Draw.State == ward.DrawDrawn
	})
	var key struct {
		Fingerprint string `json:"fingerprint"`
	}
	c.must(200, "GET", "/api/v1/ledger/key", nil, &key)
	_, proof := c.call("GET", "/api/v1/draws/"+string(d.ID)+"/proof", nil)
	file := filepath.Join(t.TempDir(), "proof.json")
	save := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save(proof)
	verify := func(code int, want string, args ...string) {
		t.Helper()
		got, out, errs := run(t, s.env, append([]string{"draw", "verify"}, args...)...)
		if got != code || !strings.Contains(out, want) {
			t.Errorf("draw verify %v: exit code %d, want %d and %q:\n%s%s", args, got, code, want, out, errs)
		}
	}
	verify(0, "VERIFIED", file, "--key", key.Fingerprint, "--chain", relay.Chain.Hash)
	verify(1, "quicknet", file, "--key", key.Fingerprint)
	verify(3, "NOT CHECKED", file, "--chain", relay.Chain.Hash)
	verify(0, d.Commitment, string(d.ID), "--key", key.Fingerprint, "--chain", relay.Chain.Hash)
	save([]byte(strings.Replace(string(proof), "ap1", "ap2", 1)))
	verify(1, "FAILED", file, "--key", key.Fingerprint, "--chain", relay.Chain.Hash)
	s.terminate()
	s.fsck()
}
