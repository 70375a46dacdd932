package storage

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// agree compares a row, told as its record would be, with the record of
// leaf; the fields in skip may differ.
func (f *fsck) agree(ctx context.Context, table, id, kind, ref string, leaf int64, row any, skip ...string) error {
	f.Rows++
	where := table + "/" + id
	r, err := f.s.Sealed(ctx, leaf)
	if errors.Is(err, &ward.Error{Kind: ward.NotFound}) || err == nil && (r.Kind != kind || r.Ref != ref) {
		f.bad(where, "没有对应的封存记录。", fmt.Sprintf("Leaf %d is not its sealed record", leaf))
		return nil
	}
	if err != nil {
		return err
	}
	// Both sides go through the record's own type, so that a field that is
	// younger than the record compares as empty.
	old := reflect.New(reflect.TypeOf(row)).Interface()
	if r.Into(old) != nil {
		f.bad(where, "封存记录无法读取。", "Its sealed record cannot be read")
		return nil //nolint:nilerr // it is reported
	}
	was, err := fields(old)
	if err != nil {
		return err
	}
	is, err := fields(row)
	if err != nil {
		return err
	}
	var differ []string
	for k := range was {
		if !slices.Contains(skip, k) && !reflect.DeepEqual(was[k], is[k]) {
			differ = append(differ, k)
		}
	}
	for k := range is {
		if _, ok := was[k]; !ok && !slices.Contains(skip, k) {
			differ = append(differ, k)
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		list := strings.Join(differ, ", ")
		f.bad(where, "数据库记录与封存时不同，字段："+list, "The row differs from its sealed record in: "+list)
	}
	return nil
}

func fields(v any) (map[string]any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("compare records: %w", err)
	}
	m := map[string]any{}
	return m, json.Unmarshal(b, &m)
}

func (f *fsck) segmentRows(ctx context.Context) error {
	if err := f.count(ctx, `SELECT COUNT(*), 0 FROM segment`); err != nil {
		return err
	}
	err := f.eachSegment(ctx, func(g ward.Segment) error {
		if err := f.agree(ctx, "segment", string(g.ID), KindSegment, string(g.ID), g.Leaf, recordOf(g)); err != nil {
			return err
		}
		if err := f.block(ctx, g); err != nil {
			return err
		}
		return f.fate(ctx, g)
	})
	if err != nil {
		return err
	}
	if err := f.strayBlocks(ctx); err != nil {
		return err
	}
	return f.strayRuns(ctx)
}

func (f *fsck) visitRows(ctx context.Context) error {
	id := func(v ward.Visit) string { return string(v.ID) }
	return each(ctx, f, "list visits", visitColumns+` WHERE state = 'sealed' AND id > $1 ORDER BY id LIMIT $2`, scanVisit, id, func(v ward.Visit) error {
		rec := sealed.Verdict{
			Visit: v.ID, Round: v.RoundID, Admission: v.AdmissionID, Verdict: v.Verdict, ReasonZH: v.ReasonZH, ReasonEN: v.ReasonEN,
			DecidedBy: v.DecidedBy, Opened: v.Opened, Consented: v.Consented, Sealed: v.Sealed, Snapshot: hexOfSnapshot(v), Policy: v.Policy, Purpose: otherwise(v.Purpose),
		}
		checks, err := readChecks(ctx, f.s.read, v.ID)
		if err != nil {
			return err
		}
		rec.Checks = sealedChecks(checks)
		events, err := f.s.SealedEvents(ctx, v.ID)
		if err != nil {
			return err
		}
		rec.Events = hexOf(sha256.Sum256(events))
		// Segments may have been committed after the verdict; each is checked by itself.
		return f.agree(ctx, "visit", string(v.ID), KindVerdict, string(v.ID), v.Leaf, rec, "segments")
	})
}

