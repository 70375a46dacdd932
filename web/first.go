package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// AdministratorLogin is the login of the administrator that FirstStart makes.
const AdministratorLogin = "admin"

// FirstStart makes the first administrator of an empty catalogue and returns
// a one-time sign-in for it: the console opens /#one-time=TOKEN within 10
// minutes. On a catalogue that has users it does nothing and returns "".
func FirstStart(ctx context.Context, store *storage.Store) (oneTime string, err error) {
	users, err := store.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	now := time.Now()
	u := ward.User{ID: ward.NewID[ward.UserID](now), Login: AdministratorLogin, Name: "管理员", Role: ward.Administrator, AllInstitutions: true, Created: now}
	err = store.AddUser(ctx, u, "", "")
	if errors.Is(err, &ward.Error{Kind: ward.Conflict}) {
		return "", nil // another process was first
	}
	if err != nil {
		return "", err
	}
	oneTime, _, err = makeOneTime(ctx, store, u.ID, "", now)
	return oneTime, err
}

// NewOneTime makes another one-time sign-in for a login: what an operator
// does at the server when everybody has forgotten the password.
func NewOneTime(ctx context.Context, store *storage.Store, login string) (string, error) {
	u, _, err := store.UserByLogin(ctx, login)
	if err != nil {
		return "", fmt.Errorf("one-time sign-in: %w", err)
	}
	token, _, err := makeOneTime(ctx, store, u.ID, "", time.Now())
	return token, err
}
