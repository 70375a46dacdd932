package storage_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// fire stores a settlement and its alert of a rule.
func fire(t *testing.T, s *storage.Store, v ward.Settlement, rule ward.Rule, related ...ward.SettlementID) ward.Alert {
	t.Helper()
	v, _, err := s.AddSettlement(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	a := alertOn(v, rule)
	a.Related = related
	if i := slices.IndexFunc(ward.Rules(), func(r ward.RuleInfo) bool { return r.Rule == rule }); i >= 0 {
		a.Severity = ward.Rules()[i].Severity
	}
	raised, _, err := s.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{a}})
	if err != nil || len(raised) != 1 {
		t.Fatal(raised, err)
	}
	return raised[0]
}

func TestAlertGroups(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		if err := s.PutPlace(t.Context(), ward.Place{ID: "p2", InstitutionID: "h1", Name: "二号窗口", Kind: ward.Charge}); err != nil {
			t.Fatal(err)
		}
		base := time.Now().Add(-10 * time.Hour).UTC().Truncate(time.Second)
		at := func(no string, minute int, place ward.PlaceID, card ward.InsuredID, fen int64) ward.Settlement {
			v := bill(no, base.Add(time.Duration(minute)*time.Minute))
			v.PlaceID, v.InsuredID, v.AmountFen = place, card, fen
			return v
		}
		// What the lists must show, however the alerts come: three of nobody at
		// p1 in a row and one long after, one at p2; two of one card at both
		// places; two of a batch that share a bill.
		plain, _, err := s.AddSettlement(t.Context(), at("plain", 0, "p1", "i8", 1000))
		if err != nil {
			t.Fatal(err)
		}
		type made struct {
			v       ward.Settlement
			rule    ward.Rule
			related []ward.SettlementID
		}
		all := []made{
			{at("n1", 0, "p1", "i1", 100), ward.NobodyAtCounter, nil},
			{at("n2", 29, "p1", "i2", 100), ward.NobodyAtCounter, nil},
			{at("n3", 59, "p1", "i3", 100), ward.NobodyAtCounter, nil},
			{at("n4", 90, "p1", "i4", 50), ward.NobodyAtCounter, nil},
			{at("n5", 30, "p2", "i5", 9000), ward.NobodyAtCounter, nil},
			{at("f1", 10, "p1", "i6", 70), ward.FaceMismatch, nil},
			{at("f2", 20, "p2", "i6", 70), ward.FaceMismatch, nil},
			{at("b1", 1, "p1", "i7", 10), ward.BatchSwiping, []ward.SettlementID{plain.ID}},
			{at("b2", 2, "p1", "i9", 10), ward.BatchSwiping, []ward.SettlementID{plain.ID}},
		}
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, m := range all {
			fire(t, s, m.v, m.rule, m.related...)
		}
		read := func(f storage.AlertFilter, order storage.AlertOrder) (out []string) {
			t.Helper()
			for range 20 {
				list, next, err := s.AlertGroups(t.Context(), f, order)
				if err != nil {
					t.Fatal(err)
				}
				for _, g := range list {
					if g.Newest.Rule == "" || g.Newest.Severity != g.Severity || g.Untaken != g.Count || (g.InsuredID != "") != g.Newest.Rule.OfPerson() {
						t.Errorf("group %+v", g)
					}
					out = append(out, fmt.Sprintf("%s %d×%d %d-%d", g.Newest.Rule, g.Count, g.AmountFen, int(g.From.Sub(base).Minutes()), int(g.To.Sub(base).Minutes())))
				}
				if f.Before = next; next == "" {
					return out
				}
			}
			t.Fatal("the list never ends")
			return nil
		}
		ranked := []string{"nobody_at_counter 1×9000 30-30", "nobody_at_counter 3×300 0-59", "face_mismatch 2×140 10-20", "nobody_at_counter 1×50 90-90", "batch_swiping 2×1020 1-2"}
		for _, limit := range []int{0, 1, 2} {
			if got := read(storage.AlertFilter{Limit: limit}, storage.ByRank); !slices.Equal(got, ranked) {
				t.Errorf("by rank, %d at a time: %q, want %q", limit, got, ranked)
			}
		}
		newest := slices.Clone(ranked)
		slices.SortFunc(newest, func(a, b string) int { return cmp.Compare(lastOf(t, b), lastOf(t, a)) })
		if got := read(storage.AlertFilter{Limit: 2}, storage.ByNewest); !slices.Equal(got, newest) {
			t.Errorf("by the newest: %q, want %q", got, newest)
		}
		if got := read(storage.AlertFilter{Rule: ward.FaceMismatch, Institutions: []ward.InstitutionID{"h1"}}, storage.ByDeadline); len(got) != 1 {
			t.Errorf("of one rule: %q", got)
		}
		if got := read(storage.AlertFilter{Institutions: []ward.InstitutionID{"h2"}}, storage.ByRank); len(got) != 0 {
			t.Errorf("of another institution: %q", got)
		}
		members, _, err := s.Alerts(t.Context(), storage.AlertFilter{Open: true, Rule: ward.NobodyAtCounter, PlaceID: "p1", From: base, To: base.Add(59 * time.Minute)})
		if err != nil || len(members) != 3 {
			t.Errorf("members %+v, %v", members, err)
		}
		if members, _, err = s.Alerts(t.Context(), storage.AlertFilter{Open: true, Rule: ward.FaceMismatch, InsuredID: "i6"}); err != nil || len(members) != 2 {
			t.Errorf("members %+v, %v", members, err)
		}
		// What is decided leaves its group.
		if _, err := s.StepAlert(t.Context(), members[0].ID, 1, step(ward.AlertDismiss, "u1", "误报")); err != nil {
			t.Fatal(err)
		}
		if got := read(storage.AlertFilter{Rule: ward.FaceMismatch}, storage.ByRank); len(got) != 1 || got[0][:len("face_mismatch 1×70")] != "face_mismatch 1×70" {
			t.Errorf("after a decision: %q", got)
		}
		if _, _, err := s.AlertGroups(t.Context(), storage.AlertFilter{Before: "3.x"}, storage.ByRank); ward.KindOf(err) != ward.Invalid {
			t.Errorf("a bad cursor: %v", err)
		}
	})
}

