package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// plan finds out what a table of cameras would do to the catalogue as it is.
type plan struct {
	can          func(ward.InstitutionID) bool // the caller may manage its cameras
	layout       layout
	now          time.Time
	institutions []ward.Institution          // that the caller may manage
	places       map[ward.PlaceID]ward.Place // of those
	named        map[placeName][]ward.Place
	cameras      map[ward.CameraID]ward.Camera
	taken        map[ward.CameraID][]ward.InstitutionID
	addresses    map[string]ward.CameraID // by institution and main URL

	lines  map[ward.CameraID]int // of this file, where an id came first
	typed  map[string]int        // likewise, institution and main URL of rows without an id
	made   map[ward.PlaceID]bool // places that this file makes
	change storage.CameraImport
	rows   []ImportRow
}

// newPlan reads what the rows of the file may refer to.
func (s *Server) newPlan(ctx context.Context, l layout, lines []sheetLine) (*plan, error) {
	who := callerOf(ctx)
	p := &plan{
		can: func(i ward.InstitutionID) bool { return who.May(ward.MayManage, i) }, layout: l, now: s.now(),
		addresses: map[string]ward.CameraID{}, places: map[ward.PlaceID]ward.Place{}, named: map[placeName][]ward.Place{},
		lines: map[ward.CameraID]int{}, typed: map[string]int{}, made: map[ward.PlaceID]bool{},
	}
	var ids []ward.CameraID
	for _, line := range lines {
		if id := (&rowReader{layout: l, cells: line.cells}).text(colID); ward.ValidID(id) {
			ids = append(ids, ward.CameraID(id))
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var err error
	if p.institutions, err = s.Store.Institutions(ctx, who.scope()); err != nil {
		return nil, err
	}
	places, err := s.Store.Places(ctx, who.scope())
	if err != nil {
		return nil, err
	}
	for _, x := range places {
		p.addPlace(x)
	}
	if p.cameras, err = s.Store.CamerasByID(ctx, ids); err != nil {
		return nil, err
	}
	if p.taken, err = s.Store.CameraIDsTaken(ctx, ids); err != nil {
		return nil, err
	}
	all, err := s.Store.Cameras(ctx, who.scope())
	for _, c := range all {
		p.addresses[addressKey(c)] = c.ID
	}
	return p, err
}

// placeName is what a row calls a place by; several may have the same.
type placeName struct {
	institution ward.InstitutionID
	name        string
}

func (p *plan) addPlace(x ward.Place) {
	p.places[x.ID] = x
	key := placeName{x.InstitutionID, x.Name}
	p.named[key] = append(p.named[key], x)
}

func addressKey(c ward.Camera) string { return string(c.InstitutionID) + " " + c.URL }

// read plans one row.
func (p *plan) read(l sheetLine) {
	r := &rowReader{layout: p.layout, cells: l.cells}
	row := ImportRow{Line: l.line, ID: ward.CameraID(r.text(colID)), Name: r.text(colName)}
	if l.fault != nil {
		r.problem("", l.fault)
	} else {
		if p.beside(l.cells) {
			r.problem("", badSheet("cells", "有内容不在任何列名之下，请检查分隔符和引号。", "There is something under no column's name; check separators and quotes."))
		}
		p.plan(r, &row)
	}
	row.Problems, row.Notes = list(r.problems), list(r.notes)
	if len(r.problems) > 0 {
		row.Action = ImportError
	}
	p.rows = append(p.rows, row)
}

// beside says whether something stands where the header names no column.
func (p *plan) beside(cells []string) bool {
	named := make([]bool, len(cells))
	for _, i := range p.layout {
		if i < len(named) {
			named[i] = true
		}
	}
	for i, cell := range cells {
		if !named[i] && trimmed(cell) != "" {
			return true
		}
	}
	return false
}

func (p *plan) plan(r *rowReader, row *ImportRow) {
	was, exists := p.cameras[row.ID]
	c := ward.Camera{ID: row.ID, Enabled: true}
	switch {
	case exists && !p.can(was.InstitutionID):
		r.fault("id", errIDTaken())
		exists = false
	case exists:
		c = was
		if row.Name == "" {
			row.Name = was.Name
		}
	case row.ID == "":
		c.ID = ward.NewID[ward.CameraID](p.now)
	}
	if row.ID != "" {
		if first, twice := p.lines[row.ID]; twice {
			r.problem("id", badSheet("id_twice", fmt.Sprintf("编号与第 %d 行重复。", first), fmt.Sprintf("The id is that of line %d, too.", first)))
		}
		p.lines[row.ID] = cmp.Or(p.lines[row.ID], row.Line)
	}
	p.place(r, &c, exists)
	settings(r, &c)
	p.inherit(r, was, &c, exists)
	c = c.WithDefaults()
	for _, f := range c.Faults() {
		r.fault(f.Field, f.Err)
	}
	if !exists {
		p.checkNew(r, row, c)
	}
	row.InstitutionID, row.Action = c.InstitutionID, ImportAdd
	switch {
	case exists && c == was:
		row.Action = ImportSame
	case exists:
		row.Action = ImportChange
		p.change.Change = append(p.change.Change, storage.CameraChange{Was: was, To: c})
	default:
		p.change.Add = append(p.change.Add, c)
		row.ID = c.ID
	}
}

// inherit sees to the stored password of a camera that changes.
func (p *plan) inherit(r *rowReader, was ward.Camera, c *ward.Camera, exists bool) {
	if c.PasswordLost {
		lost(r, was, c)
		return
	}
	if !exists || was.Password == "" || c.Password != was.Password {
		return
	}
	switch {
	case c.User == "" && was.User != "":
		c.Password = "" // no user, no password
		r.note("用户名已清空，所存密码将一并删除。", "The user was emptied; the stored password will be removed with it.")
	case !was.MayInherit(*c) && !r.typed(colPassword):
		r.fault("password", errPasswordAgain())
	}
}

// lost sees to a stored password that cannot be read and was not typed again.
// Such a camera may stay as it is, and is told.
func lost(r *rowReader, was ward.Camera, c *ward.Camera) {
	err := ward.ErrPasswordLost()
	switch {
	case c.User == "" && was.User != "":
		c.PasswordLost = false // no user, no password
	case c.WithDefaults() == was:
		r.note(err.ZH, err.EN)
	default:
		r.fault("password", err)
	}
}

// checkNew looks at what only a new camera can collide with.
func (p *plan) checkNew(r *rowReader, row *ImportRow, c ward.Camera) {
	if slices.ContainsFunc(p.taken[c.ID], func(i ward.InstitutionID) bool { return i != c.InstitutionID }) {
		r.fault("id", errIDTaken())
	}
	if row.ID != "" || c.URL == "" {
		return
	}
	// Without an id, a file that is imported twice would add everything twice.
	key := addressKey(c)
	if id, there := p.addresses[key]; there {
		r.problem("url", badSheet("url_there", fmt.Sprintf("该机构已有此地址的摄像头，编号 %s；要修改它，请在编号栏填写该编号。", id), fmt.Sprintf("The institution has a camera at this address already, %s; to change it, give that id.", id)))
	}
	if first, twice := p.typed[key]; twice {
		r.problem("url", badSheet("url_twice", fmt.Sprintf("地址与第 %d 行相同；若确为两个摄像头，请分别填写编号。", first), fmt.Sprintf("Line %d has the same address; if these are two cameras, give each an id.", first)))
	}
	p.typed[key] = cmp.Or(p.typed[key], row.Line)
}
