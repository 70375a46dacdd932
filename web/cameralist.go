package web

import (
	"context"
	"slices"
	"strings"

	"wardwatch/ward"
)

// CameraFilter narrows the list of cameras. Without a limit it is the whole list.
type CameraFilter struct {
	InstitutionFilter
	PlaceID ward.PlaceID `query:"place_id" maxLength:"64" doc:"Only this place"`
	State   string       `query:"state" enum:"connecting,live,down,disabled,unknown"`
	Search  string       `query:"q" maxLength:"100" doc:"Part of the id, name, address, place or institution"`
	Cursor  string       `query:"cursor" maxLength:"140" doc:"Next of the page before"`
	Limit   int          `query:"limit" minimum:"0" maximum:"200" doc:"0: all"`
}

// CameraPage is a page of cameras, by institution and id.
type CameraPage struct {
	Page[Camera]
	Total  int            `json:"total" doc:"That match, on all pages"`
	States map[string]int `json:"states" doc:"How many are in each state, whatever state is asked for"`
}

func (s *Server) listCameras(ctx context.Context, in *CameraFilter) (*body[CameraPage], error) {
	scope := callerOf(ctx).narrow(in.InstitutionID)
	cameras, err := s.Store.Cameras(ctx, scope)
	if err != nil {
		return nil, err
	}
	matches := func(ward.Camera) bool { return true }
	if in.Search != "" {
		if matches, err = s.matcher(ctx, scope, in.Search); err != nil {
			return nil, err
		}
	}
	out := CameraPage{States: map[string]int{}}
	out.Items = []Camera{}
	for _, c := range cameras {
		if in.PlaceID != "" && c.PlaceID != in.PlaceID || !matches(c) {
			continue
		}
		v := s.cameraView(c)
		out.States[v.Live.State]++
		if in.State == "" || v.Live.State == in.State {
			out.Items = append(out.Items, v)
		}
	}
	out.Total = len(out.Items)
	if in.Limit > 0 {
		// The database's order of ids is its collation's.
		slices.SortFunc(out.Items, func(a, b Camera) int { return strings.Compare(orderOf(a), orderOf(b)) })
		out.cut(in.Cursor, in.Limit)
	}
	return answer(out, nil)
}

// orderOf is a camera's place in the list, and the cursor behind it: what is
// of one institution stays together. No id has a dot in it.
func orderOf(c Camera) string { return string(c.InstitutionID) + "." + string(c.ID) }

// cut keeps the limit items behind cursor.
func (p *CameraPage) cut(cursor string, limit int) {
	from, found := slices.BinarySearchFunc(p.Items, cursor, func(c Camera, at string) int { return strings.Compare(orderOf(c), at) })
	if found {
		from++
	}
	p.Items = p.Items[from:]
	if len(p.Items) > limit {
		p.Items, p.Next = p.Items[:limit], orderOf(p.Items[limit-1])
	}
}

// matcher finds text in what a camera's row shows.
func (s *Server) matcher(ctx context.Context, scope []ward.InstitutionID, text string) (func(ward.Camera) bool, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	has := func(v string) bool { return strings.Contains(strings.ToLower(v), text) }
	institutions, err := s.Store.Institutions(ctx, scope)
	if err != nil {
		return nil, err
	}
	places, err := s.Store.Places(ctx, scope)
	if err != nil {
		return nil, err
	}
	inst, place := map[ward.InstitutionID]bool{}, map[ward.PlaceID]bool{}
	for _, i := range institutions {
		inst[i.ID] = has(i.Name) || has(string(i.ID))
	}
	for _, p := range places {
		place[p.ID] = has(p.Name)
	}
	return func(c ward.Camera) bool {
		return inst[c.InstitutionID] || place[c.PlaceID] || has(string(c.ID)) || has(c.Name) || has(c.URL) || has(c.SubURL)
	}, nil
}
