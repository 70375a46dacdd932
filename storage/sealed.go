package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// The kinds of sealed record that evidence is made of.
const (
	KindSegment      = sealed.KindSegment
	KindAlert        = sealed.KindAlert
	KindVerdict      = sealed.KindVerdict
	KindSettlement   = sealed.KindSettlement
	KindCase         = sealed.KindCase
	KindCustody      = sealed.KindCustody
	KindUpload       = sealed.KindUpload   // by object key: a file that somebody added to a case
	KindStretch      = sealed.KindStretch  // by item: what there is of a stretch of recording, and what not
	KindSighting     = sealed.KindSighting // by sighting, when it is added to a case
	KindDecision     = "decision"          // a step of an alert
	KindRound        = "round"             // the order
	KindHold         = "hold"
	KindRelease      = "hold_release"          // by release/1: requested by one; /2: answered by another
	KindRule         = "rule"                  // by rule/version: how it was set
	KindZones        = "zones"                 // by camera/version: what was drawn in its picture
	KindCameraDevice = sealed.KindCameraDevice // by camera/version: what it is as a thing, and who says so
	KindBlind        = sealed.KindBlind        // by period: found, and ended; its outage is another
	KindOutage       = sealed.KindOutage       // by outage/version: reported, withdrawn, refused, accepted
	KindSearch       = "face_search"           // by search: its reason and purpose

	KindIdentity           = "identity_check"      // by check: who asked, where, and the answer
	KindSettlementIdentity = "settlement_identity" // by settlement/check: that billing referred to it

	KindSite        = "site"          // by version: where an institution's bedsides are
	KindAlertPolicy = "alert_policy"  // by version: until when alerts are to be decided
	KindCheckPolicy = "check_policy"  // by version: which checks a verification requires
	KindFinding     = "visit_finding" // by visit/kind/basis/other: what another visit shows about it
	KindRuling      = "ruling"        // by ruling/1: proposed by one; /2: answered by another

	KindCaseVersion = sealed.KindCaseVersion // by case/version: what a case is about and who works on it
	KindLetter      = "letter"               // by letter/n: a step of a letter, with what it said then
	KindCaseStep    = "case_step"            // by case/n: how it went through its reviews

	KindUnmasking = "unmasking"  // by unmasking/1: one asks to see a covered item; /2: answered by another
	KindKey       = "ledger_key" // by fingerprint: the ledger is signed by another key from here on

	KindEnrolment = "enrolment" // by enrolment: who enrolled a face how, and whether by proxy

	KindDuty       = "duty"        // by duty: who started a physician's shift where, and what came of it
	KindDutyEnd    = "duty_end"    // by duty: who ended its window early, and why
	KindDutyPolicy = "duty_policy" // by version: how long a start counts, and where

	KindTreatment       = "treatment"        // by session: how it began; by session/n: what happened in it
	KindTreatmentPolicy = "treatment_policy" // by version: how often patients are called for
)

// The kinds of sealed record that say what became of media.
const (
	KindEviction   = "eviction"      // by segment: given up in a full spool
	KindPlan       = "deletion_plan" // by plan: what retention is about to delete
	KindDeletion   = "deletion"      // by plan: what retention looked for and found gone
	KindSpared     = "spared"        // by segment: planned, and held before it was deleted
	KindQuarantine = "quarantine"    // by origin: found without a row, and put aside
)

// SealedRecord is one record as the ledger sealed it.
type SealedRecord struct {
	Leaf int64
	Kind string
	Ref  string
	Body []byte // the exact bytes that the leaf commits to: a ledger.Sealed
}

// Sum is the SHA-256 of the sealed bytes.
func (r SealedRecord) Sum() [32]byte { return sha256.Sum256(r.Body) }

// Into unmarshals the record inside the envelope.
func (r SealedRecord) Into(v any) error {
	var e ledger.Sealed
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return fmt.Errorf("open sealed %s %s: %w", r.Kind, r.Ref, err)
	}
	if err := json.Unmarshal(e.Record, v); err != nil {
		return fmt.Errorf("open sealed %s %s: %w", r.Kind, r.Ref, err)
	}
	return nil
}

// Sealed returns the record of one leaf; an erased one is ward.NotFound.
func (s *Store) Sealed(ctx context.Context, leaf int64) (SealedRecord, error) {
	r := SealedRecord{Leaf: leaf}
	err := s.read.QueryRowContext(ctx, `SELECT kind, ref, body FROM sealed_record WHERE leaf = $1`, leaf).Scan(&r.Kind, &r.Ref, &r.Body)
	if err != nil {
		return r, fmt.Errorf("read sealed record %d: %w", leaf, missing(err, "sealed.unknown", "该存证记录不存在或已删除。", "This sealed record does not exist or was erased."))
	}
	return r, nil
}

