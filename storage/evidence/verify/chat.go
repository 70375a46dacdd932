package verify

import (
	"encoding/json"
	"fmt"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// chat checks the text of a visit line by line against its protocol, whose
// hash the verdict holds.
func (c *check) chat(it pack.Item) {
	protocol, ok := c.small(it.Events)
	if !ok {
		return
	}
	var events []ward.VisitEvent
	if json.Unmarshal(protocol, &events) != nil {
		c.report.fail(it.Events, "查访过程记录无法读取。", "The visit's protocol cannot be read.")
		return
	}
	want := pack.LinesOf(events)
	if it.Chat == "" {
		if len(want) > 0 {
			c.report.Missing = append(c.report.Missing, Finding{
				string(it.Kind) + "/" + it.Ref,
				fmt.Sprintf("查访中有 %d 条文字交流，本包由不含文字的旧版本导出。", len(want)),
				fmt.Sprintf("%d lines were written in the visit; an earlier version, which left text out, exported the package.", len(want)),
			})
		}
		return
	}
	body, ok := c.small(it.Chat)
	if !ok {
		return
	}
	var got pack.Chat
	if json.Unmarshal(body, &got) != nil || string(got.Visit) != it.Ref || len(got.Lines) != len(want) {
		c.report.fail(it.Chat, "文字交流与查访过程记录不符：有增减，或属于别的查访。", "The text differs from the visit's protocol: lines were added or removed, or it is of another visit.")
		return
	}
	for i, l := range got.Lines {
		w := want[i]
		if l.ID != w.ID || l.By != w.By || !l.At.Equal(w.At) || l.SHA256 != w.SHA256 || l.Missing == "" && !l.Fits() {
			c.report.fail(it.Chat, fmt.Sprintf("第 %d 条文字与查访过程记录中的哈希不符，已被修改。", i+1), fmt.Sprintf("Line %d differs from its hash in the visit's protocol; it was changed.", i+1))
			continue
		}
		if l.Missing != "" {
			c.report.Missing = append(c.report.Missing, missingLine(it.Chat, i+1, l.Missing))
			continue
		}
		c.report.Lines++
	}
}

// missingLine words why a line has no text.
func missingLine(file string, n int, why string) Finding {
	zh, en := "未放入本包", "was left out"
	switch why {
	case pack.MissingAbsent:
		zh, en = "导出时已不在存储中", "was not in the store at the export"
	case pack.MissingChanged:
		zh, en = "存储的内容与封存的哈希不同，未放入本包", "differed from its sealed hash at the export and was left out"
	case pack.MissingErased:
		zh, en = "保存期满，文字已依法删除", "was erased when its time was over"
	}
	return Finding{file, fmt.Sprintf("第 %d 条文字%s。", n, zh), fmt.Sprintf("Line %d %s.", n, en)}
}
