package evidence_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/evidence/verify"
	"wardwatch/ward"
)

// TestWhatADeviceGaveIsLabelledAsEvidence: a gap of a case is filled after the
// case was opened; the package has the file with its role, the gap still, and
// whoever verifies it is told in words.
func TestWhatADeviceGaveIsLabelledAsEvidence(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		c := openAlert(t, w)
		without, _ := export(t, w, c.ID)
		if strings.Contains(words(t, verified(t, without, fingerprint(w))), "backfill") {
			t.Error("a package without such a recording speaks of one")
		}
		w.Origin = ward.FromDevice
		given := w.Record(w.Camera, w.Start.Add(21*time.Second), 4*time.Second, true)
		if added, err := clerk(w).Complete(t.Context(), c.ID, w.By); err != nil || len(added) != 1 || added[0].Ref != string(given.ID) {
			t.Fatalf("added %+v, %v", added, err)
		}
		b, _ := export(t, w, c.ID)
		var m pack.Manifest
		if err := json.Unmarshal(unpack(t, b)["manifest.json"], &m); err != nil {
			t.Fatal(err)
		}
		roles := map[pack.Role][]string{}
		for _, f := range m.Files {
			roles[f.Role] = append(roles[f.Role], f.SHA256)
		}
		if got := roles[pack.RoleBackfill]; len(got) != 1 || got[0] != hexOf(given.SHA256) || len(roles[pack.RoleOriginal]) != 3 {
			t.Errorf("the roles are %v", roles)
		}
		r := m.Recordings[0]
		if r.Recorded != 30 || r.Filled != 4 || len(r.Gaps) == 0 || r.Gaps[0].Cause != ward.CauseStalled || r.Gaps[0].To.Sub(r.Gaps[0].From) != 5*time.Second {
			t.Errorf("of the stretch it says %+v", r)
		}
		rep := verified(t, b, fingerprint(w))
		if rep.Exit(false) != verify.ExitVerified || rep.Filled != 1 || rep.FilledFor != 4*time.Second {
			t.Errorf("got %+v", rep)
		}
		for _, want := range []string{"补录 backfilled:  1 个录像文件 recordings, 4.0 秒 s", "并非当时录制", "not recorded as it happened", "followed a time source: 4 个", "at most 0.0 秒", "ONVIF 0，Axis 0，无 none 4，", "型号 model X-200, 固件 firmware 1.4.2, 序列号 serial SN-0001", "由管理员登记"} {
			if text := words(t, rep); !strings.Contains(text, want) {
				t.Errorf("verify does not say %q:\n%s", want, text)
			}
		}
	})
}

func words(t testing.TB, r verify.Report) string {
	t.Helper()
	var b strings.Builder
	if err := verify.Print(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
