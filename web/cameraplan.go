package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// place finds the row's institution and place, or plans the place.
func (p *plan) place(r *rowReader, c *ward.Camera, exists bool) {
	inst, ok := p.institution(r, c, exists)
	if !ok {
		return
	}
	c.InstitutionID = inst
	name := r.text(colPlace)
	kind, kindTyped := typedWord(r, colKind, kindWords())
	if exists && name == "" && !kindTyped {
		return // as it is
	}
	if exists && name == "" {
		name = p.places[c.PlaceID].Name
	}
	if name == "" {
		r.problem("place", badSheet("place", "请填写地点。", "Name the place."))
		return
	}
	named := slices.DeleteFunc(slices.Clone(p.named[placeName{inst, name}]), func(x ward.Place) bool { return kindTyped && x.Kind != kind })
	stays := exists && slices.ContainsFunc(named, func(x ward.Place) bool { return x.ID == c.PlaceID })
	switch {
	case r.faulty["place_kind"] || stays:
	case len(named) == 1:
		c.PlaceID = named[0].ID
		if p.made[c.PlaceID] {
			r.note(fmt.Sprintf("将新建地点“%s”（%s）。", name, said(kindWords(), named[0].Kind, true)), fmt.Sprintf("The place %q (%s) will be made.", name, named[0].Kind))
		}
	case len(named) > 1:
		r.problem("place", badSheet("place_unclear", "该机构有几个同名地点，请填写地点类型，或先改名。", "The institution has several places of this name; give the kind of place, or rename them first."))
	case !kindTyped:
		r.problem("place_kind", badSheet("place_kind", "该机构没有这个地点；要新建，请填写地点类型："+choices(kindWords(), true)+"。", "The institution has no such place; to make it, give its kind: "+choices(kindWords(), false)+"."))
	default:
		c.PlaceID = p.newPlace(r, ward.Place{InstitutionID: inst, Name: name, Kind: kind})
	}
}

func (p *plan) newPlace(r *rowReader, n ward.Place) ward.PlaceID {
	if !ward.ValidName(n.Name) {
		r.problem("place", badSheet("place_name", "地点名称最长 64 个字，不含换行等控制字符。", "A place's name has at most 64 characters and no line breaks."))
		return ""
	}
	n.ID = ward.NewID[ward.PlaceID](p.now)
	zh, en := "", ""
	if len(p.named[placeName{n.InstitutionID, n.Name}]) > 0 {
		zh, en = "同名地点已存在，但类型不同。", " There is a place of that name, of another kind."
	}
	r.note(fmt.Sprintf("将新建地点“%s”（%s）。", n.Name, said(kindWords(), n.Kind, true))+zh, fmt.Sprintf("The place %q (%s) will be made.", n.Name, n.Kind)+en)
	p.addPlace(n)
	p.change.Places, p.made[n.ID] = append(p.change.Places, n), true
	return n.ID
}

// institution is the one that the row names by id, name or both. One that the
// caller may not manage is unknown.
func (p *plan) institution(r *rowReader, c *ward.Camera, exists bool) (ward.InstitutionID, bool) {
	id, name := ward.InstitutionID(r.text(colInstitution)), r.text(colInstitutionAs)
	if id == "" && name == "" && exists {
		return c.InstitutionID, true
	}
	var found []ward.Institution
	for _, i := range p.institutions {
		if (id == "" || i.ID == id) && (name == "" || i.Name == name) && p.can(i.ID) {
			found = append(found, i)
		}
	}
	switch {
	case id == "" && name == "":
		r.problem("institution_id", badSheet("institution", "请填写机构编号或机构名称。", "Give the institution's id or name."))
	case len(found) == 0 && id != "" && name != "" && slices.ContainsFunc(p.institutions, func(i ward.Institution) bool { return i.ID == id }):
		r.problem("institution", badSheet("institution_differs", "机构编号与机构名称不是同一家。", "The institution's id and name are not of the same one."))
	case len(found) == 0:
		r.fault("institution_id", unknownInstitution())
	case len(found) > 1:
		r.problem("institution_id", badSheet("institution_unclear", "有几家同名机构，请填写机构编号。", "Several institutions have this name; give the id."))
	case exists && found[0].ID != c.InstitutionID:
		r.problem("institution_id", badSheet("institution_moves", "摄像头不能改到其他机构，请在那里新增一个摄像头。", "A camera cannot move to another institution; add a new camera there."))
	default:
		return found[0].ID, true
	}
	return c.InstitutionID, false
}

// settings puts the row's cells into c. An empty cell leaves what is there,
// but takes away the sub stream, user, fingerprint and hours.
func settings(r *rowReader, c *ward.Camera) {
	r.set(colName, &c.Name)
	r.address(colURL, &c.URL, c)
	r.address(colSubURL, &c.SubURL, c)
	if r.has(colSubURL) && r.text(colSubURL) == "" {
		c.SubURL = ""
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
