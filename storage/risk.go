package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// sightedWithin is how far from a bill somebody counts as seen at its place.
const sightedWithin = time.Minute

// RiskFacts gathers what is known of the current stays of an institution, by
// admission: alerts of the insured at the institutions of insts (nil: all),
// which the caller may know of, and bills and alerts of this one. Alerts in
// shadow, dismissed and withdrawn ones do not count.
func (s *Store) RiskFacts(ctx context.Context, inst ward.InstitutionID, insts []ward.InstitutionID, now time.Time) (map[ward.AdmissionID]ward.RiskFacts, error) {
	facts, people := map[ward.AdmissionID]ward.RiskFacts{}, map[ward.InsuredID][]ward.AdmissionID{}
	stays, err := s.Admissions(ctx, []ward.InstitutionID{inst}, "")
	if err != nil {
		return nil, err
	}
	alerts, bills, err := s.institutionRate(ctx, inst, now.Add(-ward.RiskPlaceBack))
	if err != nil {
		return nil, err
	}
	for _, a := range stays {
		if a.To.IsZero() || a.To.After(now) {
			facts[a.ID] = ward.RiskFacts{Stay: now.Sub(a.From), PlaceAlerts: alerts, PlaceBills: bills}
			people[a.InsuredID] = append(people[a.InsuredID], a.ID)
		}
	}
	if err := s.ownAlerts(ctx, inst, insts, now, func(who ward.InsuredID, state ward.AlertState, n int) {
		for _, id := range people[who] {
			f := facts[id]
			if state == ward.AlertConfirmed {
				f.Confirmed += n
			} else {
				f.Open += n
			}
			facts[id] = f
		}
	}); err != nil {
		return nil, err
	}
	return facts, s.unseenBills(ctx, inst, now, facts)
}

// institutionRate counts an institution's alerts that stand or wait, and its bills.
func (s *Store) institutionRate(ctx context.Context, inst ward.InstitutionID, from time.Time) (alerts, bills int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM alert WHERE institution_id = $1 AND raised_us >= $2 AND shadow = 0 AND subject_kind = 'settlement'
		AND state IN ('new', 'taken', 'appealed', 'confirmed')`, inst, us(from)).Scan(&alerts)
	if err == nil {
		err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM settlement WHERE at_us >= $2 AND state <> 'reversed'
			AND place_id IN (SELECT id FROM place WHERE institution_id = $1)`, inst, us(from)).Scan(&bills)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count alerts and bills of %s: %w", inst, err)
	}
	return alerts, bills, nil
}

type alertCount struct {
	who   ward.InsuredID
	state ward.AlertState
	n     int
}

// ownAlerts counts the alerts of those who lie in inst now.
func (s *Store) ownAlerts(ctx context.Context, inst ward.InstitutionID, insts []ward.InstitutionID, now time.Time, each func(ward.InsuredID, ward.AlertState, int)) error {
	where, args := scope(insts, nil)
	n := len(args)
	args = append(args, inst, us(now), us(now.Add(-ward.RiskAlertsBack)))
	counts, err := listed(ctx, s, "count alerts of inpatients", func(r row) (v alertCount, err error) {
		return v, r.Scan(&v.who, &v.state, &v.n)
	}, fmt.Sprintf(`SELECT v.insured_id, a.state, COUNT(*) FROM settlement v JOIN (SELECT * FROM alert%s) a ON a.subject_id = v.id
		WHERE v.insured_id IN (SELECT insured_id FROM admission WHERE institution_id = $%d AND (to_us = 0 OR to_us > $%d))
		AND v.at_us >= $%d AND a.shadow = 0 AND a.state IN ('new', 'taken', 'appealed', 'confirmed') GROUP BY v.insured_id, a.state`, where, n+1, n+2, n+3), args...)
	if err != nil {
		return err
	}
	for _, c := range counts {
		each(c.who, c.state, c.n)
	}
	return nil
}

type billCount struct {
	id                ward.AdmissionID
	unseen, unwatched int
}

// unseenBills adds the bills during the stays around which nobody was seen.
func (s *Store) unseenBills(ctx context.Context, inst ward.InstitutionID, now time.Time, facts map[ward.AdmissionID]ward.RiskFacts) error {
	const near = `FROM sighting g WHERE g.place_id = v.place_id AND g.kind = '%s' AND g.to_us >= v.at_us - %d AND g.to_us <= v.at_us + %d AND g.from_us <= v.at_us + %[2]d`
	margin, longest := sightedWithin.Microseconds(), MaxSighting.Microseconds()
	counts, err := listed(ctx, s, "count bills without sightings", func(r row) (v billCount, err error) {
		return v, r.Scan(&v.id, &v.unseen, &v.unwatched)
	}, `SELECT id, SUM(watched), SUM(1 - watched) FROM (
			SELECT a.id, CASE WHEN EXISTS (SELECT 1 `+fmt.Sprintf(near, ward.Watched, 0, longest)+`) THEN 1 ELSE 0 END AS watched
			FROM admission a JOIN settlement v ON v.insured_id = a.insured_id AND v.at_us >= a.from_us AND v.institution_id = a.institution_id
			WHERE a.institution_id = $1 AND (a.to_us = 0 OR a.to_us > $2) AND v.state <> 'reversed' AND v.at_us <= $2
			AND NOT EXISTS (SELECT 1 `+fmt.Sprintf(near, ward.PeopleSeen, margin, margin+longest)+`)
			AND NOT EXISTS (SELECT 1 `+fmt.Sprintf(near, ward.FaceSeen, margin, margin+longest)+`)) AS bills
		GROUP BY id`, inst, us(now))
	if err != nil {
		return err
	}
	for _, c := range counts {
		f, ok := facts[c.id]
		if ok {
			f.Unseen, f.Unwatched = c.unseen, c.unwatched
			facts[c.id] = f
		}
	}
	return nil
}
