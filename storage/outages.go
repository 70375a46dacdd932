package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// outageRecord is what the ledger commits to of each version of an outage.
type outageRecord struct {
	Outage      ward.OutageID      `json:"outage"`
	Version     int                `json:"version"`
	Institution ward.InstitutionID `json:"institution"`
	Places      []ward.PlaceID     `json:"places"`
	Cameras     []ward.CameraID    `json:"cameras"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Reason      string             `json:"reason"`
	By          ward.UserID        `json:"by"`
	Reported    time.Time          `json:"reported"`
	Action      ward.OutageAction  `json:"action"`
	ChangedBy   ward.UserID        `json:"changed_by"`
	Changed     time.Time          `json:"changed"`
	Note        string             `json:"note"`
	Withdrawn   time.Time          `json:"withdrawn,omitzero"`
	Refused     bool               `json:"refused"`
}

func recordOfOutage(o ward.Outage) outageRecord {
	return outageRecord{
		o.ID, o.Version, o.InstitutionID, o.Places, o.Cameras, o.From, o.To, o.Reason, o.By, o.Reported, o.Action, o.ChangedBy, o.Changed, o.Note, o.Withdrawn, o.Refused,
	}
}

// ReportOutage stores what an institution reports, and seals it (kind
// "outage"). By, From, To, Reason, Places and Cameras are the caller's; the
// rest is filled in. Places and cameras of another institution, and what
// ward.Outage.Check refuses, are a ward.Invalid. Blind periods that last are
// looked at again, since it may go on from what they are covered by.
func (s *Store) ReportOutage(ctx context.Context, o ward.Outage) (ward.Outage, error) {
	err := s.change(ctx, "report an outage", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		now := at(us(t.now))
		o = ward.Outage{
			ID: ward.NewID[ward.OutageID](t.now), Version: 1, InstitutionID: o.InstitutionID, Places: distinctOf(o.Places), Cameras: distinctOf(o.Cameras),
			From: at(us(o.From)), To: at(us(o.To)), Reason: o.Reason, By: o.By, Reported: now, Late: now.After(at(us(o.From))),
			Action: ward.OutageReport, ChangedBy: o.By, Changed: now,
		}
		if err := o.Check(now); err != nil {
			return err
		}
		if err := t.ownsThings(ctx, o); err != nil {
			return err
		}
		if err := t.putOutage(ctx, &o); err != nil {
			return err
		}
		return t.accountAgain(ctx, o, true)
	})
	return o, err
}

// distinctOf is the ids in order, each once; never nil.
func distinctOf[T ~string](ids []T) []T {
	return append([]T{}, slices.Compact(slices.Sorted(slices.Values(ids)))...)
}

// ownsThings says what is wrong with the institution, places and cameras of an outage.
func (t *tx) ownsThings(ctx context.Context, o ward.Outage) error {
	for _, q := range []struct {
		table, zh, en string
		ids           []string
	}{
		{"place", "所选场所不属于该机构。", "A place is not of this institution.", stringsOf(o.Places)},
		{"camera", "所选摄像头不属于该机构。", "A camera is not of this institution.", stringsOf(o.Cameras)},
	} {
		found := 0
		err := eachOf(ctx, t.Tx, `SELECT id FROM `+q.table+` WHERE institution_id = $1 AND id IN `, q.ids, []any{o.InstitutionID}, func(r row) error {
			found++
			var id string
			return r.Scan(&id)
		})
		if err != nil {
			return err
		}
		if found != len(q.ids) {
			return &ward.Error{Kind: ward.Invalid, Code: "outage." + q.table, ZH: q.zh, EN: q.en}
		}
	}
	var one int
	err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, o.InstitutionID).Scan(&one)
	if ward.KindOf(missing(err, "institution.unknown", "", "")) == ward.NotFound {
		return &ward.Error{Kind: ward.Invalid, Code: "institution.unknown", ZH: "没有这家机构，请检查机构编号。", EN: "No such institution; check its id."}
	}
	return err
}

func stringsOf[T ~string](ids []T) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// putOutage seals and stores a version of an outage, and tells of it.
func (t *tx) putOutage(ctx context.Context, o *ward.Outage) error {
	places, err := json.Marshal(o.Places)
	if err != nil {
		return err
	}
	cameras, err := json.Marshal(o.Cameras)
	if err != nil {
		return err
	}
	if o.Leaf, err = t.sealRecord(ctx, KindOutage, fmt.Sprintf("%s/%d", o.ID, o.Version), recordOfOutage(*o)); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO outage (id, version, institution_id, places, cameras, from_us, to_us, reason, reported_by, reported_us, action, changed_by, changed_us,
			note, withdrawn_us, refused, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		o.ID, o.Version, o.InstitutionID, string(places), string(cameras), us(o.From), us(o.To), o.Reason, o.By, us(o.Reported), o.Action, o.ChangedBy, us(o.Changed),
		o.Note, us(o.Withdrawn), flag(o.Refused), o.Leaf)
	if err != nil {
		return err
	}
	return t.announceOutage(ctx, *o)
}

// StepOutage withdraws, refuses or accepts an outage, and seals that. version
// is the one that the person saw: when another was made since it is a
// ward.Conflict "outage.changed". Blind periods that it covered, and
// settlements meanwhile, are looked at again: refused, it covers none of them.
func (s *Store) StepOutage(ctx context.Context, id ward.OutageID, version int, action ward.OutageAction, by ward.UserID, note string) (ward.Outage, error) {
	var o ward.Outage
	err := s.change(ctx, string(action)+" outage "+string(id), func(t *tx) error {
		past := action != ward.OutageWithdraw
		if past { // settlements are judged again
			if err := t.lockJudging(ctx); err != nil {
				return err
			}
		}
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var err error
		if o, err = scanOutage(t.QueryRowContext(ctx, outageColumns+` AND o.id = $1`, id)); err != nil {
			return outageMissing(err)
		}
		if o.Version != version {
			return &ward.Error{Kind: ward.Conflict, Code: "outage.changed", ZH: "该报备刚被他人处理过，请刷新后重试。", EN: "Somebody else has just dealt with this outage; reload and try again."}
		}
		if err := o.Apply(action, by, at(us(t.now)), note); err != nil {
			return err
		}
		if err := t.putOutage(ctx, &o); err != nil {
			return err
		}
		if err := t.accountAgain(ctx, o, !past); err != nil || !past {
			return err
		}
		_, err = t.ExecContext(ctx, again+`institution_id = $1 AND at_us BETWEEN $2 AND $3`, o.InstitutionID, us(o.From.Add(-MaxOffset)), us(o.To.Add(MaxOffset)))
		return err
	})
	return o, err
}

// outageColumns reads the newest version of outages o.
const outageColumns = outageRows + ` WHERE o.version = (SELECT MAX(x.version) FROM outage x WHERE x.id = o.id)`

const outageRows = `SELECT o.id, o.version, o.institution_id, o.places, o.cameras, o.from_us, o.to_us, o.reason, o.reported_by, o.reported_us, o.action, o.changed_by, o.changed_us,
	o.note, o.withdrawn_us, o.refused, o.leaf FROM outage o`

func scanOutage(r row) (ward.Outage, error) {
	var o ward.Outage
	var places, cameras string
	var from, to, reported, changed, withdrawn int64
	var refused int
	err := r.Scan(&o.ID, &o.Version, &o.InstitutionID, &places, &cameras, &from, &to, &o.Reason, &o.By, &reported, &o.Action, &o.ChangedBy, &changed,
		&o.Note, &withdrawn, &refused, &o.Leaf)
	if err != nil {
		return o, err
	}
	o.From, o.To, o.Reported, o.Changed, o.Withdrawn, o.Refused = at(from), at(to), at(reported), at(changed), at(withdrawn), refused != 0
	o.Late = o.Reported.After(o.From)
	if err := json.Unmarshal([]byte(places), &o.Places); err != nil {
		return o, fmt.Errorf("places of outage %s: %w", o.ID, err)
	}
	if err := json.Unmarshal([]byte(cameras), &o.Cameras); err != nil {
		return o, fmt.Errorf("cameras of outage %s: %w", o.ID, err)
	}
	return o, nil
}

func outageMissing(err error) error {
	return missing(err, "outage.unknown", "没有这条停机报备，请检查编号。", "No such outage; check its id.")
}
