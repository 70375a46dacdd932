package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Outage returns the newest version of an outage, or ward.NotFound.
func (s *Store) Outage(ctx context.Context, id ward.OutageID) (ward.Outage, error) {
	o, err := scanOutage(s.read.QueryRowContext(ctx, outageColumns+` AND o.id = $1`, id))
	if err != nil {
		return o, fmt.Errorf("read outage %s: %w", id, outageMissing(err))
	}
	return o, nil
}

// OutageVersions returns every version of an outage, the oldest first.
func (s *Store) OutageVersions(ctx context.Context, id ward.OutageID) ([]ward.Outage, error) {
	return listed(ctx, s, "read the versions of outage "+string(id), scanOutage, outageRows+` WHERE o.id = $1 ORDER BY o.version`, id)
}

// OutageFilter narrows Outages; a zero field does not.
type OutageFilter struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	After        time.Time            // only those that end later
	Before       string               // cursor: the next of an earlier call
	Limit        int                  // 1 to 500; 0 means 50
}

// Outages lists the newest version of each outage, those reported last first.
// next continues the list and is empty at its end.
func (s *Store) Outages(ctx context.Context, f OutageFilter) (list []ward.Outage, next string, err error) {
	where, args := scope(f.Institutions, nil)
	if !f.After.IsZero() {
		args = append(args, us(f.After))
		where += fmt.Sprintf(` AND to_us > $%d`, len(args))
	}
	if f.Before != "" {
		args = append(args, f.Before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	limit := pageSize(f.Limit)
	args = append(args, limit+1)
	newest := `SELECT * FROM outage x` + where + ` AND version = (SELECT MAX(y.version) FROM outage y WHERE y.id = x.id)`
	list, err = listed(ctx, s, "list outages", scanOutage, outageRows[:len(outageRows)-len(`outage o`)]+`(`+newest+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args))+`) AS o ORDER BY o.id DESC`, args...)
	if err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list, next = list[:limit], string(list[limit-1].ID)
	}
	return list, next, nil
}

// OutagesAt returns the outages of institutions that touch [from, to], also those that cover nothing.
func (s *Store) OutagesAt(ctx context.Context, insts []ward.InstitutionID, from, to time.Time) (list []ward.Outage, err error) {
	err = eachOf(ctx, s.read, outageColumns+` AND o.to_us >= $1 AND o.from_us <= $2 AND o.institution_id IN `, padded(insts), []any{us(from), us(to)}, func(r row) error {
		o, err := scanOutage(r)
		list = append(list, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read outages of %d institutions: %w", len(insts), err)
	}
	return list, nil
}
