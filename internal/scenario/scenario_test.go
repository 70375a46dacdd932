package scenario_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/internal/scenario"
	"wardwatch/ward"
)

func TestShippedScenario(t *testing.T) {
	s, err := scenario.Load("../../deploy/demo/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Settlements); got != 40 {
		t.Errorf("got %d settlements, want 40", got)
	}
	want := map[ward.Rule]int{ward.NobodyAtCounter: 3, ward.FaceMismatch: 3, ward.OneFaceManyCards: 1}
	for rule, n := range want {
		if got := s.Expected()[rule]; got != n {
			t.Errorf("%s: got %d, want %d", rule, got, n)
		}
	}
}

const tiny = `
length: 10
actors: [{id: a, clip: a.mp4, start: 0}, {id: b, clip: b.mp4, start: 0}]
people: [{id: p, name: x, id_number: "1", actor: a}, {id: q, name: y, id_number: "2", actor: b, photo: {clip: b.mp4, at: 0}}]
institutions:
  - id: i
    name: I
    places:
      - {id: pl, name: P, kind: charge, camera: {id: c, name: C, codec: h264, width: 320, height: 240, fps: 10, transport: tcp, presence: [{who: a, from: 2, to: 5}]}}
settlements: [{at: 3.5, place: pl, card: p, fen: 1, kind: outpatient, truth: honest}]
beds: [{institution: i, ward: w, bed: "1", patient: p, physician: d, behaviour: nobody, verdict: no_answer}]
`

func TestBadScenarioSaysWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown key": {"length: 10", "size: 10", "line 2: field size not found"},
		"length":      {"length: 10", "length: 1", "10 to 3600"},
		"no actor":    {"who: a", "who: c", "no such actor"},
		"presence":    {"to: 5", "to: 50", "keep it inside"},
		"place":       {"place: pl", "place: nowhere", `no place "nowhere"`},
		"card":        {"card: p", "card: r", "belongs to nobody"},
		"truth":       {"truth: honest", "truth: maybe", "give honest"},
		"codec":       {"codec: h264", "codec: vp9", "h264 or h265"},
		"behaviour":   {"behaviour: nobody", "behaviour: asleep", "give genuine"},
		"no holder":   {"actor: a", "actor: c", "no actor \"c\""},
		"alone":       {"at: 3.5", "at: 8", "nobody, or more than one"},
		"leaving":     {"at: 3.5", "at: 4.5", "nobody, or more than one"},
		"other card":  {"card: p", "card: q", "card is \"b\"'s and \"a\" stands there"},
		"own card":    {"truth: honest", "truth: face_mismatch", "another actor"},
		"not empty":   {"truth: honest", "truth: nobody_at_counter", "in the picture within 10 s"},
		"first card":  {"truth: honest", "truth: one_face_many_cards", "card 1 of \"a\""},
		"knob":        {"fps: 10", "fps: 10, faults: {los: 5}", `did you mean "loss"?`},
		"knob value":  {"fps: 10", "fps: 10, faults: {auth: none}", "give one of digest"},
		"episode":     {"fps: 10", "fps: 10, episodes: [{at: 3s, faults: {stall: true}}]", "how long"},
		"episode key": {"fps: 10", "fps: 10, episodes: [{at: 3s, long: 3s}]", "field long not found"},
		"long gop":    {"fps: 10", "fps: 10, gop: 11", "gop is 11"},
		"jpeg":        {"codec: h264", "codec: mjpeg", "25 pictures"},
		"clip":        {"behaviour: nobody", "behaviour: loop", "needs a clip"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Parse([]byte(strings.Replace(tiny, tc.old, tc.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want …%s…", err, tc.want)
			}
		})
	}
	if _, err := scenario.Parse([]byte(tiny)); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// make4 makes a clip of 4 seconds.
func make4(t *testing.T, file, source string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source+"=s=160x120:r=10:d=4", "-c:v", "libx264", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestComposeKeepsWhatItMade(t *testing.T) {
	s, err := scenario.Parse([]byte(tiny))
	if err != nil {
		t.Fatal(err)
	}
	sources := t.TempDir()
	make4(t, filepath.Join(sources, "a.mp4"), "testsrc")
	var progress strings.Builder
	dir := t.TempDir()
	files, err := s.Compose(t.Context(), sources, dir, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = os.Stat(files["c"].First); err != nil || !strings.Contains(progress.String(), "composing") {
		t.Errorf("first run: %v, %q", err, progress.String())
	}
	progress.Reset()
	again, err := s.Compose(t.Context(), sources, dir, &progress)
	if err != nil || progress.Len() > 0 || again["c"].First != files["c"].First {
		t.Errorf("second run: %v, %v, %q", again, err, progress.String())
	}
	other := t.TempDir()
	fresh, err := s.Compose(t.Context(), sources, other, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, files["c"].First), read(t, fresh["c"].First); filepath.Base(files["c"].First) != filepath.Base(fresh["c"].First) || !bytes.Equal(a, b) {
		t.Errorf("composed twice: %s of %d bytes and %s of %d, want the same", filepath.Base(files["c"].First), len(a), filepath.Base(fresh["c"].First), len(b))
	}
	make4(t, filepath.Join(sources, "a.mp4"), "testsrc2")
	changed, err := s.Compose(t.Context(), sources, other, &progress)
	if err != nil || changed["c"].First == fresh["c"].First {
		t.Errorf("with another clip of the same name: %v, %v", changed, err)
	}
	if left, err := filepath.Glob(filepath.Join(other, "*.part-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := s.Compose(t.Context(), t.TempDir(), t.TempDir(), &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "make models") {
		t.Errorf("missing clip: got %v", err)
	}
}