// latestSealed returns the last record of kind and ref; ok is false when there is none.
func latestSealed(ctx context.Context, q ledgerdb.Querier, kind, ref string) (r SealedRecord, ok bool, err error) {
	r = SealedRecord{Kind: kind, Ref: ref}
	err = q.QueryRowContext(ctx, `SELECT leaf, body FROM sealed_record WHERE kind = $1 AND ref = $2 ORDER BY leaf DESC LIMIT 1`, kind, ref).Scan(&r.Leaf, &r.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read sealed %s %s: %w", kind, ref, err)
	}
	return r, true, nil
}

// sealSettlement seals the settlement as it stands, unless its last sealed
// record says the same already.
func (t *tx) sealSettlement(ctx context.Context, id ward.SettlementID) (SealedRecord, error) {
	now, err := sealedSettlement(ctx, t.Tx, id)
	if err != nil {
		return SealedRecord{}, err
	}
	last, ok, err := latestSealed(ctx, t.Tx, KindSettlement, string(id))
	if err != nil {
		return SealedRecord{}, err
	}
	var was SealedSettlement
	if ok && last.Into(&was) == nil && was == now {
		return last, nil
	}
	if _, err := t.sealRecord(ctx, KindSettlement, string(id), now); err != nil {
		return SealedRecord{}, err
	}
	last, _, err = latestSealed(ctx, t.Tx, KindSettlement, string(id))
	return last, err
}

// resealSettlements seals those of the settlements again, after a change,
// that are evidence.
func (t *tx) resealSettlements(ctx context.Context, ids []ward.SettlementID) error {
	var evidence []ward.SettlementID
	err := eachOf(ctx, t.Tx, `SELECT DISTINCT ref FROM sealed_record WHERE kind = 'settlement' AND ref IN `, padded(ids), nil, func(r row) error {
		var id ward.SettlementID
		err := r.Scan(&id)
		evidence = append(evidence, id)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range evidence {
		if _, err := t.sealSettlement(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// SealedSettlement is the record of a settlement that became evidence.
// Times are microseconds since 1970 UTC, money is 分.
type SealedSettlement struct {
	ID            ward.SettlementID    `json:"id"`
	InstitutionID ward.InstitutionID   `json:"institution_id"`
	PlaceID       ward.PlaceID         `json:"place_id"`
	ExternalNo    string               `json:"external_no"`
	InsuredID     ward.InsuredID       `json:"insured_id"`
	Kind          ward.SettlementKind  `json:"kind"`
	AtUS          int64                `json:"at_us"`
	AmountFen     int64                `json:"amount_fen"`
	ReceivedUS    int64                `json:"received_us"`
	State         ward.SettlementState `json:"state"`
	Reason        string               `json:"reason"`
}

func sealedSettlement(ctx context.Context, q ledgerdb.Querier, id ward.SettlementID) (SealedSettlement, error) {
	var v SealedSettlement
	err := q.QueryRowContext(ctx, `SELECT id, institution_id, place_id, external_no, insured_id, kind, at_us, amount_fen, received_us, state, reason
		FROM settlement WHERE id = $1`, id).Scan(&v.ID, &v.InstitutionID, &v.PlaceID, &v.ExternalNo, &v.InsuredID, &v.Kind, &v.AtUS, &v.AmountFen, &v.ReceivedUS, &v.State, &v.Reason)
	if err != nil {
		return v, fmt.Errorf("read settlement %s: %w", id, missing(err, "settlement.unknown", "没有这条结算记录。", "No such settlement."))
	}
	return v, nil
}

// LatestSealed returns the last record of kind and ref, or ward.NotFound.
func (s *Store) LatestSealed(ctx context.Context, kind, ref string) (SealedRecord, error) {
	r, ok, err := latestSealed(ctx, s.read, kind, ref)
	if err == nil && !ok {
		err = fmt.Errorf("read sealed %s %s: %w", kind, ref, missing(sql.ErrNoRows, "sealed.unknown", "该存证记录不存在或已删除。", "This sealed record does not exist or was erased."))
	}
	return r, err
}

// SealedOf returns every record of kind and ref, oldest first.
func (s *Store) SealedOf(ctx context.Context, kind, ref string) ([]SealedRecord, error) {
	return listed(ctx, s, "read sealed "+kind+" "+ref, scanSealed, `SELECT leaf, kind, ref, body FROM sealed_record WHERE kind = $1 AND ref = $2 ORDER BY leaf`, kind, ref)
}

func scanSealed(r row) (SealedRecord, error) {
	var v SealedRecord
	err := r.Scan(&v.Leaf, &v.Kind, &v.Ref, &v.Body)
	return v, err
}

// SealedEvents is the JSON array of a visit's events up to its sealing,
// whose SHA-256 the verdict holds.
func (s *Store) SealedEvents(ctx context.Context, id ward.VisitID) ([]byte, error) {
	events, err := s.VisitEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		if e.Kind == "sealed" {
			events = events[:i+1]
			break
		}
	}
	b, err := json.Marshal(events)
	if err != nil {
		return nil, fmt.Errorf("write events of visit %s: %w", id, err)
	}
	return b, nil
}
