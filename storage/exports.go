package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// freezeWithin is how long after its custody event an export is frozen at the
// latest: what takes longer was cut off, by a crash or a full disk.
const freezeWithin = time.Hour

func exportCell(id ward.ExportID) string { return "evidence_export.frozen." + string(id) }

// BeginExport records an export: its custody event c, and a row that follows
// what becomes of it, in one transaction.
func (s *Store) BeginExport(ctx context.Context, c ward.Custody) (ward.Export, error) {
	var x ward.Export
	err := s.change(ctx, "begin export of case "+string(c.CaseID), func(t *tx) error {
		c.Action = ward.ActionExport
		e, err := t.custody(ctx, c)
		if err != nil {
			return err
		}
		x = ward.Export{
			ID: ward.NewID[ward.ExportID](t.now), CaseID: e.CaseID, By: e.Actor, Role: e.Role, Object: e.Object,
			Begun: at(us(t.now)), Expires: at(us(t.now.Add(freezeWithin))), State: ward.ExportBegun,
		}
		_, err = t.ExecContext(ctx, `INSERT INTO evidence_export (id, case_id, by_user, by_role, object, begun_us, expires_us, state, size, sent, why)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '')`, x.ID, x.CaseID, x.By, x.Role, x.Object, us(x.Begun), us(x.Expires), x.State)
		return err
	})
	return x, err
}

// FreezeExport keeps, sealed, what an export of size bytes is made of, so that
// it can be fetched until ward.ExportFor from now.
func (s *Store) FreezeExport(ctx context.Context, x ward.Export, size int64, frozen []byte) (ward.Export, error) {
	err := s.change(ctx, "freeze export "+string(x.ID), func(t *tx) error {
		x.State, x.Size, x.Expires = ward.ExportOpen, size, at(us(t.now.Add(ward.ExportFor)))
		res, err := t.ExecContext(ctx, `UPDATE evidence_export SET state = $2, size = $3, expires_us = $4, frozen = $5 WHERE id = $1 AND state = $6`,
			x.ID, x.State, size, us(x.Expires), s.seal.seal(frozen, exportCell(x.ID)), ward.ExportBegun)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return x.Ended()
	})
	return x, err
}

const exportColumns = `SELECT id, case_id, by_user, by_role, object, begun_us, expires_us, state, size, sent, why, hashed FROM evidence_export`

func scanExport(r row) (ward.Export, error) {
	var x ward.Export
	var begun, expires int64
	err := r.Scan(&x.ID, &x.CaseID, &x.By, &x.Role, &x.Object, &begun, &expires, &x.State, &x.Size, &x.Sent, &x.Why, &x.Hashed)
	x.Begun, x.Expires = at(begun), at(expires)
	return x, err
}

// Export returns one export, or ward.NotFound.
func (s *Store) Export(ctx context.Context, id ward.ExportID) (ward.Export, error) {
	x, err := scanExport(s.read.QueryRowContext(ctx, exportColumns+` WHERE id = $1`, id))
	return x, missing(err, "export.unknown", "没有这次导出，请重新导出。", "There is no such export; export again.")
}

// FrozenExport returns what x is made of; ward.Gone "export.ended" when nobody may go on with it.
func (s *Store) FrozenExport(ctx context.Context, x ward.Export) ([]byte, error) {
	var b []byte
	err := s.read.QueryRowContext(ctx, `SELECT frozen FROM evidence_export WHERE id = $1`, x.ID).Scan(&b)
	if err == nil && b == nil {
		return nil, x.Ended()
	}
	if err == nil {
		b, err = s.seal.open(b, exportCell(x.ID))
	}
	if err != nil {
		return nil, fmt.Errorf("read export %s: %w", x.ID, err)
	}
	return b, nil
}

