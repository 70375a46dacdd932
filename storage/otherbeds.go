package storage

import (
	"context"
	"strings"
	"time"

	"wardwatch/ward"
)

// visitFaceKept is how long after its round's deadline the face of a visit is kept.
const visitFaceKept = 24 * time.Hour

// bedFace is a face of a round: the fused one of a visit, or the enrolment of its bed.
type bedFace struct {
	visit    ward.VisitID
	state    ward.VisitState
	basis    ward.Basis
	template ward.Template
}

// CompareBeds keeps the fused face of a visit and compares it with the faces
// of the round's other visits and the enrolments of its other beds; same
// judges a cosine. Every agreement is sealed as a VisitFinding about v, and between
// two faces one about the other visit, too. Of two visits that are compared at
// once the later one finds the earlier one.
func (s *Store) CompareBeds(ctx context.Context, v ward.Visit, modelID string, face ward.Template, same func(float32) bool) (found []ward.VisitFinding, err error) {
	err = s.change(ctx, "compare visit "+string(v.ID)+" with the round's beds", func(t *tx) error {
		found = nil
		if err := t.lockLedger(ctx); err != nil { // one at a time
			return err
		}
		var deadline int64
		if err := t.QueryRowContext(ctx, `SELECT deadline_us FROM round WHERE id = $1`, v.RoundID).Scan(&deadline); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO visit_face (visit_id, round_id, model_id, template, keep_until_us) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (visit_id) DO UPDATE SET model_id = excluded.model_id, template = excluded.template`,
			v.ID, v.RoundID, modelID, s.seal.sealTemplate(face, "visit_face.template."+string(v.ID)), deadline+visitFaceKept.Microseconds())
		if err != nil {
			return err
		}
		others, err := t.bedFaces(ctx, v, modelID)
		if err != nil {
			return err
		}
		for _, o := range others {
			if !same(face.Cosine(o.template)) {
				continue
			}
			f := ward.VisitFinding{VisitID: v.ID, Kind: ward.CheckOtherBed, Basis: o.basis, Other: o.visit}
			if f, err = t.addFinding(ctx, f); err != nil {
				return err
			}
			found = append(found, f)
			if o.basis == ward.SameFace {
				if err := t.flagOther(ctx, o, v.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return found, err
}

// flagOther tells the other visit. While a human is to decide it the check
// fails; one that is being checked learns of it when it ends.
func (t *tx) flagOther(ctx context.Context, o bedFace, by ward.VisitID) error {
	if _, err := t.addFinding(ctx, ward.VisitFinding{VisitID: o.visit, Kind: ward.CheckOtherBed, Basis: o.basis, Other: by}); err != nil || o.state != ward.VisitDeciding {
		return err
	}
	return t.failFound(ctx, o.visit)
}

// bedFaces reads what v's face is compared with. The enrolment of the person
// whom v expects is no other bed's.
func (t *tx) bedFaces(ctx context.Context, v ward.Visit, modelID string) ([]bedFace, error) {
	rows, err := t.QueryContext(ctx, `SELECT 'face', v.id, v.state, f.template, '' FROM visit_face f JOIN visit v ON v.id = f.visit_id
			WHERE f.round_id = $1 AND f.visit_id <> $2 AND f.model_id = $3
		UNION ALL SELECT 'enrolment', v.id, v.state, i.template, i.id FROM visit v JOIN insured i ON i.id = v.insured_id
			WHERE v.round_id = $1 AND v.id <> $2 AND i.model_id = $3 AND i.template IS NOT NULL AND i.id <> $4
		UNION ALL SELECT 'enrolment', v.id, v.state, p.template, 'physician/' || p.id FROM visit v JOIN physician p ON p.id = v.physician_id
			WHERE v.round_id = $1 AND v.id <> $2 AND p.model_id = $3 AND p.template IS NOT NULL`, v.RoundID, v.ID, modelID, v.InsuredID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r row) (o bedFace, err error) {
		var sealed []byte
		var who string
		if err = r.Scan(&o.basis, &o.visit, &o.state, &sealed, &who); err != nil {
			return o, err
		}
		cell := "visit_face.template." + string(o.visit)
		if o.basis == ward.SameEnrolment {
			cell = templateCell(ward.InsuredID(who))
			if id, ok := strings.CutPrefix(who, "physician/"); ok {
				cell = "physician.template." + id
			}
		}
		o.template, err = t.s.seal.openTemplate(sealed, cell)
		return o, err
	})
}
