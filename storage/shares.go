package storage

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// shareTerms is what the custody event of a share commits to, with a salt.
type shareTerms struct {
	Party   ward.Party  `json:"party"`
	Expires time.Time   `json:"expires"`
	By      ward.UserID `json:"by"`
}

// storedShare is a share with what only the store looks at.
type storedShare struct {
	ward.Share
	party, salt, code, device []byte
	tries                     int
}

func shareCell(id ward.ShareID) string { return "share.party." + string(id) }

func receiptCell(id ward.ShareID, seq int64) string {
	return fmt.Sprintf("share_delivery.receipt.%s/%d", id, seq)
}

func (v storedShare) commitment() (string, error) {
	b, err := json.Marshal(shareTerms{v.Party, v.Expires, v.CreatedBy})
	return salted(v.salt, "share", b), err
}

// AddShare makes a share. token is the hash of the link's secret, code that
// of link and code together; neither is kept in clear.
func (s *Store) AddShare(ctx context.Context, v ward.Share, token, code []byte, by ward.User) (ward.Share, error) {
	o := storedShare{Share: v, salt: make([]byte, 32)}
	_, _ = rand.Read(o.salt) // never fails
	err := s.change(ctx, "share case "+string(v.CaseID), func(t *tx) error {
		o.ID, o.Created, o.CreatedBy, o.Expires, o.Deliveries = ward.NewID[ward.ShareID](t.now), at(us(t.now)), by.ID, at(us(v.Expires)), []ward.Delivered{}
		if err := o.Check(t.now); err != nil {
			return err
		}
		party, err := json.Marshal(o.Party)
		if err != nil {
			return err
		}
		if err := t.QueryRowContext(ctx, `SELECT institution_id FROM case_file WHERE id = $1`, o.CaseID).Scan(&o.InstitutionID); err != nil {
			return noCase(err)
		}
		_, err = t.ExecContext(ctx, `INSERT INTO share (id, case_id, institution_id, party, salt, reason, created_us, created_by, expires_us, token_hash, code_hash, tries, opened_us, revoked_us, revoked_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, '')`,
			o.ID, o.CaseID, o.InstitutionID, s.seal.seal(party, shareCell(o.ID)), o.salt, o.Reason, us(o.Created), o.CreatedBy, us(o.Expires), token, code)
		if err != nil {
			return fmt.Errorf("insert share: %w", err)
		}
		sum, err := o.commitment()
		if err != nil {
			return err
		}
		return t.shareEvent(ctx, o.Share, by, ward.ActionShare, sum, o.Reason)
	})
	return o.Share, err
}

func (t *tx) shareEvent(ctx context.Context, v ward.Share, by ward.User, action ward.Action, sum, reason string) error {
	_, err := t.custody(ctx, ward.Custody{CaseID: v.CaseID, Actor: by.ID, Role: by.Role, Action: action, Object: "share/" + string(v.ID), SHA256: sum, Reason: reason})
	return err
}

const shareColumns = `SELECT id, case_id, institution_id, party, salt, reason, created_us, created_by, expires_us, code_hash, device_hash, tries, opened_us, revoked_us, revoked_by FROM share WHERE `

func scanShare(r row) (storedShare, error) {
	var v storedShare
	var created, expires, opened, revoked int64
	err := r.Scan(&v.ID, &v.CaseID, &v.InstitutionID, &v.party, &v.salt, &v.Reason, &created, &v.CreatedBy, &expires, &v.code, &v.device, &v.tries, &opened, &revoked, &v.RevokedBy)
	v.Created, v.Expires, v.Opened, v.Revoked = at(created), at(expires), at(opened), at(revoked)
	return v, err
}

