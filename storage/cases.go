package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// china is where a case's year begins.
var china = time.FixedZone("Asia/Shanghai", 8*60*60)

// OpenCase opens a case with its first items in one transaction: it assigns
// the id, the number (by Options.CaseNumbers, the year in China) and the time, seals the case, adds each item with its custody event,
// marks the alerts and visits among the items, and holds the stretches of
// recording that the items show. An alert or visit that is
// in a case already is a ward.Conflict ("case.exists"). See AddEvidence for
// what an item must hold. by must have an ID and a Role.
func (s *Store) OpenCase(ctx context.Context, c ward.Case, items []ward.Evidence, by ward.User) (ward.Case, error) {
	err := s.change(ctx, "open case", func(t *tx) error {
		return t.openCase(ctx, &c, items, by)
	})
	return c, err
}

func (t *tx) openCase(ctx context.Context, c *ward.Case, items []ward.Evidence, by ward.User) error {
	c.ID, c.Opened, c.OpenedBy = ward.NewID[ward.CaseID](t.now), at(us(t.now)), by.ID
	// From here to the commit no other case is opened. The ledger before the rows of alerts, as everybody does.
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	if err := t.claim(ctx, c.ID, items, by); err != nil {
		return err
	}
	var err error
	if c.Number, err = t.nextNumber(ctx, c.Opened.In(china).Year()); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO case_file (id, number, institution_id, title, opened_us, opened_by) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.Number, c.InstitutionID, c.Title, us(c.Opened), c.OpenedBy)
	if err != nil {
		return fmt.Errorf("insert case %s: %w", c.Number, err)
	}
	if _, err := t.sealRecord(ctx, KindCase, string(c.ID), *c); err != nil {
		return err
	}
	sealed, _, err := latestSealed(ctx, t.Tx, KindCase, string(c.ID))
	if err != nil {
		return err
	}
	sum := sealed.Sum()
	_, err = t.custody(ctx, ward.Custody{CaseID: c.ID, Actor: by.ID, Role: by.Role, Action: ward.ActionOpenCase, Object: KindCase + "/" + string(c.ID), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return err
	}
	_, err = t.addEvidence(ctx, c.ID, items, by)
	return err
}