// settlementRows compares the settlements that became evidence.
func (f *fsck) settlementRows(ctx context.Context) error {
	refs := func(r row) (string, error) {
		var ref string
		return ref, r.Scan(&ref)
	}
	self := func(ref string) string { return ref }
	return each(ctx, f, "list sealed settlements", `SELECT DISTINCT ref FROM sealed_record WHERE kind = 'settlement' AND ref > $1 ORDER BY ref LIMIT $2`, refs, self, func(ref string) error {
		now, err := sealedSettlement(ctx, f.s.read, ward.SettlementID(ref))
		if errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			return nil // named by absent
		}
		if err != nil {
			return err
		}
		last, _, err := latestSealed(ctx, f.s.read, KindSettlement, ref)
		if err != nil {
			return err
		}
		var was SealedSettlement
		var skip []string
		if last.Into(&was) == nil && was.State == ward.Pending {
			skip = []string{"state", "reason"} // judged since
		}
		return f.agree(ctx, "settlement", ref, KindSettlement, ref, last.Leaf, now, skip...)
	})
}

func (f *fsck) roundRows(ctx context.Context) error {
	id := func(r ward.Round) string { return string(r.ID) }
	return each(ctx, f, "list rounds", roundColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanRound, id, func(r ward.Round) error {
		rec := recordOfRound(r)
		var was orderedRecord
		if sealed, err := f.s.Sealed(ctx, r.Leaf); err == nil && sealed.Into(&was) == nil {
			// Moments were sealed with more digits than a row holds.
			if at(us(was.Ordered)).Equal(r.Ordered) {
				rec.Ordered = was.Ordered
			}
			if at(us(was.Deadline)).Equal(r.Deadline) {
				rec.Deadline = was.Deadline
			}
		}
		return f.agree(ctx, "round", string(r.ID), KindRound, string(r.ID), r.Leaf, rec, "visits")
	})
}

func (f *fsck) caseRows(ctx context.Context) error {
	if _, err := f.chain(ctx, ""); err != nil { // views outside any case
		return err
	}
	id := func(c ward.Case) string { return string(c.ID) }
	return each(ctx, f, "list cases", caseColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanCase, id, func(c ward.Case) error {
		r, _, err := latestSealed(ctx, f.s.read, KindCase, string(c.ID))
		if err != nil {
			return err
		}
		if err := f.agree(ctx, "case_file", string(c.ID), KindCase, string(c.ID), r.Leaf, c); err != nil {
			return err
		}
		items, err := f.s.Evidence(ctx, c.ID) // before the events: an item comes with its event
		if err != nil {
			return err
		}
		added, err := f.chain(ctx, c.ID)
		if err != nil {
			return err
		}
		for _, e := range items {
			sum := ""
			if e.SHA256 != [32]byte{} {
				sum = hexOf(e.SHA256)
			}
			object := string(e.Kind) + "/" + e.Ref
			if was, ok := added[object]; !ok || was != sum {
				f.bad("evidence/"+string(e.ID), "证据与加入时的保管事件不符。", "The item differs from the custody event that added it")
			}
			delete(added, object)
		}
		for object := range added {
			if have, err := f.s.Evidence(ctx, c.ID); err != nil {
				return err
			} else if !slices.ContainsFunc(have, func(e ward.Evidence) bool { return string(e.Kind)+"/"+e.Ref == object }) {
				f.bad("case_file/"+string(c.ID), "证据被删除："+object, "An item was removed from the case: "+object)
			}
		}
		if err := f.caseFileRows(ctx, c.ID); err != nil {
			return err
		}
		if err := f.exportRows(ctx, c.ID); err != nil {
			return err
		}
		return f.shareRows(ctx, c.ID)
	})
}

