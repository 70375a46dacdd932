package paper

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signintech/gopdf"
)

// Sizes in points.
const (
	margin = 54.0
	bottom = 56.0
	body   = 11.0
	small  = 8.0
	title  = 18.0
	lead   = 1.5 // line height as a multiple of the size
	pad    = 3.0
)

// ink is a line of text, or a rule from x, y to x2, y2 when text is empty.
type ink struct {
	x, y, x2, y2, size float64
	text               string
	bold               bool
}

// sheet is a document being set: pages of ink, the last one in the making.
type sheet struct {
	pdf    gopdf.GoPdf
	d      Document
	w, h   float64
	y      float64
	pages  [][]ink
	lacks  map[rune]int
	widths map[rune]float64 // at size 1
}

func (s *sheet) newPage() {
	s.pages = append(s.pages, nil)
	s.y = margin
}

func (s *sheet) put(k ink) {
	last := len(s.pages) - 1
	s.pages[last] = append(s.pages[last], k)
}

// room begins a page unless height is left on this one.
func (s *sheet) room(height float64) {
	if s.y+height > s.h-bottom {
		s.newPage()
	}
}

func (s *sheet) width(text string, size float64) (w float64) {
	for _, r := range text {
		one, known := s.widths[r]
		if !known {
			at, err := s.pdf.MeasureTextWidth(string(r))
			if err != nil {
				at = body
			}
			one = at / body
			s.widths[r] = one
		}
		w += one * size
	}
	return w
}

// closing may not begin a line (GB/T 15834).
const closing = "，。、；：？！）〕》」』”’,.;:?!)]%"

// lines breaks text to the width; words of Latin letters are broken only when
// they are longer than a line.
func (s *sheet) lines(text string, size, width float64) []string {
	var out []string
	for part := range strings.SplitSeq(printable(text), "\n") {
		line := []rune(part)
		for len(line) > 0 {
			n, w := 0, 0.0
			for n < len(line) {
				if w += s.width(string(line[n]), size); w > width && n > 0 {
					break
				}
				n++
			}
			if n < len(line) {
				if strings.ContainsRune(closing, line[n]) && n > 1 {
					n--
				}
				if cut := wordStart(line, n); cut > 0 {
					n = cut
				}
			}
			out = append(out, strings.TrimRight(string(line[:n]), " "))
			line = []rune(strings.TrimLeft(string(line[n:]), " "))
		}
		if part == "" {
			out = append(out, "")
		}
	}
	return out
}

// wordStart is where the Latin word begins that a break at n would cut.
func wordStart(line []rune, n int) int {
	latin := func(r rune) bool { return r > ' ' && r < 0x250 && r != '/' && r != '-' }
	if !latin(line[n]) || !latin(line[n-1]) {
		return 0
	}
	i := n
	for i > 0 && latin(line[i-1]) {
		i--
	}
	return i
}

// printable takes control and direction characters out.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

func (s *sheet) centred(text string, size float64, bold bool) {
	for _, l := range s.lines(text, size, s.w-2*margin) {
		s.room(size * lead)
		if l != "" {
			s.put(ink{x: (s.w - s.width(l, size)) / 2, y: s.y, size: size, text: l, bold: bold})
		}
		s.y += size * lead
	}
}

func (s *sheet) head() {
	if s.d.Office != "" {
		s.centred(s.d.Office, 13, false)
	}
	s.centred(s.d.Title, title, true)
	if s.d.Number != "" {
		s.centred(s.d.Number, body, false)
	}
	s.y += 8
}

// foot names the characters that the font lacks.
func (s *sheet) foot() {
	if len(s.lacks) == 0 {
		return
	}
	var all []string
	for _, r := range slices.Sorted(maps.Keys(s.lacks)) {
		all = append(all, fmt.Sprintf("U+%04X", r))
	}
	Text{Text: fmt.Sprintf("注：字体缺少下列字符，文中以“%c”代替：%s。", missing, strings.Join(all, "、"))}.set(s)
}

