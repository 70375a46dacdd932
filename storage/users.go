package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// AddUser stores a user with a password hash, which may be empty: such a
// user can only use a one-time sign-in. A taken login is ward.Conflict
// "user.login_taken", an unknown institution ward.NotFound "institution.unknown".
// by did it, empty at the machine itself; it is a custody event.
func (s *Store) AddUser(ctx context.Context, u ward.User, passwordHash string, by ward.UserID) error {
	if err := u.CheckScope(); err != nil {
		return err
	}
	return s.change(ctx, "add user "+string(u.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // the ledger before the rows, as everybody does
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO user_account (id, login, name, role, all_institutions, password_hash, disabled, created_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			u.ID, u.Login, u.Name, u.Role, flag(u.AllInstitutions), passwordHash, flag(u.Disabled), us(u.Created))
		if err != nil && s.dialect.unique(err) {
			return &ward.Error{Kind: ward.Conflict, Code: "user.login_taken", ZH: "该登录名已被使用，请换一个。", EN: "This login is taken; choose another."}
		}
		if err != nil {
			return err
		}
		if err := t.setScope(ctx, u); err != nil {
			return err
		}
		return t.permitted(ctx, u, by)
	})
}

// permitted notes in the custody chain what by let a user do.
func (t *tx) permitted(ctx context.Context, u ward.User, by ward.UserID) error {
	scope := fmt.Sprintf("%d institutions", len(u.Institutions))
	if u.AllInstitutions {
		scope = "all institutions"
	}
	if u.Disabled {
		scope = "disabled"
	}
	return t.power(ctx, by, ward.ActionPermit, u.ID, string(u.Role)+", "+scope)
}

// power notes in the custody chain what by did about the user who.
func (t *tx) power(ctx context.Context, by ward.UserID, action ward.Action, who ward.UserID, what string) error {
	var role ward.Role
	err := t.QueryRowContext(ctx, `SELECT role FROM user_account WHERE id = $1`, by).Scan(&role)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // at the machine itself there is no user
		return err
	}
	_, err = t.custody(ctx, ward.Custody{Actor: by, Role: role, Action: action, Object: "user/" + string(who), Reason: what})
	return err
}

// UpdateUser changes name, role, scope and disabled; login and password
// stay. A disabled user's sessions and tokens are removed. by did it.
func (s *Store) UpdateUser(ctx context.Context, u ward.User, by ward.UserID) error {
	if err := u.CheckScope(); err != nil {
		return err
	}
	return s.change(ctx, "update user "+string(u.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		r, err := t.ExecContext(ctx, `UPDATE user_account SET name = $1, role = $2, all_institutions = $3, disabled = $4 WHERE id = $5`,
			u.Name, u.Role, flag(u.AllInstitutions), flag(u.Disabled), u.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return missing(orNoRows(err), "user.unknown", "没有这个用户。", "No such user.")
		}
		if u.Disabled {
			if _, err := t.ExecContext(ctx, `DELETE FROM session WHERE user_id = $1`, u.ID); err != nil {
				return err
			}
		}
		if err := t.setScope(ctx, u); err != nil {
			return err
		}
		return t.permitted(ctx, u, by)
	})
}

func (t *tx) setScope(ctx context.Context, u ward.User) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM user_scope WHERE user_id = $1`, u.ID); err != nil {
		return err
	}
	for _, inst := range u.Institutions {
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, inst).Scan(&one)
		if err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		_, err = t.ExecContext(ctx, `INSERT INTO user_scope (user_id, institution_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, u.ID, inst)
		if err != nil {
			return err
		}
	}
	return nil
}

// SetPassword replaces the password hash and removes the user's browser
// sessions but the one to keep, so that whoever knew the old password is out.
func (s *Store) SetPassword(ctx context.Context, id ward.UserID, passwordHash string, keep TokenHash) error {
	return s.change(ctx, "set password of "+string(id), func(t *tx) error {
		r, err := t.ExecContext(ctx, `UPDATE user_account SET password_hash = $1 WHERE id = $2`, passwordHash, id)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil || n == 0 {
			return missing(orNoRows(err), "user.unknown", "没有这个用户。", "No such user.")
		}
		_, err = t.ExecContext(ctx, `DELETE FROM session WHERE user_id = $1 AND kind <> $2 AND token_hash <> $3`, id, APIToken, keep[:])
		return err
	})
}

