package storage

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// VisitTrace is what is kept of a visit to know its pictures again; Moves is
// only read one by one, see TraceMoves.
type VisitTrace struct {
	VisitID   ward.VisitID
	Who       string // ward.Visit.Who; only read
	Stored    int64  // microseconds since 1970
	KeepUntil time.Time
	Prints    []uint64
	Moves     []byte
}

func traceCell(id ward.VisitID) string { return "visit_trace.moves." + string(id) }

// KeepTrace stores the trace of a visit, or replaces it.
func (s *Store) KeepTrace(ctx context.Context, v VisitTrace) error {
	prints := make([]byte, 0, 8*len(v.Prints))
	for _, p := range v.Prints {
		prints = binary.LittleEndian.AppendUint64(prints, p)
	}
	moves := s.seal.seal(append([]byte{}, v.Moves...), traceCell(v.VisitID))
	return s.change(ctx, "keep the trace of visit "+string(v.VisitID), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO visit_trace (visit_id, stored_us, keep_until_us, prints, moves) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (visit_id) DO UPDATE SET stored_us = excluded.stored_us, keep_until_us = excluded.keep_until_us, prints = excluded.prints, moves = excluded.moves`,
			v.VisitID, us(t.now), us(v.KeepUntil), prints, moves)
		return err
	})
}

// TracesAfter lists traces without their moves, at most limit, in the order
// in which they were stored, after the one of a moment (µs) and visit.
func (s *Store) TracesAfter(ctx context.Context, stored int64, id ward.VisitID, limit int) ([]VisitTrace, error) {
	return listed(ctx, s, "list traces of visits", func(r row) (v VisitTrace, err error) {
		var keep int64
		var prints []byte
		err = r.Scan(&v.VisitID, &v.Who, &v.Stored, &keep, &prints)
		v.KeepUntil = at(keep)
		for ; len(prints) >= 8; prints = prints[8:] {
			v.Prints = append(v.Prints, binary.LittleEndian.Uint64(prints))
		}
		return v, err
	}, `SELECT t.visit_id, CASE WHEN v.physician_id <> '' THEN 'physician/' || v.physician_id ELSE v.insured_id END, t.stored_us, t.keep_until_us, t.prints FROM visit_trace t JOIN visit v ON v.id = t.visit_id
		WHERE (t.stored_us, t.visit_id) > ($1, $2) ORDER BY t.stored_us, t.visit_id LIMIT $3`, stored, id, limit)
}

// TraceMoves is the movement of a visit; nil when its trace was erased.
func (s *Store) TraceMoves(ctx context.Context, id ward.VisitID) (moves []byte, err error) {
	var sealed []byte
	err = s.read.QueryRowContext(ctx, `SELECT moves FROM visit_trace WHERE visit_id = $1`, id).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		moves, err = s.seal.open(sealed, traceCell(id))
	}
	if err != nil {
		return nil, fmt.Errorf("read the trace of visit %s: %w", id, err)
	}
	return moves, nil
}

// FlagSeenBefore seals a finding that a visit shows the pictures of an earlier one.
func (s *Store) FlagSeenBefore(ctx context.Context, id, earlier ward.VisitID) (f ward.VisitFinding, err error) {
	err = s.change(ctx, "flag visit "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		f, err = t.addFinding(ctx, ward.VisitFinding{VisitID: id, Kind: ward.CheckSeenBefore, Basis: ward.SamePictures, Other: earlier})
		return err
	})
	return f, err
}

// EraseCompared erases what is kept of visits to compare them with each
// other or judge them again, and its time is over: faces, traces and tapes, and the enrolled
// faces that no longer count.
func (s *Store) EraseCompared(ctx context.Context, now time.Time) error {
	return s.change(ctx, "erase what visits are compared by", func(t *tx) error {
		for _, table := range []string{"visit_face", "visit_trace"} {
			if _, err := t.ExecContext(ctx, `DELETE FROM `+table+` WHERE keep_until_us <= $1`, us(now)); err != nil {
				return err
			}
		}
		// A recording that is held longer can be judged again as long as it is there.
		_, err := t.ExecContext(ctx, `DELETE FROM visit_tape WHERE keep_until_us <= $1 AND NOT EXISTS (
			SELECT 1 FROM segment WHERE source_kind = $2 AND source_id = visit_tape.visit_id AND state <> $3)`, us(now), ward.FromVisit, ward.Deleted)
		if err != nil {
			return err
		}
		return t.eraseEnrolled(ctx, now)
	})
}
