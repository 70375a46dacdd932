package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage/evidence/verify"
	"wardwatch/ward"
)

// What a case is about, its officers and its reviews go with it, proven.
func TestPackageTellsWhatTheCaseIsAbout(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	for _, id := range []ward.UserID{"o1", "o2", "r1"} {
		if err := w.Store.AddUser(ctx, ward.User{ID: id, Login: string(id), Name: "执法" + string(id), Role: ward.Inspector, AllInstitutions: true, Created: time.Now()}, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	id := openAlert(t, w).ID
	file := ward.CaseFile{
		CaseID: id, Cause: "空刷医保卡", Basis: []string{"条例第三十八条"}, Reason: "立案", Deadline: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond), Links: []ward.CaseLink{},
		Subjects: []ward.CaseSubject{{Kind: ward.InstitutionSubject, Ref: "h1"}}, Officers: []ward.CaseOfficer{{User: "o1", Certificate: "ZF-1"}, {User: "o2", Certificate: "ZF-2"}},
	}
	scan, err := clerk(w).AddFile(ctx, ward.Case{ID: id, InstitutionID: "h1"}, "签名.pdf", strings.NewReader("%PDF-1.7 signed"), 15, w.By)
	if err != nil || len(scan) != 1 {
		t.Fatal(scan, err)
	}
	file.Witnesses = []ward.CaseWitness{{Capacity: ward.CapacityHolder, Name: "钱持有", Post: "第一医院信息科", Signature: "another"}, {Capacity: ward.CapacityWitness, Name: "孙见证", Absent: "拒绝签名"}}
	if _, err := w.Store.SetCaseFile(ctx, file, w.By); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "case_file.signature"}) {
		t.Errorf("a signature that is no file of the case: %v", err)
	}
	file.Witnesses[0].Signature = scan[0].Ref
	if _, err := w.Store.SetCaseFile(ctx, file, w.By); err != nil {
		t.Fatal(err)
	}
	for i, s := range []struct {
		action ward.CaseAction
		by     ward.UserID
	}{{ward.CaseSubmit, "o1"}, {ward.CaseReturn, "r1"}} {
		if _, err := w.Store.StepCase(ctx, id, int64(i), s.action, "补充", ward.User{ID: s.by, Role: ward.Inspector}); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := export(t, w, id)
	j := newJudge(t, verify.Trust{Fingerprint: fingerprint(w)})
	r := j.of(t, "unchanged", b, false)
	var said bytes.Buffer
	if err := verify.Print(&said, r); err != nil {
		t.Fatal(err)
	}
	if !r.Authentic() || r.Cause != file.Cause || !slices.Equal(r.Officers, []string{"执法o1 ZF-1", "执法o2 ZF-2"}) || !strings.Contains(said.String(), "执法o2 ZF-2") {
		t.Fatalf("got %+v\n%s", r, &said)
	}
	for _, want := range []string{"持有人 holder: 钱持有 第一医院信息科，签名文件 signature in the file of SHA-256 " + hexOf(scan[0].SHA256), "见证人 witness: 孙见证 ，没有签名 NO SIGNATURE，原因 because: 拒绝签名"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &said)
		}
	}
	order, files := names(t, b), unpack(t, b)
	for _, name := range order {
		if !strings.HasPrefix(name, "records/case_") {
			continue
		}
		each(len(files[name]), func(i int) {
			bad := maps.Clone(files)
			bad[name] = bytes.Clone(files[name])
			bad[name][i] ^= []byte{1, 0x20, 0x80}[i%3]
			if j.of(t, fmt.Sprint(name, ": byte ", i), forge(order, bad), true).Authentic() {
				t.Errorf("%s: byte %d: accepted", name, i)
			}
		})
	}
	if n := len(slices.DeleteFunc(slices.Clone(order), func(n string) bool { return !strings.HasPrefix(n, "records/case_") })); n != 3 {
		t.Errorf("%d records of the file and its reviews", n)
	}
}
