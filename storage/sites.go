package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"wardwatch/ward"
)

// siteRecord is what is sealed of a site: all but the codes' secret.
type siteRecord struct {
	ward.Site

	FreshCodes bool `json:"fresh_codes,omitempty"` // the wards' codes have another secret from here on
}

// SetSite stores the next version of an institution's site and seals it (kind
// "site"). v.Version is the institution's that the setter saw, 0 for none:
// when another has been set since it is a ward.Conflict "site.changed". The
// first one with ward codes makes their secret; fresh makes another one.
func (s *Store) SetSite(ctx context.Context, v ward.Site, fresh bool) (ward.Site, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	if _, err := s.Institution(ctx, v.InstitutionID); err != nil {
		return v, err
	}
	err := s.change(ctx, "set site", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var last, seen int
		if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN institution_id = $1 THEN version END), 0) FROM site`, v.InstitutionID).Scan(&last, &seen); err != nil {
			return err
		}
		if seen != v.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "site.changed", ZH: "该机构的位置设置刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this institution's site; reload and try again."}
		}
		var secret []byte // sealed
		if err := t.QueryRowContext(ctx, `SELECT secret_sealed FROM site WHERE version = $1`, seen).Scan(&secret); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		fresh := v.WardCode && (fresh || secret == nil)
		if fresh {
			key := make([]byte, 32)
			_, _ = rand.Read(key) // never fails (Go 1.24)
			secret = s.seal.seal(key, siteCell(v.InstitutionID))
		}
		set := v
		set.Version, set.At = last+1, at(us(t.now))
		if set.Networks == nil {
			set.Networks = []string{}
		}
		rec := siteRecord{set, fresh}
		params, err := json.Marshal(rec)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindSite, strconv.Itoa(set.Version), rec)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO site (version, institution_id, params, secret_sealed, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			set.Version, set.InstitutionID, string(params), secret, set.By, us(set.At), leaf); err != nil {
			return err
		}
		v = set
		return nil
	})
	return v, err
}

func siteCell(inst ward.InstitutionID) string { return "site.secret." + string(inst) }

// Sites lists the newest version of every site, by institution.
func (s *Store) Sites(ctx context.Context) ([]ward.Site, error) {
	return listed(ctx, s, "list sites", scanSite, `SELECT params FROM site v WHERE version = (SELECT MAX(version) FROM site n WHERE n.institution_id = v.institution_id) ORDER BY institution_id`)
}

func scanSite(r row) (v ward.Site, err error) {
	var params string
	if err = r.Scan(&params); err == nil {
		err = json.Unmarshal([]byte(params), &v)
	}
	return v, err
}

// Site is the newest version of an institution's; one of version 0, which
// asks for nothing, when none was set.
func (s *Store) Site(ctx context.Context, inst ward.InstitutionID) (ward.Site, error) {
	v, err := scanSite(s.read.QueryRowContext(ctx, `SELECT params FROM site WHERE institution_id = $1 ORDER BY version DESC LIMIT 1`, inst))
	if errors.Is(err, sql.ErrNoRows) {
		return ward.Site{InstitutionID: inst, Networks: []string{}}, nil
	}
	if err != nil {
		return v, fmt.Errorf("read site of %s: %w", inst, err)
	}
	return v, nil
}

// SiteVersion is a version of an institution's site; 0 is the one that asks for nothing.
func (s *Store) SiteVersion(ctx context.Context, inst ward.InstitutionID, version int) (ward.Site, error) {
	if version == 0 {
		return ward.Site{InstitutionID: inst, Networks: []string{}}, nil
	}
	v, err := scanSite(s.read.QueryRowContext(ctx, `SELECT params FROM site WHERE version = $1 AND institution_id = $2`, version, inst))
	if err != nil {
		return v, fmt.Errorf("read version %d of the site of %s: %w", version, inst, err)
	}
	return v, nil
}

// Sited stores what a bedside told of its place as the event "where", while
// the visit waits for its session, and at most times; else it is ward.Conflict.
func (s *Store) Sited(ctx context.Context, id ward.VisitID, most int, body map[string]any) error {
	return s.AddWhileWaiting(ctx, id, "where", most, body)
}

// AddWhileWaiting appends an event to a visit that waits for its session, and at
// most times of a kind; else it is ward.Conflict.
func (s *Store) AddWhileWaiting(ctx context.Context, id ward.VisitID, kind string, most int, body map[string]any) error {
	return s.change(ctx, "note "+kind+" of visit "+string(id), func(t *tx) error {
		var told int
		// The row's lock comes first: two that count at once must not both be the last.
		got, err := t.ExecContext(ctx, `UPDATE visit SET leaf = leaf WHERE id = $1 AND state = $2`, id, ward.VisitConsented)
		if err != nil {
			return err
		}
		n, err := got.RowsAffected()
		if err == nil {
			err = t.QueryRowContext(ctx, `SELECT COUNT(*) FROM visit_event WHERE visit_id = $1 AND kind = $2`, id, kind).Scan(&told)
		}
		if err != nil {
			return err
		}
		if n == 0 || told >= most {
			return &ward.Error{Kind: ward.Conflict, Code: "visit.state", ZH: "查访当前状态不允许此操作，请刷新后重试。", EN: "The visit's state does not allow this; reload and try again."}
		}
		return t.addVisitEvent(ctx, id, kind, t.now, body)
	})
}

// WardKey is what a ward's codes are made from by a version of its
// institution's site; ward.NotFound "site.no_ward_code" where codes are not used.
func (s *Store) WardKey(ctx context.Context, v ward.Site, room string) (ward.RoomKey, error) {
	inst := v.InstitutionID
	if !v.WardCode {
		return ward.RoomKey{}, &ward.Error{Kind: ward.NotFound, Code: "site.no_ward_code", ZH: "本机构未启用病区码。", EN: "This institution does not use ward codes."}
	}
	var sealed []byte
	if err := s.read.QueryRowContext(ctx, `SELECT secret_sealed FROM site WHERE version = $1`, v.Version).Scan(&sealed); err != nil {
		return ward.RoomKey{}, fmt.Errorf("read ward code's secret of %s: %w", inst, err)
	}
	secret, err := s.seal.open(sealed, siteCell(inst))
	if err != nil {
		return ward.RoomKey{}, err
	}
	if len(secret) == 0 {
		return ward.RoomKey{}, fmt.Errorf("ward code's secret of %s is missing", inst)
	}
	return ward.KeyOfWard(secret, room), nil
}

// Displaced are the checks of place of a round's visits that failed or are unsure.
func (s *Store) Displaced(ctx context.Context, round ward.RoundID) (map[ward.VisitID][]ward.CheckKind, error) {
	out := map[ward.VisitID][]ward.CheckKind{}
	_, err := listed(ctx, s, "checks of place of round "+string(round), func(r row) (struct{}, error) {
		var id ward.VisitID
		var kind ward.CheckKind
		err := r.Scan(&id, &kind)
		if slices.Contains(ward.PlaceChecks(), kind) {
			out[id] = append(out[id], kind)
		}
		return struct{}{}, err
	}, `SELECT c.visit_id, c.kind FROM visit v JOIN visit_check c ON c.visit_id = v.id
		WHERE v.round_id = $1 AND c.outcome IN ('fail', 'unsure') ORDER BY c.visit_id, c.kind`, round)
	return out, err
}

// siteRows compares every site with what was sealed.
func (f *fsck) siteRows(ctx context.Context) error {
	type site struct {
		ward.Site // as its columns say
		params    string
		secret    []byte
	}
	scan := keyed(func(r row) (v site, err error) {
		var set int64
		err = r.Scan(&v.Version, &v.InstitutionID, &v.params, &v.secret, &v.By, &set)
		v.At = at(set)
		return v, err
	})
	return each(ctx, f, "list sites", `SELECT key, leaf, version, institution_id, params, secret_sealed, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, v.* FROM site v) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[site]) error {
		var rec siteRecord
		if json.Unmarshal([]byte(r.v.params), &rec) != nil || rec.Version != r.v.Version || rec.InstitutionID != r.v.InstitutionID || rec.By != r.v.By || !rec.At.Equal(r.v.At) {
			f.bad("site/"+r.key, "位置设置的数据库记录前后不一致。", "The columns of the row differ from the site")
		}
		if key, err := f.s.seal.open(r.v.secret, siteCell(r.v.InstitutionID)); err != nil || rec.WardCode && len(key) == 0 {
			f.bad("site/"+r.key, "病区码的密钥损坏或缺失，请重新启用病区码。", "The secret of the wards' codes is damaged or gone; have another one made")
		}
		return f.agree(ctx, "site", r.key, KindSite, r.key, r.leaf, rec)
	})
}
