package web

import (
	"fmt"
	"slices"

	"wardwatch/ward"
)

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
