package web

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/internal/adt"
	"wardwatch/storage"
	"wardwatch/ward"
)

// StayAction is what a message, encounter or row does.
type StayAction string

// The actions.
const (
	StayBegin  StayAction = "begin"  // a stay that was not known
	StayChange StayAction = "change" // something about a known one
	StayAgain  StayAction = "again"  // it was taken before
	StaySkip   StayAction = "skip"   // none of ours, see the problem
	StayError  StayAction = "error"
)

// StayStep is what a message, encounter or row says happened.
type StayStep struct {
	Kind      ward.AdmissionEventKind `json:"kind"`
	At        time.Time               `json:"at"`
	Precision ward.TimePrecision      `json:"precision" doc:"Of at"`
	Ward      string                  `json:"ward" doc:"Empty: it tells of no place"`
	Bed       string                  `json:"bed"`
}

// StayRow is what became of one message, encounter or row. It never shows
// who stood in it.
type StayRow struct {
	Line        int              `json:"line" doc:"In the file, from 1"`
	Action      StayAction       `json:"action" enum:"begin,change,again,skip,error"`
	AdmissionID ward.AdmissionID `json:"admission_id" doc:"Empty in a dry run when the stay is not known"`
	Steps       []StayStep       `json:"steps" doc:"Empty when it is wrong or skipped"`
	Problems    []FieldProblem   `json:"problems" doc:"Also why it is skipped"`
}

// StayReport says what a file of stays does.
type StayReport struct {
	Rows    []StayRow `json:"rows"`
	Begin   int       `json:"begin"`
	Change  int       `json:"change"`
	Again   int       `json:"again"`
	Skip    int       `json:"skip"`
	Errors  int       `json:"errors" doc:"With one of them nothing is applied"`
	Applied bool      `json:"applied"`

	visits []ward.VisitID // that were told
}

type stayFile struct {
	InstitutionID ward.InstitutionID `query:"institution_id" required:"true" maxLength:"64"`
	DryRun        bool               `query:"dry_run" default:"true" doc:"Only report what would be done"`
	RawBody       []byte             `contentType:"application/octet-stream"`
}

func (s *Server) admissionImportRoutes(r *routes) {
	add(r, role(ward.MaySettle), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/admissions/import", OperationID: "importAdmissions", Tags: []string{"rounds"},
		Summary:      "Stays from HL7 v2 ADT messages, FHIR R4 encounters (Bundle, NDJSON) or a CSV table, told apart by how it begins: all of it, or nothing",
		MaxBodyBytes: maxSheetBytes + 1, BodyReadTimeout: uploadTimeout, // huma refuses a body as long as the limit
	}, s.importAdmissions)
}

func (s *Server) importAdmissions(ctx context.Context, in *stayFile) (*body[StayReport], error) {
	if !callerOf(ctx).May(ward.MaySettle, in.InstitutionID) {
		return nil, unknownInstitution()
	}
	r, err := ImportAdmissions(ctx, s.Store, in.InstitutionID, in.RawBody, in.DryRun)
	if err != nil {
		return nil, inBody(err)
	}
	if r.Applied {
		for _, v := range r.visits {
			s.Hub.Notify(string(VisitEvent), string(v), in.InstitutionID)
		}
		s.Log.InfoContext(ctx, "admissions imported", "user", callerOf(ctx).ID, "institution", in.InstitutionID, "begun", r.Begin, "changed", r.Change)
	}
	return answer(r, nil)
}

