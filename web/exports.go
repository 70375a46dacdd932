package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/storage/evidence"
	"wardwatch/ward"
)

// notedEvery is after how many bytes of a package it is noted how far it came,
// 16 MB: what a crash makes us forget of a fetch, and 1 s of a fast line.
const notedEvery = 16 << 20

// Resuming is what a client says that goes on with a package.
type Resuming struct {
	Range   string `header:"Range" maxLength:"64" doc:"bytes=N- goes on at byte N of the package that If-Range names; without If-Range or If-Match it is ignored"`
	IfRange string `header:"If-Range" maxLength:"80" doc:"The ETag of the answer that broke off. For a day the same bytes are sent to the same person, and it is the same export."`
	IfMatch string `header:"If-Match" maxLength:"80" doc:"As If-Range, and refused instead of beginning anew"`
}

type exportInput struct {
	CasePath
	Resuming
}

// ExportPath names an export in the address.
type ExportPath struct {
	ID ward.ExportID `path:"id" maxLength:"64"`
}

// loadExport finds an export of the caller's own.
func (s *Server) loadExport(ctx context.Context, in *ExportPath) (ward.Export, ward.InstitutionID, error) {
	x, err := s.Store.Export(ctx, in.ID)
	if err == nil && x.By != callerOf(ctx).ID {
		err = notFound()
	}
	if err != nil {
		return x, "", err
	}
	c, err := s.Store.Case(ctx, x.CaseID)
	return x, c.InstitutionID, err
}

func (s *Server) cancelExport(ctx context.Context, _ *ExportPath, x ward.Export) (*empty, error) {
	if x.State == ward.ExportEnded {
		return nil, x.Ended()
	}
	return &empty{}, s.Store.EndExport(ctx, x.ID, "cancelled")
}

// oneRange is the only form of Range that is honoured.
var oneRange = regexp.MustCompile(`^bytes=(\d{1,18})-\d{0,18}$`)

// sendPackage streams the package of a case to by, or goes on with the one
// that the client has a part of. share is what it is delivered to, if any. A
// client that gets less than Content-Length has no package yet.
func (s *Server) sendPackage(ctx context.Context, in *Resuming, id ward.CaseID, by ward.User, share ward.ShareID, reason func() (string, error)) (*huma.StreamResponse, error) {
	p, err := s.goOn(ctx, in, id, by)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if p != nil {
		if from, _ = in.from(); from > p.Export.Sent+notedEvery || from >= p.Size { // more than it can have
			from = 0
		}
	} else {
		why, err := reason()
		if err != nil {
			return nil, err
		}
		k := s.clerk()
		k.Outside = share != ""
		if p, err = k.Prepare(ctx, id, by, why); err != nil {
			return nil, err
		}
	}
	f := &fetch{s: s, ctx: ctx, p: p, share: share, from: from, noted: from, content: p.Reader(ctx)}
	if share != "" {
		if err := f.content.Hash(); err != nil {
			return nil, err
		}
	}
	if from > 0 { // say what is wrong before the first byte, as far as it is known then
		if err := f.content.Ready(from); err != nil {
			return nil, errors.Join(err, f.ended(err)) //nolint:contextcheck // what is told outlives the request
		}
	}
	return &huma.StreamResponse{Body: f.serve}, nil
}

// from is the first byte that a client asks for, if it goes on with something.
func (in *Resuming) from() (n int64, ok bool) {
	m := oneRange.FindStringSubmatch(in.Range)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n, err == nil && in.IfMatch+in.IfRange != ""
}

// goOn is the package that a client has a part of, or nil.
func (s *Server) goOn(ctx context.Context, in *Resuming, id ward.CaseID, by ward.User) (*evidence.Package, error) {
	if _, ok := in.from(); !ok {
		return nil, nil //nolint:nilnil // as said
	}
	x, err := s.Store.Export(ctx, ward.ExportID(strings.Trim(cmp.Or(in.IfMatch, in.IfRange), `"`)))
	if missing(err) || err == nil && (x.CaseID != id || x.By != by.ID) {
		if in.IfMatch != "" {
			return nil, newProblem(http.StatusPreconditionFailed, "export.unknown", "没有这次导出，请重新导出。", "There is no such export; export again.")
		}
		return nil, nil //nolint:nilnil // as said
	}
	if err != nil {
		return nil, err
	}
	if !s.now().Before(x.Expires) {
		return nil, x.Ended()
	}
	return s.clerk().Resume(ctx, x)
}

