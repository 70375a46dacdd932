package storage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// StayFilter chooses stays of the register. Empty fields choose all.
type StayFilter struct {
	Institutions []ward.InstitutionID // nil: all
	Ward         string
	State        ward.StayState
	Enrolled     *bool  // whether there is a face to compare with
	Proxy        bool   // only those whose face was enrolled by proxy
	Find         string // the beginning of an id, or the whole number of the hospital
	Before       string // cursor: the next of an earlier call
	Limit        int    // 1 to 500; 0 means 50
	Now          time.Time
}

// RegisteredStay is a stay with how and when it came in.
type RegisteredStay struct {
	ward.Admission
	Cancelled  bool
	Way        ward.AdmissionWay
	Registered time.Time // zero: before it was kept
}

const registerColumns = `SELECT id, institution_id, insured_id, ward, bed, physician, from_us, to_us, cancelled, way, registered_us FROM admission`

// Register lists stays, those that began last first. next is the cursor of
// the following page, empty at the end. Errors: ward.Invalid "cursor".
func (s *Store) Register(ctx context.Context, f StayFilter) (list []RegisteredStay, next string, err error) {
	where, args := scope(f.Institutions, nil)
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if f.Ward != "" {
		where += ` AND ward = ` + arg(f.Ward)
	}
	where += stateIs(f.State, us(f.Now), arg)
	if f.Enrolled != nil {
		not := ` NOT`
		if *f.Enrolled {
			not = ``
		}
		where += ` AND` + not + ` EXISTS (SELECT 1 FROM insured p WHERE p.id = admission.insured_id AND p.template IS NOT NULL)`
	}
	if f.Proxy {
		where += ` AND EXISTS (SELECT 1 FROM insured p WHERE p.id = admission.insured_id AND p.proxy = 1)`
	}
	if f.Find != "" {
		refs, err := s.visitRefs(ctx, f.Institutions, f.Find)
		if err != nil {
			return nil, "", err
		}
		marks := make([]string, len(refs))
		for i, ref := range refs {
			marks[i] = arg(ref)
		}
		where += ` AND (substr(id, 1, ` + strconv.Itoa(len([]rune(f.Find))) + `) = ` + arg(f.Find)
		if len(marks) > 0 {
			where += ` OR visit_ref IN (` + strings.Join(marks, ", ") + `)`
		}
		where += `)`
	}
	if f.Before != "" {
		from, id, err := readStayCursor(f.Before)
		if err != nil {
			return nil, "", err
		}
		where += ` AND (from_us, id) < (` + arg(from) + `, ` + arg(id) + `)`
	}
	limit := pageSize(f.Limit)
	list, err = listed(ctx, s, "list the register of stays", scanRegistered, registerColumns+where+` ORDER BY from_us DESC, id DESC LIMIT `+arg(limit+1), args...)
	if err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		next = fmt.Sprintf("%d.%s", us(last.From), last.ID)
	}
	return list, next, nil
}

func stateIs(state ward.StayState, now int64, arg func(any) string) string {
	switch state {
	case ward.StayCancelled:
		return ` AND cancelled = 1`
	case ward.StayToCome:
		return ` AND cancelled = 0 AND from_us > ` + arg(now)
	case ward.StayInHouse:
		n := arg(now)
		return ` AND cancelled = 0 AND from_us <= ` + n + ` AND (to_us = 0 OR to_us > ` + n + `)`
	case ward.StayDischarged:
		n := arg(now)
		return ` AND cancelled = 0 AND from_us <= ` + n + ` AND to_us <> 0 AND to_us <= ` + n
	}
	return ``
}

// visitRefs is under what a hospital's number is found at the institutions.
func (s *Store) visitRefs(ctx context.Context, insts []ward.InstitutionID, number string) ([][]byte, error) {
	if insts == nil {
		all, err := s.Institutions(ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, i := range all {
			insts = append(insts, i.ID)
		}
	}
	refs := make([][]byte, len(insts))
	for i, inst := range insts {
		refs[i] = s.visitRef(inst, number)
	}
	return refs, nil
}

func readStayCursor(c string) (from int64, id string, err error) {
	first, id, ok := strings.Cut(c, ".")
	from, err = strconv.ParseInt(first, 10, 64)
	if !ok || err != nil {
		return 0, "", &ward.Error{Kind: ward.Invalid, Code: "cursor", ZH: "翻页位置不正确，请从第一页开始。", EN: "The cursor is not valid; begin with the first page."}
	}
	return from, id, nil
}

// Registered returns one stay of the register, or ward.NotFound "admission.unknown".
func (s *Store) Registered(ctx context.Context, id ward.AdmissionID) (RegisteredStay, error) {
	a, err := scanRegistered(s.read.QueryRowContext(ctx, registerColumns+` WHERE id = $1`, id))
	if err != nil {
		return a, fmt.Errorf("read stay %s: %w", id, admissionMissing(err))
	}
	return a, nil
}

func scanRegistered(r row) (a RegisteredStay, err error) {
	var from, to, registered int64
	err = r.Scan(&a.ID, &a.InstitutionID, &a.InsuredID, &a.Ward, &a.Bed, &a.Physician, &from, &to, &a.Cancelled, &a.Way, &registered)
	a.From, a.To, a.Registered = at(from), at(to), at(registered)
	return a, err
}

// WardCount is how many lie in a ward.
type WardCount struct {
	Ward    string `json:"ward"`
	InHouse int    `json:"in_house"`
	// Unenrolled is how many of them have no face to compare with.
	Unenrolled int `json:"unenrolled"`
}

// Wards lists the wards that stays of the institutions (nil: all) name, by name.
func (s *Store) Wards(ctx context.Context, insts []ward.InstitutionID, now time.Time) ([]WardCount, error) {
	where, args := scope(insts, nil)
	args = append(args, us(now))
	n := fmt.Sprintf("$%d", len(args))
	here := `cancelled = 0 AND from_us <= ` + n + ` AND (to_us = 0 OR to_us > ` + n + `)`
	return listed(ctx, s, "list wards", func(r row) (w WardCount, err error) {
		return w, r.Scan(&w.Ward, &w.InHouse, &w.Unenrolled)
	}, `SELECT ward, SUM(CASE WHEN `+here+` THEN 1 ELSE 0 END),
			SUM(CASE WHEN `+here+` AND NOT EXISTS (SELECT 1 FROM insured p WHERE p.id = admission.insured_id AND p.template IS NOT NULL) THEN 1 ELSE 0 END)
		FROM admission`+where+` AND ward <> '' GROUP BY ward ORDER BY ward`, args...)
}
