package spool_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math"
	"testing"
	"time"

	"wardwatch/storage/spool"
	"wardwatch/ward"
)

var (
	src   = ward.Source{Kind: ward.FromVisit, ID: "visit-1"}
	start = time.Date(2026, 11, 22, 8, 0, 0, 123456789, time.UTC)
)

func open(t *testing.T, dir string, o spool.Options) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func write(t *testing.T, s *spool.Spool, at time.Time, text string) *spool.File {
	t.Helper()
	f, err := s.Create(src, at, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLifeOfAFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{Reserve: -1})
	f := write(t, s, start, "hello ")
	if _, err := f.Write([]byte("world")); err != nil {
		t.Fatal(err)
	}
	entries, err := s.Entries()
	if err != nil || len(entries) != 1 || !entries[0].Part || entries[0].Size != 11 || !entries[0].Start.Equal(start.Truncate(time.Microsecond)) {
		t.Fatalf("got %+v, %v", entries, err)
	}
	sum, err := f.Finish()
	if err != nil || sum != sha256.Sum256([]byte("hello world")) {
		t.Fatalf("got %x, %v", sum, err)
	}
	if again := open(t, dir, spool.Options{Reserve: -1}); again.Used() != 11 || s.Used() != 11 {
		t.Errorf("used %d, after opening again %d, want 11", s.Used(), again.Used())
	}
	// The catalogue may have given it another number.
	e := spool.Of(ward.Segment{Source: src, Start: start.Truncate(time.Microsecond), Seq: 7})
	r, err := s.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "hello world" {
		t.Errorf("got %q, %v", b, err)
	}
	_ = r.Close()
	for range 2 {
		if err := s.Remove(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Open(e); !errors.Is(err, fs.ErrNotExist) || s.Used() != 0 {
		t.Errorf("got %v, %d bytes used, want nothing left", err, s.Used())
	}
}

func TestAFullSpoolLeavesTheFileWhole(t *testing.T) {
	for name, o := range map[string]spool.Options{"limit": {Reserve: -1, Limit: 10}, "reserve": {Reserve: math.MaxInt64}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), o)
			f, err := s.Create(src, start, 1)
			if err != nil {
				t.Fatal(err)
			}
			if name == "limit" {
				if _, err = f.Write([]byte("0123456")); err != nil {
					t.Fatal(err)
				}
			}
			if _, err = f.Write([]byte("789abc")); !errors.Is(err, &ward.Error{Code: "spool.full"}) {
				t.Fatalf("got %v, want spool.full", err)
			}
			size := f.Size
			sum, err := f.Finish()
			if err != nil {
				t.Fatal(err)
			}
			if name == "limit" && (size != 7 || sum != sha256.Sum256([]byte("0123456"))) {
				t.Errorf("%d bytes are left of 7", size)
			}
		})
	}
}

func TestRepairKeepsTheBytesBeforeTheCut(t *testing.T) {
	s := open(t, t.TempDir(), spool.Options{Reserve: -1})
	f := write(t, s, start, "whole|torn")
	sum, err := s.Repair(f.Entry, 6)
	if err != nil || sum != sha256.Sum256([]byte("whole|")) || s.Used() != 6 {
		t.Fatalf("got %x, %v, %d bytes used", sum, err, s.Used())
	}
	entries, err := s.EntriesOf(src)
	if err != nil || len(entries) != 1 || entries[0].Part || entries[0].Size != 6 {
		t.Errorf("got %+v, %v, want one finished file", entries, err)
	}
	if again, err := s.Sum(entries[0]); err != nil || again != sum {
		t.Errorf("got %x, %v, want %x", again, err, sum)
	}
}

func TestBadNamesStayOutside(t *testing.T) {
	s := open(t, t.TempDir(), spool.Options{Reserve: -1})
	for _, id := range []string{"", "..", "../../etc", "a/b", "Ä"} {
		if _, err := s.Create(ward.Source{Kind: ward.FromCamera, ID: id}, start, 1); err == nil {
			t.Errorf("a file of %q was created", id)
		}
	}
}
