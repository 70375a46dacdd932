package ward_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// raised is a new alert of a severity.
func raised(t testing.TB, s ward.Severity) ward.Alert {
	t.Helper()
	a := ward.Alert{ID: "a1", Severity: s}
	if _, err := a.Apply(ward.AlertStep{Action: ward.AlertRaise, At: noon}, ward.DefaultAlertPolicy()); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAlertSteps(t *testing.T) {
	type steps []ward.AlertStep
	by := func(action ward.AlertAction, who ward.UserID, note string) ward.AlertStep {
		return ward.AlertStep{Action: action, By: who, At: noon.Add(time.Hour), Note: note, Reason: ward.DismissWrong, Assignee: "u2", Deadline: noon.Add(48 * time.Hour)}
	}
	late := by(ward.AlertAppeal, "c", "不是我们")
	late.At = noon.AddDate(0, 0, 61)
	odd := by(ward.AlertDismiss, "u1", "不清楚")
	odd.Reason = "because"
	for name, tc := range map[string]struct {
		steps    steps
		state    ward.AlertState
		assignee ward.UserID
		want     string // code of the last step's error
	}{
		"take":                       {steps{by(ward.AlertTake, "u1", "")}, ward.AlertTaken, "u1", ""},
		"take a taken one":           {steps{by(ward.AlertTake, "u1", ""), by(ward.AlertTake, "u2", "")}, ward.AlertTaken, "u1", "alert.state"},
		"assign":                     {steps{by(ward.AlertTake, "u1", ""), by(ward.AlertAssign, "u1", "")}, ward.AlertTaken, "u2", ""},
		"assign to the same":         {steps{by(ward.AlertAssign, "u1", ""), by(ward.AlertAssign, "u1", "")}, ward.AlertTaken, "u2", "alert.assigned"},
		"give back":                  {steps{by(ward.AlertTake, "u1", ""), by(ward.AlertRelease, "u1", "")}, ward.AlertNew, "", ""},
		"confirm":                    {steps{by(ward.AlertConfirm, "u1", "看过录像")}, ward.AlertConfirmed, "", ""},
		"confirm without a reason":   {steps{by(ward.AlertConfirm, "u1", "")}, ward.AlertNew, "", "alert.note_missing"},
		"dismiss a confirmed one":    {steps{by(ward.AlertConfirm, "u1", "x"), by(ward.AlertDismiss, "u2", "y")}, ward.AlertConfirmed, "", "alert.state"},
		"dismiss for no known cause": {steps{odd}, ward.AlertNew, "", "alert.reason_code"},
		"reopen":                     {steps{by(ward.AlertTake, "u1", ""), by(ward.AlertDismiss, "u1", "x"), by(ward.AlertReopen, "u2", "新证据")}, ward.AlertNew, "", ""},
		"appeal":                     {steps{by(ward.AlertConfirm, "u1", "x"), by(ward.AlertAppeal, "c", "y")}, ward.AlertAppealed, "", ""},
		"appeal a dismissed one":     {steps{by(ward.AlertDismiss, "u1", "x"), by(ward.AlertAppeal, "c", "y")}, ward.AlertDismissed, "", "alert.state"},
		"appeal too late":            {steps{by(ward.AlertConfirm, "u1", "x"), late}, ward.AlertConfirmed, "", "alert.appeal_late"},
		"appeal twice": {
			steps{by(ward.AlertConfirm, "u1", "x"), by(ward.AlertAppeal, "c", "y"), by(ward.AlertConfirm, "u2", "z"), by(ward.AlertAppeal, "c", "y")},
			ward.AlertConfirmed, "", "alert.appealed",
		},
		"give an appeal back":    {steps{by(ward.AlertConfirm, "u1", "x"), by(ward.AlertAppeal, "c", "y"), by(ward.AlertTake, "u2", ""), by(ward.AlertRelease, "u2", "")}, ward.AlertAppealed, "", ""},
		"extend a dismissed one": {steps{by(ward.AlertDismiss, "u1", "x"), by(ward.AlertExtend, "u1", "y")}, ward.AlertDismissed, "", "alert.state"},
	} {
		a := raised(t, 2)
		var err error
		for _, s := range tc.steps {
			if err != nil {
				t.Errorf("%s: %v before the last step", name, err)
			}
			_, err = a.Apply(s, ward.DefaultAlertPolicy())
		}
		if tc.want == "" && err != nil || tc.want != "" && !errors.Is(err, &ward.Error{Code: tc.want}) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if a.State != tc.state || a.Assignee != tc.assignee && a.State.Open() {
			t.Errorf("%s: got %s of %q, want %s of %q", name, a.State, a.Assignee, tc.state, tc.assignee)
		}
	}
}

// TestAlertClock: reminded once before the deadline and overdue once after it.
func TestAlertClock(t *testing.T) {
	for severity, deadline := range map[ward.Severity]time.Duration{3: 24 * time.Hour, 2: 72 * time.Hour, 1: 168 * time.Hour} {
		a := raised(t, severity)
		if got := a.Deadline.Sub(noon); got != deadline {
			t.Errorf("severity %d: got %v, want %v", severity, got, deadline)
		}
		var did []ward.AlertAction
		for now := noon; now.Before(noon.Add(deadline + 48*time.Hour)); now = now.Add(30 * time.Minute) {
			if step, ok := a.Due(now); ok {
				did = append(did, step.Action)
				if _, err := a.Apply(step, ward.DefaultAlertPolicy()); err != nil {
					t.Fatal(err)
				}
				if at := now.Sub(a.Deadline); at != 0 && at != -4*time.Hour {
					t.Errorf("severity %d: %s %v from the deadline", severity, step.Action, at)
				}
			}
		}
		if !slices.Equal(did, []ward.AlertAction{ward.AlertRemind, ward.AlertExpire}) {
			t.Errorf("severity %d: got %v", severity, did)
		}
	}
	shadow := ward.Alert{Shadow: true}
	if _, err := shadow.Apply(ward.AlertStep{Action: ward.AlertRaise, At: noon}, ward.DefaultAlertPolicy()); err != nil || !shadow.Deadline.IsZero() {
		t.Errorf("in shadow: %v, %v", err, shadow.Deadline)
	}
}

// TestAlertLife walks at random: whatever is asked, the steps that are taken
// count without holes, lead from where the one before led, and name who
// decided; what is refused changes nothing.
func TestAlertLife(t *testing.T) {
	actions := []ward.AlertAction{
		ward.AlertRestate, ward.AlertWithdraw, ward.AlertRemind, ward.AlertExpire, ward.AlertFile, ward.AlertTake, ward.AlertAssign, ward.AlertRelease,
		ward.AlertExtend, ward.AlertConfirm, ward.AlertDismiss, ward.AlertReopen, ward.AlertAppeal,
	}
	rapid.Check(t, func(t *rapid.T) {
		policy := ward.DefaultAlertPolicy()
		a := ward.Alert{ID: "a1", Severity: ward.Severity(rapid.IntRange(1, 3).Draw(t, "severity"))}
		last, err := a.Apply(ward.AlertStep{Action: ward.AlertRaise, At: noon}, policy)
		if err != nil {
			t.Fatal(err)
		}
		now, appeals := noon, 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour)
			before := a
			e, err := a.Apply(ward.AlertStep{
				Action: rapid.SampledFrom(actions).Draw(t, "action"), By: rapid.SampledFrom([]ward.UserID{"u1", "u2"}).Draw(t, "by"), At: now,
				Note: rapid.SampledFrom([]string{"", "note"}).Draw(t, "note"), Reason: ward.DismissUnclear,
				Assignee: rapid.SampledFrom([]ward.UserID{"", "u1", "u3"}).Draw(t, "assignee"), Deadline: now.Add(10 * time.Hour),
			}, policy)
			if err != nil {
				if ward.KindOf(err) == "" || a.State != before.State || a.Version != before.Version || a.Assignee != before.Assignee || a.Deadline != before.Deadline {
					t.Fatalf("refused (%v) and changed: %+v to %+v", err, before, a)
				}
				continue
			}
			if e.Seq != last.Seq+1 || e.From != last.To || e.To != a.State || a.Version != e.Seq {
				t.Fatalf("%+v after %+v", e, last)
			}
			decided := a.State == ward.AlertConfirmed || a.State == ward.AlertDismissed || a.State == ward.AlertWithdrawn
			if decided == a.State.Open() || decided == a.Decided.IsZero() || a.State.Open() && (a.DecidedBy != "" || a.DecisionNote != "" || a.Reason != "") {
				t.Fatalf("decision and state differ: %+v", a)
			}
			if (a.Reason != "") != (a.State == ward.AlertDismissed) || e.Reason != a.Reason {
				t.Fatalf("a reason of a dismissal without one, or none: %+v", a)
			}
			if (a.State == ward.AlertTaken) == (a.Assignee == "") && a.State.Open() {
				t.Fatalf("taken by nobody, or waiting with somebody: %+v", a)
			}
			if e.Action == ward.AlertAppeal {
				appeals++
			}
			if appeals > 1 || before.State == ward.AlertConfirmed && e.Action != ward.AlertAppeal && e.Action != ward.AlertFile {
				t.Fatalf("a confirmation fell by %+v, after %d appeals", e, appeals)
			}
			last = e
		}
	})
}
