package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// addUser stores an inspector of two institutions.
func addUser(t *testing.T, s *storage.Store) ward.User {
	t.Helper()
	for _, id := range []ward.InstitutionID{"h1", "h2"} {
		if err := s.PutInstitution(t.Context(), ward.Institution{ID: id, Name: "Hospital " + string(id)}); err != nil {
			t.Fatal(err)
		}
	}
	u := ward.User{ID: "u1", Login: "li", Name: "李", Role: ward.Inspector, Institutions: []ward.InstitutionID{"h1", "h2"}, Created: time.Now().UTC().Truncate(time.Microsecond)}
	if err := s.AddUser(t.Context(), u, "hash", ""); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUserKeepsItsScope(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		want := addUser(t, s)
		got, hash, err := s.UserByLogin(t.Context(), "li")
		if err != nil || hash != "hash" {
			t.Fatalf("got hash %q, err %v", hash, err)
		}
		if !slices.Equal(got.Institutions, want.Institutions) || got.Role != want.Role || !got.Created.Equal(want.Created) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		got.Institutions, got.Role = []ward.InstitutionID{"h2"}, ward.Operator
		if err = s.UpdateUser(t.Context(), got, ""); err != nil {
			t.Fatal(err)
		}
		got, err = s.User(t.Context(), "u1")
		if err != nil || got.Role != ward.Operator || !slices.Equal(got.Institutions, []ward.InstitutionID{"h2"}) {
			t.Errorf("got %+v, %v", got, err)
		}
		all, err := s.Users(t.Context())
		if err != nil || len(all) != 1 || all[0].Login != "li" {
			t.Errorf("got %+v, %v", all, err)
		}
		for _, tc := range []struct {
			scope []ward.InstitutionID
			known bool
		}{{nil, true}, {[]ward.InstitutionID{"h2"}, true}, {[]ward.InstitutionID{"h1"}, false}, {[]ward.InstitutionID{}, false}} {
			names, err := s.UserNames(t.Context(), tc.scope)
			if err != nil || slices.Equal(names, []storage.UserName{{ID: "u1", Name: "李"}}) != tc.known {
				t.Errorf("scope %v: got %+v, %v", tc.scope, names, err)
			}
		}
	})
}

func TestUserErrors(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		u := addUser(t, s)
		again := u
		again.ID = "u2"
		if err := s.AddUser(t.Context(), again, "", ""); !errors.Is(err, &ward.Error{Code: "user.login_taken"}) {
			t.Errorf("same login: %v", err)
		}
		again.Login, again.Institutions = "wang", []ward.InstitutionID{"h9"}
		if err := s.AddUser(t.Context(), again, "", ""); !errors.Is(err, &ward.Error{Code: "institution.unknown"}) {
			t.Errorf("unknown institution: %v", err)
		}
		if _, err := s.User(t.Context(), "u2"); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			t.Errorf("half a user was stored: %v", err)
		}
		again.ID = "u9"
		if err := s.UpdateUser(t.Context(), again, ""); !errors.Is(err, &ward.Error{Code: "user.unknown"}) {
			t.Errorf("update of nobody: %v", err)
		}
	})
}

func TestPlacesStayInTheirInstitution(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		addUser(t, s)
		p := ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}
		if err := s.PutPlace(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		p.Name = "一号窗口"
		if err := s.PutPlace(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Place(t.Context(), "p1"); err != nil || got != p {
			t.Errorf("got %+v, %v", got, err)
		}
		moved := p
		moved.InstitutionID = "h2"
		if err := s.PutPlace(t.Context(), moved); !errors.Is(err, &ward.Error{Code: "place.institution"}) {
			t.Errorf("moved: %v", err)
		}
		for _, c := range []struct {
			scope []ward.InstitutionID
			want  int
		}{{nil, 1}, {[]ward.InstitutionID{"h1"}, 1}, {[]ward.InstitutionID{"h2"}, 0}, {[]ward.InstitutionID{}, 0}} {
			if got, err := s.Places(t.Context(), c.scope); err != nil || len(got) != c.want {
				t.Errorf("places in %v: got %v, %v", c.scope, got, err)
			}
		}
		got, err := s.Institutions(t.Context(), []ward.InstitutionID{"h2"})
		if err != nil || len(got) != 1 || got[0].ID != "h2" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// What gives power, and its use, is in the custody chain; fsck finds it changed.
func TestPowerIsSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx, now := t.Context(), time.Now()
		admin := ward.User{ID: "a1", Login: "a1", Role: ward.Administrator, AllInstitutions: true, Created: now}
		other := ward.User{ID: "u2", Login: "u2", Role: ward.Inspector, Created: now}
		for _, err := range []error{
			w.Store.AddUser(ctx, admin, "", ""),
			w.Store.AddUser(ctx, other, "", "a1"),
			w.Store.AddSession(ctx, storage.Session{Hash: storage.HashToken("1"), Kind: storage.BrowserSession, UserID: "a1", Created: now, Expires: now}),
			w.Store.AddSession(ctx, storage.Session{Hash: storage.HashToken("2"), Kind: storage.BrowserSession, UserID: "u2", Created: now, Expires: now}), // has no power: not noted
			w.Store.AddSession(ctx, storage.Session{Hash: storage.HashToken("3"), Kind: storage.APIToken, UserID: "u2", Created: now, Expires: now, By: "a1"}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		other.Role, other.AllInstitutions = ward.Administrator, true
		if err := w.Store.UpdateUser(ctx, other, "a1"); err != nil {
			t.Fatal(err)
		}
		events, err := w.Store.Custody(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s(%s) %s %s: %s", e.Actor, e.Role, e.Action, e.Object, e.Reason))
		}
		want := []string{
			"() permit user/a1: administrator, all institutions",
			"a1(administrator) permit user/u2: inspector, 0 institutions",
			"a1(administrator) sign_in user/a1: session",
			"a1(administrator) sign_in user/u2: api",
			"a1(administrator) permit user/u2: administrator, all institutions",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if named := cell(t, w, "custody", "reason", "case_id = '' AND seq = 5", to("inspector")); !slices.Contains(named, "custody//5") {
			t.Errorf("fsck names %v", named)
		}
	})
}