// full opens what is sealed of v and adds its deliveries.
func (s *Store) full(ctx context.Context, q ledgerdb.Querier, v storedShare) (storedShare, error) {
	b, err := s.seal.open(v.party, shareCell(v.ID))
	if err == nil {
		err = json.Unmarshal(b, &v.Party)
	}
	if err != nil {
		return v, fmt.Errorf("open share %s: %w", v.ID, err)
	}
	rows, err := q.QueryContext(ctx, `SELECT seq, at_us, bytes, sha256, confirmed_us, receipt FROM share_delivery WHERE share_id = $1 ORDER BY seq`, v.ID)
	if err != nil {
		return v, fmt.Errorf("read deliveries of share %s: %w", v.ID, err)
	}
	v.Deliveries, err = collect(rows, func(r row) (ward.Delivered, error) {
		var d ward.Delivered
		var when, confirmed int64
		var sum, receipt []byte
		if err := r.Scan(&d.Seq, &when, &d.Bytes, &sum, &confirmed, &receipt); err != nil {
			return d, err
		}
		d.At, d.Confirmed, d.SHA256 = at(when), at(confirmed), hex.EncodeToString(sum)
		name, err := s.seal.open(receipt, receiptCell(v.ID, d.Seq))
		d.By = string(name)
		return d, err
	})
	if v.Deliveries == nil {
		v.Deliveries = []ward.Delivered{}
	}
	return v, err
}

func (s *Store) shareBy(ctx context.Context, q ledgerdb.Querier, where string, arg any) (storedShare, error) {
	v, err := scanShare(q.QueryRowContext(ctx, shareColumns+where, arg))
	if err != nil {
		return v, missing(err, "share.unknown", "链接无效，请检查是否完整。", "The link is not valid; check that it is complete.")
	}
	return s.full(ctx, q, v)
}

// Share returns one share, or ward.NotFound.
func (s *Store) Share(ctx context.Context, id ward.ShareID) (ward.Share, error) {
	v, err := s.shareBy(ctx, s.read, `id = $1`, id)
	return v.Share, err
}

// Shares returns the shares of a case, the newest first.
func (s *Store) Shares(ctx context.Context, id ward.CaseID) ([]ward.Share, error) {
	all, err := listed(ctx, s, "shares of case "+string(id), scanShare, shareColumns+`case_id = $1 ORDER BY id DESC`, id)
	out := make([]ward.Share, len(all))
	for i := range all {
		if err == nil {
			all[i], err = s.full(ctx, s.read, all[i])
			out[i] = all[i].Share
		}
	}
	return out, err
}

// OpenShare lets the device with the secret of hash device use the share from
// now on. A wrong code is ward.Forbidden "share.code", and after
// ward.ShareTries of them the share is closed; another device than the first
// is ward.Conflict "share.device".
func (s *Store) OpenShare(ctx context.Context, token []byte, code, device []byte) (ward.Share, error) {
	var v storedShare
	var wrong error // committed, and then told
	err := s.change(ctx, "open share", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // two tries come one after the other
			return err
		}
		var err error
		if v, err = s.shareBy(ctx, t.Tx, `token_hash = $1`, token); err != nil {
			return err
		}
		if err := v.Usable(t.now); err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(code, v.code) != 1 {
			wrong, err = t.wrongCode(ctx, v)
			return err
		}
		if v.device != nil {
			return &ward.Error{Kind: ward.Conflict, Code: "share.device", ZH: "该链接已在另一台设备上打开，请联系向您提供链接的人重新生成。", EN: "This link was opened on another device; ask the person who gave it to you for a new one."}
		}
		v.Opened = at(us(t.now))
		if _, err := t.ExecContext(ctx, `UPDATE share SET device_hash = $2, opened_us = $3, tries = 0 WHERE id = $1`, v.ID, device, us(v.Opened)); err != nil {
			return err
		}
		return t.shareEvent(ctx, v.Share, v.Actor(), ward.ActionOpened, "", "")
	})
	return v.Share, errors.Join(err, wrong)
}

