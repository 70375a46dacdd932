package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Quarantined is a thing that was found without a row and put aside.
type Quarantined struct {
	Origin  string    `json:"origin"`   // "object/KEY" or "spool/PATH"
	MovedTo string    `json:"moved_to"` // likewise
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
	Found   time.Time `json:"found"`
}

// PutAside moves a spooled file into the quarantine, with its sealed record.
// It may be called again after it was interrupted.
func (s *Store) PutAside(ctx context.Context, sp *spool.Spool, e spool.Entry) error {
	return s.putAside(ctx, sp, e, "")
}

// putAside is PutAside unless the query owned finds a row: errOwned.
func (s *Store) putAside(ctx context.Context, sp *spool.Spool, e spool.Entry, owned string, args ...any) error {
	sum, err := sp.Sum(e)
	if err != nil {
		return err
	}
	if _, err := s.quarantined(ctx, "spool/"+e.Path(), "spool/"+e.Aside(), e.Size, sum, owned, args...); err != nil {
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
	_, err = s.quarantined(ctx, "spool/"+e.Path(), "spool/"+e.TailAside(from), size, sum, "")
	return err
}

// knownSource finds a row of the source of kind $1 and id $2.
const knownSource = `SELECT 1 FROM (
	SELECT 1 FROM camera WHERE id = $2 AND $1 = 'camera'
	UNION ALL SELECT 1 FROM visit WHERE id = $2 AND $1 = 'visit'
	UNION ALL SELECT 1 WHERE EXISTS (SELECT 1 FROM segment WHERE source_kind = $1 AND source_id = $2)
	UNION ALL SELECT 1 WHERE EXISTS (SELECT 1 FROM gap WHERE source_kind = $1 AND source_id = $2)) known LIMIT 1`

// KnownSource says whether a source is, or ever was, one of ours: a camera of
// the table, a visit, or what has a recording or a gap.
func (s *Store) KnownSource(ctx context.Context, src ward.Source) (bool, error) {
	var one int
	err := s.read.QueryRowContext(ctx, knownSource, src.Kind, src.ID).Scan(&one)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("look for %s: %w", src, err)
	}
	return err == nil, nil
}

// errOwned is the error of putting aside what has a row by now.
var errOwned = errors.New("it has a row")

// quarantined records that origin is put aside, unless the query owned finds
// a row for it: errOwned. had says that the record was there before, which is
// no error.
func (s *Store) quarantined(ctx context.Context, origin, to string, size int64, sum [32]byte, owned string, args ...any) (had bool, err error) {
	err = s.change(ctx, "record quarantine of "+origin, func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var n int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM quarantine WHERE moved_to = $1`, to).Scan(&n); err != nil {
			return err
		}
		had = n > 0
		// What commits a recording has this lock, so that a row is seen here, or
		// comes after the move.
		if owned != "" {
			var row string
			if err := t.QueryRowContext(ctx, owned, args...).Scan(&row); err == nil {
				return errOwned
			} else if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if had {
			return nil
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
	return had, err
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
