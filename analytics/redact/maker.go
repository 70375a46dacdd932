package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

const (
	// rest is how often the queue is looked at when nobody wakes the maker.
	rest = 30 * time.Second
	// temporary are the files of what is being made, in Folder.
	temporary = "redaction-*"
	// mostStill bounds a picture that is covered, in bytes: the largest upload.
	mostStill = 20 << 20
)

// errCancelled is the cause with which somebody ends a redaction that is being made.
var errCancelled = errors.New("cancelled")

// Maker makes the redactions that are queued, one at a time. One that a stop
// interrupts is made anew: until it is finished there is nothing but a temporary file.
type Maker struct {
	Store  *storage.Store
	Media  storage.Media
	Artist *Artist
	Folder string // of temporary files, of this service alone
	Log    *slog.Logger

	once sync.Once
	wake chan struct{}

	mu   sync.Mutex // guards the rest
	now  ward.RedactionID
	part float64
	stop context.CancelCauseFunc
}

func (m *Maker) woken() chan struct{} {
	m.once.Do(func() { m.wake = make(chan struct{}, 1) })
	return m.wake
}

// Wake says that the queue has something.
func (m *Maker) Wake() {
	select {
	case m.woken() <- struct{}{}:
	default:
	}
}

// Progress is how far a redaction is, 0 to 1: 0 while it waits.
func (m *Maker) Progress(id ward.RedactionID) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != id {
		return 0
	}
	return m.part
}

// Cancel ends a redaction that waits or is being made.
func (m *Maker) Cancel(ctx context.Context, id ward.RedactionID) error {
	if err := m.Store.EndRedaction(ctx, id, ward.RedactionCancelled, ""); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == id {
		m.stop(errCancelled)
		return nil
	}
	return m.drop(ctx, id)
}

// Run makes what is queued until ctx ends.
func (m *Maker) Run(ctx context.Context) error {
	left, err := filepath.Glob(filepath.Join(m.Folder, temporary)) // by a stop in the middle
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return fmt.Errorf("remove what was being covered: %w", err)
	}
	for {
		queued, err := m.Store.QueuedRedactions(ctx)
		for _, r := range queued { // one that has to be tried again keeps none behind it waiting
			err = errors.Join(err, m.one(ctx, r))
		}
		if err != nil && ctx.Err() == nil {
			m.Log.WarnContext(ctx, "redaction not made", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.woken():
		case <-time.After(rest):
		}
	}
}

// one makes one redaction, or says why it cannot be made; the error is of what
// may be tried again.
func (m *Maker) one(ctx context.Context, r ward.Redaction) error {
	r, err := m.Store.Redaction(ctx, r.ID)
	if err != nil || r.State != ward.RedactionQueued { // cancelled while others were made
		return err
	}
	in, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m.mu.Lock()
	m.now, m.part, m.stop = r.ID, 0, stop
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.now = ""
	}()
	err = m.make(in, r)
	if err == nil || ctx.Err() != nil {
		return err
	}
	ended := errors.Is(context.Cause(in), errCancelled) || errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "redaction.ended"})
	if fault := faultOf(err); !ended && fault != "" {
		m.Log.WarnContext(ctx, "redaction failed", "redaction", r.ID, "error", err)
		err, ended = m.Store.EndRedaction(ctx, r.ID, ward.RedactionFailed, fault), true
	} else if ended {
		err = nil
	}
	if ended {
		err = errors.Join(err, m.drop(ctx, r.ID))
	}
	return err
}

// drop removes what a redaction that failed or was cancelled left in the
// object store. Of one that is done, though its maker got an error instead of
// the commit's answer, the derivative stays.
func (m *Maker) drop(ctx context.Context, id ward.RedactionID) error {
	r, err := m.Store.Redaction(ctx, id)
	if err != nil || r.State == ward.RedactionDone || r.State == ward.RedactionQueued {
		return err
	}
	return m.Media.Objects.Delete(ctx, r.Key)
}