// orNoRows makes "no row affected" look like sql.ErrNoRows.
func orNoRows(err error) error {
	if err != nil {
		return err
	}
	return sql.ErrNoRows
}

// A user is read with a line for each institution of the scope; see fold.
const (
	userColumns = `u.id, u.login, u.name, u.role, u.all_institutions, u.disabled, u.created_us, u.password_hash, COALESCE(s.institution_id, '')`
	userScopes  = ` LEFT JOIN user_scope s ON s.user_id = u.id`
)

// User returns one user with its scope, or ward.NotFound "user.unknown".
func (s *Store) User(ctx context.Context, id ward.UserID) (ward.User, error) {
	u, _, err := s.user(ctx, ` WHERE u.id = $1`, string(id))
	return u, err
}

// UserByLogin returns the user and the password hash.
func (s *Store) UserByLogin(ctx context.Context, login string) (ward.User, string, error) {
	return s.user(ctx, ` WHERE u.login = $1`, login)
}

// PasswordHash returns the user's password hash; empty means none is set.
func (s *Store) PasswordHash(ctx context.Context, id ward.UserID) (string, error) {
	_, hash, err := s.user(ctx, ` WHERE u.id = $1`, string(id))
	return hash, err
}

func (s *Store) user(ctx context.Context, where, key string) (ward.User, string, error) {
	all, err := s.accounts(ctx, where, key)
	if err == nil && len(all) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return ward.User{}, "", fmt.Errorf("read user: %w", missing(err, "user.unknown", "没有这个用户。", "No such user."))
	}
	return all[0].User, all[0].hash, nil
}

// Users lists all users by login.
func (s *Store) Users(ctx context.Context) ([]ward.User, error) {
	accounts, err := s.accounts(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	out := make([]ward.User, len(accounts))
	for i, a := range accounts {
		out[i] = a.User
	}
	return out, nil
}

func (s *Store) accounts(ctx context.Context, where string, args ...any) ([]account, error) {
	lines, err := listed(ctx, s, "read accounts", scanUser, `SELECT `+userColumns+` FROM user_account u`+userScopes+where+` ORDER BY u.login, s.institution_id`, args...)
	return fold(lines), err
}

// UserName is what colleagues may know of a user.
type UserName struct {
	ID   ward.UserID `json:"id"`
	Name string      `json:"name"`
}

// UserNames lists by name the users of the given institutions and those of
// all institutions, everybody when insts is nil; the disabled ones too: they
// have signed what they decided.
func (s *Store) UserNames(ctx context.Context, insts []ward.InstitutionID) ([]UserName, error) {
	where, args := scope(insts, nil)
	if insts != nil {
		where = ` WHERE all_institutions = 1 OR id IN (SELECT user_id FROM user_scope` + where + `)`
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, name FROM user_account`+where+` ORDER BY name, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list user names: %w", err)
	}
	out, err := collect(rows, func(r row) (n UserName, err error) { return n, r.Scan(&n.ID, &n.Name) })
	if err != nil {
		return nil, fmt.Errorf("list user names: %w", err)
	}
	return out, nil
}

// account is a user_account row.
type account struct {
	ward.User
	hash string
}

func scanUser(r row) (account, error) {
	a := account{User: ward.User{Institutions: []ward.InstitutionID{}}}
	err := a.scan(r)
	return a, err
}

// scan reads userColumns after the columns before.
func (a *account) scan(r row, before ...any) error {
	var all, disabled int
	var created int64
	var inst ward.InstitutionID
	err := r.Scan(append(before, &a.ID, &a.Login, &a.Name, &a.Role, &all, &disabled, &created, &a.hash, &inst)...)
	a.AllInstitutions, a.Disabled, a.Created = all != 0, disabled != 0, at(created)
	if inst != "" {
		a.Institutions = append(a.Institutions, inst)
	}
	return err
}

// fold makes one account of the lines of each.
func fold(lines []account) []account {
	var all []account
	for _, l := range lines {
		if n := len(all); n > 0 && all[n-1].ID == l.ID {
			all[n-1].Institutions = append(all[n-1].Institutions, l.Institutions...)
			continue
		}
		all = append(all, l)
	}
	return all
}
