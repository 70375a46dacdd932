package adt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// digest numbers what has no number of its own by what it says, so that the
// same said again is a repeat. It is stored sealed, as a person's data is.
func digest(of string, e ward.AdmissionEvent) string {
	e.ControlID = ""
	b, err := json.Marshal(e)
	if err != nil {
		return "" // impossible; a message without number is refused
	}
	sum := sha256.Sum256(b)
	return of + ":" + hex.EncodeToString(sum[:16])
}

// Column is a column of a table of stays.
type Column string

// The columns. Event and Recorded may be left out: every row is then an
// admission, with its discharge when it has one.
const (
	ColVisit      Column = "visit"
	ColEvent      Column = "event"
	ColAt         Column = "time"
	ColRecorded   Column = "recorded"
	ColWard       Column = "ward"
	ColRoom       Column = "room"
	ColBed        Column = "bed"
	ColPhysician  Column = "physician"
	ColName       Column = "name"
	ColNumber     Column = "id_number"
	ColLocal      Column = "patient_id"
	ColDischarged Column = "discharged"
)

// Headings are the names of the columns, the first two of each those of the template.
func Headings() [][]string {
	return [][]string{
		{string(ColVisit), "住院号", "visit_number", "住院流水号", "就诊号"},
		{string(ColEvent), "事件", "type", "类型"},
		{string(ColAt), "时间", "admitted", "入院时间", "入院日期", "at"},
		{string(ColRecorded), "登记时间"},
		{string(ColWard), "病区", "科室", "病区名称"},
		{string(ColRoom), "房间", "病房", "房间号"},
		{string(ColBed), "床号", "床位", "床位号"},
		{string(ColPhysician), "主治医师", "attending", "主管医师", "主治医生", "经治医师"},
		{string(ColName), "姓名", "patient", "患者姓名"},
		{string(ColNumber), "证件号", "身份证号", "医保号", "number", "insured_id", "参保人编号"},
		{string(ColLocal), "病人编号", "病案号", "患者编号"},
		{string(ColDischarged), "出院时间", "出院日期"},
	}
}

func eventWord(s string) (ward.AdmissionEventKind, bool) {
	switch strings.ToLower(s) {
	case "", "admit", "入院", "a01":
		return ward.AdmitEvent, true
	case "transfer", "转床", "转科", "转区", "a02":
		return ward.TransferEvent, true
	case "discharge", "出院", "a03":
		return ward.DischargeEvent, true
	case "update", "更新", "变更", "a08":
		return ward.UpdateEvent, true
	case "cancel_admit", "取消入院", "a11":
		return ward.CancelAdmitEvent, true
	case "cancel_transfer", "取消转床", "取消转科", "a12":
		return ward.CancelTransferEvent, true
	case "cancel_discharge", "取消出院", "a13":
		return ward.CancelDischargeEvent, true
	}
	return "", false
}

// Layout says in which cell each column is.
type Layout map[Column]int

// TableLayout understands a header; cells must be free of blanks around them.
func TableLayout(header []string) (Layout, *Problem) {
	l := Layout{}
	for i, cell := range header {
		if cell == "" {
			continue
		}
		at := slices.IndexFunc(Headings(), func(h []string) bool { return slices.Contains(h, strings.ToLower(cell)) })
		if at < 0 {
			return nil, wrong("", fmt.Sprintf("第 %d 列的列名不认识。可用的列：%s。", i+1, columns(1)), fmt.Sprintf("Column %d has an unknown name. The columns are: %s.", i+1, columns(0)))
		}
		c := Column(Headings()[at][0])
		if _, twice := l[c]; twice {
			return nil, wrong(string(c), "这一列出现了两次。", "The column is there twice.")
		}
		l[c] = i
	}
	for _, c := range []Column{ColVisit, ColAt} {
		if _, ok := l[c]; !ok {
			return nil, wrong(string(c), "缺少“住院号”或“时间”列。请检查第一行是不是列名。", `There is no column "visit" or "time". Is the first line the header?`)
		}
	}
	return l, nil
}

func columns(language int) string {
	var all []string
	for _, h := range Headings() {
		all = append(all, h[language])
	}
	return strings.Join(all, ", ")
}

// Row reads one row of a table.
func (l Layout) Row(line int, cells []string) Item {
	item := Item{Line: line}
	cell := func(c Column) string {
		if i, ok := l[c]; ok && i < len(cells) {
			return cells[i]
		}
		return ""
	}
	kind, ok := eventWord(cell(ColEvent))
	if !ok {
		item.fail(wrong(string(ColEvent), "事件只能是入院、转床、出院、更新、取消入院、取消转床、取消出院。", "The event is one of admit, transfer, discharge, update, cancel_admit, cancel_transfer, cancel_discharge."))
	}
	at := func(c Column) (time.Time, ward.TimePrecision) {
		t, p, ok := typedTime(cell(c))
		if !ok {
			item.fail(badTime(string(c)))
		}
		return t, p
	}
	e := ward.AdmissionEvent{
		Kind: kind, Way: ward.ByCSV, Sender: "table", Visit: cell(ColVisit), Physician: cell(ColPhysician),
		Place:  ward.BedPlace{Ward: cell(ColWard), Room: cell(ColRoom), Bed: cell(ColBed)},
		Person: ward.AdmittedPerson{Number: ward.PlainNumber(cell(ColNumber)), Local: cell(ColLocal), Name: cell(ColName)},
	}
	e.At, e.Precision = at(ColAt)
	if cell(ColAt) == "" {
		item.fail(missing(string(ColAt)))
	}
	e.Recorded, _ = at(ColRecorded)
	if e.Recorded.IsZero() {
		e.Recorded = e.At
	}
	ended, endedTo := at(ColDischarged)
	if !ended.IsZero() && ended.Before(e.At) {
		item.fail(wrong(string(ColDischarged), "出院时间早于入院时间。", "The stay ends before it begins."))
	}
	if !ended.IsZero() && kind != ward.AdmitEvent {
		item.fail(wrong(string(ColDischarged), "只有入院行可以同时写出院时间。", "Only a row of an admission may tell the discharge too."))
	}
	e.ControlID = digest("table", e)
	item.Problems = append(item.Problems, check(e, func(part string) string {
		switch part {
		case "number":
			return string(ColNumber)
		default:
			return part
		}
	})...)
	if len(item.Problems) > 0 {
		return item
	}
	item.Events = []ward.AdmissionEvent{e}
	if !ended.IsZero() {
		d := e
		d.Kind, d.At, d.Precision, d.Recorded = ward.DischargeEvent, ended, endedTo, ended
		d.ControlID = digest("table", d)
		item.Events = append(item.Events, d)
	}
	return item
}

// typedTime is a time as people and spreadsheets write it; "" is none.
func typedTime(s string) (time.Time, ward.TimePrecision, bool) {
	if s == "" {
		return time.Time{}, "", true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Truncate(time.Microsecond), ward.ToTheSecond, sane(t)
	}
	s = strings.NewReplacer("/", "-", ".", "-", "年", "-", "月", "-", "日", "", "T", " ", "：", ":").Replace(s)
	for _, f := range []struct {
		layout string
		p      ward.TimePrecision
	}{
		{"2006-1-2", ward.ToTheDay}, {"20060102", ward.ToTheDay}, {"2006-1-2 15:04", ward.ToTheMinute}, {"2006-1-2 15:04:05", ward.ToTheSecond}, {"20060102150405", ward.ToTheSecond},
	} {
		if t, err := time.ParseInLocation(f.layout, s, china); err == nil {
			return t.UTC(), f.p, sane(t)
		}
	}
	return time.Time{}, "", false
}
