package storage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// AlertGroup is alerts that wait for a decision and belong together: of one
// rule, at one place or about one person (ward.Rule.OfPerson), each at most
// the policy's window after the one before.
type AlertGroup struct {
	Newest    ward.Alert     `json:"newest"`
	InsuredID ward.InsuredID `json:"insured_id" doc:"Whom the group is about; empty when it is about a place"`
	Count     int            `json:"count"`
	AmountFen int64          `json:"amount_fen" doc:"Sum of the different settlements that the alerts are about, of the institutions in scope"`
	Severity  ward.Severity  `json:"severity" doc:"The highest"`
	From      time.Time      `json:"from" doc:"Moment of the first"`
	To        time.Time      `json:"to"`
	Deadline  time.Time      `json:"deadline,omitzero" doc:"The nearest"`
	Untaken   int            `json:"untaken" doc:"So many are nobody's task"`
	Appealed  int            `json:"appealed"`
}

// AlertOrder is how groups are sorted.
type AlertOrder string

// The orders.
const (
	ByRank     AlertOrder = "rank"     // severity, then money
	ByNewest   AlertOrder = "newest"   // the moment of the last
	ByDeadline AlertOrder = "deadline" // the nearest first
)

// keys are the two figures that an order sorts by, both falling; the newest
// alert's id is the third.
func (o AlertOrder) keys() (first, second string) {
	switch o {
	case ByNewest:
		return `last_us`, `severity`
	case ByDeadline:
		return `CASE WHEN deadline_us = 0 THEN -4611686018427387904 ELSE -deadline_us END`, `amount_fen`
	case ByRank:
	}
	return `severity`, `amount_fen`
}

