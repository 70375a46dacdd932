package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A sweep over real WebRTC against a service of its own: who is there is
// present, who is not himself is not, and the figures are of this run.
func TestSweepOfTwoInstitutions(t *testing.T) {
	t.Parallel()
	dir, films := t.TempDir(), absolute("../../.demo/bedside") // where other tests keep them
	if err := os.MkdirAll(films, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(films, filepath.Join(dir, "bedside")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "report.json")
	var r struct {
		Verdicts map[string]map[string]int `json:"verdicts"`
		Missed   int                       `json:"missed_deadlines"`
		Most     int                       `json:"most_at_once"`
		Asks     int                       `json:"board_asks"`
		CPU      struct {
			Service int64 `json:"service_ns"`
			Workers int64 `json:"workers_ns"`
			Beds    int64 `json:"beds_ns"`
		} `json:"cpu"`
	}
	for range 2 { // genuine bedsides do not pass on a machine that is too busy to look at them
		code, out, errs := run(t, nil, "sim", "sweep", "--beds", "4", "--institutions", "2", "--at-once", "4", "--impostors", "25", "--over", "1s", "--dir", dir, "--json", file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("exit code %d: %v\n%s%s", code, err, out, errs)
		}
		r.Verdicts = nil
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		genuine, impostor := r.Verdicts["genuine"], r.Verdicts["impostor"]
		wrong := genuine["present"]+genuine["undecided"] != 3 || impostor["present"] > 0 || r.Missed > 0
		if (code != 0) != wrong {
			t.Errorf("exit code %d with %v, %d deadlines missed\n%s", code, r.Verdicts, r.Missed, out)
		}
		if impostor["present"] > 0 || impostor["no_answer"] > 0 || r.Missed > 0 {
			t.Errorf("verdicts %v, %d deadlines missed\n%s", r.Verdicts, r.Missed, out)
		}
		if genuine["present"] > 0 {
			break
		}
	}
	if r.Verdicts["genuine"]["present"] == 0 {
		t.Errorf("no genuine bedside passed: %v", r.Verdicts)
	}
	if r.Most < 2 || r.Most > 4 || r.Asks == 0 || r.CPU.Service <= 0 || r.CPU.Workers <= 0 || r.CPU.Beds <= 0 {
		t.Errorf("at most %d at once, %d looks at the board, CPU %+v", r.Most, r.Asks, r.CPU)
	}
}

func TestASweepThatIsNone(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--beds", "0"}, {"--beds", "2", "--institutions", "3"}, {"--absent", "60", "--impostors", "50"}, {"--within", "10s"}, {"--url", "http://127.0.0.1:1"}} {
		if code, _, errs := run(t, nil, append([]string{"sim", "sweep", "--dir", t.TempDir()}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit code %d: %s", args, code, errs)
		}
	}
}