// fetch is one answer with a package or the rest of it.
type fetch struct {
	s       *Server
	ctx     context.Context //nolint:containedctx // of the request
	p       *evidence.Package
	share   ward.ShareID
	content *evidence.Reader
	from    int64 // the first byte
	noted   int64 // how far it is noted
	readErr error
}

func (f *fetch) serve(hc huma.Context) {
	c := humaecho.Unwrap(hc)
	r := c.Request().Clone(f.ctx)
	ranges := r.Header.Get("Range")
	if r.Header = (http.Header{}); f.from > 0 { // conditions were looked at
		r.Header.Set("Range", ranges)
	}
	w := &counting{ResponseWriter: patient(c.Response()), f: f}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+f.p.Name+`"`)
	h.Set("ETag", `"`+string(f.p.Export.ID)+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
	err := errors.Join(f.readErr, w.err, f.content.Close())
	if w.status >= http.StatusBadRequest { // a range that is none
		return
	}
	whole := err == nil && f.from+w.n == f.p.Size
	if whole {
		err = http.NewResponseController(w).Flush()
	}
	ctx := context.WithoutCancel(f.ctx)
	if err == nil && whole {
		err = f.whole(ctx)
	} else {
		err = errors.Join(err, f.note(ctx, f.from+w.n), f.ended(err))
	}
	err = errors.Join(err, w.unnoted)
	if err != nil && f.ctx.Err() == nil {
		f.s.Log.ErrorContext(ctx, "export broken off", "request_id", requestID(ctx), "case", f.p.Export.CaseID, "export", f.p.Export.ID, "error", err)
	}
}

// Read and Seek are what http.ServeContent reads; it says nothing of errors.
func (f *fetch) Read(b []byte) (int, error) {
	n, err := f.content.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.readErr = err
	}
	return n, err
}

func (f *fetch) Seek(offset int64, whence int) (int64, error) { return f.content.Seek(offset, whence) }

// note keeps how far the fetch is, or its hash.
func (f *fetch) note(ctx context.Context, at int64) error {
	n, state, _, err := f.content.Hashed()
	if err != nil {
		return err
	}
	if state == nil {
		n = at
	}
	if n <= f.noted {
		return nil
	}
	f.noted = n
	return f.s.Store.ExportSent(ctx, f.p.Export.ID, n, state)
}

func (f *fetch) whole(ctx context.Context) error {
	_, _, sum, err := f.content.Hashed()
	if err != nil {
		return err
	}
	return f.s.Store.ExportWhole(ctx, f.p.Export, f.share, sum)
}

// ended ends the export when err is that an original changed.
func (f *fetch) ended(err error) error {
	c, ok := errors.AsType[*evidence.ChangedError](err)
	if !ok {
		return nil
	}
	err = f.s.Store.EndExport(context.WithoutCancel(f.ctx), f.p.Export.ID, ward.ExportChanged(c.Name))
	if missing(err) { // another fetch saw it too
		return nil
	}
	return err
}

// counting counts what of the package was written, and keeps the error.
type counting struct {
	http.ResponseWriter
	f       *fetch
	status  int
	n       int64
	err     error
	unnoted error // how far it came; the fetch goes on
}

func (w *counting) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *counting) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.n += int64(n)
	if w.err = err; err == nil && w.f.from+w.n-w.f.noted >= notedEvery {
		w.unnoted = w.f.note(w.f.ctx, w.f.from+w.n)
	}
	return n, err
}

// Unwrap lets http.ResponseController through.
func (w *counting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *Server) sweepExports(ctx context.Context) {
	if err := s.Store.SweepExports(ctx, s.now()); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "exports not swept", "error", err)
	}
}
