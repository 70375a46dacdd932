package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

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
	if err := s.AddUser(t.Context(), u, "hash"); err != nil {
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
		if err = s.UpdateUser(t.Context(), got); err != nil {
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
		if err := s.AddUser(t.Context(), again, ""); !errors.Is(err, &ward.Error{Code: "user.login_taken"}) {
			t.Errorf("same login: %v", err)
		}
		again.Login, again.Institutions = "wang", []ward.InstitutionID{"h9"}
		if err := s.AddUser(t.Context(), again, ""); !errors.Is(err, &ward.Error{Code: "institution.unknown"}) {
			t.Errorf("unknown institution: %v", err)
		}
		if _, err := s.User(t.Context(), "u2"); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			t.Errorf("half a user was stored: %v", err)
		}
		again.ID = "u9"
		if err := s.UpdateUser(t.Context(), again); !errors.Is(err, &ward.Error{Code: "user.unknown"}) {
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
