package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"wardwatch/storage/evidence"
	"wardwatch/ward"
)

// read gives a PDF's text without spaces, by another program.
func read(t *testing.T, pdf []byte) string {
	t.Helper()
	c := exec.Command("pdftotext", "-layout", "-", "-")
	c.Stdin = bytes.NewReader(pdf)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("pdftotext: %v: run deploy/setup.sh test", err)
	}
	return strings.Join(strings.Fields(string(out)), "")
}

func TestDocumentsOfACase(t *testing.T) {
	w := newWorld(t).serve()
	one, two := w.user(ward.Inspector, "own"), w.user(ward.Inspector, "own")
	a := w.as(one)
	c := w.openCase()
	base := "/api/v1/cases/" + string(c.ID)
	a.do(http.MethodPut, base+"/file", m{
		"version": 0, "subjects": []m{}, "cause": "空刷医保卡", "basis": []string{"条例第三十八条"},
		"officers": []m{{"user": one.ID, "certificate": "ZF-1"}, {"user": two.ID, "certificate": "ZF-2"}}, "links": []m{}, "reason": "立案",
	}).want(200, "")
	a.do(http.MethodPost, base+"/prints", m{"document": "evidence_list", "reason": ""}).want(422, "")
	a.do(http.MethodPost, base+"/prints", m{"document": "visit_record", "visit_id": "nothing", "reason": "移送"}).want(422, "print.visit")
	got := a.do(http.MethodPost, base+"/prints", m{"document": "evidence_list", "reason": "移送"}).want(200, "").body
	text := read(t, got)
	items, err := w.store.Evidence(t.Context(), c.ID)
	must(t, err)
	want := []string{"电子数据提取固定清单", c.Number, "空刷医保卡", "条例第三十八条", "执法证号ZF-1", "执法证号ZF-2", "见证人", "SHA-256"}
	for _, e := range items {
		want = append(want, hex.EncodeToString(e.SHA256[:])[:24])
	}
	for _, v := range want {
		if !strings.Contains(text, v) {
			t.Errorf("%q is not in %s", v, text)
		}
	}
	if again := a.do(http.MethodPost, base+"/prints", m{"document": "evidence_list", "reason": "移送"}).want(200, "").body; !bytes.Equal(got, again) {
		t.Error("the same case prints other bytes")
	}
	custody, err := w.store.Custody(t.Context(), c.ID)
	must(t, err)
	sum := sha256.Sum256(got)
	if last := custody[len(custody)-1]; last.Action != ward.ActionPrint || last.Reason != "移送" || last.Object != "print/evidence_list" || last.SHA256 != hex.EncodeToString(sum[:]) || last.Actor != one.ID {
		t.Errorf("recorded %+v", last)
	}
	if regexp.MustCompile(`〓|字体缺少`).MatchString(text) {
		t.Errorf("the font lacks something: %s", text)
	}
}

func TestRecordOfAVisit(t *testing.T) {
	w := newWorld(t).serve()
	one := w.user(ward.Inspector, "own")
	v, _ := w.visit()
	now := time.Now()
	for i, e := range []struct {
		kind string
		body m
	}{
		{"opened", m{}},
		{"consent", m{"agree": true}},
		{"command", m{"cmd": "turn_left", "id": 1, "try": 1}},
		{"receipt", m{"id": 1}},
		{"answer", m{"id": 1, "cmd": "turn_left", "result": "turned", "after_ms": 1022, "yaw": 11.8}},
		{"check", m{"check": "liveness", "outcome": "pass"}},
	} {
		must(t, w.store.AddVisitEvent(t.Context(), v.ID, e.kind, now.Add(time.Duration(i)*time.Second), e.body))
	}
	v.Verdict, v.ReasonZH, v.ReasonEN = ward.Present, "全部核验通过", "All checks passed"
	v, err := w.store.SealVisit(t.Context(), v, []ward.Check{{VisitID: v.ID, Kind: ward.CheckLive, Outcome: ward.Pass, DetailZH: "动作均在时限内", DetailEN: "in time", Score: .4321, At: now}})
	must(t, err)
	other := w.openCase()
	ask := m{"document": "visit_record", "visit_id": v.ID, "reason": "签字"}
	w.as(one).do(http.MethodPost, "/api/v1/cases/"+string(other.ID)+"/prints", ask).want(422, "print.visit")
	k := evidence.Clerk{Store: w.store, Media: w.media()}
	c, err := k.OpenVisit(t.Context(), v.ID, "查房", one)
	must(t, err)
	text := read(t, w.as(one).do(http.MethodPost, "/api/v1/cases/"+string(c.ID)+"/prints", ask).want(200, "").body)
	for _, want := range []string{"远程查房笔录", c.Number, "张三", "抽查", "患者同意", "提示：", "1.0秒", "真人在场", "通过", "动作均在时限内", "本人在院", "全部核验通过", "见证人"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	for _, never := range []string{"0.43", "11.8", w.insured.IDNumber} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in it", never)
		}
	}
}