// claim marks the alerts and visits among items as belonging to the case.
func (t *tx) claim(ctx context.Context, id ward.CaseID, items []ward.Evidence, by ward.User) error {
	for _, e := range items {
		var res sql.Result
		var err error
		switch e.Kind {
		case ward.EvidenceAlert:
			res, err = t.ExecContext(ctx, `UPDATE alert SET case_id = $1 WHERE id = $2 AND case_id = ''`, id, e.Ref)
		case ward.EvidenceVisit:
			res, err = t.ExecContext(ctx, `UPDATE visit SET case_id = $1 WHERE id = $2 AND case_id = ''`, id, e.Ref)
		case ward.EvidenceSegment, ward.EvidenceSnapshot, ward.EvidenceSettlement, ward.EvidenceStretch, ward.EvidenceFile,
			ward.EvidenceSighting, ward.EvidenceBlind, ward.EvidenceDraw, ward.EvidenceOutage:
			continue
		}
		if err != nil {
			return fmt.Errorf("mark %s %s: %w", e.Kind, e.Ref, err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, &ward.Error{
				Kind: ward.Conflict, Code: "case.exists", ZH: "该疑点或查访不存在或已经立案，请刷新后查看案件。",
				EN: "This alert or visit does not exist or is in a case already; reload and open that case.",
			})
		}
		if e.Kind == ward.EvidenceAlert {
			if err := t.file(ctx, ward.AlertID(e.Ref), id, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// file notes at an alert that a case was opened with it.
func (t *tx) file(ctx context.Context, id ward.AlertID, with ward.CaseID, by ward.User) error {
	a, err := scanAlert(t.QueryRowContext(ctx, alertColumns+` WHERE id = $1`, id))
	if err != nil {
		return err
	}
	return t.step(ctx, &a, ward.AlertStep{Action: ward.AlertFile, By: by.ID, At: t.now, Note: string(with)})
}

// AddEvidence adds items that the case does not hold yet, each with its
// custody event and a hold on the recording that it shows, and returns those
// added. An item needs Kind and Ref; a
// snapshot also the SHA256 of its object, left zero when the object was not
// there. The hash of every other kind is that of what the ledger sealed: the
// segment's object, the settlement (sealed now), the alert, the verdict.
func (s *Store) AddEvidence(ctx context.Context, id ward.CaseID, items []ward.Evidence, by ward.User) ([]ward.Evidence, error) {
	return s.addToCase(ctx, id, items, by, false)
}

// AddToCase is AddEvidence that also marks the alerts and visits among items
// as belonging to the case: one that is in a case already, also in this, is
// ward.Conflict "case.exists".
func (s *Store) AddToCase(ctx context.Context, id ward.CaseID, items []ward.Evidence, by ward.User) ([]ward.Evidence, error) {
	return s.addToCase(ctx, id, items, by, true)
}

func (s *Store) addToCase(ctx context.Context, id ward.CaseID, items []ward.Evidence, by ward.User, claim bool) ([]ward.Evidence, error) {
	var added []ward.Evidence
	err := s.change(ctx, "add evidence to case "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		if claim {
			if err := t.claim(ctx, id, items, by); err != nil {
				return err
			}
		}
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM case_file WHERE id = $1`, id).Scan(&one); err != nil {
			return noCase(err)
		}
		var err error
		added, err = t.addEvidence(ctx, id, items, by)
		return err
	})
	return added, err
}

func (t *tx) addEvidence(ctx context.Context, id ward.CaseID, items []ward.Evidence, by ward.User) ([]ward.Evidence, error) {
	var added []ward.Evidence
	for _, e := range items {
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM evidence WHERE case_id = $1 AND kind = $2 AND ref = $3`, id, e.Kind, e.Ref).Scan(&one)
		if err == nil {
			continue
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("look for %s %s: %w", e.Kind, e.Ref, err)
		}
		e.ID, e.CaseID, e.Added, e.AddedBy = ward.NewID[ward.EvidenceID](t.now), id, at(us(t.now)), by.ID
		if err := t.vouch(ctx, &e); err != nil {
			return nil, err
		}
		ev := ward.Custody{CaseID: id, Actor: by.ID, Role: by.Role, Action: ward.ActionAdd, Object: string(e.Kind) + "/" + e.Ref}
		if e.SHA256 != [32]byte{} {
			ev.SHA256 = hex.EncodeToString(e.SHA256[:])
		}
		if ev, err = t.custody(ctx, ev); err != nil {
			return nil, err
		}
		if e.Kind == ward.EvidenceSnapshot {
			e.Leaf = ev.Leaf
		}
		_, err = t.ExecContext(ctx, `INSERT INTO evidence (id, case_id, kind, ref, sha256, added_us, added_by, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			e.ID, e.CaseID, e.Kind, e.Ref, e.SHA256[:], us(e.Added), e.AddedBy, e.Leaf)
		if err != nil {
			return nil, fmt.Errorf("insert evidence %s %s: %w", e.Kind, e.Ref, err)
		}
		if err := t.holdFor(ctx, id, e, by); err != nil {
			return nil, err
		}
		added = append(added, e)
	}
	return added, nil
}

// vouch fills the hash of e and the leaf that vouches for it.
func (t *tx) vouch(ctx context.Context, e *ward.Evidence) error {
	var r SealedRecord
	var ok bool
	var err error
	switch e.Kind {
	case ward.EvidenceSnapshot:
		return nil
	case ward.EvidenceSegment:
		g, err := scanSegment(t.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE id = $1`, e.Ref))
		e.SHA256, e.Leaf = g.SHA256, g.Leaf
		return segmentRead(err, e.Ref)
	case ward.EvidenceSettlement:
		r, err = t.sealSettlement(ctx, ward.SettlementID(e.Ref))
		ok = true
	case ward.EvidenceAlert:
		r, ok, err = latestSealed(ctx, t.Tx, KindAlert, e.Ref)
	case ward.EvidenceVisit:
		r, ok, err = latestSealed(ctx, t.Tx, KindVerdict, e.Ref)
	case ward.EvidenceFile:
		r, ok, err = latestSealed(ctx, t.Tx, KindUpload, e.Ref)
		if err == nil && ok {
			e.Leaf = r.Leaf
			return nil // the hash is the file's
		}
	case ward.EvidenceStretch:
		r, ok, err = latestSealed(ctx, t.Tx, KindStretch, e.Ref)
	case ward.EvidenceSighting:
		r, ok, err = latestSealed(ctx, t.Tx, KindSighting, e.Ref)
	case ward.EvidenceBlind:
		if r, ok, err = latestSealed(ctx, t.Tx, KindBlind, e.Ref); err == nil && !ok {
			return blindMissing(sql.ErrNoRows)
		}
	case ward.EvidenceDraw:
		r, err = t.endedDraw(ctx, ward.DrawID(e.Ref))
		ok = true
	case ward.EvidenceOutage:
		r, err = t.sealedOutage(ctx, ward.OutageID(e.Ref))
		ok = true
	default:
		return fmt.Errorf("evidence %s %s: unknown kind", e.Kind, e.Ref)
	}
	if err != nil {
		return err
	}
	if !ok {
		return &ward.Error{Kind: ward.Conflict, Code: "evidence.not_sealed", ZH: "该查访还没有结论，封存后才能立案。", EN: "This visit has no verdict yet; it can become evidence once it is sealed."}
	}
	e.SHA256, e.Leaf = r.Sum(), r.Leaf
	return nil
}

const caseColumns = `SELECT id, number, institution_id, title, opened_us, opened_by FROM case_file`

const evidenceColumns = `SELECT id, case_id, kind, ref, sha256, added_us, added_by, leaf FROM evidence`

func scanEvidence(r row) (ward.Evidence, error) {
	var e ward.Evidence
	var sum []byte
	var added int64
	err := r.Scan(&e.ID, &e.CaseID, &e.Kind, &e.Ref, &sum, &added, &e.AddedBy, &e.Leaf)
	copy(e.SHA256[:], sum)
	e.Added = at(added)
	return e, err
}

// Evidence returns a case's items in the order in which they were added.
func (s *Store) Evidence(ctx context.Context, id ward.CaseID) ([]ward.Evidence, error) {
	rows, err := s.read.QueryContext(ctx, evidenceColumns+` WHERE case_id = $1 ORDER BY added_us, kind, ref`, id)
	if err != nil {
		return nil, fmt.Errorf("read evidence of case %s: %w", id, err)
	}
	return collect(rows, scanEvidence)
}

// EvidenceItem returns one item.
func (s *Store) EvidenceItem(ctx context.Context, id ward.EvidenceID) (ward.Evidence, error) {
	e, err := scanEvidence(s.read.QueryRowContext(ctx, evidenceColumns+` WHERE id = $1`, id))
	if err != nil {
		return e, fmt.Errorf("read evidence %s: %w", id, missing(err, "evidence.unknown", "没有这件证据。", "No such item of evidence."))
	}
	return e, nil
}
