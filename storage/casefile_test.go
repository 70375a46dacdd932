package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

// officers are two users who may be a case's officers, and two who review.
func officers(t *testing.T, w *testcase.World) {
	t.Helper()
	if err := w.Store.PutInsured(t.Context(), ward.Insured{ID: "p-1", Name: "张三", IDNumber: "n1"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ward.UserID{"o1", "o2", "r1", "r2"} {
		if err := w.Store.AddUser(t.Context(), ward.User{ID: id, Login: string(id), Role: ward.Inspector, AllInstitutions: true, Created: time.Now()}, "", ""); err != nil {
			t.Fatal(err)
		}
	}
}

func theFile(id ward.CaseID) ward.CaseFile {
	return ward.CaseFile{
		CaseID: id, Cause: "空刷医保卡", Basis: []string{"医疗保障基金使用监督管理条例第三十八条"}, Reason: "立案",
		Subjects: []ward.CaseSubject{{Kind: ward.PersonSubject, Ref: "p-1"}, {Kind: ward.InstitutionSubject, Ref: "h1"}},
		Officers: []ward.CaseOfficer{{User: "o1", Certificate: "ZF-1"}, {User: "o2", Certificate: "ZF-2"}}, Links: []ward.CaseLink{},
	}
}

func TestCaseFileIsVersionedAndSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		officers(t, w)
		c := withCase(t, w)
		empty, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "线索"}, nil, w.By)
		if err != nil {
			t.Fatal(err)
		}
		by := ward.User{ID: "o1", Role: ward.Inspector}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.Store.SetCaseFile(ctx, theFile(c.ID), by) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "case_file.changed"}) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of 4 set the first version", won)
		}
		next := theFile(c.ID)
		next.Version, next.Subjects, next.Links = 1, next.Subjects[:1], []ward.CaseLink{{CaseID: empty.ID, Reason: "同一参保人"}}
		set, err := w.Store.SetCaseFile(ctx, next, by)
		if err != nil || set.Version != 2 {
			t.Fatalf("got %+v, %v", set, err)
		}
		for code, change := range map[string]func(*ward.CaseFile){
			"case_file.officer":     func(f *ward.CaseFile) { f.Officers[1].User = "nobody" },
			"case_file.officers":    func(f *ward.CaseFile) { f.Officers[1].User = "o1" },
			"case_file.certificate": func(f *ward.CaseFile) { f.Officers[0].Certificate = "" },
			"case_file.link":        func(f *ward.CaseFile) { f.Links = []ward.CaseLink{{CaseID: "x", Reason: "y"}} },
			"case_file.reason":      func(f *ward.CaseFile) { f.Reason = "" },
			"case_file.subject":     func(f *ward.CaseFile) { f.Subjects = append(f.Subjects, f.Subjects[0]) },
		} {
			bad := theFile(c.ID)
			bad.Version = 2
			change(&bad)
			if _, err := w.Store.SetCaseFile(ctx, bad, by); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: code}) {
				t.Errorf("%s: %v", code, err)
			}
		}
		about := func(kind ward.SubjectKind, ref string, insts []ward.InstitutionID) int {
			all, err := w.Store.CasesAbout(ctx, ward.CaseSubject{Kind: kind, Ref: ref}, insts)
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		if about(ward.PersonSubject, "p-1", nil) != 1 || about(ward.InstitutionSubject, "h1", nil) != 0 || about(ward.PersonSubject, "p-1", []ward.InstitutionID{"h2"}) != 0 {
			t.Error("a case is not found by the subjects of its newest version in scope")
		}
		if from, err := w.Store.LinkedFrom(ctx, empty.ID); err != nil || len(from) != 1 || from[0].CaseID != c.ID {
			t.Errorf("got %+v, %v", from, err)
		}
		if r := check(t, w); !r.OK() {
			t.Fatalf("got %+v", r.Problems)
		}
		version := fmt.Sprintf("%s/1", c.ID)
		if named := cell(t, w, "case_version", "body", "version = 1", func(v any) any { return strings.Replace(fmt.Sprint(v), "ZF-2", "ZF-3", 1) }); !slices.Contains(named, "case_version/"+version) {
			t.Errorf("fsck names %v", named)
		}
		w.Exec(`DELETE FROM case_subject`)
		if named := where(check(t, w)); !slices.Contains(named, "case_file/"+string(c.ID)) {
			t.Errorf("fsck names %v", named)
		}
	})
}

