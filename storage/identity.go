package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// identityRecord is what the ledger commits to of an identity check: of whom
// and of which picture only with the row's salt.
type identityRecord struct {
	ID          ward.IdentityCheckID `json:"id"`
	At          time.Time            `json:"at"`
	By          ward.UserID          `json:"by"`
	Institution ward.InstitutionID   `json:"institution"`
	Place       ward.PlaceID         `json:"place"`
	Camera      ward.CameraID        `json:"camera"`
	Source      ward.IdentitySource  `json:"source"`
	Seen        time.Time            `json:"seen"`
	Insured     string               `json:"insured"` // SHA-256 of salt, "insured", id
	Picture     string               `json:"picture"` // SHA-256 of salt, "picture" and the photo, or the sighting's id
	Answer      ward.Match           `json:"answer"`
	Reason      ward.IdentityReason  `json:"reason"`
	Score       float64              `json:"score"`
	Model       string               `json:"model"`
	Match       float64              `json:"match"`
	NoMatch     float64              `json:"no_match"`
}

// storedIdentity is a row.
type storedIdentity struct {
	ward.IdentityCheck
	salt    []byte
	picture string
}

func (v storedIdentity) record() identityRecord {
	return identityRecord{
		v.ID, v.At, v.By, v.InstitutionID, v.PlaceID, v.CameraID, v.Source, v.Seen, salted(v.salt, "insured", []byte(v.InsuredID)), v.picture,
		v.Answer, v.Reason, float64(v.Score), v.ModelID, float64(v.Thresholds.Match), float64(v.Thresholds.NoMatch),
	}
}

// salted commits to a value that could else be found by trying all.
func salted(salt []byte, what string, value []byte) string {
	h := sha256.New()
	h.Write(salt)
	h.Write([]byte(what + "\n"))
	h.Write(value)
	return hex.EncodeToString(h.Sum(nil))
}

// AddIdentityCheck stores and seals (kind "identity_check") an answer before it
// is given, and notes in the custody chain who asked. picture is the photo's
// bytes, or the id of the sighting, and is not kept. At and Leaf are assigned
// here; Seen, when zero, is At.
func (s *Store) AddIdentityCheck(ctx context.Context, by ward.User, c ward.IdentityCheck, picture []byte) (ward.IdentityCheck, error) {
	v := storedIdentity{IdentityCheck: c, salt: make([]byte, 32)}
	_, _ = rand.Read(v.salt) // never fails
	v.picture, v.By = salted(v.salt, "picture", picture), by.ID
	err := s.change(ctx, "add identity check "+string(c.ID), func(t *tx) error {
		v.At = at(us(t.now))
		if c.Seen.IsZero() {
			v.Seen = v.At
		}
		v.Seen = at(us(v.Seen))
		var err error
		if v.Leaf, err = t.sealRecord(ctx, KindIdentity, string(v.ID), v.record()); err != nil {
			return err
		}
		if _, err = t.custody(ctx, ward.Custody{Actor: by.ID, Role: by.Role, Action: ward.ActionIdentify, Object: "identity_check/" + string(v.ID)}); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO identity_check (id, at_us, actor, institution_id, place_id, camera_id, insured_id, source, seen_us, answer, reason, score, model_id, match_from, no_match_below, salt, picture, leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
			v.ID, us(v.At), v.By, v.InstitutionID, v.PlaceID, v.CameraID, v.InsuredID, v.Source, us(v.Seen), v.Answer, v.Reason, float64(v.Score), v.ModelID,
			float64(v.Thresholds.Match), float64(v.Thresholds.NoMatch), hex.EncodeToString(v.salt), v.picture, v.Leaf)
		return err
	})
	return v.IdentityCheck, err
}

const identityFields = `id, at_us, actor, institution_id, place_id, camera_id, insured_id, source, seen_us, answer, reason, score, model_id, match_from, no_match_below, salt, picture, leaf`

const identityColumns = `SELECT ` + identityFields + ` FROM identity_check`

func scanStoredIdentity(r row) (storedIdentity, error) {
	var v storedIdentity
	var when, seen int64
	var score, match, noMatch float64
	var salt string
	err := r.Scan(&v.ID, &when, &v.By, &v.InstitutionID, &v.PlaceID, &v.CameraID, &v.InsuredID, &v.Source, &seen, &v.Answer, &v.Reason, &score, &v.ModelID, &match, &noMatch, &salt, &v.picture, &v.Leaf)
	if err != nil {
		return v, err
	}
	v.At, v.Seen, v.Score = at(when), at(seen), float32(score)
	v.Thresholds = ward.FaceThresholds{Match: float32(match), NoMatch: float32(noMatch)}
	v.salt, _ = hex.DecodeString(salt) // one that was changed commits to something else: fsck finds it
	return v, nil
}

