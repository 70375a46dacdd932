// Package teststore gives tests a fresh catalogue on both engines.
package teststore

import (
	"path/filepath"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
)

// Each runs f once on SQLite and once on a real PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, s *storage.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, testserver.Postgres(t))) })
}

// SQLite returns a fresh catalogue in a temporary folder.
func SQLite(t testing.TB) *storage.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "catalogue.db"))
}

func open(t testing.TB, database string) *storage.Store {
	t.Helper()
	s, err := storage.Migrate(t.Context(), storage.Options{Database: database, Keys: t.TempDir()})
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
