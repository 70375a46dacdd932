package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// AddTablet registers a tablet; code is the SHA-256 of its pairing code,
// which may be used for ward.PairingTime.
func (s *Store) AddTablet(ctx context.Context, v ward.Tablet, code []byte) (ward.Tablet, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	err := s.change(ctx, "register a tablet", func(t *tx) error {
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, v.InstitutionID).Scan(&one); err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		v.ID = ward.NewID[ward.TabletID](t.now)
		_, err := t.ExecContext(ctx, `INSERT INTO tablet (id, institution_id, ward, bed, name, registered_by, created_us, code_hash, code_expires_us, secret_hash,
				paired_us, revoked_us, seen_us, battery, charging, network, sound, asked_us, rang_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, 0, 0, 0, -1, 0, 'unknown', 0, 0, 0)`,
			v.ID, v.InstitutionID, v.Ward, v.Bed, v.Name, v.RegisteredBy, us(t.now), code, us(t.now.Add(ward.PairingTime)))
		if err == nil {
			v, err = t.tablet(ctx, v.ID)
		}
		return err
	})
	return v, err
}

const tabletColumns = `SELECT id, institution_id, ward, bed, name, registered_by, created_us, CASE WHEN code_hash IS NULL THEN 0 ELSE code_expires_us END, paired_us, revoked_us, seen_us,
	battery, charging, network, sound, asked_us, rang_us FROM tablet`

func scanTablet(r row) (ward.Tablet, error) {
	var v ward.Tablet
	var created, code, paired, revoked, seen, asked, rang int64
	err := r.Scan(&v.ID, &v.InstitutionID, &v.Ward, &v.Bed, &v.Name, &v.RegisteredBy, &created, &code, &paired, &revoked, &seen,
		&v.Battery, &v.Charging, &v.Network, &v.Sound, &asked, &rang)
	v.Created, v.CodeExpires, v.Paired, v.Revoked, v.Seen, v.Asked, v.Rang = at(created), at(code), at(paired), at(revoked), at(seen), at(asked), at(rang)
	return v, err
}

func unknownTablet(err error) error {
	return missing(err, "tablet.unknown", "没有这台平板，请检查编号。", "No such tablet; check its id.")
}

func (t *tx) tablet(ctx context.Context, id ward.TabletID) (ward.Tablet, error) {
	v, err := scanTablet(t.QueryRowContext(ctx, tabletColumns+` WHERE id = $1`, id))
	return v, unknownTablet(err)
}