// TestAlertGroupsOfOneInstitution: who may see one is not told the bills of another.
func TestAlertGroupsOfOneInstitution(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		if err := errors.Join(s.PutInstitution(t.Context(), ward.Institution{ID: "h2", Name: "二院"}),
			s.PutPlace(t.Context(), ward.Place{ID: "q1", InstitutionID: "h2", Name: "窗口", Kind: ward.Charge})); err != nil {
			t.Fatal(err)
		}
		elsewhere := bill("elsewhere", time.Now().Add(-time.Hour))
		elsewhere.InstitutionID, elsewhere.PlaceID, elsewhere.AmountFen = "h2", "q1", 1000
		elsewhere, _, err := s.AddSettlement(t.Context(), elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		own := bill("own", time.Now())
		own.AmountFen = 70
		fire(t, s, own, ward.FaceMismatch, elsewhere.ID)
		for _, tc := range []struct {
			insts []ward.InstitutionID
			want  int64
		}{{nil, 1070}, {[]ward.InstitutionID{"h1", "h2"}, 1070}, {[]ward.InstitutionID{"h1"}, 70}} {
			for _, order := range []storage.AlertOrder{storage.ByRank, storage.ByNewest, storage.ByDeadline} {
				if got, _, err := s.AlertGroups(t.Context(), storage.AlertFilter{Institutions: tc.insts, Rule: ward.FaceMismatch}, order); err != nil || len(got) != 1 || got[0].AmountFen != tc.want {
					t.Errorf("%v by %s: %+v, %v, want %d", tc.insts, order, got, err, tc.want)
				}
			}
		}
	})
}

// lastOf reads the minute of a group's last alert.
func lastOf(t *testing.T, group string) int {
	t.Helper()
	var rule string
	var n, fen, from, to int
	if _, err := fmt.Sscanf(group, "%s %d×%d %d-%d", &rule, &n, &fen, &from, &to); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCooldown: after an alert the rule is quiet at that camera for a while, and nowhere else.
func TestCooldown(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		hook(t, s, "machine", nil)
		if err := s.AddEndpoint(t.Context(), ward.Endpoint{ID: "person", Kind: ward.Email, Name: "x", URL: "mailto:a@example.org", Digest: 1, Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
		base := time.Now().Add(-time.Hour)
		for _, tc := range []struct {
			minute int
			rule   ward.Rule
			quiet  bool
		}{
			{0, ward.NobodyAtCounter, false},
			{1, ward.NobodyAtCounter, true},
			{2, ward.FaceMismatch, false},
			{9, ward.NobodyAtCounter, true},
			{11, ward.NobodyAtCounter, false}, // those that were quiet do not keep it quiet
			{12, ward.NobodyAtCounter, true},
		} {
			a := fire(t, s, bill(fmt.Sprint(tc.minute), base.Add(time.Duration(tc.minute)*time.Minute)), tc.rule)
			if stored, err := s.Alert(t.Context(), a.ID); err != nil || a.Quiet != tc.quiet || stored.Quiet != tc.quiet {
				t.Errorf("%s at minute %d: quiet %v, want %v; %v", tc.rule, tc.minute, stored.Quiet, tc.quiet, err)
			}
		}
		if all, some := len(outbox(t, s, "machine")), len(outbox(t, s, "person")); all != 6 || some != 3 {
			t.Errorf("%d events for machines and %d for mails, want 6 and 3", all, some)
		}
		p, err := s.AlertPolicy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.CooldownMinutes = 0
		if _, err := s.SetAlertPolicy(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if a := fire(t, s, bill("13", base.Add(13*time.Minute)), ward.NobodyAtCounter); a.Quiet {
			t.Error("quiet without a cool-down")
		}
	})
}
