package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/scenario"
	"wardwatch/internal/simcam"
)

var simulated = regexp.MustCompile(`(rtsp://)(\S+)  user (\S+) password (\S+)`)

func TestSimulatedCamerasAreReadByFfprobe(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "sim", "cameras", "--scenario", absolute("testdata/one-camera.yaml"), "--listen", "127.0.0.1:0", "--dir", t.TempDir())
	var m []string
	until(t, "the cameras' addresses", 30*time.Second, func() bool {
		m = simulated.FindStringSubmatch(p.out.String())
		return m != nil
	})
	probe := func(credentials string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", m[1]+credentials+m[2]).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := probe(m[3] + ":" + m[4] + "@"); err != nil || out != "h264,320,240" {
		t.Errorf("with its credentials: %v: %s", err, out)
	}
	for _, wrong := range []string{"", m[3] + ":other@"} {
		if out, err := probe(wrong); err == nil || !strings.Contains(out, "401") {
			t.Errorf("with %q: %v: %s", wrong, err, out)
		}
	}
	p.signal(syscall.SIGTERM)
	if code := p.wait(10 * time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM: %s", code, &p.log)
	}
}

// What the help, the README and the shipped scenario say of knobs is so.
func TestEveryKnobIsExplained(t *testing.T) {
	t.Parallel()
	code, out, errs := run(t, nil, "sim", "knobs")
	readme, err := os.ReadFile(absolute("../../README.md"))
	if code != 0 || err != nil {
		t.Fatalf("exit code %d: %s %v", code, errs, err)
	}
	for _, k := range simcam.Knobs() {
		if !strings.Contains(out, k.Name+" ") || !strings.Contains(out, k.Help) {
			t.Errorf("wardwatch sim knobs does not explain %s", k.Name)
		}
		if row := fmt.Sprintf("| `%s` | %s | %s |", k.Name, k.Kind, k.Help); !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row %s", row)
		}
	}
	if _, err := scenario.Load(absolute("../../deploy/demo/faults.yaml")); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfTheCommandLineAndTheScenario(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "s.yaml")
	plain, err := os.ReadFile(absolute("testdata/one-camera.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(plain), "fps: 10}", "fps: 10, faults: {answer: 503}, episodes: [{at: 4s, for: 1h, faults: {answer: 404}}]}", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, tc := range []struct {
		args  []string
		wants []string // what ffprobe says, one after the other
	}{
		{[]string{"--scenario", file}, []string{"503", "404"}},
		{[]string{"--scenario", file, "--fault", "counter-1=answer=405,loss=1"}, []string{"405"}},
	} {
		p := start(t, nil, append([]string{"sim", "cameras", "--listen", "127.0.0.1:0", "--dir", dir}, tc.args...)...)
		var m []string
		until(t, "the camera's address", 30*time.Second, func() bool {
			m = simulated.FindStringSubmatch(p.out.String())
			return m != nil
		})
		for _, want := range tc.wants {
			until(t, "an answer with "+want, 15*time.Second, func() bool {
				out, _ := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", m[1]+m[3]+":"+m[4]+"@"+m[2]).CombinedOutput()
				return strings.Contains(string(out), want)
			})
		}
	}
	for _, knobs := range []string{"counter-1=los=5", "counter-2=loss=5", "counter-1=loss"} {
		code, _, errs := run(t, nil, "sim", "cameras", "--scenario", file, "--dir", dir, "--fault", knobs)
		if code != 2 || !strings.Contains(errs, "loss") && !strings.Contains(errs, "counter-1") {
			t.Errorf("%s: exit code %d: %s", knobs, code, errs)
		}
	}
}

func TestAUsedBedsideLinkGivesTheServersWords(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	c.must(201, "POST", "/api/v1/admissions", map[string]any{"id": "a-1", "institution_id": "h1", "insured_id": "p-1", "ward": "三病区", "bed": "1", "from": time.Now().Add(-time.Hour).UTC()}, nil)
	var made struct {
		Visits []struct {
			Link string `json:"link"`
		} `json:"visits"`
	}
	c.must(201, "POST", "/api/v1/rounds", map[string]any{
		"institution_id": "h1", "reason": "抽查", "ward": "三病区", "admission_ids": []string{"a-1"}, "deadline": time.Now().Add(time.Hour).UTC(),
	}, &made)
	link := s.base + made.Visits[0].Link
	if code, out, errs := run(t, nil, "sim", "bedside", link, "--behaviour", "refuse"); code != 0 || !strings.Contains(out, "refused") {
		t.Errorf("a fresh link: exit code %d: %s%s", code, out, errs)
	}
	code, _, errs := run(t, nil, "sim", "bedside", link, "--behaviour", "refuse")
	if code != 1 || !strings.Contains(errs, "410 ") || !strings.Contains(errs, "链接") {
		t.Errorf("a used link: exit code %d: %s", code, errs)
	}
	code, _, errs = run(t, nil, "sim", "bedside", s.base+"/bedside#never-made", "--behaviour", "refuse")
	if code != 1 || !strings.Contains(errs, "(4") {
		t.Errorf("a foreign link: exit code %d: %s", code, errs)
	}
	token := link[strings.Index(link, "#")+1:]
	s.terminate()
	if strings.Contains(s.log.String(), token) {
		t.Error("the link's token is in the log")
	}
}
