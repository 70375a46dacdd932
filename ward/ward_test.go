package ward_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

func TestPermissions(t *testing.T) {
	all := []ward.Permission{ward.MayWatch, ward.MayManage, ward.MaySettle, ward.MayReview, ward.MayRound, ward.MayCase, ward.MayAppeal, ward.MayFlip, ward.MayAdminister}
	want := map[ward.Role]string{
		ward.Administrator: "watch manage settle review round case appeal flip administer",
		ward.Inspector:     "watch review round case",
		ward.Operator:      "watch manage settle",
		ward.Contact:       "appeal flip",
	}
	for role, list := range want {
		u := ward.User{Role: role, Institutions: []ward.InstitutionID{"own"}}
		for _, p := range all {
			allowed := strings.Contains(" "+list+" ", " "+string(p)+" ")
			if u.May(p, "own") != allowed || u.Can(p) != allowed {
				t.Errorf("%s %s: got %v, want %v", role, p, u.May(p, "own"), allowed)
			}
			if u.May(p, "other") || u.May(p, "") {
				t.Errorf("%s %s outside the scope is allowed", role, p)
			}
		}
		u.Disabled, u.AllInstitutions = true, true
		if u.May(ward.MayWatch, "own") {
			t.Errorf("a disabled %s is allowed", role)
		}
	}
}

func TestSecretsAndNamesStayHidden(t *testing.T) {
	c := ward.Camera{Password: "hunter2"}
	b, err := json.Marshal(struct{ P ward.Secret }{c.Password})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(b), fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c.Password, c.Password)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the password shows in %s", text)
		}
	}
	m := ward.Insured{Name: "张建国", IDNumber: "110101195003070019"}.Masked()
	if m.Name != "张*" || m.IDNumber != "110***********0019" {
		t.Errorf("got %+v", m)
	}
	if m := (ward.Insured{IDNumber: "1234"}).Masked(); m.IDNumber != "***" {
		t.Errorf("a short number: got %q", m.IDNumber)
	}
}

func TestIDs(t *testing.T) {
	now := time.Now()
	a, b := ward.NewID[ward.CaseID](now), ward.NewID[ward.CaseID](now.Add(time.Millisecond))
	if a >= b || len(a) != 26 || !ward.ValidID(string(a)) {
		t.Errorf("got %s, then %s", a, b)
	}
	for id, want := range map[string]bool{"cam-1": true, "a_b": true, "": false, "-a": false, "A": false, "a/b": false, "..": false, "a b": false, strings.Repeat("a", 65): false} {
		if ward.ValidID(id) != want {
			t.Errorf("%q: got %v", id, !want)
		}
	}
	key := ward.SegmentKey("h1", ward.Source{Kind: ward.FromCamera, ID: "c1"}, time.Date(2026, 11, 22, 7, 30, 1, 5e6, time.FixedZone("", 8*3600)), 12)
	if key != "v1/h1/c1/2026/11/21/23/20261121T233001.005Z-000012.mp4" {
		t.Errorf("got %s", key)
	}
}

func TestTemplates(t *testing.T) {
	a, b := ward.Template{1, 0}, ward.Template{0, 1}
	if a.Cosine(a) != 1 || a.Cosine(b) != 0 || a.Cosine(ward.Template{1}) != -1 || ward.Template(nil).Cosine(nil) != -1 {
		t.Error("cosine is wrong")
	}
	f := ward.Fuse([]ward.Template{a, b})
	if math.Abs(float64(f.Cosine(f))-1) > 1e-6 || math.Abs(float64(f[0]-f[1])) > 1e-6 {
		t.Errorf("got %v, want the unit diagonal", f)
	}
	if ward.Fuse(nil) != nil || ward.Fuse([]ward.Template{a, {1}}) != nil || ward.Fuse([]ward.Template{a, {-1, 0}}) != nil {
		t.Error("what cannot be fused gave a template")
	}
	th := ward.FaceThresholds{Match: .5, NoMatch: .4}
	for cosine, want := range map[float32]ward.Match{.5: ward.MatchYes, .49: ward.MatchUnsure, .4: ward.MatchUnsure, .39: ward.MatchNo} {
		if got := th.Judge(cosine); got != want {
			t.Errorf("%v: got %s, want %s", cosine, got, want)
		}
	}
}
