package web

import (
	"embed"
	"io/fs"
)

// dist is what `npm run build` made: console/ and bedside/. A plain
// `go build` without it compiles; the pages then say how to build them.
//
//go:embed all:dist
var dist embed.FS

// Pages returns the built console and bedside page; a page that was not
// built is nil.
func Pages() (console, bedside fs.FS) { return built("dist/console"), built("dist/bedside") }

func built(dir string) fs.FS {
	if _, err := fs.Stat(dist, dir+"/index.html"); err != nil {
		return nil
	}
	sub, err := fs.Sub(dist, dir)
	if err != nil {
		return nil
	}
	return sub
}
