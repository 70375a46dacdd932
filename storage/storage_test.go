package storage_test

import (
	"errors"
	"path/filepath"
	"testing"

	"wardwatch/storage"
	"wardwatch/ward"
)

func TestOpenRefusesAnEmptyDatabase(t *testing.T) {
	o := storage.Options{Database: filepath.Join(t.TempDir(), "c.db"), Keys: t.TempDir()}
	_, err := storage.Open(t.Context(), o)
	if !errors.Is(err, &ward.Error{Code: "database.schema"}) {
		t.Fatalf("got %v, want database.schema", err)
	}
	s, err := storage.Migrate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = storage.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
