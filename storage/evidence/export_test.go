package evidence_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

func clerk(w *testcase.World) *evidence.Clerk {
	return &evidence.Clerk{Store: w.Store, Media: w.Media, Software: "wardwatch test", System: &pack.System{Program: "aa", Config: "bb", Zone: "Asia/Shanghai"}}
}

func openAlert(t testing.TB, w *testcase.World) ward.Case {
	t.Helper()
	c, err := clerk(w).OpenAlert(t.Context(), w.Alert, "收费窗口空刷", w.By)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func export(t testing.TB, w *testcase.World, id ward.CaseID) ([]byte, *evidence.Package) {
	t.Helper()
	p, err := clerk(w).Prepare(t.Context(), id, w.By, "移送")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != p.Size {
		t.Errorf("wrote %d bytes, Size says %d", b.Len(), p.Size)
	}
	return b.Bytes(), p
}

func verified(t testing.TB, b []byte, fingerprint string) verify.Report {
	t.Helper()
	r, err := verify.Package(bytes.NewReader(b), int64(len(b)), verify.Trust{Fingerprint: fingerprint})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fingerprint(w *testcase.World) string { return ledger.Fingerprint(w.Store.PublicKey()) }

func unpack(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	return files
}

func TestExportOfAnAlertVerifies(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		c := openAlert(t, w)
		b, p := export(t, w, c.ID)
		if len(p.Missing) != 0 {
			t.Errorf("missing: %+v", p.Missing)
		}
		r := verified(t, b, strings.ToUpper(fingerprint(w)))
		if len(r.Failures) != 0 || !r.Compared || r.Exit(false) != verify.ExitVerified {
			t.Fatalf("got %+v", r)
		}
		// alert, settlement, snapshot, three segments; case, camera, confirmed and filed; open, six adds, export
		if r.Items != 6 || r.Records != 5+1+1+2+8 || r.Events != 8 || r.Case != c.Number || r.By != string(w.By.ID) {
			t.Errorf("got %+v", r)
		}
		files := unpack(t, b)
		manifest := string(files["manifest.json"])
		for _, want := range []string{`"cause": "stalled"`, `"cause": "unknown"`, `"recorded_s": 30`, `"收费窗口 1"`, `"第一医院"`, c.Number} {
			if !strings.Contains(manifest, want) {
				t.Errorf("the manifest lacks %s", want)
			}
		}
		if r := verified(t, b, ""); !r.Authentic() || r.Compared || r.Exit(false) != verify.ExitUnchecked || r.Exit(true) != verify.ExitVerified {
			t.Errorf("without a fingerprint: %+v", r)
		}
		if r := verified(t, b, strings.Repeat("ab", 32)); r.Authentic() || len(r.Failures) != 1 || r.Failures[0].File != "key.pub" {
			t.Errorf("with another fingerprint: %+v", r.Failures)
		}
	})
}

func TestExportOfAVisitVerifies(t *testing.T) {
	w := testcase.SQLite(t)
	c, err := clerk(w).OpenVisit(t.Context(), w.Visit, "查房", w.By)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := export(t, w, c.ID)
	if r := verified(t, b, fingerprint(w)); r.Exit(false) != verify.ExitVerified || r.Items != 3 {
		t.Errorf("got %+v", r)
	}
	if !strings.Contains(string(unpack(t, b)["manifest.json"]), `"kind": "check_policy"`) {
		t.Error("what the checks required is not in the package")
	}
}

