package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Media is where bytes are: finished segments in the spool until they are
// archived, everything else in the object store.
type Media struct {
	Objects objects.Objects
	Spool   *spool.Spool // nil: this process has none
}

// Segment opens the bytes of a segment wherever they are now. When they are
// nowhere the error matches fs.ErrNotExist.
func (m Media) Segment(ctx context.Context, g ward.Segment) (io.ReadCloser, error) {
	if g.State == ward.Spooled && m.Spool != nil {
		f, err := m.Spool.Open(spool.Of(g))
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open segment %s: %w", g.ID, err)
		}
	}
	r, err := m.Objects.Get(ctx, g.Key, 0, -1) // uploaded since the row was read
	if err != nil {
		return nil, fmt.Errorf("open segment %s: %w", g.ID, err)
	}
	return r, nil
}
