package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

const gapColumns = `id, source_kind, source_id, institution_id, from_us, to_us, cause`

// OpenGap stores a gap that lasts and returns its id; g.To is ignored. A gap
// whose ID is stored already is left as it is, so that a caller may try again.
func (s *Store) OpenGap(ctx context.Context, g ward.Gap) (ward.GapID, error) {
	g.To = time.Time{}
	return s.insertGap(ctx, g)
}

// AddGap stores a gap that is over. One of no length is left out.
func (s *Store) AddGap(ctx context.Context, g ward.Gap) error {
	if us(g.To) <= us(g.From) {
		return nil
	}
	_, err := s.insertGap(ctx, g)
	return err
}

func (s *Store) insertGap(ctx context.Context, g ward.Gap) (ward.GapID, error) {
	err := s.change(ctx, fmt.Sprintf("store gap of %s", g.Source), func(t *tx) error {
		return t.insertGap(ctx, &g)
	})
	return g.ID, err
}

func (t *tx) insertGap(ctx context.Context, g *ward.Gap) error {
	if g.ID == "" {
		g.ID = ward.NewID[ward.GapID](t.now)
	}
	_, err := t.ExecContext(ctx, `INSERT INTO gap (`+gapColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		g.ID, g.Source.Kind, g.Source.ID, g.InstitutionID, us(g.From), us(g.To), g.Cause)
	return err
}

// CloseGap ends an open gap. One that would have no length is removed; one
// that is closed already is left as it is.
func (s *Store) CloseGap(ctx context.Context, id ward.GapID, to time.Time) error {
	return s.change(ctx, fmt.Sprintf("close gap %s", id), func(t *tx) error { return t.closeGap(ctx, id, to) })
}

func (t *tx) closeGap(ctx context.Context, id ward.GapID, to time.Time) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM gap WHERE id = $1 AND to_us = 0 AND from_us >= $2`, id, us(to)); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `UPDATE gap SET to_us = $2 WHERE id = $1 AND to_us = 0`, id, us(to))
	return err
}

// TurnGap ends the open gap id at g.From and opens g there in the same
// transaction: the cause changed.
func (s *Store) TurnGap(ctx context.Context, id ward.GapID, g ward.Gap) (ward.GapID, error) {
	g.To = time.Time{}
	err := s.change(ctx, fmt.Sprintf("turn gap %s", id), func(t *tx) error {
		if err := t.closeGap(ctx, id, g.From); err != nil {
			return err
		}
		return t.insertGap(ctx, &g)
	})
	return g.ID, err
}

// EndDamage closes the gaps inside a segment (CauseLoss, CauseSlow) of src that
// a crash left open, where its last segment ends: how far the damage went,
// nobody knows. One that begins later is in no segment, and is removed. What a
// device gave afterwards does not count.
func (s *Store) EndDamage(ctx context.Context, src ward.Source) error {
	return s.change(ctx, fmt.Sprintf("end damage of %s", src), func(t *tx) error {
		var end int64
		err := t.QueryRowContext(ctx, `SELECT end_us FROM segment WHERE source_kind = $1 AND source_id = $2 AND origin = $3 ORDER BY seq DESC LIMIT 1`, src.Kind, src.ID, ward.FromStream).Scan(&end)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		const open = ` WHERE source_kind = $1 AND source_id = $2 AND to_us = 0 AND cause IN ($3, $4)`
		if _, err := t.ExecContext(ctx, `DELETE FROM gap`+open+` AND from_us >= $5`, src.Kind, src.ID, ward.CauseLoss, ward.CauseSlow, end); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `UPDATE gap SET to_us = $5`+open, src.Kind, src.ID, ward.CauseLoss, ward.CauseSlow, end)
		return err
	})
}

// maxGapsBefore is how many gaps that begin before a stretch are looked at for
// one that reaches into it: more than the damage that one segment collects.
const maxGapsBefore = 256

// GapsBetween returns the gaps of src that touch [from, to), by From; one
// that lasts has a zero To. What it reads does not grow with the source's age:
// gaps that begin inside, those that last, and the last ones before, since
// only damage inside a segment lies within another gap.
func (s *Store) GapsBetween(ctx context.Context, src ward.Source, from, to time.Time) ([]ward.Gap, error) {
	return listed(ctx, s, "list gaps of "+src.String(), scanGap,
		`SELECT `+gapColumns+` FROM gap WHERE source_kind = $1 AND source_id = $2 AND from_us >= $3 AND from_us < $4
		UNION SELECT `+gapColumns+` FROM gap WHERE source_kind = $1 AND source_id = $2 AND to_us = 0 AND from_us < $4
		UNION SELECT * FROM (SELECT `+gapColumns+` FROM gap WHERE source_kind = $1 AND source_id = $2 AND from_us < $3 AND from_us < $4
			ORDER BY from_us DESC LIMIT $5) earlier WHERE to_us > $3
		ORDER BY from_us, id`,
		src.Kind, src.ID, us(from), us(to), maxGapsBefore)
}

// LastGap returns the gap of src that lasts, else the one that began last, or
// ward.NotFound. A clock that was set back lets one that lasts begin before
// others. Gaps inside a segment (CauseLoss, CauseSlow) do not count.
func (s *Store) LastGap(ctx context.Context, src ward.Source) (ward.Gap, error) {
	const last = `SELECT ` + gapColumns + ` FROM gap WHERE source_kind = $1 AND source_id = $2 AND cause NOT IN ($3, $4) %s ORDER BY from_us DESC, id DESC LIMIT 1`
	g, err := scanGap(s.read.QueryRowContext(ctx, fmt.Sprintf(last, `AND to_us = 0`), src.Kind, src.ID, ward.CauseLoss, ward.CauseSlow))
	if errors.Is(err, sql.ErrNoRows) {
		g, err = scanGap(s.read.QueryRowContext(ctx, fmt.Sprintf(last, ``), src.Kind, src.ID, ward.CauseLoss, ward.CauseSlow))
	}
	if err != nil {
		return g, fmt.Errorf("read last gap of %s: %w", src, missing(err, "gap.unknown", "没有缺口记录。", "There is no such gap."))
	}
	return g, nil
}

func scanGap(r row) (ward.Gap, error) {
	var g ward.Gap
	var from, to int64
	err := r.Scan(&g.ID, &g.Source.Kind, &g.Source.ID, &g.InstitutionID, &from, &to, &g.Cause)
	g.From, g.To = at(from), at(to)
	return g, err
}
