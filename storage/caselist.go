package storage

import (
	"context"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// nextNumber is called with the ledger locked. The counter goes on from the
// longest and highest number of the year that has the pattern's form.
func (t *tx) nextNumber(ctx context.Context, year int) (string, error) {
	before, after := t.s.numbers.Around(year)
	like := strings.NewReplacer("%", `\%`, "_", `\_`)
	rows, err := t.QueryContext(ctx, `SELECT number FROM case_file WHERE number LIKE $1 ESCAPE '\' ORDER BY LENGTH(number) DESC, number DESC`, like.Replace(before)+"%"+like.Replace(after))
	if err != nil {
		return "", fmt.Errorf("read last case number: %w", err)
	}
	defer rows.Close() //nolint:errcheck // only read
	last := 0
	for last == 0 && rows.Next() {
		var number string
		if err := rows.Scan(&number); err != nil {
			return "", fmt.Errorf("read last case number: %w", err)
		}
		last, _ = t.s.numbers.Count(year, number) // one of another pattern is passed over
	}
	return t.s.numbers.Number(year, last+1), rows.Err()
}

func noCase(err error) error {
	return missing(err, "case.unknown", "没有这个案件，请检查案号。", "No such case; check its number.")
}

func scanCase(r row) (ward.Case, error) {
	var c ward.Case
	var opened int64
	err := r.Scan(&c.ID, &c.Number, &c.InstitutionID, &c.Title, &opened, &c.OpenedBy)
	c.Opened = at(opened)
	return c, err
}

// Case returns one case.
func (s *Store) Case(ctx context.Context, id ward.CaseID) (ward.Case, error) {
	c, err := scanCase(s.read.QueryRowContext(ctx, caseColumns+` WHERE id = $1`, id))
	if err != nil {
		return c, fmt.Errorf("read case %s: %w", id, noCase(err))
	}
	return c, nil
}

// CaseByNumber returns the case with this number.
func (s *Store) CaseByNumber(ctx context.Context, number string) (ward.Case, error) {
	c, err := scanCase(s.read.QueryRowContext(ctx, caseColumns+` WHERE number = $1`, strings.TrimSpace(number)))
	if err != nil {
		return c, fmt.Errorf("read case by number: %w", noCase(err))
	}
	return c, nil
}

// Cases lists the cases of the institutions (nil: all) opened before the
// case with id before (empty: from the newest), newest first, at most limit.
func (s *Store) Cases(ctx context.Context, insts []ward.InstitutionID, before ward.CaseID, limit int) ([]ward.Case, error) {
	where, args := scope(insts, nil)
	if before != "" {
		args = append(args, before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	args = append(args, limit)
	rows, err := s.read.QueryContext(ctx, caseColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return collect(rows, scanCase)
}
