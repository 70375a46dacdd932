package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// reviewer gives s a user who may review h1.
func reviewer(t *testing.T, s *storage.Store, id ward.UserID, role ward.Role, insts ...ward.InstitutionID) {
	t.Helper()
	if err := s.AddUser(t.Context(), ward.User{ID: id, Login: string(id), Name: "姓名" + string(id), Role: role, Institutions: insts}, "", ""); err != nil {
		t.Fatal(err)
	}
}

// newAlert raises an alert of nobody_at_counter on a new settlement.
func newAlert(t *testing.T, s *storage.Store, no string) ward.Alert {
	t.Helper()
	v, _, err := s.AddSettlement(t.Context(), bill(no, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	raised, _, err := judged(t, s, v, ward.NobodyAtCounter)
	if err != nil || len(raised) != 1 {
		t.Fatal(raised, err)
	}
	return raised[0]
}

func step(action ward.AlertAction, by ward.UserID, note string) ward.AlertStep {
	return ward.AlertStep{Action: action, By: by, Note: note, Reason: ward.DismissWrong}
}

func TestAlertIsDealtWith(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		reviewer(t, s, "u2", ward.Inspector, "h1")
		reviewer(t, s, "u3", ward.Operator, "h1")
		a := newAlert(t, s, "a")
		if a.Version != 1 || a.Deadline.IsZero() {
			t.Errorf("raised: %+v", a)
		}
		for _, tc := range []struct {
			version int64
			step    ward.AlertStep
			state   ward.AlertState
			code    string
		}{
			{1, step(ward.AlertConfirm, "u1", ""), ward.AlertNew, "alert.note_missing"},
			{1, ward.AlertStep{Action: ward.AlertAssign, By: "u1", Assignee: "u3"}, ward.AlertNew, "alert.assignee"},
			{1, ward.AlertStep{Action: ward.AlertAssign, By: "u1", Assignee: "nobody"}, ward.AlertNew, "alert.assignee"},
			{1, ward.AlertStep{Action: ward.AlertAssign, By: "u1", Assignee: "u2"}, ward.AlertTaken, ""},
			{1, step(ward.AlertConfirm, "u1", "看过录像"), ward.AlertTaken, "alert.changed"},
			{2, step(ward.AlertConfirm, "u1", "看过录像"), ward.AlertConfirmed, ""},
			{3, step(ward.AlertDismiss, "u2", "no"), ward.AlertConfirmed, "alert.state"},
			{3, step(ward.AlertAppeal, "u3", "病人在诊室"), ward.AlertAppealed, ""},
			{4, step(ward.AlertTake, "u2", ""), ward.AlertTaken, ""},
			{5, step(ward.AlertDismiss, "u2", "属实"), ward.AlertDismissed, ""},
			{6, step(ward.AlertReopen, "u1", "新录像"), ward.AlertNew, ""},
		} {
			got, err := s.StepAlert(t.Context(), a.ID, tc.version, tc.step)
			if tc.code == "" && err != nil || tc.code != "" && !errors.Is(err, &ward.Error{Code: tc.code}) {
				t.Errorf("%s: got %v, want %q", tc.step.Action, err, tc.code)
			}
			stored, e := s.Alert(t.Context(), a.ID)
			if e != nil || stored.State != tc.state || err == nil && (stored.Version != got.Version || !stored.Deadline.Equal(got.Deadline) || stored.Assignee != got.Assignee) {
				t.Errorf("%s: stored %+v, answered %+v, %v", tc.step.Action, stored, got, e)
			}
		}
		if _, err := s.StepAlert(t.Context(), "none", 1, step(ward.AlertTake, "u1", "")); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown alert: %v", err)
		}
		events, err := s.AlertEvents(t.Context(), a.ID)
		var did []ward.AlertAction
		for i, e := range events {
			did = append(did, e.Action)
			kind := storage.KindDecision
			if i == 0 {
				kind = storage.KindAlert
			}
			r, err := s.Sealed(t.Context(), e.Leaf)
			if err != nil || r.Kind != kind || r.Ref != string(a.ID) || e.At.IsZero() {
				t.Errorf("%+v is sealed as %s %s, %v", e, r.Kind, r.Ref, err)
			}
		}
		if err != nil || !slices.Equal(did, []ward.AlertAction{"raise", "assign", "confirm", "appeal", "take", "dismiss", "reopen"}) || events[2].Note != "看过录像" || events[2].By != "u1" {
			t.Errorf("steps %+v, %v", events, err)
		}
		names, err := s.AlertAssignees(t.Context(), a)
		if err != nil || len(names) != 1 || names[0].ID != "u2" {
			t.Errorf("assignees %v, %v", names, err)
		}
		soundAlerts(t, s)
	})
}

// soundAlerts fails unless fsck finds every alert as it was sealed.
func soundAlerts(t *testing.T, s *storage.Store) {
	t.Helper()
	objs, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Fsck(t.Context(), storage.Media{Objects: objs}, storage.FsckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems { // the pictures are none
		if strings.HasPrefix(p.Where, "alert") && !strings.Contains(p.EN, "picture") {
			t.Errorf("fsck: %+v", p)
		}
	}
}

// TestOneOfManyDeciders: whoever decides on what they saw, one gets it and
// the others are told.
func TestOneOfManyDeciders(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		a := newAlert(t, s, "a")
		const deciders = 8
		errs := make([]error, deciders)
		var all sync.WaitGroup
		for i := range deciders {
			all.Go(func() {
				action := []ward.AlertAction{ward.AlertTake, ward.AlertConfirm, ward.AlertDismiss}[i%3]
				_, errs[i] = s.StepAlert(t.Context(), a.ID, a.Version, step(action, "u1", "看过"))
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "alert.changed"}) {
				t.Errorf("got %v", err)
			}
		}
		events, err := s.AlertEvents(t.Context(), a.ID)
		if won != 1 || err != nil || len(events) != 2 {
			t.Errorf("%d won, steps %+v, %v", won, events, err)
		}
		soundAlerts(t, s)
	})
}

