package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wardwatch/ward"
)

// column is one column of a table of cameras; its value is the English
// header, which is also the field that a problem names.
type column string

// The columns, in the order in which they are exported.
const (
	colID            column = "id"
	colInstitution   column = "institution_id"
	colInstitutionAs column = "institution"
	colPlace         column = "place"
	colKind          column = "place_kind"
	colName          column = "name"
	colURL           column = "url"
	colSubURL        column = "sub_url"
	colReplay        column = "replay_url"
	colUser          column = "user"
	colPassword      column = "password"
	colTransport     column = "transport"
	colFingerprint   column = "tls_fingerprint"
	colRecord        column = "record"
	colFrom          column = "record_from"
	colTo            column = "record_to"
	colSegment       column = "segment_seconds"
	colRetention     column = "retention_days"
	colEnabled       column = "enabled"
)

// heading is how a column is called in a file.
type heading struct {
	column
	zh   string
	also []string // further names that are understood
}

func headings() []heading {
	return []heading{
		{colID, "编号", []string{"摄像头编号", "camera_id"}},
		{colInstitution, "机构编号", nil},
		{colInstitutionAs, "机构名称", []string{"机构", "institution_name"}},
		{colPlace, "地点", []string{"地点名称", "点位", "点位名称", "place_name"}},
		{colKind, "地点类型", []string{"点位类型", "kind"}},
		{colName, "名称", []string{"摄像头名称", "camera", "camera_name"}},
		{colURL, "主码流地址", []string{"地址", "取流地址", "rtsp", "main_url"}},
		{colSubURL, "子码流地址", nil},
		{colReplay, "回放地址", []string{"playback_url"}},
		{colUser, "用户名", []string{"username", "login"}},
		{colPassword, "密码", nil},
		{colTransport, "传输方式", nil},
		{colFingerprint, "证书指纹", []string{"fingerprint"}},
		{colRecord, "录像策略", []string{"record_policy"}},
		{colFrom, "录像开始", nil},
		{colTo, "录像结束", nil},
		{colSegment, "分段秒数", nil},
		{colRetention, "保留天数", nil},
		{colEnabled, "启用", nil},
	}
}

// word is a value of a closed list in both languages; the first of each is
// the one that is exported.
type word[T comparable] struct {
	value  T
	zh, en []string
}

func kindWords() []word[ward.PlaceKind] {
	return []word[ward.PlaceKind]{
		{ward.Charge, []string{"收费窗口", "收费"}, []string{"charge"}},
		{ward.Pharmacy, []string{"药房窗口", "药房"}, []string{"pharmacy"}},
		{ward.Corridor, []string{"走廊", "候诊区"}, []string{"corridor"}},
		{ward.Ward, []string{"病房"}, []string{"ward"}},
		{ward.Treatment, []string{"治疗室"}, []string{"treatment"}},
	}
}

func transportWords() []word[ward.Transport] {
	return []word[ward.Transport]{
		{ward.TransportAuto, []string{"自动"}, []string{"auto"}},
		{ward.TransportTCP, nil, []string{"tcp"}},
		{ward.TransportUDP, nil, []string{"udp"}},
	}
}

func recordWords() []word[ward.RecordPolicy] {
	return []word[ward.RecordPolicy]{
		{ward.RecordAlways, []string{"全天", "始终"}, []string{"always"}},
		{ward.RecordHours, []string{"按时段", "时段"}, []string{"hours"}},
		{ward.RecordNever, []string{"不录像", "不录"}, []string{"never"}},
	}
}

func enabledWords() []word[bool] {
	return []word[bool]{
		{true, []string{"是", "启用", "开"}, []string{"yes", "true", "1", "on"}},
		{false, []string{"否", "停用", "关"}, []string{"no", "false", "0", "off"}},
	}
}

// said is how a value is exported.
func said[T comparable](words []word[T], v T, zh bool) string {
	for _, w := range words {
		if w.value == v && zh && len(w.zh) > 0 {
			return w.zh[0]
		}
		if w.value == v {
			return w.en[0]
		}
	}
	return ""
}

// meant is the value of a typed word.
func meant[T comparable](words []word[T], typed string) (v T, ok bool) {
	typed = strings.ToLower(typed)
	for _, w := range words {
		if slices.Contains(w.zh, typed) || slices.Contains(w.en, typed) {
			return w.value, true
		}
	}
	return v, false
}

// choices lists the words of a closed list for a message.
func choices[T comparable](words []word[T], zh bool) string {
	var all []string
	for _, w := range words {
		all = append(all, said(words, w.value, zh))
	}
	if zh {
		return strings.Join(all, "、")
	}
	return strings.Join(all, ", ")
}

// layout says in which cell of a row each column is.
type layout map[column]int

// layoutOf understands a header. An error is a ward.Error about the file.
func layoutOf(header []string) (layout, error) {
	l := layout{}
	var unknown []string
	for i, cell := range header {
		name := strings.TrimRight(strings.ToLower(trimmed(cell)), "*") // some mark what must be given
		if name == "" {
			continue
		}
		c, ok := columnNamed(name)
		if !ok {
			unknown = append(unknown, trimmed(cell))
			continue
		}
		if _, twice := l[c]; twice {
			return nil, badSheet("column_twice", fmt.Sprintf("列“%s”出现了两次。", trimmed(cell)), fmt.Sprintf("The column %q is there twice.", trimmed(cell)))
		}
		l[c] = i
	}
	if len(unknown) > 0 {
		return nil, badSheet("column_unknown",
			fmt.Sprintf("不认识的列：%s。可用的列：%s。", strings.Join(unknown, "、"), headingsSaid(true)),
			fmt.Sprintf("Unknown columns: %s. The columns are: %s.", strings.Join(unknown, ", "), headingsSaid(false)))
	}
	if _, ok := l[colURL]; !ok && l.lacks(colID) {
		return nil, badSheet("column_missing", "缺少“主码流地址”列（新增需要）或“编号”列（修改需要）。请检查第一行是不是列名。", `There is no column "url" (to add) or "id" (to change). Is the first line the header?`)
	}
	return l, nil
}

func (l layout) lacks(c column) bool { _, ok := l[c]; return !ok }

func columnNamed(name string) (column, bool) {
	for _, h := range headings() {
		if name == string(h.column) || name == h.zh || slices.Contains(h.also, name) {
			return h.column, true
		}
	}
	return "", false
}

func headingsSaid(zh bool) string {
	var all []string
	for _, h := range headings() {
		if zh {
			all = append(all, h.zh)
		} else {
			all = append(all, string(h.column))
		}
	}
	if zh {
		return strings.Join(all, "、")
	}
	return strings.Join(all, ", ")
}

// trimmed is a cell without the blanks around it, the wide ones too.
func trimmed(cell string) string { return strings.Trim(cell, " \t\r\n\u3000\u00a0\ufeff") }

// timeTyped is "08:00" for what spreadsheets make of it: 8:00, 08:00:00, ８：００.
func timeTyped(cell string) string {
	parts := strings.Split(strings.ReplaceAll(cell, "：", ":"), ":")
	if len(parts) == 3 && parts[2] == "00" {
		parts = parts[:2]
	}
	if len(parts) != 2 {
		return cell
	}
	h, err1 := strconv.ParseUint(parts[0], 10, 8)
	m, err2 := strconv.ParseUint(parts[1], 10, 8)
	if err1 != nil || err2 != nil || len(parts[1]) != 2 {
		return cell
	}
	return fmt.Sprintf("%02d:%02d", h, m)
}
