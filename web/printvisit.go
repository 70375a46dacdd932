package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
	"wardwatch/web/paper"
)

// visitRecord is the 远程查房笔录 of a sealed visit that is evidence of the
// case: who asked whom, on what ground, each prompt with its answer, the checks
// (never their scores), what was written, and the verdict.
func (s *Server) visitRecord(ctx context.Context, c ward.Case, id ward.VisitID) (paper.Document, error) {
	none := &ward.Error{Kind: ward.Invalid, Code: "print.visit", ZH: "该查房不是本案的证据，请先将其加入案件。", EN: "This visit is no evidence of the case; add it first."}
	r, err := s.Store.LatestSealed(ctx, storage.KindVerdict, string(id))
	if missing(err) {
		return paper.Document{}, none
	}
	if err != nil {
		return paper.Document{}, err
	}
	if in, err := s.Store.HasEvidence(ctx, c.ID, ward.EvidenceVisit, string(id)); err != nil || !in {
		return paper.Document{}, firstError(err, none)
	}
	var verdict sealed.Verdict
	if err := r.Into(&verdict); err != nil {
		return paper.Document{}, err
	}
	v, err := s.Store.Visit(ctx, id)
	if err != nil {
		return paper.Document{}, err
	}
	round, err := s.Store.Round(ctx, v.RoundID)
	if err != nil {
		return paper.Document{}, err
	}
	who, err := s.Store.Insured(ctx, v.InsuredID)
	if err != nil && !missing(err) {
		return paper.Document{}, err
	}
	by, err := s.Store.User(ctx, round.OrderedBy)
	if err != nil && !missing(err) {
		return paper.Document{}, err
	}
	head, officers, err := s.caseHead(ctx, c)
	if err != nil {
		return paper.Document{}, err
	}
	head = append(head,
		[2]string{"被查人", who.Name + "（证件号 " + who.Masked().IDNumber + "）"}, [2]string{"地点", v.Ward + " " + v.Bed + " 床，远程音视频"},
		[2]string{"查房事由", round.Reason}, [2]string{"下达人与时间", by.Name + "，" + onPaper(round.Ordered)},
		[2]string{"接通与结束", onPaper(verdict.Opened) + " 至 " + onPaper(verdict.Sealed)})
	events, err := s.Store.VisitEvents(ctx, id)
	if err != nil {
		return paper.Document{}, err
	}
	bodies, err := s.Store.MessageBodies(ctx, id)
	if err != nil {
		return paper.Document{}, err
	}
	checks := paper.Table{Columns: []paper.Column{{Title: "核验项目", Share: 2}, {Title: "结果", Share: 1}, {Title: "说明", Share: 4}}}
	stored, err := s.Store.Checks(ctx, id)
	if err != nil {
		return paper.Document{}, err
	}
	for _, k := range stored {
		checks.Rows = append(checks.Rows, []string{inChinese("check." + string(k.Kind)), inChinese("outcome." + string(k.Outcome)), k.DetailZH})
	}
	recording := paper.Table{Columns: []paper.Column{{Title: "录像", Share: 1}, {Title: "SHA-256", Share: 6, Small: true}}}
	for i, p := range verdict.Segments {
		recording.Rows = append(recording.Rows, []string{"第 " + strconv.Itoa(i+1) + " 段", p.SHA256})
	}
	conclusion := inChinese("verdict."+string(verdict.Verdict)) + "。" + verdict.ReasonZH
	if verdict.DecidedBy != "" {
		u, err := s.Store.User(ctx, verdict.DecidedBy)
		if err != nil && !missing(err) {
			return paper.Document{}, err
		}
		conclusion += "（由 " + u.Name + " 作出）"
	}
	blocks := []paper.Block{head, paper.Text{Text: "一、经过", Bold: true}, protocol(events, bodies), paper.Text{Text: "二、核验", Bold: true}, checks, paper.Text{Text: "三、结论", Bold: true}, paper.Text{Text: conclusion, Indent: true}}
	if len(recording.Rows) > 0 {
		blocks = append(blocks, paper.Text{Text: "四、录像", Bold: true}, recording)
	}
	return paper.Document{
		Title: "远程查房笔录", Number: c.Number, Made: verdict.Sealed,
		Blocks: append(blocks, paper.Text{Text: fmt.Sprintf("时间均为北京时间。本笔录由系统按已存证的过程记录生成，过程记录 SHA-256：%s，存证序号 %d。", verdict.Events, r.Leaf)},
			append(officers, "被查人或其近亲属、护理人员", "见证人")),
	}, nil
}