func (t *tx) wrongCode(ctx context.Context, v storedShare) (wrong, err error) {
	if _, err := t.ExecContext(ctx, `UPDATE share SET tries = tries + 1 WHERE id = $1`, v.ID); err != nil {
		return nil, err
	}
	wrong = &ward.Error{Kind: ward.Forbidden, Code: "share.code", ZH: "验证码不正确，多次错误后链接将停用。", EN: "The code is wrong; after several wrong ones the link is closed."}
	if v.tries+1 < ward.ShareTries {
		return wrong, nil
	}
	if _, err := t.ExecContext(ctx, `UPDATE share SET revoked_us = $2 WHERE id = $1`, v.ID, us(t.now)); err != nil {
		return nil, err
	}
	return wrong, t.shareEvent(ctx, v.Share, v.Actor(), ward.ActionUnshare, "", "wrong codes")
}

// ShareByDevice returns the share that a device opened, while it is usable at now; any other is ward.Forbidden.
func (s *Store) ShareByDevice(ctx context.Context, device []byte, now time.Time) (ward.Share, error) {
	v, err := s.shareBy(ctx, s.read, `device_hash = $1`, device)
	if ward.KindOf(err) == ward.NotFound {
		err = &ward.Error{Kind: ward.Forbidden, Code: "share.unopened", ZH: "请先打开移交链接并输入验证码。", EN: "Open the link and give its code first."}
	}
	if err == nil {
		err = v.Usable(now)
	}
	return v.Share, err
}

// RevokeShare ends a share at once, and for good.
func (s *Store) RevokeShare(ctx context.Context, id ward.ShareID, reason string, by ward.User) (ward.Share, error) {
	return s.onShare(ctx, "revoke", id, func(t *tx, v storedShare) error {
		if !v.Revoked.IsZero() {
			return &ward.Error{Kind: ward.Conflict, Code: "share.revoked", ZH: "该链接已停用，请刷新。", EN: "The link was withdrawn already; reload."}
		}
		if _, err := t.ExecContext(ctx, `UPDATE share SET revoked_us = $2, revoked_by = $3 WHERE id = $1`, id, us(t.now), by.ID); err != nil {
			return err
		}
		return t.shareEvent(ctx, v.Share, by, ward.ActionUnshare, "", reason)
	})
}

// Confirm is the receipt of the person who got delivery seq: the name given
// with it is sealed in the row, and the custody event names the package.
func (s *Store) Confirm(ctx context.Context, id ward.ShareID, seq int64, name string) (ward.Share, error) {
	return s.onShare(ctx, "receipt of", id, func(t *tx, v storedShare) error {
		if seq < 1 || seq > int64(len(v.Deliveries)) {
			return &ward.Error{Kind: ward.NotFound, Code: "share.delivery", ZH: "没有这次交付，请先完整下载证据包。", EN: "There was no such delivery; download the package first."}
		}
		d := v.Deliveries[seq-1]
		if !d.Confirmed.IsZero() {
			return &ward.Error{Kind: ward.Conflict, Code: "share.confirmed", ZH: "这次交付已签收。", EN: "This delivery has its receipt already."}
		}
		_, err := t.ExecContext(ctx, `UPDATE share_delivery SET confirmed_us = $3, receipt = $4 WHERE share_id = $1 AND seq = $2`, id, seq, us(t.now), s.seal.seal([]byte(name), receiptCell(id, seq)))
		if err != nil {
			return err
		}
		return t.shareEvent(ctx, v.Share, v.Actor(), ward.ActionReceipt, d.SHA256, "")
	})
}

// onShare changes a share with the ledger locked, and returns what it is then.
func (s *Store) onShare(ctx context.Context, what string, id ward.ShareID, change func(*tx, storedShare) error) (ward.Share, error) {
	var v storedShare
	err := s.change(ctx, what+" share "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var err error
		if v, err = s.shareBy(ctx, t.Tx, `id = $1`, id); err != nil {
			return err
		}
		if err := change(t, v); err != nil {
			return err
		}
		v, err = s.shareBy(ctx, t.Tx, `id = $1`, id)
		return err
	})
	return v.Share, err
}
