package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/ward"
)

// media completes an operation that serves bytes.
func media(op huma.Operation, contentTypes ...string) huma.Operation {
	op.Responses = map[string]*huma.Response{"200": binary("The bytes; Range is honoured", contentTypes...)}
	return op
}

// view is a custody event to be recorded before the bytes are served.
type view struct {
	object string // kind/id
	caseID ward.CaseID
	action ward.Action // empty means view
	sha256 []byte      // of the stored object, nil when it is made on the fly
	reason string
	result ward.Result
	rest   time.Duration // how long the same again is the same view; 0 means viewRest
}

// viewRest is how long further requests for the same object count as the
// same view: a player fetches one recording in many ranges.
const viewRest = time.Minute

// views remembers who saw what lately.
type views struct {
	mu   sync.Mutex // guards seen
	seen map[string]time.Time
}

// fresh says whether key has not been noted within rest of now.
func (v *views) fresh(key string, rest time.Duration, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Sub(v.seen[key]) >= rest
}

func (v *views) note(key string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.seen) > 10_000 {
		clear(v.seen) // costs a few events too many, never one too few
	}
	v.seen[key] = now
}

// record writes that the caller sees v. Whoever serves media calls it first,
// and serves nothing when it fails.
func (s *Server) record(ctx context.Context, v view) error {
	c, now := callerOf(ctx), s.now()
	if v.action == "" {
		v.action = ward.ActionView
	}
	key := fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n%x", c.ID, v.action, v.object, v.result, v.reason, v.sha256)
	again := v.result == ward.ResultRefused || v.action == ward.ActionView || v.action == ward.ActionPlay || v.action == ward.ActionUnmask || v.action == ward.ActionSearch && v.rest > 0
	if v.rest == 0 {
		v.rest = viewRest
	}
	if again && !s.views.fresh(key, v.rest, now) {
		return nil
	}
	err := s.Store.Record(ctx, ward.Custody{
		CaseID: v.caseID, At: now, Actor: c.ID, Role: c.Role, Action: v.action,
		Object: v.object, SHA256: hex.EncodeToString(v.sha256), Reason: v.reason, Result: v.result,
	})
	if err == nil {
		s.views.note(key, now)
	}
	return err
}

// refused writes that v was asked for and refused, with the code of why, and
// returns why. The same again within a minute is the same.
func (s *Server) refused(ctx context.Context, v view, why error) error {
	var e *ward.Error
	if !errors.As(why, &e) || e.Kind != ward.Forbidden && e.Kind != ward.Invalid {
		return why
	}
	v.result, v.reason = ward.ResultRefused, e.Code
	return errors.Join(why, s.record(ctx, v))
}

// showObject records the view and serves an object of the store.
func (s *Server) showObject(ctx context.Context, v view, key, contentType string) (*huma.StreamResponse, error) {
	if key == "" {
		return nil, notFound()
	}
	covered, err := s.Store.CoveredObject(ctx, key, callerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	if covered {
		return nil, s.refused(ctx, v, ward.Masked())
	}
	info, err := s.Objects.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, v); err != nil {
		return nil, err
	}
	return serve(contentType, `"`+hex.EncodeToString(v.sha256)+`"`, &objectReader{ctx: ctx, objects: s.Objects, key: key, size: info.Size}), nil
}

// showSegment records the view and serves a segment from the spool or the store.
func (s *Server) showSegment(ctx context.Context, v view, g ward.Segment) (*huma.StreamResponse, error) {
	if g.State == ward.Evicted {
		return nil, &ward.Error{Kind: ward.Gone, Code: "segment.evicted", ZH: "该录像因本机暂存空间已满，在归档前被舍弃。", EN: "This recording was given up before it was archived, because the spool was full."}
	}
	if !g.State.Readable() {
		return nil, &ward.Error{Kind: ward.Gone, Code: "segment.deleted", ZH: "该录像已按保存期限删除。", EN: "This recording was deleted when its retention ended."}
	}
	r, err := s.media().Segment(ctx, g)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "segment.missing", ZH: "暂时找不到该录像文件，请联系管理员检查存储。", EN: "The recording's file is not there; ask an administrator to run wardwatch fsck.", Err: err}
	}
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, v); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	etag := `"` + hex.EncodeToString(g.SHA256[:]) + `"`
	if f, ok := r.(*os.File); ok { // still in the spool
		return serve("video/mp4", etag, f), nil
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	return serve("video/mp4", etag, &objectReader{ctx: ctx, objects: s.Objects, key: g.Key, size: g.Bytes}), nil
}

// serve answers with content, which it closes; ranges and If-Range work.
func serve(contentType, etag string, content io.ReadSeekCloser) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer content.Close() //nolint:errcheck // only read
		c := humaecho.Unwrap(hc)
		h := c.Response().Header()
		h.Set("Content-Type", contentType)
		if etag != "" && etag != `""` {
			h.Set("ETag", etag)
		}
		http.ServeContent(patient(c.Response()), c.Request(), "", time.Time{}, content)
	}}
}

// stall is how long a client may take to accept the next piece of a stream
// before it is dropped.
const stall = 30 * time.Second

// patient lifts the server's write timeout from a long answer: instead of
// the whole, each write has a deadline.
func patient(w http.ResponseWriter) http.ResponseWriter {
	return &patientWriter{ResponseWriter: w, rc: http.NewResponseController(w)}
}

type patientWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	_ = p.rc.SetWriteDeadline(time.Now().Add(stall)) // a recorder in a test has none
	return p.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (p *patientWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// objectReader seeks in a stored object: each run of reads after a seek is
// one ranged get.
type objectReader struct {
	ctx     context.Context //nolint:containedctx // lives for one request
	objects getter
	key     string
	size    int64
	at      int64
	body    io.ReadCloser
}

type getter interface {
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
}

func (o *objectReader) Read(b []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if o.body == nil {
		body, err := o.objects.Get(o.ctx, o.key, o.at, -1)
		if err != nil {
			return 0, err
		}
		o.body = body
	}
	n, err := o.body.Read(b)
	o.at += int64(n)
	return n, err
}

func (o *objectReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek in %s to %d", o.key, offset)
	}
	if offset == o.at {
		return offset, nil
	}
	o.at = offset
	return offset, o.Close()
}

func (o *objectReader) Close() error {
	if o.body == nil {
		return nil
	}
	err := o.body.Close()
	o.body = nil
	return err
}