// faultOf is the code of an error that another try would meet again.
func faultOf(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, &ward.Error{Kind: ward.NotFound}):
		return "original"
	case errors.Is(err, errChanged):
		return "changed"
	case errors.Is(err, vision.ErrLost):
		return "worker"
	case errors.Is(err, vision.ErrPicture), errors.Is(err, errNothing):
		return "picture"
	}
	return ""
}

// make writes the derivative beside, then stores and seals it.
func (m *Maker) make(ctx context.Context, r ward.Redaction) error {
	e, err := m.Store.EvidenceItem(ctx, r.EvidenceID)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(m.Folder, temporary)
	if err != nil {
		return fmt.Errorf("make redaction %s: %w", r.ID, err)
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	sum := sha256.New()
	model, err := m.draw(ctx, e, r, io.MultiWriter(f, sum))
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = m.put(ctx, r.Key, f, size)
	}
	if err != nil {
		return fmt.Errorf("store redaction %s: %w", r.ID, err)
	}
	v := sealed.Upload{
		Institution: r.InstitutionID, Name: string(r.ID), MediaType: "image/jpeg", Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil)), By: r.By,
		Derived: &sealed.Derived{From: string(e.Kind) + "/" + e.Ref, SHA256: hex.EncodeToString(e.SHA256[:]), Tool: Tool, Model: model, Plan: r.Plan, Reason: r.Reason},
	}
	if e.Kind == ward.EvidenceSegment {
		v.MediaType = "video/mp4"
	}
	_, err = m.Store.FinishRedaction(ctx, r.ID, v)
	return err
}

// put stores the derivative. What an interrupted attempt left under its key is
// sealed nowhere, or the redaction would be done, and gives way.
func (m *Maker) put(ctx context.Context, key string, f io.ReadSeeker, size int64) error {
	err := m.Media.Objects.Put(ctx, key, f, size)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err = m.Media.Objects.Delete(ctx, key); err != nil {
		return err
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return m.Media.Objects.Put(ctx, key, f, size)
}

// errChanged: the original is not what was sealed.
var errChanged = errors.New("the original's hash is not the sealed one")

// draw writes the derivative of an item whose bytes are what was sealed.
func (m *Maker) draw(ctx context.Context, e ward.Evidence, r ward.Redaction, w io.Writer) (model string, err error) {
	original, err := m.original(ctx, e)
	if err != nil {
		return "", err
	}
	if e.Kind != ward.EvidenceSegment {
		b, model, err := m.Artist.Still(ctx, original, r.Plan)
		if err == nil {
			_, err = w.Write(b)
		}
		return model, err
	}
	g, err := m.Store.Segment(ctx, ward.SegmentID(e.Ref))
	if err != nil {
		return "", err
	}
	return m.Artist.Video(ctx, g, r.Plan, w, func(part float64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.part = part
	})
}

// original reads an item and compares it with its sealed hash; of a recording
// it returns nothing: that is read again, picture by picture.
func (m *Maker) original(ctx context.Context, e ward.Evidence) ([]byte, error) {
	var in io.ReadCloser
	var err error
	if e.Kind == ward.EvidenceSegment {
		var g ward.Segment
		if g, err = m.Store.Segment(ctx, ward.SegmentID(e.Ref)); err == nil {
			in, err = m.Media.Segment(ctx, g)
		}
	} else {
		in, err = m.Media.Objects.Get(ctx, e.Ref, 0, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("read the original %s: %w", e.Ref, err)
	}
	defer in.Close() //nolint:errcheck // only read
	sum := sha256.New()
	var b []byte
	if e.Kind == ward.EvidenceSegment {
		_, err = io.Copy(sum, in)
	} else if b, err = io.ReadAll(io.LimitReader(in, mostStill)); err == nil {
		_, err = sum.Write(b)
	}
	if err != nil {
		return nil, fmt.Errorf("read the original %s: %w", e.Ref, err)
	}
	if [32]byte(sum.Sum(nil)) != e.SHA256 {
		return nil, fmt.Errorf("%s: %w", e.Ref, errChanged)
	}
	return b, nil
}