func scanIdentity(r row) (ward.IdentityCheck, error) {
	v, err := scanStoredIdentity(r)
	return v.IdentityCheck, err
}

// IdentityChecks lists those of institutions (nil: all) before the one given
// ("" begins the list), the newest first; 1 to 500, 0 means 50.
func (s *Store) IdentityChecks(ctx context.Context, insts []ward.InstitutionID, before ward.IdentityCheckID, limit int) ([]ward.IdentityCheck, error) {
	where, args := scope(insts, []any{before, pageSize(limit)})
	return listed(ctx, s, "list identity checks", scanIdentity, identityColumns+where+` AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2`, args...)
}

// IdentityOf returns the checks that settlements refer to, the oldest first.
func (s *Store) IdentityOf(ctx context.Context, ids []ward.SettlementID) (map[ward.SettlementID][]ward.IdentityCheck, error) {
	out := map[ward.SettlementID][]ward.IdentityCheck{}
	err := eachOf(ctx, s.read, `SELECT l.settlement_id, c.`+strings.ReplaceAll(identityFields, ", ", ", c.")+` FROM settlement_identity l JOIN identity_check c ON c.id = l.check_id WHERE l.settlement_id IN `, ids, nil, func(r row) error {
		var id ward.SettlementID
		v, err := scanIdentity(rowAfter{r, []any{&id}})
		out[id] = append(out[id], v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read identity checks of %d settlements: %w", len(ids), err)
	}
	for _, of := range out {
		slices.SortFunc(of, func(a, b ward.IdentityCheck) int { return a.At.Compare(b.At) })
	}
	return out, nil
}

// identityLink is what the ledger commits to when billing refers to a check.
type identityLink struct {
	Settlement ward.SettlementID    `json:"settlement"`
	Check      ward.IdentityCheckID `json:"check"`
	At         time.Time            `json:"at"`
}

// linkIdentity notes and seals, once, that the report v of a settlement refers
// to a check, which must be of the same institution and insured person.
func (t *tx) linkIdentity(ctx context.Context, id ward.SettlementID, v ward.Settlement) error {
	// The lock comes first: a link is sealed once, whoever else reports the same.
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	var fits, linked int
	err := t.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM identity_check WHERE id = $1 AND institution_id = $2 AND insured_id = $3),
		(SELECT COUNT(*) FROM settlement_identity WHERE settlement_id = $4 AND check_id = $1)`, v.IdentityCheck, v.InstitutionID, v.InsuredID, id).Scan(&fits, &linked)
	if err != nil || linked > 0 {
		return err
	}
	if fits == 0 {
		return &ward.Error{
			Kind: ward.Invalid, Code: "settlement.identity_check",
			ZH: "没有这次身份核验，或它属于其他机构、其他参保人，请检查 identity_check_id。", EN: "No such identity check, or it is of another institution or person; check identity_check_id.",
		}
	}
	l := identityLink{id, v.IdentityCheck, at(us(t.now))}
	leaf, err := t.sealRecord(ctx, KindSettlementIdentity, l.ref(), l)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO settlement_identity (settlement_id, check_id, at_us, leaf) VALUES ($1, $2, $3, $4)`, l.Settlement, l.Check, us(l.At), leaf)
	return err
}

func (l identityLink) ref() string { return string(l.Settlement) + "/" + string(l.Check) }

// identityRows compares every identity check with what was sealed.
func (f *fsck) identityRows(ctx context.Context) error {
	id := func(v storedIdentity) string { return string(v.ID) }
	return each(ctx, f, "list identity checks", identityColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanStoredIdentity, id, func(v storedIdentity) error {
		return f.agree(ctx, "identity_check", string(v.ID), KindIdentity, string(v.ID), v.Leaf, v.record())
	})
}

// identityLinks does so with the settlements' references to checks.
func (f *fsck) identityLinks(ctx context.Context) error {
	type sealedLink struct {
		identityLink
		leaf int64
	}
	scan := func(r row) (sealedLink, error) {
		var v sealedLink
		var when int64
		err := r.Scan(&v.Settlement, &v.Check, &when, &v.leaf)
		v.At = at(when)
		return v, err
	}
	return each(ctx, f, "list identity links", `SELECT settlement_id, check_id, at_us, leaf FROM settlement_identity WHERE settlement_id || '/' || check_id > $1
		ORDER BY settlement_id || '/' || check_id LIMIT $2`, scan, func(v sealedLink) string { return v.ref() }, func(v sealedLink) error {
		return f.agree(ctx, "settlement_identity", v.ref(), KindSettlementIdentity, v.ref(), v.leaf, v.identityLink)
	})
}