func TestCaseGoesThroughItsReviews(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		officers(t, w)
		c := withCase(t, w)
		step := func(seen int64, action ward.CaseAction, by ward.UserID) error {
			_, err := w.Store.StepCase(ctx, c.ID, seen, action, "意见", ward.User{ID: by, Role: ward.Inspector})
			return err
		}
		if err := step(0, ward.CaseSubmit, "o1"); !errors.Is(err, &ward.Error{Code: "case.unready"}) {
			t.Errorf("without a file: %v", err)
		}
		if _, err := w.Store.SetCaseFile(ctx, theFile(c.ID), w.By); err != nil {
			t.Fatal(err)
		}
		for i, s := range []struct {
			action ward.CaseAction
			by     ward.UserID
		}{
			{ward.CaseSubmit, "o1"},
			{ward.CasePass, "r1"},
			{ward.CaseReturn, "r2"},
			{ward.CaseSubmit, "o2"},
			{ward.CasePass, "r2"},
			{ward.CasePass, "r1"},
			{ward.CaseAppeal, "r1"},
			{ward.CaseRecheck, "o1"},
			{ward.CasePass, "r1"},
			{ward.CasePass, "r2"},
			{ward.CaseClose, "r1"},
		} {
			if err := step(int64(i), s.action, s.by); err != nil {
				t.Fatalf("step %d: %v", i+1, err)
			}
		}
		if err := step(3, ward.CaseReopen, "r1"); !errors.Is(err, &ward.Error{Code: "case.changed"}) {
			t.Errorf("a step by who has not seen the last: %v", err)
		}
		f := theFile(c.ID)
		f.Version = 1
		if _, err := w.Store.SetCaseFile(ctx, f, w.By); !errors.Is(err, &ward.Error{Code: "case.closed"}) {
			t.Errorf("the file of a closed case: %v", err)
		}
		steps, err := w.Store.CaseSteps(ctx, c.ID)
		if err != nil || len(steps) != 11 || ward.CaseStateOf(steps) != ward.CaseClosed {
			t.Fatalf("got %+v, %v", steps, err)
		}
		if r := check(t, w); !r.OK() {
			t.Fatalf("got %+v", r.Problems)
		}
		if named := cell(t, w, "case_step", "by_user", "seq = 6", to("r2")); !slices.Contains(named, "case_step/"+string(c.ID)+"/6") {
			t.Errorf("fsck names %v", named)
		}
		w.Exec(`DELETE FROM case_step WHERE seq = 11`)
		if named := where(check(t, w)); len(named) == 0 {
			t.Error("a step is gone and fsck says nothing")
		}
	})
}

// Numbers follow the pattern of the day and are never given twice.
func TestCaseNumbersFollowThePattern(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		year := time.Now().In(time.FixedZone("", 8*60*60)).Year()
		var got []string
		for _, pattern := range []string{"", "", "医保稽〔{year}〕专{n:2}号", "医保稽〔{year}〕专{n:2}号", "", "{year}%d{n:1}"} {
			w.Options.CaseNumbers = pattern
			if pattern == "{year}%d{n:1}" {
				if _, err := storage.Open(t.Context(), w.Options); !errors.Is(err, &ward.Error{Code: "cases.number"}) {
					t.Errorf("a bad pattern: %v", err)
				}
				continue
			}
			w.Reopen()
			c, err := w.Store.OpenCase(t.Context(), ward.Case{InstitutionID: "h1", Title: "线索"}, nil, w.By)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c.Number)
		}
		y := fmt.Sprintf("医保稽〔%d〕", year)
		if want := []string{y + "000001号", y + "000002号", y + "专01号", y + "专02号", y + "000003号"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}
