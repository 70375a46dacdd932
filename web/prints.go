package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
	"wardwatch/web/paper"
)

// PrintKind says what is printed of a case.
type PrintKind string

// The documents.
const (
	PrintEvidence PrintKind = "evidence_list" // 电子数据提取固定清单
	PrintVisit    PrintKind = "visit_record"  // 远程查房笔录
	PrintLetter   PrintKind = "letter"        // as it stands, to look at; an issued one is evidence itself
)

// CasePrint asks for a document of a case.
type CasePrint struct {
	Document PrintKind     `json:"document"`
	VisitID  ward.VisitID  `json:"visit_id,omitempty" maxLength:"64" doc:"Of visit_record: an item of the case"`
	LetterID ward.LetterID `json:"letter_id,omitempty" maxLength:"64" doc:"Of letter: one of the case"`
	Reason   string        `json:"reason" minLength:"1" maxLength:"200" doc:"Is sealed with the print"`
}

type casePrintInput struct {
	CasePath
	Body CasePrint
}

func (s *Server) printRoutes(r *routes) {
	on(r, ward.MayCase, media(huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cases/{id}/prints", OperationID: "printCase", Summary: "A document of a case to print and sign; recorded in its custody", Tags: []string{"cases"},
	}, "application/pdf"), func(ctx context.Context, in *casePrintInput) (ward.Case, ward.InstitutionID, error) {
		return s.loadCase(ctx, &in.CasePath)
	}, s.printCase)
}

// printCase records the print with the hash of what is printed.
func (s *Server) printCase(ctx context.Context, in *casePrintInput, c ward.Case) (*huma.StreamResponse, error) {
	if s.Paper == nil {
		return nil, paper.ErrNoFont
	}
	var d paper.Document
	var err error
	object := "print/" + string(in.Body.Document)
	switch in.Body.Document {
	case PrintVisit:
		object += "/" + string(in.Body.VisitID)
		d, err = s.visitRecord(ctx, c, in.Body.VisitID)
	case PrintLetter:
		object += "/" + string(in.Body.LetterID)
		var steps []ward.LetterStep
		if steps, err = s.Store.Letter(ctx, in.Body.LetterID); err == nil && steps[0].CaseID != c.ID {
			err = notFound()
		}
		if err == nil {
			d = s.letter(c, steps[len(steps)-1])
		}
	case PrintEvidence:
		d, err = s.evidenceList(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := s.Paper.Print(&b, d); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b.Bytes())
	if err := s.record(ctx, view{object: object, caseID: c.ID, action: ward.ActionPrint, sha256: sum[:], reason: in.Body.Reason}); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/pdf")
		_, _ = hc.BodyWriter().Write(b.Bytes()) // whoever has gone gets nothing
	}}, nil
}

//go:embed console/i18n/zh.json
var chinese []byte

// chineseWords are the console's Chinese texts, which documents use too.
var chineseWords = sync.OnceValue(func() map[string]any {
	all := map[string]any{}
	if err := json.Unmarshal(chinese, &all); err != nil {
		panic(err) // it is part of the program
	}
	return all
})

// inChinese is the text of a dotted key, or the key's end when there is none.
func inChinese(key string) string {
	at := any(chineseWords())
	for part := range strings.SplitSeq(key, ".") {
		group, ok := at.(map[string]any)
		if !ok {
			break
		}
		at = group[part]
	}
	if text, ok := at.(string); ok {
		return text
	}
	return key[strings.LastIndexByte(key, '.')+1:]
}

// beijing is the zone of documents: the courts' and hospitals' own.
var beijing = time.FixedZone("+08:00", 8*3600)

func onPaper(at time.Time) string {
	if at.IsZero() {
		return "—"
	}
	return at.In(beijing).Format("2006-01-02 15:04:05")
}

// caseHead is what every document says of its case.
func (s *Server) caseHead(ctx context.Context, c ward.Case) (head paper.Pairs, officers paper.Signatures, err error) {
	inst, err := s.Store.Institution(ctx, c.InstitutionID)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.Store.CaseFile(ctx, c.ID)
	if err != nil {
		return nil, nil, err
	}
	head = paper.Pairs{{"案件名称", c.Title}, {"被检查机构", inst.Name}}
	if f.Cause != "" {
		head = append(head, [2]string{"案由", f.Cause})
	}
	if len(f.Basis) > 0 {
		head = append(head, [2]string{"法律依据", strings.Join(f.Basis, "；")})
	}
	for _, o := range f.Officers {
		u, err := s.Store.User(ctx, o.User)
		if err != nil {
			return nil, nil, err
		}
		head = append(head, [2]string{"执法人员", u.Name + "（执法证号 " + o.Certificate + "）"})
		officers = append(officers, "执法人员 "+u.Name)
	}
	for _, w := range f.Witnesses {
		as := inChinese("witness." + string(w.Capacity))
		said := "没有签名，原因：" + w.Absent
		if w.Signature != "" {
			said = "已签名，签名文件 SHA-256 " + w.SHA256
		}
		head = append(head, [2]string{as, strings.TrimSpace(w.Name+" "+w.Post) + "，" + said})
	}
	if officers == nil {
		officers = paper.Signatures{"执法人员", "执法人员"}
	}
	return head, officers, nil
}