// AlertGroups groups what f finds of the alerts that wait for a decision, and
// sorts the groups. next continues the list (f.Before) and is empty at its
// end. Groups are made when they are read, so that neither the order in which
// alerts come nor a changed window leaves any that are cut or joined wrongly.
func (s *Store) AlertGroups(ctx context.Context, f AlertFilter, order AlertOrder) (list []AlertGroup, next string, err error) {
	f.Open = true
	policy, err := s.AlertPolicy(ctx)
	if err != nil {
		return nil, "", err
	}
	where, args := f.where()
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	window := arg(policy.Window().Microseconds())
	var after string
	if f.Before != "" {
		k, id, err := readCursor(f.Before)
		if err != nil {
			return nil, "", err
		}
		after = fmt.Sprintf(`WHERE (k1, k2, newest) < (%s, %s, %s)`, arg(k[0]), arg(k[1]), arg(id))
	}
	limit := pageSize(f.Limit)
	bills, args := scope(f.Institutions, args) // an alert may rest on those of others, which are not told
	first, second := order.keys()
	query := `WITH picked AS (SELECT a.id, a.rule, a.at_us, a.severity, a.state, a.deadline_us, a.subject_kind, a.subject_id, CASE WHEN a.rule IN (` + ofPerson() + `) THEN COALESCE(s.insured_id, '') ELSE '' END AS insured_id,
				CASE WHEN a.rule IN (` + ofPerson() + `) AND s.insured_id IS NOT NULL THEN 'i' || s.insured_id ELSE 'p' || a.place_id END || CAST(a.shadow AS TEXT) AS subject
			FROM (SELECT * FROM alert` + where + `) AS a LEFT JOIN settlement s ON s.id = a.subject_id),
		marked AS (SELECT picked.*, CASE WHEN at_us - LAG(at_us) OVER (PARTITION BY rule, subject ORDER BY at_us, id) <= CAST(` + window + ` AS BIGINT) THEN 0 ELSE 1 END AS begins FROM picked),
		numbered AS (SELECT marked.*, SUM(begins) OVER (PARTITION BY rule, subject ORDER BY at_us, id) AS nr FROM marked),
		bills AS (SELECT rule, subject, nr, subject_id AS settlement_id FROM numbered
			UNION SELECT n.rule, n.subject, n.nr, b.settlement_id FROM numbered n JOIN (` + blindBills + `) AS b ON b.alert_id = n.id WHERE n.subject_kind = 'blind'
			UNION SELECT n.rule, n.subject, n.nr, r.settlement_id FROM numbered n JOIN alert_related r ON r.alert_id = n.id),
		sums AS (SELECT b.rule, b.subject, b.nr, CAST(SUM(s.amount_fen) AS BIGINT) AS amount_fen FROM bills b JOIN settlement s ON s.id = b.settlement_id` + bills + ` GROUP BY b.rule, b.subject, b.nr),
		grouped AS (SELECT rule, subject, nr, MAX(insured_id) AS insured_id, COUNT(*) AS n, MAX(severity) AS severity, MIN(at_us) AS first_us, MAX(at_us) AS last_us, MAX(id) AS newest,
				COALESCE(MIN(NULLIF(deadline_us, 0)), 0) AS deadline_us, SUM(CASE WHEN state = 'taken' THEN 0 ELSE 1 END) AS untaken, SUM(CASE WHEN state = 'appealed' THEN 1 ELSE 0 END) AS appealed
			FROM numbered GROUP BY rule, subject, nr),
		weighed AS (SELECT g.*, COALESCE(s.amount_fen, 0) AS amount_fen FROM grouped g LEFT JOIN sums s ON s.rule = g.rule AND s.subject = g.subject AND s.nr = g.nr),
		ranked AS (SELECT weighed.*, CAST(` + first + ` AS BIGINT) AS k1, CAST(` + second + ` AS BIGINT) AS k2 FROM weighed)
		SELECT insured_id, n, amount_fen, severity, first_us, last_us, deadline_us, untaken, appealed, newest, k1, k2
		FROM ranked ` + after + ` ORDER BY k1 DESC, k2 DESC, newest DESC LIMIT ` + arg(limit+1)
	var cursors []string
	list, err = listed(ctx, s, "group alerts", func(r row) (AlertGroup, error) {
		var g AlertGroup
		var severity int
		var first, last, deadline, k1, k2 int64
		err := r.Scan(&g.InsuredID, &g.Count, &g.AmountFen, &severity, &first, &last, &deadline, &g.Untaken, &g.Appealed, &g.Newest.ID, &k1, &k2)
		g.Severity, g.From, g.To, g.Deadline = ward.Severity(severity), at(first), at(last), at(deadline)
		cursors = append(cursors, fmt.Sprintf("%d.%d.%s", k1, k2, g.Newest.ID))
		return g, err
	}, query, args...)
	if err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list, next = list[:limit], cursors[limit-1]
	}
	return list, next, s.newestOf(ctx, list)
}

// newestOf fills in the newest alert of each group.
func (s *Store) newestOf(ctx context.Context, groups []AlertGroup) error {
	ids := make([]ward.AlertID, len(groups))
	of := make(map[ward.AlertID]*AlertGroup, len(groups))
	for i := range groups {
		ids[i], of[groups[i].Newest.ID] = groups[i].Newest.ID, &groups[i]
	}
	err := eachOf(ctx, s.read, alertColumns+` WHERE id IN `, ids, nil, func(r row) error {
		a, err := scanAlert(r)
		if err == nil {
			of[a.ID].Newest = a
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the newest alerts of groups: %w", err)
	}
	return nil
}

// ofPerson lists the rules whose alerts are about a person, as SQL.
func ofPerson() string {
	var names []string
	for _, r := range ward.Rules() {
		if r.Rule.OfPerson() {
			names = append(names, `'`+string(r.Rule)+`'`)
		}
	}
	return strings.Join(names, ", ")
}

func readCursor(s string) (k [2]int64, id string, err error) {
	parts := strings.SplitN(s, ".", 3)
	bad := &ward.Error{Kind: ward.Invalid, Code: "cursor", ZH: "翻页位置不正确，请从第一页开始。", EN: "The cursor is not valid; begin with the first page."}
	if len(parts) != 3 {
		return k, "", bad
	}
	for i := range k {
		if k[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return k, "", bad
		}
	}
	return k, parts[2], nil
}