// chain checks a case's custody events and returns the objects they added
// with their hashes.
func (f *fsck) chain(ctx context.Context, id ward.CaseID) (map[string]string, error) {
	added := map[string]string{}
	prev := ""
	for last := int64(0); ; {
		events, err := listed(ctx, f.s, "read custody of case "+string(id), scanCustody, custodyColumns+` WHERE case_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, id, last, fsckPage)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			name := fmt.Sprintf("%s/%d", id, e.Seq)
			if e.Seq != last+1 {
				f.bad("custody/"+name, "保管链断裂。", "The chain of custody has a hole before this event")
			}
			last = e.Seq
			rec := sealed.Custody{CaseID: e.CaseID, Seq: e.Seq, At: e.At, Actor: e.Actor, Role: e.Role, Action: e.Action, Object: e.Object, SHA256: e.SHA256, Reason: e.Reason, Prev: prev, Result: e.Result, Means: e.Means}
			if err := f.agree(ctx, "custody", name, KindCustody, name, e.Leaf, rec); err != nil {
				return nil, err
			}
			if r, err := f.s.Sealed(ctx, e.Leaf); err == nil {
				prev = hexOf(r.Sum())
			}
			if e.Action == ward.ActionAdd {
				added[e.Object] = e.SHA256
			}
		}
		if len(events) < fsckPage {
			return added, nil
		}
	}
}

// absent names the sealed records whose row is gone.
func (f *fsck) absent(ctx context.Context) error {
	for _, q := range []struct{ table, query string }{
		{"segment", `SELECT ref FROM sealed_record r WHERE kind = 'segment' AND NOT EXISTS (SELECT 1 FROM segment x WHERE x.id = r.ref AND x.leaf = r.leaf)`},
		{"alert", `SELECT ref FROM sealed_record r WHERE kind = 'alert' AND NOT EXISTS (SELECT 1 FROM alert x WHERE x.id = r.ref AND x.leaf >= r.leaf)`},
		{"visit", `SELECT ref FROM sealed_record r WHERE kind = 'verdict' AND NOT EXISTS (SELECT 1 FROM visit x WHERE x.id = r.ref AND x.leaf = r.leaf AND x.state = 'sealed')`},
		{"settlement", `SELECT DISTINCT ref FROM sealed_record r WHERE kind = 'settlement' AND NOT EXISTS (SELECT 1 FROM settlement x WHERE x.id = r.ref)`},
		{"round", `SELECT ref FROM sealed_record r WHERE kind = 'round' AND NOT EXISTS (SELECT 1 FROM round x WHERE x.id = r.ref AND x.leaf = r.leaf)`},
		{"case_file", `SELECT ref FROM sealed_record r WHERE kind = 'case' AND NOT EXISTS (SELECT 1 FROM case_file x WHERE x.id = r.ref)`},
		{"hold", `SELECT ref FROM sealed_record r WHERE kind = 'hold' AND NOT EXISTS (SELECT 1 FROM hold x WHERE x.id = r.ref AND x.leaf = r.leaf)`},
		{"unmasking", `SELECT ref FROM sealed_record r WHERE kind = 'unmasking' AND NOT EXISTS (SELECT 1 FROM unmasking x WHERE x.leaf = r.leaf OR x.answer_leaf = r.leaf)`},
		{"hold_release", `SELECT ref FROM sealed_record r WHERE kind = 'hold_release' AND NOT EXISTS (SELECT 1 FROM hold_release x WHERE x.leaf = r.leaf OR x.answer_leaf = r.leaf)`},
		{"segment", `SELECT ref FROM sealed_record r WHERE kind = 'eviction' AND NOT EXISTS (SELECT 1 FROM segment x WHERE x.id = r.ref AND x.state = 'evicted')`},
		{"quarantine", `SELECT ref FROM sealed_record r WHERE kind = 'quarantine' AND NOT EXISTS (SELECT 1 FROM quarantine x WHERE x.moved_to = r.ref AND x.leaf = r.leaf)`},
		{"rule_setting", `SELECT ref FROM sealed_record r WHERE kind = 'rule' AND NOT EXISTS (SELECT 1 FROM rule_setting x WHERE x.leaf = r.leaf)`},
		{"camera_zones", `SELECT ref FROM sealed_record r WHERE kind = 'zones' AND NOT EXISTS (SELECT 1 FROM camera_zones x WHERE x.leaf = r.leaf)`},
		{"blind_period", `SELECT DISTINCT ref FROM sealed_record r WHERE kind = 'blind' AND NOT EXISTS (SELECT 1 FROM blind_period x WHERE x.id = r.ref AND x.leaf >= r.leaf)`},
		{"outage", `SELECT ref FROM sealed_record r WHERE kind = 'outage' AND NOT EXISTS (SELECT 1 FROM outage x WHERE x.leaf = r.leaf)`},
		{"site", `SELECT ref FROM sealed_record r WHERE kind = 'site' AND NOT EXISTS (SELECT 1 FROM site x WHERE x.leaf = r.leaf)`},
		{"case_version", `SELECT ref FROM sealed_record r WHERE kind = 'case_version' AND NOT EXISTS (SELECT 1 FROM case_version x WHERE x.leaf = r.leaf)`},
		{"letter_step", `SELECT ref FROM sealed_record r WHERE kind = 'letter' AND NOT EXISTS (SELECT 1 FROM letter_step x WHERE x.leaf = r.leaf)`},
		{"case_step", `SELECT ref FROM sealed_record r WHERE kind = 'case_step' AND NOT EXISTS (SELECT 1 FROM case_step x WHERE x.leaf = r.leaf)`},
		{"alert_policy", `SELECT ref FROM sealed_record r WHERE kind = 'alert_policy' AND NOT EXISTS (SELECT 1 FROM alert_policy x WHERE x.leaf = r.leaf)`},
		{"access_policy", `SELECT ref FROM sealed_record r WHERE kind = 'access_policy' AND NOT EXISTS (SELECT 1 FROM access_policy x WHERE x.leaf = r.leaf)`},
		{"check_policy", `SELECT ref FROM sealed_record r WHERE kind = 'check_policy' AND NOT EXISTS (SELECT 1 FROM check_policy x WHERE x.leaf = r.leaf)`},
		{"ruling", `SELECT ref FROM sealed_record r WHERE kind = 'ruling' AND NOT EXISTS (SELECT 1 FROM ruling x WHERE x.leaf = r.leaf OR x.answer_leaf = r.leaf)`},
		{"visit_finding", `SELECT ref FROM sealed_record r WHERE kind = 'visit_finding' AND NOT EXISTS (SELECT 1 FROM visit_finding x WHERE x.leaf = r.leaf)`},
		{"draw_step", `SELECT ref FROM sealed_record r WHERE kind = 'draw' AND NOT EXISTS (SELECT 1 FROM draw_step x JOIN draw d ON d.id = x.draw_id WHERE x.leaf = r.leaf)`},
		{"face_search", `SELECT ref FROM sealed_record r WHERE kind = 'face_search' AND NOT EXISTS (SELECT 1 FROM face_search x WHERE x.leaf = r.leaf)`},
		{"identity_check", `SELECT ref FROM sealed_record r WHERE kind = 'identity_check' AND NOT EXISTS (SELECT 1 FROM identity_check x WHERE x.leaf = r.leaf)`},
		{"enrolment", `SELECT ref FROM sealed_record r WHERE kind = 'enrolment' AND NOT EXISTS (SELECT 1 FROM enrolment x WHERE x.leaf = r.leaf)`},
		{"duty", `SELECT ref FROM sealed_record r WHERE kind = 'duty' AND NOT EXISTS (SELECT 1 FROM duty x WHERE x.leaf = r.leaf)`},
		{"duty_end", `SELECT ref FROM sealed_record r WHERE kind = 'duty_end' AND NOT EXISTS (SELECT 1 FROM duty_end x WHERE x.leaf = r.leaf)`},
		{"duty_policy", `SELECT ref FROM sealed_record r WHERE kind = 'duty_policy' AND NOT EXISTS (SELECT 1 FROM duty_policy x WHERE x.leaf = r.leaf)`},
		{"treatment_policy", `SELECT ref FROM sealed_record r WHERE kind = 'treatment_policy' AND NOT EXISTS (SELECT 1 FROM treatment_policy x WHERE x.leaf = r.leaf)`},
		{"treatment", `SELECT ref FROM sealed_record r WHERE kind = 'treatment' AND NOT EXISTS (SELECT 1 FROM treatment x WHERE x.leaf = r.leaf) AND NOT EXISTS (SELECT 1 FROM treatment_event x WHERE x.leaf = r.leaf)`},
		{"settlement_identity", `SELECT ref FROM sealed_record r WHERE kind = 'settlement_identity' AND NOT EXISTS (SELECT 1 FROM settlement_identity x WHERE x.leaf = r.leaf)`},
		{"custody", `SELECT ref FROM sealed_record r WHERE kind = 'custody' AND NOT EXISTS (SELECT 1 FROM custody x WHERE x.leaf = r.leaf)`},
	} {
		refs, err := listed(ctx, f.s, "look for removed rows of "+q.table, func(r row) (string, error) {
			var ref string
			return ref, r.Scan(&ref)
		}, q.query+` ORDER BY ref`)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			f.bad(q.table+"/"+ref, "已封存的数据库记录被删除或改动。", "The row was sealed and is gone, or no longer points to its leaf")
		}
	}
	return nil
}
