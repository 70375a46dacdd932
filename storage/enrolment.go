package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"wardwatch/ward"
)

// enrolmentRecord is what the ledger commits to of an enrolment: of whom, of
// which picture and why by proxy only with the row's salt.
type enrolmentRecord struct {
	ID        ward.EnrolmentID  `json:"id"`
	Version   int               `json:"version"`
	At        time.Time         `json:"at"`
	By        ward.UserID       `json:"by"`
	Way       ward.EnrolmentWay `json:"way"`
	Proxy     bool              `json:"proxy"`
	Admission ward.AdmissionID  `json:"admission"`
	Model     string            `json:"model"`
	Person    string            `json:"person"`          // SHA-256 of salt, "person", id
	Picture   string            `json:"picture"`         // SHA-256 of salt, "picture", the photo
	Reason    string            `json:"reason"`          // SHA-256 of salt, "reason", the reason
	Visit     ward.VisitID      `json:"visit,omitempty"` // that the face was taken from; its snapshot's SHA-256 is the picture
}

// storedEnrolment is a row.
type storedEnrolment struct {
	ward.Enrolment
	salt    []byte
	picture string
}

func (v storedEnrolment) record() enrolmentRecord {
	return enrolmentRecord{
		v.ID, v.Version, v.At, v.By, v.Way, v.Proxy, v.AdmissionID, v.ModelID,
		salted(v.salt, "person", []byte(v.InsuredID)), v.picture, salted(v.salt, "reason", []byte(v.Reason)), v.VisitID,
	}
}

// EnrolBy stores the reference face of a known person as Enrol does, and seals
// (kind "enrolment") who did it, how, and whether by proxy: the person's next
// version. ID, Version, At, By and Leaf of e are assigned here. photo is the
// picture's bytes. Errors: those of ward.Enrolment.Check; an unknown person is
// a ward.NotFound "insured.unknown".
func (s *Store) EnrolBy(ctx context.Context, by ward.User, e ward.Enrolment, tmpl ward.Template, photoKey string, photo []byte) (ward.Enrolment, error) {
	if err := e.Check(); err != nil {
		return e, err
	}
	v := storedEnrolment{Enrolment: e, salt: make([]byte, 32)}
	_, _ = rand.Read(v.salt) // never fails
	v.picture, v.By = salted(v.salt, "picture", photo), by.ID
	err := s.change(ctx, "enrol insured "+string(e.InsuredID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		if err := t.enrol(ctx, e.InsuredID, tmpl, e.ModelID, photoKey); err != nil {
			return err
		}
		return t.addEnrolment(ctx, &v, tmpl)
	})
	return v.Enrolment, err
}

