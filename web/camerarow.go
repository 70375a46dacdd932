package web

import (
	"strconv"
	"strings"

	"wardwatch/ward"
)

// rowReader reads the cells of one row and collects what is wrong with them.
type rowReader struct {
	layout layout
	cells  []string

	split    bool // the user and password came with an address
	problems []FieldProblem
	notes    []Bilingual
	faulty   map[string]bool // fields that have a problem
}

func (r *rowReader) has(c column) bool {
	i, ok := r.layout[c]
	return ok && i < len(r.cells)
}

// raw is the cell as it was typed.
func (r *rowReader) raw(c column) string {
	if !r.has(c) {
		return ""
	}
	return r.cells[r.layout[c]]
}

// text is the cell without the blanks around it and the mark against formulas.
func (r *rowReader) text(c column) string { return bare(trimmed(r.raw(c))) }

func (r *rowReader) typed(c column) bool { return r.raw(c) != "" }

func (r *rowReader) set(c column, to *string) {
	if t := r.text(c); t != "" {
		*to = t
	}
}

// address reads an RTSP address and takes the user and password out of it:
// they belong to their own columns.
func (r *rowReader) address(c column, to *string, cam *ward.Camera) {
	t := r.text(c)
	if t == "" {
		return
	}
	address, user, password, found := ward.SplitCredentials(t)
	*to = address
	if !found {
		return
	}
	if u := r.text(colUser); u != "" && u != user || r.typed(colPassword) && r.raw(colPassword) != password || r.split && (cam.User != user || string(cam.Password) != password) {
		r.problem(string(c), badSheet("credentials_differ", "地址里的用户名、密码与其他栏目不一致，请只填一处。", "The user and password in the address are not those of the other cells; give them once."))
	}
	if !r.split {
		r.note("地址里的用户名和密码已移到各自的栏目，地址里不再保存。", "The user and password in the address are stored apart, not in it.")
	}
	cam.User, cam.Password, cam.PasswordLost, r.split = user, ward.Secret(password), false, true
}

// typedWord reads a word of a closed list; ok says whether there is one.
func typedWord[T comparable](r *rowReader, c column, words []word[T]) (v T, ok bool) {
	t := r.text(c)
	if t == "" {
		return v, false
	}
	if v, ok = meant(words, t); !ok {
		r.problem(string(c), badSheet("word", "应为以下之一："+choices(words, true)+"。", "This should be one of: "+choices(words, false)+"."))
	}
	return v, ok
}

func (r *rowReader) problem(field string, e *ward.Error) {
	if r.faulty == nil {
		r.faulty = map[string]bool{}
	}
	r.faulty[field] = true
	r.problems = append(r.problems, FieldProblem{Field: field, Bilingual: Bilingual{e.ZH, e.EN}})
}

// fault is a problem of the settings as a whole, unless the field's cell has
// one already, which says more.
func (r *rowReader) fault(field string, err *ward.Error) {
	if !r.faulty[field] {
		r.problem(field, err)
	}
}

func (r *rowReader) note(zh, en string) { r.notes = append(r.notes, Bilingual{zh, en}) }

// settings puts the row's cells into c. An empty cell leaves what is there,
// but takes away the sub stream, user, fingerprint and hours.
func settings(r *rowReader, c *ward.Camera) {
	r.set(colName, &c.Name)
	r.address(colURL, &c.URL, c)
	r.address(colSubURL, &c.SubURL, c)
	if r.has(colSubURL) && r.text(colSubURL) == "" {
		c.SubURL = ""
	}
	r.address(colReplay, &c.ReplayURL, c)
	if r.has(colReplay) && r.text(colReplay) == "" {
		c.ReplayURL = ""
	}
	if r.has(colUser) && !r.split {
		c.User = r.text(colUser)
	}
	if r.typed(colPassword) && !r.split {
		c.Password, c.PasswordLost = ward.Secret(r.raw(colPassword)), false
	}
	if v, ok := typedWord(r, colTransport, transportWords()); ok {
		c.Transport = v
	}
	if r.has(colFingerprint) {
		c.TLSFingerprint = r.text(colFingerprint)
	}
	if v, ok := typedWord(r, colRecord, recordWords()); ok {
		c.Record = v
	}
	if r.has(colFrom) {
		c.RecordFrom = timeTyped(r.text(colFrom))
	}
	if r.has(colTo) {
		c.RecordTo = timeTyped(r.text(colTo))
	}
	r.number(colSegment, &c.SegmentSeconds)
	r.number(colRetention, &c.RetentionDays)
	if v, ok := typedWord(r, colEnabled, enabledWords()); ok {
		c.Enabled = v
	}
}

// number reads a whole number; an empty cell leaves n.
func (r *rowReader) number(c column, n *int) {
	t := r.text(c)
	if t == "" {
		return
	}
	v, err := strconv.Atoi(strings.TrimSuffix(t, ".0"))
	if err != nil || v < 1 {
		r.problem(string(c), badSheet("number", "应为正整数。", "This should be a positive whole number."))
		return
	}
	*n = v
}
