package ward_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

func TestCaseNumbers(t *testing.T) {
	for pattern, want := range map[string][2]string{
		ward.DefaultCaseNumbers: {"医保稽〔2026〕000001号", "医保稽〔2026〕000010号"},
		"A-{n:1}":               {"A-1", "A-10"},
		"{year}/{n:3}":          {"2026/001", "2026/010"},
		"{n:2}-{year}":          {"01-2026", "10-2026"},
	} {
		c, err := ward.ParseCaseNumbers(pattern)
		if err != nil {
			t.Fatal(pattern, err)
		}
		for i, n := range []int{1, 10} {
			got := c.Number(2026, n)
			if back, ok := c.Count(2026, got); got != want[i] || !ok || back != n {
				t.Errorf("%s: got %s, which is read as %d (%v)", pattern, got, back, ok)
			}
			if _, ok := c.Count(2026, got+"x"); ok {
				t.Errorf("%sx is a number of %s", got, pattern)
			}
		}
	}
	for _, bad := range []string{"", "{n:6}", "A{n}", "A{n:0}", "A{n:10}", "A{n:+3}", "A{n:3}{n:3}", "A{year}{year}{n:3}", "A%{n:3}", "A_{n:3}", "{month}{n:3}"} {
		if _, err := ward.ParseCaseNumbers(bad); !errors.Is(err, &ward.Error{Code: "cases.number"}) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// However the steps go: nobody reviews what is theirs, both levels are two
// people, and a case is decided only after both agreed since it was handed in.
func TestCaseIsDecidedByFourPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := ward.CaseFile{Cause: "空刷", Basis: []string{"条例第三十八条"}, Officers: []ward.CaseOfficer{{User: "o1", Certificate: "1"}, {User: "o2", Certificate: "2"}}}
		var steps []ward.CaseStep
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			action := rapid.SampledFrom([]ward.CaseAction{ward.CaseSubmit, ward.CasePass, ward.CaseReturn, ward.CaseAppeal, ward.CaseClose, ward.CaseReopen, ward.CaseRecheck}).Draw(t, "action")
			by := rapid.SampledFrom([]ward.UserID{"o1", "o2", "r1", "r2", "r3"}).Draw(t, "by")
			s, err := ward.StepCase(f, steps, action, by, "意见", time.Now())
			if err != nil {
				continue
			}
			steps = append(steps, s)
		}
		for i, s := range steps {
			if s.To == ward.CaseDecided {
				if i < 2 || steps[i-1].Action != ward.CasePass || steps[i-1].By == s.By {
					t.Fatalf("decided by %+v after %+v", s, steps[:i])
				}
				if in := steps[i-2]; in.By != "o1" && in.By != "o2" {
					t.Fatalf("handed in by %s", in.By)
				}
			}
			if officer := s.By == "o1" || s.By == "o2"; officer && (s.Action == ward.CasePass || s.Action == ward.CaseReturn || s.Action == ward.CaseClose) {
				t.Fatalf("an officer reviewed: %+v", s)
			}
		}
	})
}

func TestCaseSteps(t *testing.T) {
	f := ward.CaseFile{Cause: "空刷", Basis: []string{"条例"}, Officers: []ward.CaseOfficer{{User: "o1", Certificate: "1"}, {User: "o2", Certificate: "2"}}}
	passed := []ward.CaseStep{{Action: ward.CaseSubmit, To: ward.CaseFirst, By: "o1"}, {Action: ward.CasePass, To: ward.CaseSecond, By: "r1"}}
	for _, c := range []struct {
		f      ward.CaseFile
		steps  []ward.CaseStep
		action ward.CaseAction
		by     ward.UserID
		note   string
		code   string
	}{
		{ward.CaseFile{}, nil, ward.CaseSubmit, "o1", "", "case.unready"},
		{f, nil, ward.CaseSubmit, "r1", "", "case.officer"},
		{f, nil, ward.CaseSubmit, "o2", "", ""},
		{f, nil, ward.CasePass, "r1", "同意", "case.state"},
		{f, passed[:1], ward.CasePass, "o1", "同意", "case.own"},
		{f, passed[:1], ward.CasePass, "r1", " ", "case.note"},
		{f, passed, ward.CasePass, "r1", "同意", "case.same"},
		{f, passed, ward.CasePass, "r2", "同意", ""},
		{f, passed, ward.CaseReturn, "r1", "补充证据", ""},
	} {
		_, err := ward.StepCase(c.f, c.steps, c.action, c.by, c.note, time.Now())
		if (c.code == "") != (err == nil) || c.code != "" && !errors.Is(err, &ward.Error{Code: c.code}) {
			t.Errorf("%s by %s: %v, want %q", c.action, c.by, err, c.code)
		}
	}
}