// addEnrolment seals and stores v as its person's next version, under the ledger's lock.
func (t *tx) addEnrolment(ctx context.Context, v *storedEnrolment, tmpl ward.Template) error {
	if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) + 1 FROM enrolment WHERE insured_id = $1`, v.InsuredID).Scan(&v.Version); err != nil {
		return err
	}
	v.ID, v.At = ward.NewID[ward.EnrolmentID](t.now), at(us(t.now))
	var err error
	if v.Leaf, err = t.sealRecord(ctx, KindEnrolment, string(v.ID), v.record()); err != nil {
		return err
	}
	if _, err = t.ExecContext(ctx, `INSERT INTO enrolment (`+enrolmentFields+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		v.ID, v.InsuredID, v.Version, us(v.At), v.By, v.Way, flag(v.Proxy), t.s.seal.seal([]byte(v.Reason), reasonCell(v.ID)), v.AdmissionID, v.ModelID,
		hex.EncodeToString(v.salt), v.picture, v.Leaf, v.VisitID); err != nil {
		return err
	}
	if _, err = t.ExecContext(ctx, `UPDATE insured SET enrolment = $2, proxy = $3 WHERE id = $1`, v.InsuredID, v.Version, flag(v.Proxy)); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `UPDATE enrolment SET template = $2 WHERE id = $1`, v.ID, t.s.seal.sealTemplate(tmpl, templateCell(v.InsuredID)))
	return err
}

func reasonCell(id ward.EnrolmentID) string { return "enrolment.reason." + string(id) }

const enrolmentFields = `id, insured_id, version, at_us, actor, way, proxy, reason, admission_id, model_id, salt, picture, leaf, visit_id`

const enrolmentColumns = `SELECT ` + enrolmentFields + ` FROM enrolment`

func (s *Store) scanEnrolment(r row) (v storedEnrolment, err error) {
	var when int64
	var salt string
	var reason []byte
	if err := r.Scan(&v.ID, &v.InsuredID, &v.Version, &when, &v.By, &v.Way, &v.Proxy, &reason, &v.AdmissionID, &v.ModelID, &salt, &v.picture, &v.Leaf, &v.VisitID); err != nil {
		return v, err
	}
	plain, err := s.seal.open(reason, reasonCell(v.ID))
	if err != nil {
		return v, err
	}
	v.At, v.Reason = at(when), string(plain)
	if v.salt, err = hex.DecodeString(salt); err != nil {
		return v, fmt.Errorf("read salt of enrolment %s: %w", v.ID, err)
	}
	return v, nil
}

// Enrolments lists the versions of a person's reference face, the newest
// first; none of those before versions were kept.
func (s *Store) Enrolments(ctx context.Context, id ward.InsuredID) ([]ward.Enrolment, error) {
	return listed(ctx, s, "list enrolments", func(r row) (ward.Enrolment, error) {
		v, err := s.scanEnrolment(r)
		return v.Enrolment, err
	}, enrolmentColumns+` WHERE insured_id = $1 ORDER BY version DESC`, id)
}

// EnrolmentVersion is one version of a person's reference face with the face
// itself; the face is nil when it was erased. An unknown version is a
// ward.NotFound "enrol.version".
func (s *Store) EnrolmentVersion(ctx context.Context, id ward.InsuredID, version int) (e ward.Enrolment, tmpl ward.Template, err error) {
	v, err := s.scanEnrolment(s.read.QueryRowContext(ctx, enrolmentColumns+` WHERE insured_id = $1 AND version = $2`, id, version))
	if err != nil {
		return e, nil, fmt.Errorf("read enrolment %d of insured %s: %w", version, id, missing(err, "enrol.version", "没有这一版人脸登记。", "There is no such version of the enrolment."))
	}
	var sealed []byte
	if err = s.read.QueryRowContext(ctx, `SELECT template FROM enrolment WHERE id = $1`, v.ID).Scan(&sealed); err == nil {
		tmpl, err = s.seal.openTemplate(sealed, templateCell(id))
	}
	if err != nil {
		return e, nil, fmt.Errorf("read the face of enrolment %s: %w", v.ID, err)
	}
	return v.Enrolment, tmpl, nil
}

// eraseEnrolled erases the faces of versions that have not counted for a day,
// once no visit that was judged against them can be judged again: a visit
// that still runs stores what it was judged against well within that day.
func (t *tx) eraseEnrolled(ctx context.Context, now time.Time) error {
	_, err := t.ExecContext(ctx, `UPDATE enrolment SET template = NULL WHERE template IS NOT NULL
		AND EXISTS (SELECT 1 FROM enrolment n WHERE n.insured_id = enrolment.insured_id AND n.version > enrolment.version AND n.at_us <= $1)
		AND NOT EXISTS (SELECT 1 FROM visit v JOIN visit_check c ON c.visit_id = v.id JOIN visit_tape k ON k.visit_id = v.id
			WHERE v.insured_id = enrolment.insured_id AND c.enrolment = enrolment.version)`, us(now.AddDate(0, 0, -1)))
	return err
}

// enrolmentRows compares every enrolment with what was sealed, and what
// counts with the newest.
func (f *fsck) enrolmentRows(ctx context.Context) error {
	id := func(v storedEnrolment) string { return string(v.ID) }
	err := each(ctx, f, "list enrolments", enrolmentColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, f.s.scanEnrolment, id, func(v storedEnrolment) error {
		return f.agree(ctx, "enrolment", string(v.ID), KindEnrolment, string(v.ID), v.Leaf, v.record())
	})
	if err != nil {
		return err
	}
	wrong, err := listed(ctx, f.s, "compare people with their enrolments", func(r row) (id string, err error) { return id, r.Scan(&id) },
		`SELECT e.id FROM enrolment e JOIN insured p ON p.id = e.insured_id
			WHERE NOT EXISTS (SELECT 1 FROM enrolment n WHERE n.insured_id = e.insured_id AND n.version > e.version) AND (p.enrolment <> e.version OR p.proxy <> e.proxy) ORDER BY e.id`)
	for _, id := range wrong {
		f.bad("enrolment/"+id, "参保人的登记标记与封存的登记记录不一致。", "The person's mark differs from the enrolment that was sealed")
	}
	return err
}
