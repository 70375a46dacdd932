package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/internal/counters"
	"wardwatch/ward"
)

// A small day at three counters, from the cameras on: one honest customer,
// one with another's card and one empty counter. `make eval` is the large one.
func TestEvalCounters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	code, out, errs := run(t, nil, "eval", "counters", "--settlements", "3", "--cameras", "3", "--workers", "1", "--seed", "804", "--wait", "8s", "--dir", dir, "--json", file)
	if code != 0 {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r counters.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Settlements != 3 || r.Unjudged != 0 || r.People != 2 || r.Cameras != 3 || r.Looked == 0 {
		t.Errorf("report %+v", r)
	}
	for _, s := range r.Rules {
		if s.False > 0 {
			t.Errorf("false alerts: %+v", s)
		}
		// A machine that is too slow to look at the pictures cannot tell, and must say so.
		if (s.Rule == ward.NobodyAtCounter || s.Rule == ward.FaceMismatch) && (s.Recall.Of != 1 || s.Recall.N+s.Unsure != 1) {
			t.Errorf("missed: %+v", s)
		}
	}
	if t.Failed() {
		t.Logf("%s%s", out, errs)
	}
	if !strings.Contains(out, "3 settlements at 3 counters") {
		t.Errorf("no table: %s", out)
	}
}