// ImportAdmissions takes a file of one institution. With a dry run, or a row
// that is wrong, nothing is changed. A ward.Invalid error is about the whole file.
func ImportAdmissions(ctx context.Context, store *storage.Store, inst ward.InstitutionID, raw []byte, dry bool) (StayReport, error) {
	items, err := stayItems(raw)
	if err != nil {
		return StayReport{}, err
	}
	report := StayReport{Rows: make([]StayRow, len(items))}
	var events []ward.AdmissionEvent
	var of []int // the item of each event
	for i, item := range items {
		row := StayRow{Line: item.Line, Action: StayChange, Steps: []StayStep{}, Problems: []FieldProblem{}}
		for _, p := range item.Problems {
			row.Action = StayError
			row.Problems = append(row.Problems, FieldProblem{p.Field, Bilingual{p.ZH, p.EN}})
		}
		if p := item.Skipped; p != nil && row.Action != StayError {
			row.Action = StaySkip
			row.Problems = append(row.Problems, FieldProblem{p.Field, Bilingual{p.ZH, p.EN}})
		}
		if row.Action == StayChange {
			for _, e := range item.Events {
				events, of = append(events, e), append(of, i)
				row.Steps = append(row.Steps, stepOf(e))
			}
		}
		report.Rows[i] = row
	}
	failed := slices.ContainsFunc(report.Rows, func(r StayRow) bool { return r.Action == StayError })
	dry = dry || failed
	taken, err := store.ApplyAdmissionEvents(ctx, inst, events, dry)
	if err != nil {
		return StayReport{}, err
	}
	report.tell(taken, of, dry)
	report.Applied = !dry
	for _, k := range taken {
		report.visits = append(report.visits, k.Visits...)
	}
	return report, nil
}

func stepOf(e ward.AdmissionEvent) StayStep {
	place := e.Place
	if n := len(e.Beds); n > 0 {
		place = e.Beds[n-1].BedPlace
	}
	return StayStep{e.Kind, e.At, e.Precision, place.Ward, place.Bed}
}

func (r *StayReport) tell(taken []storage.AdmissionTaken, of []int, dry bool) {
	again := make([]bool, len(r.Rows))
	begun := make([]bool, len(r.Rows))
	made := map[ward.AdmissionID]bool{}
	for i := range r.Rows {
		again[i] = true
	}
	for i, k := range taken {
		row := of[i]
		again[row], begun[row] = again[row] && k.Again, begun[row] || k.Begun
		made[k.AdmissionID] = made[k.AdmissionID] || k.Begun
		if r.Rows[row].AdmissionID = k.AdmissionID; dry && made[k.AdmissionID] {
			r.Rows[row].AdmissionID = ""
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		switch {
		case row.Action == StayError:
			r.Errors++
		case row.Action == StaySkip:
			r.Skip++
		case again[i]:
			row.Action = StayAgain
			r.Again++
		case begun[i]:
			row.Action = StayBegin
			r.Begin++
		default:
			r.Change++
		}
	}
}

// stayItems tells the kinds of files apart by how they begin.
func stayItems(raw []byte) ([]adt.Item, error) {
	if len(raw) > maxSheetBytes {
		return nil, badSheet("too_big", "文件超过 5 MB，请分成几个文件。", "The file has more than 5 MB; split it.")
	}
	begin := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), " \t\r\n")
	var items []adt.Item
	switch {
	case bytes.HasPrefix(begin, []byte("MSH")), bytes.HasPrefix(begin, []byte("FHS")), bytes.HasPrefix(begin, []byte("BHS")):
		items = adt.HL7File(begin)
	case bytes.HasPrefix(begin, []byte("{")):
		items = adt.FHIR(begin)
	default:
		header, lines, err := readSheet(raw)
		if err != nil {
			return nil, err
		}
		return tableItems(header, lines)
	}
	if len(items) > adt.MaxItems {
		return nil, badSheet("too_many_rows", "一次最多导入 5000 条，请分成几个文件。", "At most 5,000 at a time; split the file.")
	}
	if len(items) == 0 {
		return nil, badSheet("empty", "文件里没有住院消息。", "The file holds no message about a stay.")
	}
	return items, nil
}

func tableItems(header []string, lines []sheetLine) ([]adt.Item, error) {
	trim := func(cells []string) []string {
		out := make([]string, len(cells))
		for i, c := range cells {
			out[i] = trimmed(c)
		}
		return out
	}
	l, bad := adt.TableLayout(trim(header))
	if bad != nil {
		return nil, badSheet("columns", bad.ZH, bad.EN)
	}
	items := make([]adt.Item, 0, len(lines))
	for _, line := range lines {
		if line.fault != nil {
			items = append(items, adt.Item{Line: line.line, Problems: []adt.Problem{{ZH: line.fault.ZH, EN: line.fault.EN}}})
			continue
		}
		items = append(items, l.Row(line.line, trim(line.cells)))
	}
	return items, nil
}
