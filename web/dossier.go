package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
	"wardwatch/web/paper"
)

// mostPrinted bounds the entries of a printed dossier.
const mostPrinted = 2000

// DossierSearch opens the dossier of one subject. It is a POST so that no
// number of a person stands in an address.
type DossierSearch struct {
	Kind   ward.SubjectKind `json:"kind"`
	Number string           `json:"number" minLength:"1" maxLength:"64" doc:"The whole number: of a person's card, or the id of a physician or an institution"`
	Reason string           `json:"reason" minLength:"2" maxLength:"200" doc:"Is sealed with the opening, and in each case that is shown"`
}

// Dossier is a page of one subject's dossier 一人一档, the newest first.
type Dossier struct {
	Subject ward.CaseSubject    `json:"subject"`
	Name    string              `json:"name" doc:"A person's is masked"`
	Items   []ward.DossierEntry `json:"items"`
	Next    string              `json:"next" doc:"Give it as ?cursor= to get the next page; empty at the end"`
}

type dossierInput struct {
	Paging
	Body DossierSearch
}

func (s *Server) dossierRoutes(r *routes) {
	tags, may := []string{"cases"}, ward.MayCase
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/dossier", OperationID: "openDossier", Summary: "Everything in scope about the one subject with a number; the opening is recorded", Tags: tags}, s.openDossier)
	add(r, role(may), media(huma.Operation{
		Method: http.MethodPost, Path: v1 + "/dossier/print", OperationID: "printDossier", Summary: fmt.Sprintf("The dossier to print, its newest %d entries; recorded", mostPrinted), Tags: tags,
	}, "application/pdf"), s.printDossier)
}

func (s *Server) openDossier(ctx context.Context, in *dossierInput) (*body[Dossier], error) {
	after, err := parseDossierCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	d, err := s.dossierOf(ctx, in.Body, ward.ActionSearch)
	if err != nil {
		return nil, err
	}
	d.Items, err = s.Store.Dossier(ctx, d.Subject, callerOf(ctx).scope(), after, in.Limit)
	if err != nil {
		return nil, err
	}
	if len(d.Items) == in.Limit {
		last := d.Items[len(d.Items)-1]
		d.Next = strconv.FormatInt(last.At.UnixMicro(), 10) + "." + last.ID
	}
	return answer(d, s.noteCases(ctx, d, in.Body.Reason, ward.ActionView))
}

func parseDossierCursor(text string) (c ward.DossierCursor, err error) {
	if text == "" {
		return c, nil
	}
	when, id, ok := strings.Cut(text, ".")
	us, err := strconv.ParseInt(when, 10, 64)
	if !ok || id == "" || err != nil {
		return c, &ward.Error{Kind: ward.Invalid, Code: "dossier.cursor", ZH: "翻页标记无效，请从第一页重新打开。", EN: "The cursor is not one of ours; open the first page again."}
	}
	return ward.DossierCursor{At: time.UnixMicro(us), ID: id}, nil
}

// dossierOf finds the subject by its exact number, and records the opening
// also when there is none. Whose the caller may not see is as unknown.
func (s *Server) dossierOf(ctx context.Context, b DossierSearch, action ward.Action) (d Dossier, err error) {
	if err := ward.CheckAccessReason(b.Reason); err != nil {
		return d, err
	}
	who, number := callerOf(ctx), strings.TrimSpace(b.Number)
	d.Subject.Kind = b.Kind
	switch b.Kind {
	case ward.PersonSubject:
		var p ward.Insured
		if p, err = s.Store.InsuredByNumber(ctx, number); err == nil {
			d.Subject.Ref, d.Name = string(p.ID), p.Masked().Name
		}
	case ward.PhysicianSubject:
		var p ward.Physician
		p, err = s.Store.Physician(ctx, ward.PhysicianID(number))
		for _, inst := range p.Institutions {
			if err == nil && who.Sees(inst) {
				d.Subject.Ref, d.Name = string(p.ID), p.Name
			}
		}
	case ward.InstitutionSubject:
		var i ward.Institution
		if i, err = s.Store.Institution(ctx, ward.InstitutionID(number)); err == nil && who.May(ward.MayCase, i.ID) {
			d.Subject.Ref, d.Name = string(i.ID), i.Name
		}
	}
	if err != nil && !missing(err) {
		return d, err
	}
	object := "dossier/" + string(b.Kind) + "/" + cmp.Or(d.Subject.Ref, "none")
	if err := s.record(ctx, view{object: object, action: action, reason: b.Reason}); err != nil {
		return d, err
	}
	if d.Subject.Ref == "" {
		return d, &ward.Error{Kind: ward.NotFound, Code: "dossier.unknown", ZH: "没有此号码对应的参保人、医师或机构，或您无权查看。请核对完整号码。", EN: "No person, physician or institution has this number, or you may not see it. Check the whole number."}
	}
	return d, nil
}

