package sweep

import (
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// What is late, wrong or left to people is told apart.
func TestReportTellsWhatWentWrong(t *testing.T) {
	start := time.Now()
	deadline := start.Add(time.Minute)
	in, late := start.Add(30*time.Second), start.Add(61*time.Second)
	for _, tc := range []struct {
		name                     string
		kind                     Kind
		verdict                  ward.Verdict
		decided                  time.Time
		missed, wrong, left, not int
	}{
		{"genuine, present", Genuine, ward.Present, in, 0, 0, 0, 0},
		{"genuine, too late", Genuine, ward.Present, late, 1, 0, 0, 0},
		{"genuine, told unable", Genuine, ward.Unable, in, 0, 1, 0, 1},
		{"genuine, left to people", Genuine, ward.Undecided, in, 0, 0, 1, 1},
		{"genuine, not let in", Genuine, ward.NoAnswer, in, 1, 1, 0, 1},
		{"genuine, never decided", Genuine, ward.NoVerdict, time.Time{}, 1, 1, 0, 1},
		{"impostor, found", Impostor, ward.Mismatch, in, 0, 0, 0, 0},
		{"impostor, passed", Impostor, ward.Present, in, 0, 1, 0, 0},
		{"impostor, left to people", Impostor, ward.Undecided, in, 0, 0, 1, 0},
		{"nobody, no answer", Nobody, ward.NoAnswer, late, 0, 0, 0, 0},
		{"nobody, present", Nobody, ward.Present, in, 0, 1, 0, 0},
	} {
		s := &sweep{Options: Options{Beds: 1, Institutions: 1, Service: 1}, most: 1}
		s.beds = []*bed{{kind: tc.kind, verdict: tc.verdict, deadline: deadline, began: start, left: start.Add(20 * time.Second), decided: tc.decided}}
		r := s.report(start, start, CPU{Service: 6 * time.Second, Workers: 24 * time.Second}, &board{})
		if r.Missed != tc.missed || len(r.Wrong) != tc.wrong || len(r.Left) != tc.left || r.NotPassed != tc.not {
			t.Errorf("%s: missed %d, wrong %d, left %d, not passed %d", tc.name, r.Missed, len(r.Wrong), len(r.Left), r.NotPassed)
		}
		if got, want := r.Met(), tc.missed+tc.wrong == 0; got != want {
			t.Errorf("%s: met is %v", tc.name, got)
		}
		if tc.kind != Nobody && r.PerCoreMinute != 2 { // one visit in half a minute of a core
			t.Errorf("%s: %.2f visits a core-minute", tc.name, r.PerCoreMinute)
		}
		var out strings.Builder
		if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "missed deadlines") {
			t.Errorf("%s: %v %s", tc.name, err, &out)
		}
	}
}

func TestDrawSpreadsWhoIsWhere(t *testing.T) {
	s := &sweep{Options: Options{Beds: 1000, Institutions: 40, Absent: 4, Impostors: 3, Seed: 1, Over: time.Minute}}
	s.draw()
	kinds, in, places := map[Kind]int{}, map[int]int{}, map[int]bool{}
	for _, x := range s.beds {
		kinds[x.kind]++
		in[x.institution]++
		places[x.number] = true
		if x.comes < 0 || x.comes >= time.Minute {
			t.Errorf("comes after %v", x.comes)
		}
	}
	if kinds[Nobody] != 40 || kinds[Impostor] != 30 || kinds[Genuine] != 930 || len(in) != 40 || in[0] != 25 || len(places) != 1000 {
		t.Errorf("%v, %d institutions, %d beds in the first, %d places", kinds, len(in), in[0], len(places))
	}
}

func TestQuantile(t *testing.T) {
	all := []time.Duration{5, 1, 4, 2, 3}
	if a, b, c := quantile(all, .5), quantile(all, 1), quantile(nil, .5); a != 3 || b != 5 || c != 0 {
		t.Error(a, b, c)
	}
}