func TestDeadlinesOfAlerts(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		p, err := s.AlertPolicy(t.Context())
		if err != nil || p != ward.DefaultAlertPolicy() {
			t.Fatalf("built in: %+v, %v", p, err)
		}
		p.HighHours, p.RemindHours, p.By = 10, 2, "u1"
		if p, err = s.SetAlertPolicy(t.Context(), p); err != nil || p.Version != 1 {
			t.Fatalf("set: %+v, %v", p, err)
		}
		p.Version = 0
		if _, err := s.SetAlertPolicy(t.Context(), p); !errors.Is(err, &ward.Error{Code: "alert_policy.changed"}) {
			t.Errorf("set on what was seen before: %v", err)
		}
		p.LowHours, p.Version = 0, 1
		if _, err := s.SetAlertPolicy(t.Context(), p); !errors.Is(err, &ward.Error{Code: "alert_policy.range"}) {
			t.Errorf("no time at all: %v", err)
		}
		a, done := newAlert(t, s, "a"), newAlert(t, s, "b")
		if _, err := s.StepAlert(t.Context(), done.ID, 1, step(ward.AlertDismiss, "u1", "误报")); err != nil {
			t.Fatal(err)
		}
		if got := time.Until(a.Deadline); got > 10*time.Hour || got < 9*time.Hour {
			t.Errorf("deadline in %v", got)
		}
		for _, tc := range []struct {
			now  time.Time
			want []ward.AlertAction
		}{
			{a.Deadline.Add(-3 * time.Hour), nil},
			{a.Deadline.Add(-2 * time.Hour), []ward.AlertAction{ward.AlertRemind}},
			{a.Deadline.Add(-time.Hour), []ward.AlertAction{ward.AlertRemind}},
			{a.Deadline, []ward.AlertAction{ward.AlertRemind, ward.AlertExpire}},
			{a.Deadline.Add(time.Hour), []ward.AlertAction{ward.AlertRemind, ward.AlertExpire}},
		} {
			if _, err := s.TickAlerts(t.Context(), tc.now); err != nil {
				t.Fatal(err)
			}
			events, err := s.AlertEvents(t.Context(), a.ID)
			var did []ward.AlertAction
			for _, e := range events[1:] {
				did = append(did, e.Action)
			}
			if err != nil || !slices.Equal(did, tc.want) {
				t.Errorf("at %v of the deadline: %v, want %v; %v", tc.now.Sub(a.Deadline), did, tc.want, err)
			}
		}
		late, _, err := s.Alerts(t.Context(), storage.AlertFilter{Overdue: a.Deadline.Add(time.Second)})
		if err != nil || len(late) != 1 || late[0].ID != a.ID {
			t.Errorf("overdue: %+v, %v", late, err)
		}
		soundAlerts(t, s)
	})
}

// TestFindings: the institution is told what was confirmed, and nothing else.
func TestFindings(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		newAlert(t, s, "waiting")
		a := newAlert(t, s, "confirmed")
		if _, err := s.StepAlert(t.Context(), a.ID, 1, step(ward.AlertConfirm, "u1", "看过录像")); err != nil {
			t.Fatal(err)
		}
		told := func(insts ...ward.InstitutionID) storage.Finding {
			t.Helper()
			got, err := s.Findings(t.Context(), insts, "", 10)
			if err != nil || len(got) > 1 {
				t.Fatalf("findings %+v, %v", got, err)
			}
			if len(got) == 0 {
				return storage.Finding{}
			}
			return got[0]
		}
		f := told("h1")
		if f.AlertID != a.ID || f.ExternalNo != "confirmed" || f.AmountFen != 1234 || f.AppealUntil.Sub(f.Decided) < 59*24*time.Hour || f.DecisionNote != "看过录像" {
			t.Errorf("got %+v", f)
		}
		if got := told("h2"); got.AlertID != "" {
			t.Errorf("another institution is told %+v", got)
		}
		if _, err := s.StepAlert(t.Context(), a.ID, f.Version, step(ward.AlertAppeal, "c1", "病人在诊室")); err != nil {
			t.Fatal(err)
		}
		if f = told("h1"); f.State != ward.AlertAppealed || f.Appeal != "病人在诊室" || f.AppealAt.IsZero() || !f.AppealUntil.IsZero() || f.DecisionNote != "" {
			t.Errorf("after the appeal: %+v", f)
		}
		if _, err := s.StepAlert(t.Context(), a.ID, f.Version, step(ward.AlertDismiss, "u1", "申诉成立")); err != nil {
			t.Fatal(err)
		}
		if f = told("h1"); f.State != ward.AlertDismissed || f.DecisionNote != "申诉成立" {
			t.Errorf("the answer to the appeal: %+v", f)
		}
		if got, err := s.Alert(t.Context(), a.ID); err != nil || bytes.Equal(got.SnapshotSHA[:], make([]byte, 32)) || got.Withdrawable() {
			t.Errorf("got %+v", got)
		}
	})
}
