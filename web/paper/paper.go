// Package paper sets printed documents as PDF/A4 with an embedded subset of one
// Chinese font. It knows nothing of what the documents say.
//
// The same Document gives the same bytes: dates come from the document.
package paper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/signintech/gopdf"

	"wardwatch/ward"
)

// Document is what is printed, block after block.
type Document struct {
	Title  string // centred, large
	Number string // below the title, and at the foot of every page
	Office string // above the title; empty: nothing
	Made   time.Time
	Wide   bool // landscape
	Blocks []Block
}

// Block is a part of a Document, set below the one before.
type Block interface{ set(*sheet) }

// Text is a paragraph; Indent is the Chinese indent of two characters.
type Text struct {
	Text   string
	Bold   bool
	Indent bool
	Right  bool
}

// Pairs is a list of labels with their values.
type Pairs [][2]string

// Table has a head that is repeated on every page. A row is never cut, but one
// that is longer than a page.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Column of a Table; Share is its part of the width among all shares.
type Column struct {
	Title string
	Share float64
	Small bool // for hashes
}

// Signatures are lines to sign on, with who signs below which.
type Signatures []string

// Printer sets documents in one font.
type Printer struct{ font []byte }

// ErrNoFont says that nothing can be printed.
var ErrNoFont = &ward.Error{Kind: ward.Unavailable, Code: "print.font", ZH: "缺少打印用的中文字体，请管理员重新执行安装。", EN: "The font for printing is missing; ask the administrator to run the set-up again."}

// Open reads a TrueType font (glyf outlines).
func Open(name string) (*Printer, error) {
	b, err := os.ReadFile(name) // #nosec G304 -- the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoFont, err)
	}
	p := &Printer{b}
	if _, err := p.begin(Document{}); err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	return p, nil
}

// missing stands for a character that the font lacks: U+3013, the mark that
// printers put where a character is missing. The document then ends with which.
const missing = '〓'

// begin makes the file and notes the characters that the font lacks.
func (p *Printer) begin(d Document) (*sheet, error) {
	s := &sheet{d: d, lacks: map[rune]int{}, widths: map[rune]float64{}}
	size := *gopdf.PageSizeA4
	if d.Wide {
		size = gopdf.Rect{W: size.H, H: size.W}
	}
	s.w, s.h = size.W, size.H
	s.pdf.Start(gopdf.Config{PageSize: size})
	s.pdf.SetInfo(gopdf.PdfInfo{Title: d.Title + " " + d.Number, Producer: "wardwatch", CreationDate: d.Made.UTC()})
	err := s.pdf.AddTTFFontDataWithOption("text", p.font, gopdf.TtfOption{OnGlyphNotFoundSubstitute: func(r rune) rune {
		s.lacks[r]++
		return missing
	}})
	if err == nil {
		err = s.pdf.SetFont("text", "", body)
	}
	return s, err
}

// Print writes the document.
func (p *Printer) Print(w io.Writer, d Document) error {
	s, err := p.begin(d)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	s.newPage()
	s.head()
	for _, b := range d.Blocks {
		b.set(s)
	}
	s.foot()
	if err := s.emit(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if _, err := s.pdf.WriteTo(w); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (s *sheet) emit() (err error) {
	for i, page := range s.pages {
		s.pdf.AddPage()
		page = append(page, ink{x: margin, y: s.h - 34, size: small, text: s.d.Number}, ink{x: s.w - margin - s.width(pageOf(i+1, len(s.pages)), small), y: s.h - 34, size: small, text: pageOf(i+1, len(s.pages))})
		for _, k := range page {
			if k.text == "" {
				s.pdf.SetLineWidth(.5)
				s.pdf.Line(k.x, k.y, k.x2, k.y2)
				continue
			}
			s.pdf.SetXY(k.x, k.y)
			// Bold is drawn twice, a little aside: one font is embedded.
			err = errors.Join(err, s.pdf.SetFontSize(k.size), s.pdf.Cell(nil, k.text))
			if k.bold {
				s.pdf.SetXY(k.x+.35, k.y)
				err = errors.Join(err, s.pdf.Cell(nil, k.text))
			}
		}
	}
	return err
}

func pageOf(n, of int) string { return fmt.Sprintf("第 %d 页 共 %d 页", n, of) }
