package main_test

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
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
