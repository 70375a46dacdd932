package web

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// staticRoutes serves the console at / and the bedside page at /bedside.
// Whatever is neither a file nor the API is a screen of the console, which
// its index.html shows.
func (s *Server) staticRoutes(r *routes) {
	r.plain(http.MethodGet, "/bedside", anyone(), s.page(s.Bedside, "bedside page"))
	r.plain(http.MethodGet, "/bedside/*", anyone(), s.files(s.Bedside, "/bedside/", "bedside page"))
	r.plain(http.MethodGet, "/tablet", anyone(), func(w http.ResponseWriter, req *http.Request) {
		s.document(w, req, s.Bedside, "tablet.html", "tablet page")
	})
	r.plain(http.MethodGet, "/share", anyone(), func(w http.ResponseWriter, req *http.Request) {
		s.document(w, req, s.Bedside, "share.html", "share page")
	})
	console := s.files(s.Console, "/", "console")
	r.plain(http.MethodGet, "/*", anyone(), func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/api/") {
			writeProblem(w, newProblem(http.StatusNotFound, "not_found", "没有找到，或您无权查看。", "Not found, or you may not see it."))
			return
		}
		console(w, req)
	})
}

// page serves index.html.
func (s *Server) page(dir fs.FS, what string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.index(w, r, dir, what) }
}

// files serves the files of dir under prefix, and index.html for the rest.
func (s *Server) files(dir fs.FS, prefix, what string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), prefix)
		if dir == nil || name == "" || name == "index.html" || !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
			s.index(w, r, dir, what)
			return
		}
		info, err := fs.Stat(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && path.Ext(name) != "": // a file that is not there is not a screen
			writeProblem(w, newProblem(http.StatusNotFound, "not_found", "没有这个文件。", "No such file."))
		case err != nil || info.IsDir():
			s.index(w, r, dir, what)
		default:
			if strings.HasPrefix(name, "assets/") { // Vite puts a hash in these names
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			http.ServeFileFS(w, r, dir, name)
		}
	}
}

func (s *Server) index(w http.ResponseWriter, r *http.Request, dir fs.FS, what string) {
	s.document(w, r, dir, "index.html", what)
}

// document serves one HTML file of dir, never from a cache.
func (s *Server) document(w http.ResponseWriter, r *http.Request, dir fs.FS, name, what string) {
	w.Header().Set("Cache-Control", "no-store")
	if dir != nil {
		if b, err := fs.ReadFile(dir, name); err == nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
			return
		}
	}
	http.Error(w, "The "+what+" was not built into this program: run make.", http.StatusNotFound)
}
