package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// orphanAge is how long an object or a file may be without a row: longer
	// than an upload or a commit that is under way takes.
	orphanAge = 10 * time.Minute
	// reconcileRest is the least time between two passes, and reconcileShare
	// how many times as long as a pass took the rest is: listing is cheap, and
	// not free.
	reconcileRest  = 5 * time.Minute
	reconcileShare = 10
	// knownPage is how many keys are looked up at once.
	knownPage = 200
)

// Quarantined is a thing that was found without a row and put aside.
type Quarantined struct {
	Origin  string    `json:"origin"`   // "object/KEY" or "spool/PATH"
	MovedTo string    `json:"moved_to"` // likewise
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
	Found   time.Time `json:"found"`
}

// Reconciler looks for objects and spooled files that no row knows and puts
// them aside, each with a sealed record. It deletes nothing.
type Reconciler struct {
	Store *Store
	Media Media
	Log   *slog.Logger
	Now   func() time.Time // nil means time.Now
}

// Run reconciles until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	for {
		began := time.Now()
		n, err := r.Once(ctx)
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "reconciling interrupted, trying again", "error", err)
		}
		if n > 0 {
			r.Log.WarnContext(ctx, "things without a row put aside; wardwatch fsck lists them", "count", n)
		}
		select {
		case <-time.After(max(reconcileRest, reconcileShare*time.Since(began))):
		case <-ctx.Done():
			return nil
		}
	}
}

// Once looks at every object below v1/ and every spooled file, and returns
// how many it put aside.
func (r *Reconciler) Once(ctx context.Context) (int, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	n, err := r.objects(ctx, now.Add(-orphanAge))
	if err != nil {
		return n, err
	}
	m, err := r.files(ctx, now.Add(-orphanAge))
	if s3, ok := r.Media.Objects.(*objects.S3); ok && err == nil {
		err = r.abandon(ctx, s3, now.Add(-abandonedFor))
	}
	return n + m, err
}

// abandonedFor is how far back evicted segments are looked up whose upload
// may have been cut off.
const abandonedFor = 30 * 24 * time.Hour

