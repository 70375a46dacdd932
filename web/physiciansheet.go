package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/ward"
)

type physicianSheet struct {
	DryRun  bool   `query:"dry_run" doc:"Only say what is wrong; nothing is stored"`
	RawBody []byte `contentType:"text/csv"`
}

// SheetFault is what is wrong with a line of a table.
type SheetFault struct {
	Line     int    `json:"line" doc:"In the file, from 1; 0: the whole table"`
	DetailZH string `json:"detail_zh"`
	DetailEN string `json:"detail_en"`
}

// PhysicianImport is what came of a table of physicians.
type PhysicianImport struct {
	Rows   int          `json:"rows"`
	Stored bool         `json:"stored" doc:"All of them, or none"`
	Faults []SheetFault `json:"faults" doc:"At most 100"`
}

const maxSheetFaults = 100

// importPhysicians stores all physicians of a table, or says what is wrong with it.
func (s *Server) importPhysicians(ctx context.Context, in *physicianSheet) (*body[PhysicianImport], error) {
	header, lines, err := readSheet(in.RawBody)
	if err != nil {
		return nil, err
	}
	var at [3]int // of id, name, institutions
	for i, names := range [3][]string{{"id", "编号"}, {"name", "姓名"}, {"institutions", "机构"}} {
		at[i] = slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) })
		if at[i] < 0 {
			return nil, &ward.Error{Kind: ward.Invalid, Code: "physician.columns", ZH: "表头须有：编号、姓名、机构。", EN: "The header needs the columns id, name and institutions."}
		}
	}
	known, err := s.Store.Institutions(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := PhysicianImport{Rows: len(lines), Faults: []SheetFault{}}
	all := make([]ward.Physician, 0, len(lines))
	seen := map[ward.PhysicianID]int{}
	for _, l := range lines {
		p, fault := physicianOf(l, at, known)
		if was := seen[p.ID]; fault == nil && was > 0 {
			fault = &ward.Error{ZH: fmt.Sprintf("编号与第 %d 行重复。", was), EN: fmt.Sprintf("The id is that of line %d.", was)}
		}
		seen[p.ID] = l.line
		all = append(all, p)
		if fault != nil && len(out.Faults) < maxSheetFaults {
			out.Faults = append(out.Faults, SheetFault{l.line, fault.ZH, fault.EN})
		}
	}
	if len(out.Faults) > 0 || in.DryRun || len(all) == 0 {
		return &body[PhysicianImport]{out}, nil
	}
	out.Stored = true
	return answer(out, s.Store.PutPhysicians(ctx, all))
}

// physicianOf reads a line; institutions are ids or names, with any of ;；、| between.
func physicianOf(l sheetLine, at [3]int, known []ward.Institution) (ward.Physician, *ward.Error) {
	if l.fault != nil {
		return ward.Physician{}, l.fault
	}
	cell := func(i int) string {
		if at[i] >= len(l.cells) {
			return ""
		}
		return strings.TrimSpace(l.cells[at[i]])
	}
	p := ward.Physician{ID: ward.PhysicianID(cell(0)), Name: cell(1)}
	for _, name := range strings.FieldsFunc(cell(2), func(r rune) bool { return strings.ContainsRune(";；、|", r) }) {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(known, func(k ward.Institution) bool { return string(k.ID) == name || k.Name == name })
		if i < 0 {
			return p, &ward.Error{ZH: "没有机构“" + name + "”。", EN: "There is no institution " + name + "."}
		}
		p.Institutions = append(p.Institutions, known[i].ID)
	}
	return p, p.Check()
}