// The rule behind an alert is in the package as it was set then, and so is
// which camera, program and configuration it was.
func TestPackageTellsHowItCameAbout(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	set := ward.RuleSetting{Rule: ward.NobodyAtCounter, Mode: ward.RuleLive, Params: map[string]float64{}, By: w.By.ID}
	info, _ := ward.RuleOf(set.Rule)
	maps.Copy(set.Params, info.BuiltIn().Params)
	set, err := w.Store.SetRule(ctx, set, ward.BuiltInVersion)
	if err != nil {
		t.Fatal(err)
	}
	swiped := w.Start.Add(12 * time.Second)
	v, _, err := w.Store.AddSettlement(ctx, ward.Settlement{InstitutionID: "h1", PlaceID: "counter", ExternalNo: "S-2", InsuredID: "p-1", Kind: ward.Outpatient, At: swiped, AmountFen: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := ward.Alert{
		ID: ward.NewID[ward.AlertID](swiped), InstitutionID: "h1", PlaceID: "counter", CameraID: "cam-1", Rule: set.Rule, RuleVersion: set.Version, SettlementID: v.ID,
		At: swiped, Raised: swiped, Severity: 2, ClipFrom: w.Start, ClipTo: swiped,
	}
	if _, _, err = w.Store.Judge(ctx, storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{a}}); err != nil {
		t.Fatal(err)
	}
	c, err := clerk(w).OpenAlert(ctx, a.ID, "空刷", w.By)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := export(t, w, c.ID)
	if r := verified(t, b, fingerprint(w)); r.Exit(false) != verify.ExitVerified {
		t.Errorf("got %+v", r)
	}
	manifest := string(unpack(t, b)["manifest.json"])
	for _, want := range []string{
		`"kind": "rule"`, fmt.Sprintf(`"ref": "%s/%d"`, set.Rule, set.Version), `"stream": "rtsp://127.0.0.1/1"`, `"format": "video/mp4"`,
		`"program_sha256": "aa"`, `"config_sha256": "bb"`, `"time_zone": "Asia/Shanghai"`,
	} {
		if !strings.Contains(manifest, want) {
			t.Errorf("the manifest lacks %s", want)
		}
	}
	if strings.Contains(manifest, "hidden") {
		t.Error("a secret of the camera's address is in the manifest")
	}
}

func TestSecondExportDiffersOnlyInItsEvent(t *testing.T) {
	w := testcase.SQLite(t)
	c := openAlert(t, w)
	b1, _ := export(t, w, c.ID)
	b2, _ := export(t, w, c.ID)
	one, two := unpack(t, b1), unpack(t, b2)
	for name, body := range two {
		if name == "custody.json" || name == "checkpoint" || name == "SHA256SUMS" || name == "SM3SUMS" || strings.HasPrefix(name, "proofs/") {
			continue
		}
		if old, ok := one[name]; ok && !bytes.Equal(old, body) || !ok && !strings.HasPrefix(name, "records/custody-") {
			t.Errorf("%s differs", name)
		}
	}
	if len(two) != len(one)+2 {
		t.Errorf("%d and %d files", len(one), len(two))
	}
	for _, b := range [][]byte{b1, b2} {
		if r := verified(t, b, fingerprint(w)); !r.Authentic() {
			t.Errorf("%+v", r.Failures)
		}
	}
}

func TestASegmentFinishedLaterIsAdded(t *testing.T) {
	w := testcase.SQLite(t)
	c := openAlert(t, w)
	late := w.Record(w.Camera, w.Start.Add(35e9), 10e9, false)
	added, err := clerk(w).Complete(t.Context(), c.ID, w.By)
	if err != nil || len(added) != 1 || added[0].Ref != string(late.ID) || added[0].SHA256 != late.SHA256 {
		t.Fatalf("added %+v, %v", added, err)
	}
	if added, err = clerk(w).Complete(t.Context(), c.ID, w.By); err != nil || len(added) != 0 {
		t.Errorf("again: %+v, %v", added, err)
	}
	if b, _ := export(t, w, c.ID); !verified(t, b, fingerprint(w)).Authentic() {
		t.Error("does not verify")
	}
}

func TestMissingAndChangedOriginalsAreNamed(t *testing.T) {
	w := testcase.SQLite(t)
	c := openAlert(t, w)
	segs, err := w.Store.SegmentsBetween(t.Context(), w.Camera, w.Start, w.Start.Add(20e9))
	if err != nil || len(segs) != 2 {
		t.Fatal(segs, err)
	}
	w.Tamper(segs[0].Key, func([]byte) []byte { return nil })
	w.Tamper(segs[1].Key, func(b []byte) []byte { b[3] ^= 1; return b })
	b, p := export(t, w, c.ID)
	if len(p.Missing) != 2 {
		t.Fatalf("missing: %+v", p.Missing)
	}
	r := verified(t, b, fingerprint(w))
	if !r.Authentic() || r.Exit(false) != verify.ExitIncomplete || len(r.Missing) != 2 ||
		r.Missing[0].File != "segment/"+string(segs[0].ID) || r.Missing[1].File != "segment/"+string(segs[1].ID) {
		t.Errorf("got %+v", r)
	}
	var out strings.Builder
	if err := verify.Print(&out, r); err != nil || !strings.Contains(out.String(), string(segs[0].ID)) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestAnOriginalThatChangesDuringTheExportStopsIt(t *testing.T) {
	w := testcase.SQLite(t)
	c := openAlert(t, w)
	p, err := clerk(w).Prepare(t.Context(), c.ID, w.By, "")
	if err != nil {
		t.Fatal(err)
	}
	segs, err := w.Store.SegmentsBetween(t.Context(), w.Camera, w.Start, w.Start.Add(1e9))
	if err != nil {
		t.Fatal(err)
	}
	w.Tamper(segs[0].Key, func(b []byte) []byte { b[0] ^= 1; return b })
	if err := p.Write(t.Context(), io.Discard); ward.KindOf(err) != ward.Conflict || !strings.Contains(err.Error(), "media/cam-1/") {
		t.Errorf("got %v", err)
	}
}

// The promise of README.txt: stock tools recompute every hash.
func TestStockToolsReadThePackage(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	dir := t.TempDir()
	for name, body := range unpack(t, b) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("sha256sum", "--strict", "-c", "SHA256SUMS")
	for list, hash := range map[string]string{"SHA256SUMS": "-sha256", "SM3SUMS": "-sm3"} {
		text := string(unpack(t, b)[list])
		args := []string{"dgst", hash, "-r"}
		for l := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			_, name, _ := strings.Cut(l, "  ")
			args = append(args, name)
		}
		if out := strings.ReplaceAll(run("openssl", args...), " *", "  "); out != text {
			t.Errorf("openssl says %s, %s has %s", out, list, text)
		}
	}
	out := run("sh", "-c", "openssl pkey -pubin -in key.pub -outform DER | tail -c 32 | openssl dgst -sha256 -r")
	if !strings.HasPrefix(out, fingerprint(w)) {
		t.Errorf("openssl says the fingerprint is %s", out)
	}
	// The checkpoint's signature too, by hand: its text, and the 64 bytes after the key hash.
	note := unpack(t, b)["checkpoint"]
	text, sig, _ := bytes.Cut(note, []byte("\n\n"))
	if err := os.WriteFile(filepath.Join(dir, "text"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(sig)
	if err := os.WriteFile(filepath.Join(dir, "sig64"), append(fields[2], '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	run("sh", "-c", "base64 -d sig64 | tail -c 64 > sig && openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in text -sigfile sig")
}

func TestVerifyFile(t *testing.T) {
	w := testcase.SQLite(t)
	b, _ := export(t, w, openAlert(t, w).ID)
	path := filepath.Join(t.TempDir(), "p.zip")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code, err := verify.File(&out, path, verify.Trust{Fingerprint: fingerprint(w)}, false); code != verify.ExitVerified || err != nil || !strings.Contains(out.String(), "VERIFIED") {
		t.Errorf("%d %v %s", code, err, out.String())
	}
	if code, err := verify.File(&out, path, verify.Trust{}, false); code != verify.ExitUnchecked || err != nil {
		t.Errorf("%d %v", code, err)
	}
	if code, err := verify.File(&out, path+"x", verify.Trust{}, false); code != verify.ExitUsage || ward.KindOf(err) != ward.Invalid {
		t.Errorf("%d %v", code, err)
	}
}

func TestOpenGivesTheBytesThatWereHashed(t *testing.T) {
	w := testcase.SQLite(t)
	c := openAlert(t, w)
	items, err := w.Store.Evidence(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []ward.EvidenceKind
	for _, e := range items {
		r, mime, err := clerk(w).Open(t.Context(), e)
		if err != nil || mime == "" {
			t.Fatal(e.Kind, err)
		}
		b, err := io.ReadAll(r)
		if err != nil || sha256.Sum256(b) != e.SHA256 || r.Close() != nil {
			t.Errorf("%s %s: %v", e.Kind, e.Ref, err)
		}
		kinds = append(kinds, e.Kind)
	}
	slices.Sort(kinds)
	if len(slices.Compact(kinds)) != 4 {
		t.Errorf("got %v", kinds)
	}
}
