package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
	"wardwatch/web/paper"
)

// evidenceList is the 电子数据提取固定清单 of a case: what the rules on electronic
// data ask of each item (法发〔2016〕22号 art. 14: kind, form, integrity value;
// time, place, method). Nothing is read but the catalogue.
func (s *Server) evidenceList(ctx context.Context, c ward.Case) (paper.Document, error) {
	head, officers, err := s.caseHead(ctx, c)
	if err != nil {
		return paper.Document{}, err
	}
	table := paper.Table{Columns: []paper.Column{
		{Title: "序号", Share: 1},
		{Title: "名称与来源", Share: 6},
		{Title: "格式", Share: 2},
		{Title: "字节数", Share: 2},
		{Title: "形成时间", Share: 3},
		{Title: "固定时间", Share: 3},
		{Title: "SHA-256（完整性校验值）", Share: 5, Small: true},
		{Title: "存证序号", Share: 1.6},
	}}
	names := &namer{s: s, of: map[string]string{}}
	last := c.Opened
	var after ward.EvidenceID
	for {
		page, err := s.Store.EvidencePage(ctx, c.ID, after, 500)
		if err != nil {
			return paper.Document{}, err
		}
		for _, e := range page {
			l, err := names.line(ctx, e)
			if err != nil {
				return paper.Document{}, err
			}
			sum := "添加时不存在"
			if e.SHA256 != [32]byte{} {
				sum = hex.EncodeToString(e.SHA256[:])
			}
			table.Rows = append(table.Rows, []string{strconv.Itoa(len(table.Rows) + 1), l.name, l.format, l.bytes, l.made, onPaper(e.Added), sum, strconv.FormatInt(e.Leaf, 10)})
			after, last = e.ID, e.Added
		}
		if len(page) < 500 {
			break
		}
	}
	head = append(head, [2]string{"提取方法", "系统自动录制、计算校验值并即时存证；原始数据未作增删、修改。校验值可用证据包内的 SHA256SUMS、SM3SUMS 和核验工具复核。"},
		[2]string{"存证日志", s.Store.Log()}, [2]string{"项数", strconv.Itoa(len(table.Rows))})
	return paper.Document{
		Title: "电子数据提取固定清单", Number: c.Number, Made: last, Wide: true,
		Blocks: []paper.Block{
			head, table,
			paper.Text{Text: "时间均为北京时间。“存证序号”是该项在存证日志中的位置。"},
			append(officers, "电子数据持有人（提供人）", "见证人"),
		},
	}, nil
}

// listLine is what the list says of one item.
type listLine struct{ name, format, bytes, made string }

// namer describes items; a camera is looked up once.
type namer struct {
	s  *Server
	of map[string]string
}

func (n *namer) source(ctx context.Context, v ward.Source) (string, error) {
	key := v.String()
	if name, known := n.of[key]; known {
		return name, nil
	}
	name := key
	if v.Kind == ward.FromCamera {
		c, err := n.s.Store.Camera(ctx, ward.CameraID(v.ID))
		if err != nil && !missing(err) {
			return "", err
		}
		if err == nil {
			p, err := n.s.Store.Place(ctx, c.PlaceID)
			if err != nil && !missing(err) {
				return "", err
			}
			if name = c.Name; p.Name != c.Name {
				name = strings.TrimSpace(p.Name + " " + c.Name)
			}
		}
	} else {
		v, err := n.s.Store.Visit(ctx, ward.VisitID(v.ID))
		if err != nil && !missing(err) {
			return "", err
		}
		if err == nil {
			name = "查房通话 " + v.Ward + " " + v.Bed + " 床"
		}
	}
	n.of[key] = name
	return name, nil
}

// line describes an item by what was sealed of it.
func (n *namer) line(ctx context.Context, e ward.Evidence) (l listLine, err error) {
	kind := inChinese("evidence." + string(e.Kind))
	l = listLine{name: kind, format: "JSON", bytes: "—", made: "—"}
	if e.Kind == ward.EvidenceSnapshot {
		l.format = strings.ToUpper(strings.TrimPrefix(path.Ext(e.Ref), "."))
		return l, nil
	}
	r, err := n.s.Store.Sealed(ctx, e.Leaf)
	if missing(err) {
		l.name += "（记录已依法删除）"
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.bytes = strconv.Itoa(len(r.Body))
	between := func(from, to time.Time) string { return onPaper(from) + " 至 " + onPaper(to) }
	switch r.Kind {
	case storage.KindSegment:
		var v sealed.Segment
		if err := r.Into(&v); err != nil {
			return l, err
		}
		name, err := n.source(ctx, v.Source)
		return listLine{kind + "：" + name, "MP4 " + strings.ToUpper(string(v.Codec)), strconv.FormatInt(v.Bytes, 10), between(v.Start, v.End)}, err
	case storage.KindStretch:
		var v sealed.Stretch
		if err := r.Into(&v); err != nil {
			return l, err
		}
		name, err := n.source(ctx, v.Source)
		l.name, l.made = fmt.Sprintf("%s：%s，有录像 %.1f 秒，缺失 %d 处", kind, name, float64(v.RecordedMS)/1000, len(v.Gaps)), between(v.From, v.To)
		return l, err
	case storage.KindUpload:
		var v sealed.Upload
		if err := r.Into(&v); err != nil {
			return l, err
		}
		return listLine{kind + "：" + v.Name, v.MediaType, strconv.FormatInt(v.Bytes, 10), "—"}, nil
	case storage.KindAlert:
		var v sealed.Alert
		if err := r.Into(&v); err != nil {
			return l, err
		}
		l.name, l.made = kind+"："+v.ExplainZH, onPaper(v.At)
	case storage.KindVerdict:
		var v sealed.Verdict
		if err := r.Into(&v); err != nil {
			return l, err
		}
		l.name, l.made = kind+"："+inChinese("verdict."+string(v.Verdict)), onPaper(v.Sealed)
	case storage.KindSettlement:
		var v storage.SealedSettlement
		if err := r.Into(&v); err != nil {
			return l, err
		}
		l.name, l.made = kind+" "+v.ExternalNo, onPaper(time.UnixMicro(v.AtUS))
	}
	return l, nil
}
