package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"wardwatch/ward"
)

const endpointColumns = `SELECT id, kind, name, url, user_name, digest_minutes, types, institutions, disabled, last_seq, created_us FROM notify_endpoint`

// Endpoints lists every endpoint, without its secret, by id.
func (s *Store) Endpoints(ctx context.Context) ([]ward.Endpoint, error) {
	return listed(ctx, s, "list endpoints", scanEndpoint, endpointColumns+` ORDER BY id`)
}

// Endpoint returns one endpoint without its secret, or ward.NotFound.
func (s *Store) Endpoint(ctx context.Context, id ward.EndpointID) (ward.Endpoint, error) {
	p, err := scanEndpoint(s.read.QueryRowContext(ctx, endpointColumns+` WHERE id = $1`, id))
	if err != nil {
		return p, fmt.Errorf("read endpoint %s: %w", id, endpointMissing(err))
	}
	return p, nil
}

// SecretEndpoint is Endpoint with the secret.
func (s *Store) SecretEndpoint(ctx context.Context, id ward.EndpointID) (ward.Endpoint, error) {
	p, err := s.Endpoint(ctx, id)
	if err != nil {
		return p, err
	}
	var sealed []byte
	err = s.read.QueryRowContext(ctx, `SELECT secret_sealed FROM notify_endpoint WHERE id = $1`, id).Scan(&sealed)
	if err == nil {
		sealed, err = s.seal.open(sealed, endpointCell(id))
	}
	if err != nil {
		return p, fmt.Errorf("read secret of endpoint %s: %w", id, endpointMissing(err))
	}
	p.Secret = ward.Secret(sealed)
	return p, nil
}

func endpointMissing(err error) error {
	return missing(err, "endpoint.unknown", "没有这个通知端点，请检查编号。", "No such endpoint; check its id.")
}

// AddEndpoint stores a new endpoint that Check found right. Over
// ward.MaxEndpoints are a ward.Conflict.
func (s *Store) AddEndpoint(ctx context.Context, p ward.Endpoint) error {
	return s.change(ctx, "add endpoint "+string(p.ID), func(t *tx) error {
		var n int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_endpoint`).Scan(&n); err != nil {
			return err
		}
		if n >= ward.MaxEndpoints {
			return &ward.Error{Kind: ward.Conflict, Code: "endpoint.many", ZH: "通知端点已达上限 32 个，请先删除不用的。", EN: "There are 32 endpoints already, which is the most; delete one first."}
		}
		types, insts, err := endpointLists(p)
		if err == nil {
			err = t.oneRecipient(ctx, p)
		}
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO notify_endpoint (id, kind, name, url, user_name, digest_minutes, rest_us, secret_sealed, types, institutions, disabled, last_seq, created_us)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, 0, $11)`, p.ID, p.Kind, p.Name, p.URL, p.User, p.Digest,
			s.seal.seal([]byte(p.Secret), endpointCell(p.ID)), types, insts, flag(p.Disabled), us(p.Created))
		return err
	})
}

// oneRecipient refuses a second endpoint that mails to one address, which
// would get more than its digest allows.
func (t *tx) oneRecipient(ctx context.Context, p ward.Endpoint) error {
	if p.Kind != ward.Email {
		return nil
	}
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_endpoint WHERE LOWER(url) = LOWER($1) AND id <> $2`, p.URL, p.ID).Scan(&n)
	if err == nil && n > 0 {
		return &ward.Error{Kind: ward.Conflict, Code: "endpoint.recipient_known", ZH: "已有通知发给这个邮箱，请修改那一条。", EN: "There is an endpoint for this recipient already; change that one."}
	}
	return err
}

// ChangeEndpoint replaces the settings of an endpoint but its kind; an empty secret keeps the stored one.
func (s *Store) ChangeEndpoint(ctx context.Context, p ward.Endpoint) error {
	return s.change(ctx, "change endpoint "+string(p.ID), func(t *tx) error {
		types, insts, err := endpointLists(p)
		if err != nil {
			return err
		}
		if err := t.oneRecipient(ctx, p); err != nil {
			return err
		}
		if !p.Disabled { // what waited meanwhile has its day of tries yet
			_, err := t.ExecContext(ctx, `UPDATE notify_outbox SET since_us = $2 WHERE endpoint_id = $1 AND state = 'pending' AND
				(SELECT disabled FROM notify_endpoint WHERE id = $1) = 1`, p.ID, us(t.now))
			if err != nil {
				return err
			}
		}
		res, err := t.ExecContext(ctx, `UPDATE notify_endpoint SET name = $2, url = $3, types = $4, institutions = $5, disabled = $6, user_name = $7, digest_minutes = $8 WHERE id = $1`,
			p.ID, p.Name, p.URL, types, insts, flag(p.Disabled), p.User, p.Digest)
		if err = oneRow(res, err); err != nil {
			return endpointMissing(err)
		}
		if p.Secret != "" {
			_, err = t.ExecContext(ctx, `UPDATE notify_endpoint SET secret_sealed = $2 WHERE id = $1`, p.ID, s.seal.seal([]byte(p.Secret), endpointCell(p.ID)))
		}
		return err
	})
}

// DeleteEndpoint removes an endpoint with everything that was to go there.
func (s *Store) DeleteEndpoint(ctx context.Context, id ward.EndpointID) error {
	return s.change(ctx, "delete endpoint "+string(id), func(t *tx) error {
		// Whoever numbers events holds this lock: nothing comes in between.
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		res, err := t.ExecContext(ctx, `DELETE FROM notify_endpoint WHERE id = $1`, id)
		if err = oneRow(res, err); err != nil {
			return endpointMissing(err)
		}
		_, err = t.ExecContext(ctx, `DELETE FROM notify_outbox WHERE endpoint_id = $1`, id)
		return err
	})
}

// oneRow is sql.ErrNoRows when a statement touched none.
func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}

// endpointCell is the additional data that a secret is sealed with.
func endpointCell(id ward.EndpointID) string { return "notify_endpoint.secret_sealed." + string(id) }

func endpointLists(p ward.Endpoint) (types, insts string, err error) {
	t, err := json.Marshal(append([]ward.EventType{}, p.Types...))
	if err != nil {
		return "", "", err
	}
	i, err := json.Marshal(append([]ward.InstitutionID{}, p.Institutions...))
	return string(t), string(i), err
}

func scanEndpoint(r row) (ward.Endpoint, error) {
	var p ward.Endpoint
	var types, insts string
	var disabled int
	var created int64
	if err := r.Scan(&p.ID, &p.Kind, &p.Name, &p.URL, &p.User, &p.Digest, &types, &insts, &disabled, &p.LastSeq, &created); err != nil {
		return p, err
	}
	p.Disabled, p.Created = disabled != 0, at(created)
	if err := json.Unmarshal([]byte(types), &p.Types); err != nil {
		return p, fmt.Errorf("types of endpoint %s: %w", p.ID, err)
	}
	if err := json.Unmarshal([]byte(insts), &p.Institutions); err != nil {
		return p, fmt.Errorf("institutions of endpoint %s: %w", p.ID, err)
	}
	return p, nil
}
