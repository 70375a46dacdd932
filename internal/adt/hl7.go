package adt

import (
	"bytes"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const (
	maxSegments = 200
	maxFields   = 200 // in a segment
)

// message is a parsed HL7 v2 message: text, already in UTF-8.
type message struct {
	field, component, repeat, escape, sub byte
	segments                              [][]string // name, then fields; MSH-1 is at 1
}

// decode is raw in UTF-8. The character set is that of MSH-18; a message that
// names none is ASCII or UTF-8. GB 18030 may hold separators within its
// characters, so it is decoded before anything is split.
func decode(raw []byte) (string, *Problem) {
	if gb, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err == nil && !bytes.ContainsRune(gb, utf8.RuneError) {
		switch charset(string(gb)) {
		case "GB 18030-2000", "GB18030", "GB 18030", "GBK", "GB2312":
			return string(gb), nil
		}
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return "", wrong("MSH-18", "字符集不对：请写明 UNICODE UTF-8 或 GB 18030-2000。", "The characters are not those it names; name UNICODE UTF-8 or GB 18030-2000.")
	}
	text := string(raw)
	switch charset(text) {
	case "", "UNICODE UTF-8", "UTF-8", "UTF8", "UNICODE", "ASCII", "8859/1":
	case "GB 18030-2000", "GB18030", "GB 18030", "GBK", "GB2312":
		return "", wrong("MSH-18", "内容不是所写的字符集。", "The characters are not of the character set it names.")
	default:
		return "", wrong("MSH-18", "不支持这种字符集，请用 UNICODE UTF-8 或 GB 18030-2000。", "This character set is not supported; use UNICODE UTF-8 or GB 18030-2000.")
	}
	if charset(text) == "ASCII" || charset(text) == "8859/1" {
		for i := range len(text) {
			if text[i] >= utf8.RuneSelf {
				return "", wrong("MSH-18", "内容不是所写的字符集。", "The characters are not of the character set it names.")
			}
		}
	}
	return text, nil
}

// charset is the first repetition of MSH-18, as text.
func charset(text string) string {
	line, _, _ := strings.Cut(strings.ReplaceAll(text, "\n", "\r"), "\r")
	if len(line) < 8 || !strings.HasPrefix(line, "MSH") {
		return ""
	}
	fields := strings.Split(line, line[3:4])
	if len(fields) < 18 {
		return ""
	}
	first, _, _ := strings.Cut(fields[17], line[5:6])
	return strings.ToUpper(strings.TrimSpace(first))
}

// parse splits a message. Segments end with CR; LF and CRLF are taken too,
// as files have them.
func parse(raw []byte) (*message, *Problem) {
	text, bad := decode(raw)
	if bad != nil {
		return nil, bad
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\r"), "\n", "\r")
	if len(text) < 9 || !strings.HasPrefix(text, "MSH") {
		return nil, wrong("MSH", "消息应以 MSH 段开始。", "A message begins with the segment MSH.")
	}
	m := &message{field: text[3], component: text[4], repeat: text[5], escape: text[6], sub: text[7]}
	seps := []byte{m.field, m.component, m.repeat, m.escape, m.sub}
	for i, c := range seps {
		if c <= ' ' || c >= 0x7f || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || bytes.IndexByte(seps[:i], c) >= 0 {
			return nil, wrong("MSH-2", "分隔符不正确。", "The separators are not right.")
		}
	}
	if text[8] != m.field {
		return nil, wrong("MSH-2", "分隔符应为四个字符。", "There are four encoding characters.")
	}
	for line := range strings.SplitSeq(text, "\r") {
		if line == "" {
			continue
		}
		if len(m.segments) == maxSegments {
			return nil, wrong("", "消息的段过多。", "The message has too many segments.")
		}
		if len(line) < 3 || len(line) > 3 && line[3] != m.field {
			return nil, wrong("", "有一段没有段名。", "A segment has no name.")
		}
		fields := strings.SplitN(line, string(m.field), maxFields+1)
		if len(fields) > maxFields {
			return nil, wrong(line[:3], "这一段的字段过多。", "The segment has too many fields.")
		}
		if fields[0] == "MSH" {
			if len(m.segments) > 0 {
				return nil, wrong("MSH", "一条消息里有两个 MSH 段。", "The message has two MSH segments.")
			}
			fields = append([]string{"MSH", string(m.field)}, fields[1:]...)
		}
		m.segments = append(m.segments, fields)
	}
	return m, nil
}

// raw is field n of a segment, "" when it is not there or is the null "".
func (m *message) raw(seg []string, n int) string {
	if n >= len(seg) || seg[n] == `""` {
		return ""
	}
	return seg[n]
}

// part is component c (from 1) of the first repetition of field n.
func (m *message) part(seg []string, n, c int) (string, *Problem) {
	first, _, _ := strings.Cut(m.raw(seg, n), string(m.repeat))
	return m.component1(seg[0], n, first, c)
}

// component1 is the first subcomponent of component c of text, unescaped.
func (m *message) component1(name string, n int, text string, c int) (string, *Problem) {
	parts := strings.Split(text, string(m.component))
	if c > len(parts) || parts[c-1] == `""` {
		return "", nil
	}
	first, _, _ := strings.Cut(parts[c-1], string(m.sub))
	v, ok := m.unescape(first)
	if !ok {
		return "", wrong(fieldName(name, n), "转义序列不正确。", "An escape sequence is not right.")
	}
	return strings.TrimSpace(v), nil
}

// unescape resolves \F\ \S\ \T\ \R\ \E\ and \X..\ (UTF-8); highlighting goes.
func (m *message) unescape(s string) (string, bool) {
	esc := string(m.escape)
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, esc)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		code, after, closed := strings.Cut(rest, esc)
		if !closed {
			return "", false
		}
		s = after
		switch {
		case code == "F":
			b.WriteByte(m.field)
		case code == "S":
			b.WriteByte(m.component)
		case code == "T":
			b.WriteByte(m.sub)
		case code == "R":
			b.WriteByte(m.repeat)
		case code == "E":
			b.WriteByte(m.escape)
		case code == "H" || code == "N":
		case strings.HasPrefix(code, "X"):
			plain, err := hex.DecodeString(code[1:])
			if err != nil || !utf8.Valid(plain) {
				return "", false
			}
			b.Write(plain)
		default:
			return "", false
		}
	}
}