// Tablet returns one tablet, or ward.NotFound.
func (s *Store) Tablet(ctx context.Context, id ward.TabletID) (ward.Tablet, error) {
	v, err := scanTablet(s.read.QueryRowContext(ctx, tabletColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read tablet %s: %w", id, unknownTablet(err))
	}
	return v, nil
}

// Tablets lists the tablets of the institutions (nil: all) that are not revoked, by ward and bed.
func (s *Store) Tablets(ctx context.Context, insts []ward.InstitutionID) ([]ward.Tablet, error) {
	where, args := scope(insts, nil)
	return listed(ctx, s, "list tablets", scanTablet, tabletColumns+where+` AND revoked_us = 0 ORDER BY institution_id, ward, bed, id`, args...)
}

// TabletBySecret returns the paired tablet that shows a secret; a secret that
// is unknown or revoked is a ward.Forbidden.
func (s *Store) TabletBySecret(ctx context.Context, secret []byte) (ward.Tablet, error) {
	v, err := scanTablet(s.read.QueryRowContext(ctx, tabletColumns+` WHERE secret_hash = $1 AND revoked_us = 0`, secret))
	if err = missing(err, "tablet.unpaired", "", ""); ward.KindOf(err) == ward.NotFound {
		return v, &ward.Error{Kind: ward.Forbidden, Code: "tablet.unpaired", ZH: "本平板未登记或已停用，请向管理员索取新的配对码。", EN: "This tablet is not registered or was revoked; ask the administrator for a new pairing code."}
	}
	if err != nil {
		return v, fmt.Errorf("read tablet by its secret: %w", err)
	}
	return v, nil
}

// PairTablet uses a pairing code up, once, and gives its tablet a secret; an
// earlier device of the tablet is out. ward.NotFound "tablet.code" when the
// code is unknown, used or expired: which of them is not told.
func (s *Store) PairTablet(ctx context.Context, code, secret []byte) (ward.Tablet, error) {
	var v ward.Tablet
	err := s.change(ctx, "pair a tablet", func(t *tx) error {
		var id ward.TabletID
		err := t.QueryRowContext(ctx, `UPDATE tablet SET secret_hash = $1, code_hash = NULL, paired_us = $2, seen_us = $2, battery = -1, charging = 0, network = 'unknown', sound = 0
			WHERE code_hash = $3 AND code_expires_us > $2 AND revoked_us = 0 RETURNING id`, secret, us(t.now), code).Scan(&id)
		if err != nil {
			return missing(err, "tablet.code", "配对码无效、已使用或已过期，请在“病区平板”页面重新生成。", "The pairing code is wrong, used or expired; make a new one on the tablets page.")
		}
		v, err = t.tablet(ctx, id)
		return err
	})
	return v, err
}

// RecodeTablet gives a tablet a new pairing code; the paired device stays until the code is used.
func (s *Store) RecodeTablet(ctx context.Context, id ward.TabletID, code []byte) (ward.Tablet, error) {
	return s.moveTablet(ctx, id, "new code of", func(t *tx) (string, []any) {
		return `UPDATE tablet SET code_hash = $2, code_expires_us = $3 WHERE id = $1 AND revoked_us = 0`, []any{code, us(t.now.Add(ward.PairingTime))}
	})
}

// RevokeTablet makes a tablet's secret and code worthless, for good.
func (s *Store) RevokeTablet(ctx context.Context, id ward.TabletID) (ward.Tablet, error) {
	return s.moveTablet(ctx, id, "revoke", func(t *tx) (string, []any) {
		return `UPDATE tablet SET revoked_us = $2, code_hash = NULL, secret_hash = NULL WHERE id = $1 AND revoked_us = 0`, []any{us(t.now)}
	})
}

// AskTablet asks a paired tablet to ring, as a test.
func (s *Store) AskTablet(ctx context.Context, id ward.TabletID) (ward.Tablet, error) {
	return s.moveTablet(ctx, id, "ring", func(t *tx) (string, []any) {
		return `UPDATE tablet SET asked_us = $2 WHERE id = $1 AND revoked_us = 0 AND secret_hash IS NOT NULL`, []any{us(t.now)}
	})
}

// TabletRang notes the tablet's receipt of the ring test that was asked at asked.
func (s *Store) TabletRang(ctx context.Context, id ward.TabletID, asked time.Time) (ward.Tablet, error) {
	return s.moveTablet(ctx, id, "receipt of a ring of", func(t *tx) (string, []any) {
		return `UPDATE tablet SET rang_us = $2 WHERE id = $1 AND revoked_us = 0 AND asked_us = $3`, []any{us(t.now), us(asked)}
	})
}

// ReportTablet notes what a tablet says of itself, and that it was heard.
func (s *Store) ReportTablet(ctx context.Context, id ward.TabletID, r ward.TabletReport) (ward.Tablet, error) {
	return s.moveTablet(ctx, id, "report of", func(t *tx) (string, []any) {
		return `UPDATE tablet SET seen_us = $2, battery = $3, charging = $4, network = $5, sound = $6 WHERE id = $1 AND revoked_us = 0`,
			[]any{us(t.now), r.Battery, flag(r.Charging), r.Network, flag(r.Sound)}
	})
}

// moveTablet runs one conditional UPDATE whose $1 is the tablet's id.
func (s *Store) moveTablet(ctx context.Context, id ward.TabletID, what string, update func(*tx) (string, []any)) (ward.Tablet, error) {
	var v ward.Tablet
	err := s.change(ctx, what+" tablet "+string(id), func(t *tx) error {
		text, args := update(t)
		res, err := t.ExecContext(ctx, text, append([]any{id}, args...)...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if v, err = t.tablet(ctx, id); err != nil {
			return err
		}
		if n != 1 {
			return &ward.Error{Kind: ward.Conflict, Code: "tablet.state", ZH: "平板已停用或尚未配对，请刷新。", EN: "The tablet was revoked or is not paired; reload."}
		}
		return nil
	})
	return v, err
}
