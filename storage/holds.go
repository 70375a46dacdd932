package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// The bounds of "all of it", for a visit's recording: whatever the clock said.
var (
	wholeFrom = time.UnixMicro(1).UTC()
	wholeTo   = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// notHeld is a condition on a row of segment: no hold touches it.
const notHeld = `NOT EXISTS (SELECT 1 FROM hold h WHERE h.source_kind = segment.source_kind AND h.source_id = segment.source_id
	AND h.from_us < segment.end_us AND h.to_us > segment.start_us AND h.release_id = '')`

// freePicture is a condition on a row of sighting: no hold touches it, and
// no alert and no case shows its picture.
const freePicture = `NOT EXISTS (SELECT 1 FROM hold h WHERE h.source_kind = 'camera' AND h.source_id = sighting.camera_id AND h.from_us <= sighting.to_us AND h.to_us >= sighting.from_us AND h.release_id = '')
	AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.snapshot_key = sighting.snapshot_key)
	AND (sighting.kind <> 'lens' OR NOT EXISTS (SELECT 1 FROM blind_period b JOIN alert a ON a.subject_id = b.id
		WHERE b.place_id = sighting.place_id AND sighting.id IN (b.before_id, b.at_id, b.after_id)))
	AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.kind = 'snapshot' AND e.ref = sighting.snapshot_key AND e.release_id = '')`

// holdFor places a hold over the stretch that the item e of a case shows,
// unless the case has one there already. It is called with the ledger locked,
// so that no deletion or eviction is decided meanwhile.
func (t *tx) holdFor(ctx context.Context, id ward.CaseID, e ward.Evidence, by ward.User) error {
	h := ward.Hold{CaseID: id, PlacedBy: by.ID}
	var from, to int64
	var err error
	switch e.Kind {
	case ward.EvidenceSegment:
		err = t.QueryRowContext(ctx, `SELECT source_kind, source_id, institution_id, start_us, end_us FROM segment WHERE id = $1`, e.Ref).
			Scan(&h.Source.Kind, &h.Source.ID, &h.InstitutionID, &from, &to)
	case ward.EvidenceAlert:
		h.Source.Kind = ward.FromCamera
		err = t.QueryRowContext(ctx, `SELECT camera_id, institution_id, clip_from_us, clip_to_us FROM alert WHERE id = $1`, e.Ref).
			Scan(&h.Source.ID, &h.InstitutionID, &from, &to)
	case ward.EvidenceVisit:
		h.Source = ward.Source{Kind: ward.FromVisit, ID: e.Ref}
		from, to = us(wholeFrom), us(wholeTo)
		err = t.QueryRowContext(ctx, `SELECT institution_id FROM visit WHERE id = $1`, e.Ref).Scan(&h.InstitutionID)
	case ward.EvidenceStretch:
		return t.holdStretch(ctx, id, e, by)
	case ward.EvidenceSnapshot: // kept by the item itself
		if err := t.removing(ctx, pictureRemoving, e.Ref); err != nil {
			return err
		}
		return t.wantHold(ctx, e.Ref)
	case ward.EvidenceFile: // likewise
		return t.wantHold(ctx, e.Ref)
	case ward.EvidenceSighting, ward.EvidenceBlind:
		h.Source.Kind = ward.FromCamera
		h.Source.ID, h.InstitutionID, from, to, err = t.seenAround(ctx, e)
	case ward.EvidenceSettlement, ward.EvidenceDraw, ward.EvidenceOutage: // shows nothing, and its rows are never deleted
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the stretch of %s %s: %w", e.Kind, e.Ref, err)
	}
	if h.Source.ID == "" || to <= from { // an alert at a place without a camera
		return nil
	}
	h.From, h.To = at(from), at(to)
	return t.hold(ctx, h)
}

// hold places h, sealed in the ledger. What is being removed cannot be held:
// ward.Conflict "hold.removing".
func (t *tx) hold(ctx context.Context, h ward.Hold) error {
	var one int
	err := t.QueryRowContext(ctx, `SELECT 1 FROM hold WHERE source_kind = $1 AND source_id = $2 AND case_id = $3 AND from_us <= $4 AND to_us >= $5 AND release_id = '' LIMIT 1`,
		h.Source.Kind, h.Source.ID, h.CaseID, us(h.From), us(h.To)).Scan(&one)
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for holds of %s: %w", h.Source, err)
	}
	err = t.removing(ctx, `SELECT 1 FROM segment WHERE source_kind = $1 AND source_id = $2 AND start_us < $4 AND end_us > $3 AND state = 'deleting' AND removing = 1
		UNION ALL SELECT 1 FROM sighting WHERE $1 = 'camera' AND camera_id = $2 AND from_us <= $4 AND to_us >= $3 AND picture_state = 'deleting' AND snapshot_key <> '' AND removing = 1`,
		h.Source.Kind, h.Source.ID, us(h.From), us(h.To))
	if err != nil {
		return err
	}
	h.ID, h.Placed = ward.NewID[ward.HoldID](t.now), at(us(t.now))
	if h.Leaf, err = t.sealRecord(ctx, KindHold, string(h.ID), h); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO hold (id, source_kind, source_id, institution_id, from_us, to_us, case_id, placed_us, placed_by, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		h.ID, h.Source.Kind, h.Source.ID, h.InstitutionID, us(h.From), us(h.To), h.CaseID, us(h.Placed), h.PlacedBy, h.Leaf)
	if err != nil {
		return fmt.Errorf("insert hold of %s: %w", h.Source, err)
	}
	return t.wantUnder(ctx, h)
}

const holdColumns = `SELECT id, source_kind, source_id, institution_id, from_us, to_us, case_id, placed_us, placed_by, leaf, release_id FROM hold`

func scanHold(r row) (ward.Hold, error) {
	var h ward.Hold
	var from, to, placed int64
	err := r.Scan(&h.ID, &h.Source.Kind, &h.Source.ID, &h.InstitutionID, &from, &to, &h.CaseID, &placed, &h.PlacedBy, &h.Leaf, &h.Release)
	h.From, h.To, h.Placed = at(from), at(to), at(placed)
	return h, err
}

// Held returns the holds in force on src that touch [from, to), by From. While there
// is one, no segment that it touches is evicted or deleted.
func (s *Store) Held(ctx context.Context, src ward.Source, from, to time.Time) ([]ward.Hold, error) {
	return listed(ctx, s, "list holds of "+src.String(), scanHold,
		holdColumns+` WHERE source_kind = $1 AND source_id = $2 AND from_us < $4 AND to_us > $3 AND release_id = '' ORDER BY from_us, id`, src.Kind, src.ID, us(from), us(to))
}
