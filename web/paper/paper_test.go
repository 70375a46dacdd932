package paper_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/models"
	"wardwatch/internal/models/modeltest"
	"wardwatch/web/paper"
)

func printer(t testing.TB) *paper.Printer {
	t.Helper()
	p, err := paper.Open(filepath.Join(modeltest.Models(t), models.Font))
	if err != nil {
		t.Fatalf("%v: run make models", err)
	}
	return p
}

// text reads a document back with another program.
func text(t *testing.T, p *paper.Printer, d paper.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Print(&b, d); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "d.pdf")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", name, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v: run deploy/setup.sh test", err)
	}
	return string(out)
}

var made = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

func TestDocumentIsReadBack(t *testing.T) {
	d := paper.Document{
		Title: "电子数据提取固定清单", Number: "医保稽〔2026〕000001号", Made: made, Blocks: []paper.Block{
			paper.Pairs{{"案由", "空刷医保卡"}, {"当事人", "王\U0002CB5A㛃"}},
			paper.Text{Text: strings.Repeat("以上内容属实，", 40), Indent: true},
			paper.Table{Columns: []paper.Column{{Title: "序号", Share: 1}, {Title: "SHA-256", Share: 4, Small: true}}, Rows: [][]string{{"1", strings.Repeat("ab", 32)}}},
			paper.Signatures{"执法人员"},
		},
	}
	got := text(t, printer(t), d)
	for _, want := range []string{"电子数据提取固定清单", "医保稽〔2026〕000001号", "空刷医保卡", "㛃", "序号", "执法人员", "第1页共1页"} {
		if !strings.Contains(strings.ReplaceAll(got, " ", ""), want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if hash := strings.Join(regexp.MustCompile(`[ab]{8,}`).FindAllString(got, -1), ""); hash != strings.Repeat("ab", 32) {
		t.Errorf("hash reads %q", hash)
	}
	if regexp.MustCompile(`(?m)^\s*，`).MatchString(got) {
		t.Errorf("a comma begins a line:\n%s", got)
	}
	if strings.Contains(got, "〓") || strings.Contains(got, "字体缺少") {
		t.Errorf("the font lacks something:\n%s", got)
	}
}

// A character that the font lacks is marked where it is and named at the end;
// one that would hide or turn text is not printed.
func TestCharactersThatTheFontLacks(t *testing.T) {
	got := text(t, printer(t), paper.Document{Title: "笔录", Made: made, Blocks: []paper.Block{paper.Text{Text: "吉\U00020BB7\u202e田\x00\u200b"}}})
	if !strings.Contains(got, "吉〓田") || !strings.Contains(got, "字体缺少") || !strings.Contains(got, "U+20BB7") || strings.Contains(got, "\u202e") {
		t.Errorf("got\n%s", got)
	}
}

func TestSameDocumentSameBytes(t *testing.T) {
	p := printer(t)
	var first bytes.Buffer
	for i := range 5 {
		var b bytes.Buffer
		if err := p.Print(&b, paper.Document{Title: "清单", Made: made, Blocks: []paper.Block{paper.Text{Text: "甲乙丙丁戊己庚辛"}, paper.Pairs{{"时间", "今天"}}}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b
		} else if !bytes.Equal(first.Bytes(), b.Bytes()) {
			t.Fatal("the same document has other bytes")
		}
	}
}

// Each row is there once, in order, below a head on every page; a row longer
// than a page is whole.
func TestLongTables(t *testing.T) {
	table := paper.Table{Columns: []paper.Column{{Title: "序号表头", Share: 1}, {Title: "内容", Share: 3}}}
	for i := range 1000 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("r%04d", i), "录像"})
	}
	table.Rows[500][1] = strings.Repeat("很长的说明。", 800)
	got := text(t, printer(t), paper.Document{Title: "清单", Made: made, Wide: true, Blocks: []paper.Block{table}})
	rows := regexp.MustCompile(`r\d{4}`).FindAllString(got, -1)
	if len(rows) != 1000 || rows[0] != "r0000" || rows[999] != "r0999" {
		t.Errorf("%d rows", len(rows))
	}
	pages := strings.Split(strings.TrimSuffix(got, "\f"), "\f")
	for i, p := range pages {
		if strings.Count(p, "序号表头") != 1 || !strings.Contains(strings.ReplaceAll(p, " ", ""), fmt.Sprintf("第%d页共%d页", i+1, len(pages))) {
			t.Errorf("page %d:\n%s", i+1, p)
			break
		}
	}
	if n := strings.Count(strings.Join(strings.Fields(got), ""), "很长的说明。"); n < 700 { // those that a page's end or a line's cuts are not counted
		t.Errorf("%d sentences of 800", n)
	}
}

func TestFontIsMissing(t *testing.T) {
	if _, err := paper.Open(filepath.Join(t.TempDir(), "none.ttf")); err == nil || !strings.Contains(err.Error(), "font") {
		t.Errorf("got %v", err)
	}
	name := filepath.Join(t.TempDir(), "bad.ttf")
	if err := os.WriteFile(name, []byte("not a font at all, only text that is long enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := paper.Open(name); err == nil {
		t.Error("no error")
	}
}