func (t Text) set(s *sheet) {
	text := t.Text
	if t.Indent {
		text = "\u3000\u3000" + text
	}
	for _, l := range s.lines(text, body, s.w-2*margin) {
		s.room(body * lead)
		x := margin
		if t.Right {
			x = s.w - margin - s.width(l, body)
		}
		if l != "" {
			s.put(ink{x: x, y: s.y, size: body, text: l, bold: t.Bold})
		}
		s.y += body * lead
	}
	s.y += 3
}

func (p Pairs) set(s *sheet) {
	label := 0.0
	for _, v := range p {
		label = max(label, s.width(v[0], body))
	}
	for _, v := range p {
		for i, l := range s.lines(v[1], body, s.w-2*margin-label-14) {
			s.room(body * lead)
			if i == 0 {
				s.put(ink{x: margin, y: s.y, size: body, text: v[0] + "："})
			}
			if l != "" {
				s.put(ink{x: margin + label + 14, y: s.y, size: body, text: l})
			}
			s.y += body * lead
		}
	}
	s.y += 6
}

func (t Table) set(s *sheet) {
	shares := 0.0
	for _, c := range t.Columns {
		shares += c.Share
	}
	var at, wide []float64
	x := margin
	for _, c := range t.Columns {
		w := (s.w - 2*margin) * c.Share / shares
		at, wide = append(at, x), append(wide, w)
		x += w
	}
	s.room(60)
	t.heading(s, at, wide)
	for _, r := range t.Rows {
		t.row(s, at, wide, r)
	}
	s.y += 8
}

// size is that of text in a column; a line is 1.35 times as high.
func (c Column) size() float64 {
	if c.Small {
		return 7
	}
	return 9
}

const cellLead = 1.35

// row sets a row. It begins on a new page when this one has no room for it; one
// that is longer than a page goes on on the next.
func (t Table) row(s *sheet, at, wide []float64, cells []string) {
	set := make([][]string, len(t.Columns))
	for i, c := range t.Columns {
		set[i] = s.lines(cells[i], c.size(), wide[i]-2*pad)
	}
	height := func() (h float64) {
		for i, c := range t.Columns {
			h = max(h, float64(len(set[i]))*c.size()*cellLead)
		}
		return h + 2*pad
	}
	if end := s.h - bottom; s.y+height() > end && (height() < end-margin-40 || s.y > end-80) {
		s.newPage()
		t.heading(s, at, wide)
	}
	for {
		part := min(height(), s.h-bottom-s.y)
		left := false
		for i, c := range t.Columns {
			line := c.size() * cellLead
			n := min(len(set[i]), int((part-2*pad)/line+.001))
			for j, l := range set[i][:n] {
				if l != "" {
					s.put(ink{x: at[i] + pad, y: s.y + pad + float64(j)*line, size: c.size(), text: l})
				}
			}
			set[i] = set[i][n:]
			left = left || len(set[i]) > 0
		}
		box(s, at, wide, part)
		if !left {
			return
		}
		s.newPage()
		t.heading(s, at, wide)
	}
}

// box rules a row and goes below it.
func box(s *sheet, at, wide []float64, height float64) {
	end := at[len(at)-1] + wide[len(wide)-1]
	for _, x := range append(slices.Clip(at), end) {
		s.put(ink{x: x, y: s.y, x2: x, y2: s.y + height})
	}
	s.put(ink{x: margin, y: s.y, x2: end, y2: s.y})
	s.put(ink{x: margin, y: s.y + height, x2: end, y2: s.y + height})
	s.y += height
}

// heading sets the table's head.
func (t Table) heading(s *sheet, at, wide []float64) {
	for i, c := range t.Columns {
		s.put(ink{x: at[i] + pad, y: s.y + pad, size: 9, text: c.Title, bold: true})
	}
	box(s, at, wide, 9*cellLead+2*pad)
}

func (g Signatures) set(s *sheet) {
	s.y += 10
	for _, who := range g {
		s.room(34)
		x := margin + s.width(who, body) + 16
		s.put(ink{x: margin, y: s.y + 8, size: body, text: who + "："})
		s.put(ink{x: x, y: s.y + 21, x2: x + 190, y2: s.y + 21})
		s.put(ink{x: x + 200, y: s.y + 8, size: body, text: "\u3000\u3000年\u3000\u3000月\u3000\u3000日"})
		s.y += 34
	}
}