// abandon ends uploads in parts of what does not wait for upload any more:
// those that the server lists, and those of evicted segments, since MinIO
// lists one key's only.
func (r *Reconciler) abandon(ctx context.Context, s3 *objects.S3, since time.Time) error {
	prefixes := []string{"v1/"}
	evicted, err := r.Store.EvictedSince(ctx, since, objects.LargeSize)
	if err != nil {
		return err
	}
	for _, g := range evicted {
		prefixes = append(prefixes, g.Key)
	}
	waits := func(key string) (bool, error) {
		var n int
		err := r.Store.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM segment WHERE object_key = $1 AND state = 'spooled'`, key).Scan(&n)
		return n > 0, err
	}
	for _, p := range prefixes {
		n, err := s3.Abandon(ctx, p, waits)
		if err != nil {
			return err
		}
		if n > 0 {
			r.Log.InfoContext(ctx, "unfinished uploads ended", "count", n)
		}
	}
	return nil
}

func (r *Reconciler) objects(ctx context.Context, before time.Time) (int, error) {
	var orphans []objects.Info
	err := eachUnknown(ctx, r.Store, r.Media.Objects, "", nil, func(o objects.Info) {
		if o.Modified.Before(before) {
			orphans = append(orphans, o)
		}
	})
	for i, o := range orphans {
		if err := r.object(ctx, o.Key); err != nil {
			return i, fmt.Errorf("put object %s aside: %w", o.Key, err)
		}
	}
	return len(orphans), err
}

// eachUnknown calls found for every object below v1/ and after the key after
// that no row knows, and every, unless it is nil, for each page of objects.
func eachUnknown(ctx context.Context, s *Store, o objects.Objects, after string, every func([]objects.Info) error, found func(objects.Info)) error {
	var page []objects.Info
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		unknown, err := s.unknown(ctx, page)
		if err != nil {
			return err
		}
		for _, o := range unknown {
			found(o)
		}
		if every != nil {
			err = every(page)
		}
		page = page[:0]
		return err
	}
	for info, err := range o.List(ctx, "v1/") {
		if err != nil {
			return err
		}
		if info.Key <= after {
			continue
		}
		if page = append(page, info); len(page) == knownPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// probePrefix begins the keys that readiness writes and deletes.
const probePrefix = "v1/probe/"

// unknown returns the objects that no row names.
func (s *Store) unknown(ctx context.Context, page []objects.Info) ([]objects.Info, error) {
	args := make([]any, len(page))
	marks := make([]string, len(page))
	for i, o := range page {
		args[i], marks[i] = o.Key, fmt.Sprintf("$%d", i+1)
	}
	in := ` IN (` + strings.Join(marks, ", ") + `)`
	known, err := listed(ctx, s, "look for objects", func(r row) (string, error) {
		var key string
		return key, r.Scan(&key)
	}, `SELECT object_key FROM segment WHERE object_key`+in+
		` UNION ALL SELECT snapshot_key FROM sighting WHERE snapshot_key <> '' AND snapshot_key`+in+
		` UNION ALL SELECT snapshot_key FROM alert WHERE snapshot_key`+in+
		` UNION ALL SELECT snapshot_key FROM visit WHERE snapshot_key`+in+
		` UNION ALL SELECT photo_key FROM insured WHERE photo_key`+in+
		` UNION ALL SELECT ref FROM evidence WHERE ref`+in, args...)
	if err != nil {
		return nil, err
	}
	var out []objects.Info
	for _, o := range page {
		if !slices.Contains(known, o.Key) && !strings.HasPrefix(o.Key, probePrefix) {
			out = append(out, o)
		}
	}
	return out, nil
}

// object copies one object aside, verifies the copy, records it, and only
// then removes the original.
func (r *Reconciler) object(ctx context.Context, key string) error {
	objs := r.Media.Objects
	sum, size, err := objects.Sum(ctx, objs, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := "quarantine/" + hex.EncodeToString(sum[:8]) + "/" + key
	body, err := objs.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	if err = errors.Join(objs.Put(ctx, to, body, size), body.Close()); err != nil {
		return err
	}
	copied, _, err := objects.Sum(ctx, objs, to)
	if err != nil {
		return err
	}
	if copied != sum {
		return fmt.Errorf("the copy %s differs", to)
	}
	if err := r.Store.quarantined(ctx, "object/"+key, "object/"+to, size, sum); err != nil {
		return err
	}
	return objs.Delete(ctx, key)
}

// files puts aside what is in the spool, without a row, of a source that
// nobody knows. What a known source left is Recover's to commit.
func (r *Reconciler) files(ctx context.Context, before time.Time) (int, error) {
	if r.Media.Spool == nil {
		return 0, nil
	}
	entries, err := r.Media.Spool.Entries()
	if err != nil {
		return 0, err
	}
	known := map[ward.Source]bool{}
	n := 0
	for _, e := range entries {
		if !e.Modified.Before(before) {
			continue
		}
		is, seen := known[e.Source]
		if !seen {
			if is, err = r.Store.KnownSource(ctx, e.Source); err != nil {
				return n, err
			}
			known[e.Source] = is
		}
		if is {
			continue
		}
		if err := r.file(ctx, e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (r *Reconciler) file(ctx context.Context, e spool.Entry) error {
	return r.Store.PutAside(ctx, r.Media.Spool, e)
}

// PutAside moves a spooled file into the quarantine, with its sealed record.
// It may be called again after it was interrupted.
func (s *Store) PutAside(ctx context.Context, sp *spool.Spool, e spool.Entry) error {
	sum, err := sp.Sum(e)
	if err != nil {
		return err
	}
	if err := s.quarantined(ctx, "spool/"+e.Path(), "spool/"+e.Aside(), e.Size, sum); err != nil {
		return err
	}
	return sp.Quarantine(e)
}

// CopyTailAside copies what a spooled file holds from the byte from on into
// the quarantine, with its sealed record. It may be called again after it
// was interrupted.
func (s *Store) CopyTailAside(ctx context.Context, sp *spool.Spool, e spool.Entry, from int64) error {
	size, sum, err := sp.CopyTail(e, from)
	if err != nil {
		return err
	}
	return s.quarantined(ctx, "spool/"+e.Path(), "spool/"+e.TailAside(from), size, sum)
}

// KnownSource says whether a source is, or ever was, one of ours: a camera of
// the table, a visit, or what has a recording or a gap.
func (s *Store) KnownSource(ctx context.Context, src ward.Source) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (
		SELECT 1 FROM camera WHERE id = $2 AND $1 = 'camera'
		UNION ALL SELECT 1 FROM visit WHERE id = $2 AND $1 = 'visit'
		UNION ALL SELECT 1 WHERE EXISTS (SELECT 1 FROM segment WHERE source_kind = $1 AND source_id = $2)
		UNION ALL SELECT 1 WHERE EXISTS (SELECT 1 FROM gap WHERE source_kind = $1 AND source_id = $2)) known`, src.Kind, src.ID).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", src, err)
	}
	return n > 0, nil
}

// quarantined records that origin is put aside. Again is no error.
func (s *Store) quarantined(ctx context.Context, origin, to string, size int64, sum [32]byte) error {
	return s.change(ctx, "record quarantine of "+origin, func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var n int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM quarantine WHERE moved_to = $1`, to).Scan(&n); err != nil || n > 0 {
			return err
		}
		q := Quarantined{Origin: origin, MovedTo: to, Bytes: size, SHA256: hex.EncodeToString(sum[:]), Found: at(us(t.now))}
		leaf, err := t.sealRecord(ctx, KindQuarantine, to, q)
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO quarantine (moved_to, origin, bytes, sha256, found_us, leaf) VALUES ($1, $2, $3, $4, $5, $6)`,
			to, origin, size, sum[:], us(q.Found), leaf)
		return err
	})
}

// Quarantine lists what was put aside, oldest first.
func (s *Store) Quarantine(ctx context.Context) ([]Quarantined, error) {
	return listed(ctx, s, "list quarantine", func(r row) (Quarantined, error) {
		var q Quarantined
		var sum []byte
		var found int64
		err := r.Scan(&q.Origin, &q.MovedTo, &q.Bytes, &sum, &found)
		q.SHA256, q.Found = hex.EncodeToString(sum), at(found)
		return q, err
	}, `SELECT origin, moved_to, bytes, sha256, found_us FROM quarantine ORDER BY found_us, moved_to`)
}
