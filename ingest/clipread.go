package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
)

// ReadClip reads a planned clip: any part of it costs what that part holds.
// It must be closed; ctx ends it.
func (l *Library) ReadClip(ctx context.Context, p *ClipPlan) io.ReadSeekCloser {
	c := &clipReader{ctx: ctx, lib: l, plan: p, open: make([]*recording, len(p.places))}
	return struct {
		*io.SectionReader
		io.Closer
	}{io.NewSectionReader(c, 0, p.Size), c}
}

// clipReader reads a clip where its recordings are.
type clipReader struct {
	ctx  context.Context //nolint:containedctx // lives for one request
	lib  *Library
	plan *ClipPlan
	open []*recording // by place; nil until it is read
}

// Close closes the recordings.
func (c *clipReader) Close() error {
	var err error
	for _, r := range c.open {
		if r != nil {
			err = errors.Join(err, r.close())
		}
	}
	return err
}

// ReadAt implements io.ReaderAt.
func (c *clipReader) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = c.some(b[n:], at+int64(n))
		n += m
	}
	return n, err
}

// some reads some of what lies at at.
func (c *clipReader) some(b []byte, at int64) (int, error) {
	if head := c.plan.head; at < int64(len(head)) {
		return copy(b, head[at:]), nil
	}
	i := sort.Search(len(c.plan.runs), func(i int) bool { return c.plan.runs[i].offset+c.plan.runs[i].size > at })
	if i == len(c.plan.runs) {
		return 0, io.EOF
	}
	r := c.plan.runs[i]
	at -= r.offset
	if at < int64(len(r.sets)) {
		return copy(b, r.sets[at:]), nil
	}
	rec, err := c.recording(r.place)
	if err != nil {
		return 0, err
	}
	at -= int64(len(r.sets))
	b = b[:min(int64(len(b)), r.size-int64(len(r.sets))-at)]
	if n, err := rec.ReadAt(b, r.from+at); n < len(b) {
		return n, fmt.Errorf("read clip: %w", err)
	}
	return len(b), nil
}

// recording opens a recording, wherever it is by now.
func (c *clipReader) recording(i int) (*recording, error) {
	if c.open[i] != nil {
		return c.open[i], nil
	}
	p := c.plan.places[i]
	rec, err := c.lib.open(c.ctx, p)
	if rec == nil && err == nil { // committed, sent and removed since
		rec, err = c.lib.starting(c.ctx, c.plan.inst, c.plan.src, p.start())
	}
	if err != nil {
		return nil, fmt.Errorf("read clip: %w", err)
	}
	c.open[i] = rec
	return rec, nil
}