// ExportSent notes how far a fetch came, if no other came further.
func (s *Store) ExportSent(ctx context.Context, id ward.ExportID, sent int64, hashed []byte) error {
	return s.change(ctx, "note progress of export "+string(id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE evidence_export SET sent = $2, hashed = $3 WHERE id = $1 AND state = $4 AND sent < $2`, id, sent, hashed, ward.ExportOpen)
		return err
	})
}

// ExportWhole notes that the last byte was sent. What is for a share is
// delivered with that, once: sum is the hash of the zip.
func (s *Store) ExportWhole(ctx context.Context, x ward.Export, share ward.ShareID, sum [32]byte) error {
	return s.change(ctx, "complete export "+string(x.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE evidence_export SET state = $2, sent = size, hashed = NULL WHERE id = $1 AND state = $3`, x.ID, ward.ExportWhole, ward.ExportOpen)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || share == "" { // another fetch was whole before
			return err
		}
		return t.deliver(ctx, share, x.Size, sum)
	})
}

// EndExport ends an export for good and says so in custody: why, and how far it was.
func (s *Store) EndExport(ctx context.Context, id ward.ExportID, why string) error {
	return s.change(ctx, "end export "+string(id), func(t *tx) error { return t.endExport(ctx, id, why) })
}

func (t *tx) endExport(ctx context.Context, id ward.ExportID, why string) error {
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	x, err := scanExport(t.QueryRowContext(ctx, exportColumns+` WHERE id = $1 AND state <> $2`, id, ward.ExportEnded))
	if err != nil {
		return missing(err, "export.ended", "该次导出已结束。", "This export is over already.")
	}
	if _, err := t.ExecContext(ctx, `UPDATE evidence_export SET state = $2, why = $3, frozen = NULL, hashed = NULL WHERE id = $1`, id, ward.ExportEnded, why); err != nil {
		return err
	}
	_, err = t.custody(ctx, ward.Custody{
		CaseID: x.CaseID, Actor: x.By, Role: x.Role, Action: ward.ActionEndExport, Object: x.Object,
		Reason: fmt.Sprintf("%s; %d of %d bytes sent", why, x.Sent, x.Size),
	})
	return err
}

// SweepExports ends the exports whose time is over at now: one that was
// fetched whole is forgotten, any other is told of in custody.
func (s *Store) SweepExports(ctx context.Context, now time.Time) error {
	due, err := listed(ctx, s, "list exports that are over", scanExport, exportColumns+` WHERE state <> 'ended' AND expires_us <= $1 AND (state <> 'whole' OR frozen IS NOT NULL) ORDER BY id`, us(now))
	for _, x := range due {
		var one error
		switch x.State {
		case ward.ExportWhole:
			one = s.change(ctx, "forget export "+string(x.ID), func(t *tx) error {
				_, err := t.ExecContext(ctx, `UPDATE evidence_export SET frozen = NULL WHERE id = $1`, x.ID)
				return err
			})
		case ward.ExportBegun:
			one = s.EndExport(ctx, x.ID, "cut off before it was ready")
		case ward.ExportOpen:
			one = s.EndExport(ctx, x.ID, "not fetched whole in time")
		case ward.ExportEnded:
		}
		if ward.KindOf(one) != ward.NotFound { // another process was first
			err = errors.Join(err, one)
		}
	}
	return err
}

// deliver notes that the share's device got a package of that size and hash whole.
func (t *tx) deliver(ctx context.Context, id ward.ShareID, bytes int64, sum [32]byte) error {
	v, err := t.s.shareBy(ctx, t.Tx, `id = $1`, id)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO share_delivery (share_id, seq, at_us, bytes, sha256, confirmed_us) VALUES ($1, $2, $3, $4, $5, 0)`,
		id, len(v.Deliveries)+1, us(t.now), bytes, sum[:])
	if err != nil {
		return err
	}
	return t.shareEvent(ctx, v.Share, v.Actor(), ward.ActionHandOver, hex.EncodeToString(sum[:]), "")
}
