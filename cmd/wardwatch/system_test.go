package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// Secrets do not change what packages tell of the configuration; all else does.
func TestSystemOf(t *testing.T) {
	c := Config{Listen: ":1", Database: "postgres://u:first@db/w", MetricsToken: "first"}
	one, err := systemOf(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(self); one.Program != hex.EncodeToString(sum[:]) || one.Zone == "" {
		t.Errorf("got %+v", one)
	}
	c.Database, c.MetricsToken = "postgres://u:second@db/w", "second"
	if two, err := systemOf(c); err != nil || *two != *one {
		t.Errorf("with other secrets %+v, %v; want %+v", two, err, one)
	}
	c.Listen = ":2"
	if two, err := systemOf(c); err != nil || two.Config == one.Config {
		t.Errorf("another configuration has the same hash, %v", err)
	}
}