// noteCases records in the custody of each case among the items that it was shown.
func (s *Server) noteCases(ctx context.Context, d Dossier, reason string, action ward.Action) error {
	for _, e := range d.Items {
		if e.Kind != ward.DossierCase {
			continue
		}
		v := view{object: "dossier/" + string(d.Subject.Kind) + "/" + d.Subject.Ref + "/" + e.ID, caseID: ward.CaseID(e.ID), action: action, reason: reason}
		if err := s.record(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// printDossier sets the newest entries on paper.
func (s *Server) printDossier(ctx context.Context, in *struct{ Body DossierSearch }) (*huma.StreamResponse, error) {
	if s.Paper == nil {
		return nil, paper.ErrNoFont
	}
	d, err := s.dossierOf(ctx, in.Body, ward.ActionPrint)
	if err != nil {
		return nil, err
	}
	if d.Items, err = s.Store.Dossier(ctx, d.Subject, callerOf(ctx).scope(), ward.DossierCursor{}, mostPrinted+1); err != nil {
		return nil, err
	}
	more := len(d.Items) > mostPrinted
	d.Items = d.Items[:min(mostPrinted, len(d.Items))]
	doc, err := s.dossierPaper(ctx, d, in.Body.Reason, more)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := s.Paper.Print(&b, doc); err != nil {
		return nil, err
	}
	if err := s.noteCases(ctx, d, in.Body.Reason, ward.ActionPrint); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/pdf")
		_, _ = hc.BodyWriter().Write(b.Bytes()) // whoever has gone gets nothing
	}}, nil
}

func (s *Server) dossierPaper(ctx context.Context, d Dossier, reason string, more bool) (paper.Document, error) {
	table := paper.Table{Columns: []paper.Column{{Title: "时间", Share: 18}, {Title: "类别", Share: 8}, {Title: "机构", Share: 24}, {Title: "内容", Share: 40}}}
	names := map[ward.InstitutionID]string{}
	for _, e := range d.Items {
		if _, ok := names[e.InstitutionID]; !ok {
			i, err := s.Store.Institution(ctx, e.InstitutionID)
			if err != nil {
				return paper.Document{}, err
			}
			names[i.ID] = i.Name
		}
		table.Rows = append(table.Rows, []string{onPaper(e.At), inChinese("dossier." + string(e.Kind)), names[e.InstitutionID], dossierLine(e)})
	}
	blocks := []paper.Block{
		paper.Pairs{{inChinese("caseFile." + string(d.Subject.Kind)), d.Name + "（编号 " + d.Subject.Ref + "）"}, {"调阅人", callerOf(ctx).Name}, {"调阅理由", reason}, {"条目", strconv.Itoa(len(d.Items))}},
		table,
	}
	if more {
		blocks = append(blocks, paper.Text{Text: fmt.Sprintf("仅列出最近的 %d 条，更早的条目请在系统中查看。", mostPrinted)})
	}
	blocks = append(blocks, paper.Text{Text: "仅含调阅人权限范围内的内容。", Right: true})
	return paper.Document{Title: "一人一档", Number: d.Subject.Ref, Made: s.now(), Blocks: blocks}, nil
}

// dossierLine says what an entry is, in Chinese.
func dossierLine(e ward.DossierEntry) string {
	switch e.Kind {
	case ward.DossierCase:
		return e.What + " " + e.Title
	case ward.DossierAlert:
		return inChinese("rule."+e.What) + "（" + inChinese("alertState."+e.State) + "）"
	case ward.DossierVisit:
		if e.What == "" {
			return inChinese("visitState." + e.State)
		}
		return inChinese("verdict." + e.What)
	case ward.DossierSettlement:
		return fmt.Sprintf("%s %d.%02d 元", inChinese("settlementKind."+e.What), e.AmountFen/100, max(e.AmountFen, -e.AmountFen)%100)
	case ward.DossierDuty:
		return inChinese("dutyOutcome." + e.What)
	}
	return e.What
}
