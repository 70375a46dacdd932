package models_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"wardwatch/internal/models"
	"wardwatch/internal/models/modeltest"
)

func TestConversionsAreDeterministicAndPinned(t *testing.T) {
	dir := modeltest.Models(t)
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }
	for _, c := range models.Conversions() {
		once, err := c.Make(read)
		if err != nil {
			t.Fatalf("%s: %v: run make models", c.Out, err)
		}
		twice, err := c.Make(read)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(once)
		if !bytes.Equal(once, twice) || hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%s: equal %v, SHA-256 %x, want %s", c.Out, bytes.Equal(once, twice), sum, c.SHA256)
		}
	}
}

func TestDamagedModelsAreRefusedNotConverted(t *testing.T) {
	dir := modeltest.Models(t)
	for _, c := range models.Conversions() {
		for _, keep := range []int{0, 7, 40, 5000} {
			_, err := c.Make(func(name string) ([]byte, error) {
				b, err := os.ReadFile(filepath.Join(dir, name))
				return b[:min(keep, len(b))], err
			})
			if err == nil {
				t.Errorf("%s from the first %d bytes: no error", c.Out, keep)
			}
		}
	}
}
