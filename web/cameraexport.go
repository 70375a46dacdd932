package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"

	"wardwatch/ward"
)

type cameraExport struct {
	InstitutionFilter
	Lang     string `query:"lang" enum:"zh,en" default:"zh" doc:"Of the header and the words; both can be imported"`
	Template bool   `query:"template" doc:"Only the header"`
}

// csvFile is an answer with a table.
type csvFile struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// exportCameras writes no passwords: that column is there to be filled in.
func (s *Server) exportCameras(ctx context.Context, in *cameraExport) (*csvFile, error) {
	zh := in.Lang == "zh"
	var out bytes.Buffer
	out.WriteString("\ufeff") // without it Excel takes UTF-8 for the local code page
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	var header []string
	for _, h := range headings() {
		if zh {
			header = append(header, h.zh)
		} else {
			header = append(header, string(h.column))
		}
	}
	err := w.Write(header)
	if err == nil && !in.Template {
		err = s.exportRows(ctx, in.InstitutionID, w, zh)
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("export cameras: %w", err)
	}
	name := "cameras.csv"
	if in.Template {
		name = "cameras-template.csv"
	}
	return &csvFile{Type: "text/csv; charset=utf-8", Disposition: `attachment; filename="` + name + `"`, Body: out.Bytes()}, nil
}

func (s *Server) exportRows(ctx context.Context, inst ward.InstitutionID, w *csv.Writer, zh bool) error {
	scope := callerOf(ctx).narrow(inst)
	cameras, err := s.Store.Cameras(ctx, scope)
	if err != nil {
		return err
	}
	places, err := s.Store.Places(ctx, scope)
	if err != nil {
		return err
	}
	institutions, err := s.Store.Institutions(ctx, scope)
	if err != nil {
		return err
	}
	place, name := map[ward.PlaceID]ward.Place{}, map[ward.InstitutionID]string{}
	for _, p := range places {
		place[p.ID] = p
	}
	for _, i := range institutions {
		name[i.ID] = i.Name
	}
	for _, c := range cameras {
		p := place[c.PlaceID]
		cells := map[column]string{
			colID: string(c.ID), colInstitution: string(c.InstitutionID), colInstitutionAs: name[c.InstitutionID],
			colPlace: p.Name, colKind: said(kindWords(), p.Kind, zh), colName: c.Name, colURL: c.URL, colSubURL: c.SubURL, colReplay: c.ReplayURL, colUser: c.User,
			colTransport: said(transportWords(), c.Transport, zh), colFingerprint: c.TLSFingerprint,
			colRecord: said(recordWords(), c.Record, zh), colFrom: c.RecordFrom, colTo: c.RecordTo,
			colSegment: strconv.Itoa(c.SegmentSeconds), colRetention: strconv.Itoa(c.RetentionDays), colEnabled: said(enabledWords(), c.Enabled, zh),
		}
		var row []string
		for _, h := range headings() {
			row = append(row, defused(cells[h.column]))
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
