package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/ward"
)

// dossierQueries are what is known of each kind of subject, $1 its id: rows of
// id, institution_id, at_us, what, title, state, amount_fen. Alerts of rules
// on trial are in no dossier. A settlement names no physician.
var dossierQueries = map[ward.SubjectKind]map[ward.DossierKind]string{
	ward.PersonSubject: {
		ward.DossierCase: dossierCases + ` OR id IN (SELECT case_id FROM evidence WHERE kind = 'visit' AND ref IN (SELECT id FROM visit WHERE insured_id = $1))
			OR id IN (SELECT case_id FROM evidence WHERE kind = 'settlement' AND ref IN (SELECT id FROM settlement WHERE insured_id = $1))`,
		ward.DossierAlert: dossierAlerts + ` AND (subject_kind = 'settlement' AND subject_id IN (SELECT id FROM settlement WHERE insured_id = $1)
			OR id IN (SELECT alert_id FROM alert_related WHERE settlement_id IN (SELECT id FROM settlement WHERE insured_id = $1)))`,
		ward.DossierVisit:      dossierVisits + `insured_id = $1`,
		ward.DossierSettlement: dossierSettlements + `insured_id = $1`,
	},
	ward.PhysicianSubject: {
		ward.DossierCase:  dossierCases,
		ward.DossierVisit: dossierVisits + `physician_id = $1`,
		ward.DossierDuty:  dossierDuties + `physician_id = $1`,
	},
	ward.InstitutionSubject: {
		ward.DossierCase:       dossierCases + ` OR institution_id = $1`,
		ward.DossierAlert:      dossierAlerts + ` AND institution_id = $1`,
		ward.DossierVisit:      dossierVisits + `institution_id = $1`,
		ward.DossierSettlement: dossierSettlements + `institution_id = $1`,
		ward.DossierDuty:       dossierDuties + `institution_id = $1`,
	},
}

const (
	dossierCases = `SELECT id, institution_id, opened_us AS at_us, number AS what, title, '' AS state, 0 AS amount_fen FROM case_file
		WHERE id IN (SELECT case_id FROM case_subject WHERE kind = $2 AND ref = $1)`
	dossierAlerts      = `SELECT id, institution_id, at_us, rule AS what, '' AS title, state, 0 AS amount_fen FROM alert WHERE shadow = 0`
	dossierVisits      = `SELECT id, institution_id, (SELECT ordered_us FROM round WHERE round.id = visit.round_id) AS at_us, verdict AS what, '' AS title, state, 0 AS amount_fen FROM visit WHERE `
	dossierSettlements = `SELECT id, institution_id, at_us, kind AS what, '' AS title, '' AS state, amount_fen FROM settlement WHERE `
	dossierDuties      = `SELECT id, institution_id, at_us, outcome AS what, '' AS title, '' AS state, 0 AS amount_fen FROM duty WHERE `
)

// Dossier returns at most limit entries about a subject at the institutions
// (nil: all), the newest first, from the one after the cursor.
func (s *Store) Dossier(ctx context.Context, of ward.CaseSubject, insts []ward.InstitutionID, after ward.DossierCursor, limit int) ([]ward.DossierEntry, error) {
	all := []ward.DossierEntry{}
	for kind, query := range dossierQueries[of.Kind] {
		args := []any{of.Ref}
		if strings.Contains(query, "$2") {
			args = append(args, of.Kind)
		}
		where, args := scope(insts, args)
		if after.ID != "" {
			args = append(args, us(after.At), after.ID)
			where += fmt.Sprintf(` AND (at_us < $%d OR at_us = $%[1]d AND id < $%d)`, len(args)-1, len(args))
		}
		args = append(args, limit)
		scan := func(r row) (ward.DossierEntry, error) {
			e := ward.DossierEntry{Kind: kind}
			var when int64
			err := r.Scan(&e.ID, &e.InstitutionID, &when, &e.What, &e.Title, &e.State, &e.AmountFen)
			e.At = at(when)
			return e, err
		}
		part, err := listed(ctx, s, "read the dossier of a "+string(of.Kind), scan,
			`SELECT * FROM (`+query+`) AS d`+where+fmt.Sprintf(` ORDER BY at_us DESC, id DESC LIMIT $%d`, len(args)), args...)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	slices.SortFunc(all, func(a, b ward.DossierEntry) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	})
	return all[:min(limit, len(all))], nil
}
