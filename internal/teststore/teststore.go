// Package teststore gives tests a fresh catalogue on both engines.
package teststore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
)

// Each runs f once on SQLite and once on a real PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, s *storage.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		f(t, open(t, testserver.PostgresLike(t, "catalogue", migrate)))
	})
}

// migrated is an empty catalogue as a file of SQLite, made once.
var migrated = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "wardwatch-catalogue-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := filepath.Join(dir, "catalogue.db")
	if err := migrate(name); err != nil {
		return nil, err
	}
	return os.ReadFile(name) // #nosec G304 -- our own
})

// SQLite returns a fresh catalogue in a temporary folder.
func SQLite(t testing.TB) *storage.Store {
	t.Helper()
	raw, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "catalogue.db")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, name)
}

// migrate makes the tables of a database.
func migrate(database string) (err error) {
	keys, err := os.MkdirTemp("", "wardwatch-keys-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(keys)) }()
	s, err := storage.Migrate(context.Background(), storage.Options{Database: database, Keys: keys})
	if err != nil {
		return err
	}
	return s.Close()
}

func open(t testing.TB, database string) *storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Options{Database: database, Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
