package storage_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestPrecision(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		n := 0
		decide := func(rule ward.Rule, camera ward.CameraID, shadow bool, steps ...ward.AlertStep) {
			t.Helper()
			n++
			v, _, err := s.AddSettlement(t.Context(), bill(fmt.Sprint(n), time.Now()))
			if err != nil {
				t.Fatal(err)
			}
			a := alertOn(v, rule)
			a.CameraID, a.Shadow = camera, shadow
			state := map[bool]ward.SettlementState{false: ward.Suspicious, true: ward.Clear}[shadow]
			raised, _, err := s.Judge(t.Context(), storage.Judgement{Settlement: v, State: state, Stage: ward.JudgedFully, Alerts: []ward.Alert{a}})
			if err != nil || len(raised) != 1 {
				t.Fatal(raised, err)
			}
			for i, st := range steps {
				if _, err := s.StepAlert(t.Context(), raised[0].ID, int64(i)+1, st); err != nil {
					t.Fatal(err)
				}
			}
		}
		yes, no := step(ward.AlertConfirm, "u1", "x"), step(ward.AlertDismiss, "u1", "x")
		test := no
		test.Reason = ward.DismissTest
		began := time.Now().Add(-time.Second)
		for range 3 {
			decide(ward.NobodyAtCounter, "c1", false, yes)
		}
		decide(ward.NobodyAtCounter, "c1", false, no)
		decide(ward.NobodyAtCounter, "c2", false, no)
		decide(ward.NobodyAtCounter, "c2", false, yes, step(ward.AlertAppeal, "c", "x"), no) // heard
		decide(ward.NobodyAtCounter, "c2", false, yes, step(ward.AlertAppeal, "c", "x"))     // being heard
		decide(ward.NobodyAtCounter, "c2", false, test)
		decide(ward.CardsHoarded, "c1", true, yes)
		read := func(f storage.PrecisionFilter) (out []string) {
			t.Helper()
			if f.To.IsZero() {
				f.From, f.To = began, time.Now().Add(time.Minute)
			}
			all, err := s.Precision(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range all {
				out = append(out, fmt.Sprintf("%s %s %v: %d of %d, %d out, %d waiting", p.Rule, p.CameraID, p.Shadow, p.Confirmed, p.Confirmed+p.Wrong, p.Excluded, p.Waiting))
			}
			return out
		}
		for _, tc := range []struct {
			f    storage.PrecisionFilter
			want string
		}{
			{storage.PrecisionFilter{}, "[nobody_at_counter  false: 3 of 6, 1 out, 1 waiting]"},
			{storage.PrecisionFilter{ByCamera: true}, "[nobody_at_counter c1 false: 3 of 4, 0 out, 0 waiting nobody_at_counter c2 false: 0 of 2, 1 out, 1 waiting]"},
			{storage.PrecisionFilter{Shadow: true}, "[nobody_at_counter  false: 3 of 6, 1 out, 1 waiting cards_hoarded  true: 1 of 1, 0 out, 0 waiting]"},
			{storage.PrecisionFilter{Institutions: []ward.InstitutionID{"h2"}}, "[]"},
			{storage.PrecisionFilter{From: began.Add(-time.Hour), To: began}, "[nobody_at_counter  false: 0 of 0, 0 out, 1 waiting]"},
		} {
			if got := fmt.Sprint(read(tc.f)); got != tc.want {
				t.Errorf("%+v: got %s, want %s", tc.f, got, tc.want)
			}
		}
	})
}
