package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func identity(t *testing.T, s *storage.Store, insured ward.InsuredID) ward.IdentityCheck {
	t.Helper()
	terminal := ward.User{ID: "u-terminal", Role: ward.Terminal, Institutions: []ward.InstitutionID{"h1"}}
	v, err := s.AddIdentityCheck(t.Context(), terminal, ward.IdentityCheck{
		ID: ward.NewID[ward.IdentityCheckID](time.Now()), InstitutionID: "h1", PlaceID: "p1", InsuredID: insured, Source: ward.IdentityByPhoto,
		Answer: ward.MatchYes, Score: .71, ModelID: "m", Thresholds: ward.DefaultFaceThresholds,
	}, []byte("a photo"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Billing refers to a check: of the same institution and person only, sealed
// once however many report at once, and without a half-stored settlement.
func TestSettlementsReferToIdentityChecks(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		mine, others := identity(t, s, "i1"), identity(t, s, "i2")
		v := bill("a", time.Now())
		for _, id := range []ward.IdentityCheckID{others.ID, "none"} {
			v.IdentityCheck = id
			if _, _, err := s.AddSettlement(t.Context(), v); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "settlement.identity_check"}) {
				t.Errorf("%s: got %v", id, err)
			}
		}
		if all, _, err := s.Settlements(t.Context(), storage.SettlementFilter{}); err != nil || len(all) != 0 {
			t.Fatalf("a refused report was stored: %v %v", all, err)
		}
		v.IdentityCheck = mine.ID
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, _, err := s.AddSettlement(t.Context(), v); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		stored, _, err := s.AddSettlement(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.IdentityOf(t.Context(), []ward.SettlementID{stored.ID, "none"})
		if err != nil || len(got) != 1 || len(got[stored.ID]) != 1 || got[stored.ID][0] != mine {
			t.Errorf("got %+v %v, want %+v", got, err, mine)
		}
		sealed, err := s.SealedOf(t.Context(), storage.KindSettlementIdentity, string(stored.ID)+"/"+string(mine.ID))
		if err != nil || len(sealed) != 1 {
			t.Errorf("sealed %d times, %v", len(sealed), err)
		}
		for _, c := range []struct {
			insts []ward.InstitutionID
			n     int
		}{{nil, 2}, {[]ward.InstitutionID{"h1"}, 2}, {[]ward.InstitutionID{"h2"}, 0}, {[]ward.InstitutionID{}, 0}} {
			if list, err := s.IdentityChecks(t.Context(), c.insts, "", 0); err != nil || len(list) != c.n {
				t.Errorf("of %v: %d checks, %v", c.insts, len(list), err)
			}
		}
	})
}

// The ledger tells neither of whom nor of which photo a check was, and a
// changed or removed row is found.
func TestIdentityChecksAreSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		v := identity(t, w.Store, "i-of-nobody-else")
		r, err := w.Store.Sealed(t.Context(), v.Leaf)
		if err != nil || r.Kind != storage.KindIdentity || bytes.Contains(r.Body, []byte("i-of-nobody-else")) || bytes.Contains(r.Body, []byte("a photo")) {
			t.Fatalf("sealed %s, %v", r.Body, err)
		}
		if again := identity(t, w.Store, "i-of-nobody-else"); again.Leaf == v.Leaf {
			t.Fatal("two checks have one leaf")
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("got %+v", report.Problems)
		}
		row := "id = '" + string(v.ID) + "'"
		for column, value := range map[string]any{"answer": "no_match", "insured_id": "i-2", "salt": "00", "picture": "00", "actor": "u", "score": .1, "place_id": "p"} {
			if named := cell(t, w, "identity_check", column, row, func(any) any { return value }); !slices.Equal(named, []string{"identity_check/" + string(v.ID)}) {
				t.Errorf("%s changed: fsck names %v", column, named)
			}
		}
		w.Exec(`DELETE FROM identity_check WHERE id = $1`, v.ID)
		if named := where(check(t, w)); !slices.Equal(named, []string{"identity_check/" + string(v.ID)}) {
			t.Errorf("removed: fsck names %v", named)
		}
	})
}

func TestTerminalsBelongToOneInstitution(t *testing.T) {
	s := teststore.SQLite(t)
	counter(t, s)
	for name, u := range map[string]ward.User{"none": {}, "all": {AllInstitutions: true}, "all, named": {AllInstitutions: true, Institutions: []ward.InstitutionID{"h1"}}} {
		u.ID, u.Login, u.Role = "u-1", "t", ward.Terminal
		if err := s.AddUser(t.Context(), u, "", ""); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "user.terminal"}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	u := ward.User{ID: "u-1", Login: "t", Role: ward.Terminal, Institutions: []ward.InstitutionID{"h1"}}
	if err := s.AddUser(t.Context(), u, "", ""); err != nil {
		t.Fatal(err)
	}
	u.Institutions = nil
	if err := s.UpdateUser(t.Context(), u, ""); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "user.terminal"}) {
		t.Errorf("changed: got %v", err)
	}
}
