package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"wardwatch/ward"
)

const (
	maxSheetBytes = 5 << 20
	maxSheetRows  = 5000
	maxSheetCells = 64 // in a row
)

// sheetLine is one record of a table as it was typed. A record that cannot be
// read has a fault instead of cells.
type sheetLine struct {
	line  int // in the file, from 1, of the record's beginning
	cells []string
	fault *ward.Error
}

// readSheet reads a table as spreadsheets save it: UTF-8 with or without a
// mark, UTF-16 with one, or GB18030 (what Excel in China saves); separated by
// commas, semicolons or tabs. The first line that is not empty is the header;
// empty lines are left out. An error is a ward.Error about the whole file.
func readSheet(raw []byte) (header []string, lines []sheetLine, err error) {
	text, err := sheetText(raw)
	if err != nil {
		return nil, nil, err
	}
	skipped := 0
	comma := separator(text)
	if first, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(strings.ToLower(first), "sep=") { // Excel's own hint
		text, skipped = rest, 1
		if first = strings.TrimRight(first, "\r"); len(first) == len("sep=,") {
			comma = separator(first[len("sep="):])
		}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	for {
		l, err := nextLine(r, skipped)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		switch {
		case l.fault == nil && strings.TrimSpace(strings.Join(l.cells, "")) == "":
		case header == nil && l.fault != nil:
			return nil, nil, l.fault
		case header == nil:
			header = l.cells
		case len(lines) == maxSheetRows:
			return nil, nil, badSheet("too_many_rows", fmt.Sprintf("一次最多导入 %d 行，请分成几个文件。", maxSheetRows), fmt.Sprintf("At most %d rows at a time; split the file.", maxSheetRows))
		default:
			lines = append(lines, l)
		}
	}
	if header == nil {
		return nil, nil, badSheet("empty", "文件是空的。第一行应为列名，请下载模板。", "The file is empty. Its first line names the columns; download the template.")
	}
	return header, lines, nil
}

// nextLine reads one record. The reader goes on behind one that is malformed.
func nextLine(r *csv.Reader, skipped int) (sheetLine, error) {
	cells, err := r.Read()
	if errors.Is(err, io.EOF) {
		return sheetLine{}, err
	}
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return sheetLine{line: e.StartLine + skipped, fault: badSheet("quotes", "引号不成对：含引号、分隔符或换行的内容要整个放在一对双引号里，其中的引号写两遍。", `The quotes do not match: a cell with quotes, separators or line breaks stands in one pair of double quotes, and quotes inside are doubled.`)}, nil
	}
	if err != nil {
		return sheetLine{}, fmt.Errorf("read table: %w", err)
	}
	line, _ := r.FieldPos(0)
	l := sheetLine{line: line + skipped, cells: cells}
	if len(cells) > maxSheetCells {
		l.cells, l.fault = nil, badSheet("too_wide", fmt.Sprintf("这一行超过 %d 列。", maxSheetCells), fmt.Sprintf("This row has more than %d columns.", maxSheetCells))
	}
	return l, nil
}

// sheetText is raw as UTF-8 without a mark.
func sheetText(raw []byte) (string, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case !utf8.Valid(raw):
		from = simplifiedchinese.GB18030
	}
	text := string(raw)
	if from != nil {
		b, err := from.NewDecoder().Bytes(raw)
		if text = string(b); err != nil || strings.ContainsRune(text, utf8.RuneError) {
			text = "\x00"
		}
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", badSheet("encoding", "文件不是可识别的文本表格。请在 Excel 中另存为“CSV UTF-8”或“CSV”。", `The file is no table of text. In Excel, save it as "CSV UTF-8" or "CSV".`)
	}
	return text, nil
}

// separator is the one that the first line that is not empty has most of,
// outside quotes.
func separator(text string) rune {
	first := strings.TrimLeft(text, "\r\n")
	if end := strings.IndexAny(first, "\r\n"); end >= 0 {
		first = first[:end]
	}
	count := map[rune]int{}
	quoted := false
	for _, c := range first {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted {
			count[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}

// defused is a cell that no spreadsheet takes for a formula; bare undoes it.
func defused(cell string) string {
	if formula(cell) {
		return "'" + cell
	}
	return cell
}

func bare(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && formula(rest) {
		return rest
	}
	return cell
}

// formula says whether a spreadsheet would compute the cell (OWASP, "CSV
// Injection"); the wide forms count in Chinese and Japanese ones. What
// defused has marked counts too, so that bare always finds what was there.
func formula(cell string) bool {
	for _, c := range strings.TrimLeft(cell, "' \u3000\u00a0") {
		return strings.ContainsRune("=+-@\t\r\n＝＋－＠", c)
	}
	return false
}

func badSheet(code, zh, en string) *ward.Error {
	return &ward.Error{Kind: ward.Invalid, Code: "import." + code, ZH: zh, EN: en}
}