func firstError(err, or error) error {
	if err != nil {
		return err
	}
	return or
}

// protocol are the events in the console's words, each prompt with its answer.
func protocol(events []ward.VisitEvent, bodies map[ward.MessageID]storage.MessageBody) paper.Table {
	t := paper.Table{Columns: []paper.Column{{Title: "时间", Share: 2}, {Title: "事项", Share: 4}, {Title: "回应", Share: 3}}}
	chat := map[string]string{} // by the hash in its event
	for _, l := range pack.LinesOf(events) {
		b, there := bodies[l.ID]
		l.Body = string(b.Body)
		switch {
		case !there || b.Erased:
			chat[l.SHA256] = "（内容已依法删除）"
		case !l.Fits():
			chat[l.SHA256] = "（内容与存证不符）"
		default:
			var v struct {
				Text string `json:"text"`
			}
			_ = json.Unmarshal(b.Body, &v) // it fits its hash: it is ours
			chat[l.SHA256] = v.Text
		}
	}
	rows := map[int]int{} // of a prompt, by its id
	last := -1
	for _, e := range events {
		var b struct {
			ID      int    `json:"id"`
			Cmd     string `json:"cmd"`
			Result  string `json:"result"`
			AfterMS int64  `json:"after_ms"`
			Agree   *bool  `json:"agree"`
			Check   string `json:"check"`
			Outcome string `json:"outcome"`
			Cause   string `json:"cause"`
			Way     string `json:"way"`
			SHA256  string `json:"sha256"`
			By      string `json:"by"`
		}
		if json.Unmarshal([]byte(e.Body), &b) != nil {
			continue // its sealed bytes are in the package all the same
		}
		at, known := rows[b.ID]
		switch {
		case e.Kind == "command":
			if !known && b.Cmd != "" {
				rows[b.ID], last = len(t.Rows), len(t.Rows)
				t.Rows = append(t.Rows, []string{onPaper(e.At), "提示：" + inChinese("command."+b.Cmd), ""})
			}
		case e.Kind == "receipt":
		case e.Kind == "answer" && b.Result != "" && (known || last >= 0):
			if !known {
				at = last
			}
			t.Rows[at][2] = fmt.Sprintf("%s（%.1f 秒）", inChinese("answer."+b.Result), float64(b.AfterMS)/1000)
		case e.Kind == "consent":
			text := inChinese("protocol.agreed")
			if b.Agree != nil && !*b.Agree {
				text = inChinese("protocol.refused")
			}
			t.Rows = append(t.Rows, []string{onPaper(e.At), inChinese("event.consent"), text})
		case e.Kind == "check":
			t.Rows = append(t.Rows, []string{onPaper(e.At), "核验：" + inChinese("check."+b.Check), inChinese("outcome." + b.Outcome)})
		case e.Kind == "message":
			from := "稽核员"
			if b.By == "" {
				from = "床旁"
			}
			t.Rows = append(t.Rows, []string{onPaper(e.At), from + "发送文字", chat[b.SHA256]})
		case e.Kind == "nonce", e.Kind == "tape", e.Kind == "message_shown":
		default:
			detail := ""
			if b.Cause != "" {
				detail = inChinese("cut." + b.Cause)
			} else if b.Way != "" {
				detail = inChinese("delivery." + b.Way)
			}
			t.Rows = append(t.Rows, []string{onPaper(e.At), inChinese("event." + e.Kind), detail})
		}
	}
	if len(t.Rows) == 0 {
		t.Rows = append(t.Rows, []string{"—", strings.TrimSuffix(inChinese("protocol.none"), "。"), ""})
	}
	return t
}
