package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// ImportAction is what a row of a table of cameras does.
type ImportAction string

// The actions of a row.
const (
	ImportAdd    ImportAction = "add"
	ImportChange ImportAction = "change"
	ImportSame   ImportAction = "same"
	ImportError  ImportAction = "error"
)

// Bilingual is a sentence for people.
type Bilingual struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// FieldProblem is what is wrong with one cell, or with the row when Field is empty.
type FieldProblem struct {
	Field string `json:"field"`
	Bilingual
}

// ImportRow is what one row of the file does, or what is wrong with it.
type ImportRow struct {
	Line          int                `json:"line" doc:"In the file, from 1"`
	ID            ward.CameraID      `json:"id" doc:"Empty in a dry run when the row gives none"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
	Name          string             `json:"name"`
	Action        ImportAction       `json:"action" enum:"add,change,same,error"`
	Problems      []FieldProblem     `json:"problems"`
	Notes         []Bilingual        `json:"notes" doc:"What is worth knowing and not wrong: a place that will be made"`
}

// ImportReport says what a table of cameras does, row by row.
type ImportReport struct {
	Rows    []ImportRow  `json:"rows"`
	Places  []ward.Place `json:"places" doc:"That are made with it"`
	Add     int          `json:"add"`
	Change  int          `json:"change"`
	Same    int          `json:"same"`
	Errors  int          `json:"errors" doc:"Rows with problems; with one of them nothing is applied"`
	Applied bool         `json:"applied"`
}

type cameraSheet struct {
	DryRun  bool   `query:"dry_run" default:"true" doc:"Only report what would be done"`
	RawBody []byte `contentType:"text/csv"`
}

func (s *Server) importRoutes(r *routes) {
	tags := []string{"cameras"}
	add(r, role(ward.MayManage), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cameras/import", OperationID: "importCameras", Tags: tags,
		Summary:      fmt.Sprintf("Add and change cameras by a CSV table (at most %d rows, %d MB): all of it, or nothing", maxSheetRows, maxSheetBytes>>20),
		MaxBodyBytes: maxSheetBytes + 1, BodyReadTimeout: uploadTimeout, // huma refuses a body as long as the limit
	}, s.importCameras)
	add(r, role(ward.MayManage), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/cameras/export.csv", OperationID: "exportCameras", Summary: "The cameras in scope as a table that can be imported; no passwords", Tags: tags,
		Responses: map[string]*huma.Response{"200": binary("UTF-8 with a mark, which spreadsheets need", "text/csv")},
	}, s.exportCameras)
}

func (s *Server) importCameras(ctx context.Context, in *cameraSheet) (*body[ImportReport], error) {
	header, lines, err := readSheet(in.RawBody)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(header)
	if err != nil {
		return nil, err
	}
	p, err := s.newPlan(ctx, l, lines)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		p.read(line)
	}
	report := p.report()
	if in.DryRun || report.Errors > 0 {
		return answer(report.dry(p), nil)
	}
	if err := s.Store.ImportCameras(ctx, p.change); err != nil {
		return nil, err
	}
	report.Applied = true
	s.Log.InfoContext(ctx, "cameras imported", "user", callerOf(ctx).ID, "added", report.Add, "changed", report.Change, "places", len(report.Places))
	told := map[ward.InstitutionID]bool{}
	for _, row := range report.Rows { // one event each, not thousands: listeners read the list anew
		if row.Action != ImportSame && !told[row.InstitutionID] {
			told[row.InstitutionID] = true
			s.Hub.Notify(string(CameraEvent), string(row.ID), row.InstitutionID)
		}
	}
	return answer(report, nil)
}

func (p *plan) report() ImportReport {
	r := ImportReport{Rows: list(p.rows), Places: list(p.change.Places)}
	for _, row := range p.rows {
		switch row.Action {
		case ImportAdd:
			r.Add++
		case ImportChange:
			r.Change++
		case ImportSame:
			r.Same++
		case ImportError:
			r.Errors++
		}
	}
	return r
}

// dry takes out the ids that were made for nothing.
func (r ImportReport) dry(p *plan) ImportReport {
	for i := range r.Rows {
		if _, given := p.lines[r.Rows[i].ID]; !given {
			r.Rows[i].ID = ""
		}
	}
	for i := range r.Places {
		r.Places[i].ID = ""
	}
	return r
}

func errIDTaken() *ward.Error {
	return &ward.Error{Kind: ward.Conflict, Code: "camera.exists", ZH: "已有同名编号的摄像头，请换一个编号。", EN: "A camera with this id exists; choose another id."}
}

func errPasswordAgain() *ward.Error {
	return &ward.Error{
		Kind: ward.Invalid, Code: "camera.password_again",
		ZH: "地址的主机、端口、协议或证书指纹变了：所存密码不会发给另一台设备，请重新填写密码。", EN: "The address's host, port, scheme or fingerprint changed: the stored password is not sent to another device; type the password again.",
	}
}
