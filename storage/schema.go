package storage

import (
	"context"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// errEmpty is the cause of database.schema when no migration was ever applied.
var errEmpty = errors.New("the database is empty")

// OpenOrBegin is Open, but gives an empty database the current schema: what
// the first start of a service needs. An older schema is still refused, so
// that an upgrade is a decision.
func OpenOrBegin(ctx context.Context, o Options) (*Store, error) {
	s, err := Open(ctx, o)
	if errors.Is(err, errEmpty) {
		return Migrate(ctx, o)
	}
	return s, err
}

// current returns nil when the schema is the one that this program knows.
func (s *Store) current(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > known {
		return &ward.Error{
			Kind: ward.Unavailable, Code: "database.newer",
			ZH: "数据库结构来自更新版本的 Wardwatch，请使用该版本或更新的程序。", EN: "The database schema is of a newer Wardwatch; run that version or a later one.",
			Err: fmt.Errorf("schema version %d, known %d", have, known),
		}
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if !pending {
		return nil
	}
	old := &ward.Error{Kind: ward.Unavailable, Code: "database.schema", ZH: "数据库结构不是最新，请先运行 wardwatch migrate。", EN: "The database schema is not current; run: wardwatch migrate"}
	if have == 0 {
		old.Err = errEmpty
	}
	return old
}
