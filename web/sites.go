package web

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/internal/barcode"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// SiteChange is the next version of an institution's site.
type SiteChange struct {
	ward.Site

	FreshCodes bool `json:"fresh_codes,omitempty" doc:"Make the wards' codes from a new secret; those on show are void at once"`
}

// BedsideWhere is what the page at the bedside says of where it is.
type BedsideWhere struct {
	State     ward.PositionState `json:"state"`
	Latitude  float64            `json:"latitude,omitempty" minimum:"-90" maximum:"90"`
	Longitude float64            `json:"longitude,omitempty" minimum:"-180" maximum:"180"`
	Accuracy  float64            `json:"accuracy_m,omitempty" minimum:"0"`
}

// pictureOutput is an SVG that no cache keeps.
type pictureOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (s *Server) siteRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"rounds"}
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/sites", OperationID: "listSites", Summary: "Where institutions' bedsides are, and which checks of place visits have", Tags: tags}, s.listSites)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/sites", OperationID: "setSite", Summary: "Set an institution's fence, networks and codes: a new version, sealed in the ledger", Tags: tags}, s.setSite)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/where", OperationID: "bedsideWhere", Summary: "Say where the bedside is, after the consent; the position is judged and not kept", Tags: []string{"bedside"}, DefaultStatus: http.StatusNoContent}, s.bedsideWhere)
	op := huma.Operation{Method: http.MethodGet, Path: v1 + "/tablet/ward-code", OperationID: "tabletWardCode", Summary: "The ward's code of these 30 s, to be shown to bedside cameras", Tags: []string{"tablet"}}
	op.Responses = map[string]*huma.Response{"200": {Description: "A QR code", Content: map[string]*huma.MediaType{"image/svg+xml": {}}}}
	add(r, wardTablet(), op, s.tabletWardCode)
}

func (s *Server) listSites(ctx context.Context, _ *none) (*body[Page[ward.Site]], error) {
	return items(s.Store.Sites(ctx))
}

// setSite: version is the institution's that was read; who and when are the caller's.
func (s *Server) setSite(ctx context.Context, in *body[SiteChange]) (*body[ward.Site], error) {
	v := in.Body.Site
	v.By = callerOf(ctx).ID
	got, err := s.Store.SetSite(ctx, v, in.Body.FreshCodes)
	return answer(got, inBody(err))
}

func (s *Server) bedsideWhere(ctx context.Context, in *body[BedsideWhere]) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	b := in.Body
	fix := ward.Fix{At: ward.GeoPoint{Lat: b.Latitude, Lon: b.Longitude}, Accuracy: b.Accuracy}
	return &empty{}, e.Where(ctx, deviceOf(ctx), rounds.Whereabouts{State: b.State, Fix: fix, Addr: addrOf(ctx)})
}

// addrOf is the address that a request comes from; none when it has none.
func addrOf(ctx context.Context) netip.Addr {
	addr, err := netip.ParseAddr(clientOf(ctx).addr)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

func (s *Server) tabletWardCode(ctx context.Context, _ *none) (*pictureOutput, error) {
	t := tabletOn(ctx)
	site, err := s.Store.Site(ctx, t.InstitutionID)
	if err != nil {
		return nil, err
	}
	key, err := s.Store.WardKey(ctx, site, t.Ward)
	if err != nil {
		return nil, err
	}
	code, err := barcode.QR(key.Code(ward.CodeStepAt(s.now())))
	if err != nil {
		return nil, fmt.Errorf("draw a ward's code: %w", err)
	}
	return &pictureOutput{"image/svg+xml", "no-store, private", []byte(svgOf(code))}, nil
}

// svgOf draws dark modules, one unit each.
func svgOf(code [][]bool) string {
	var b strings.Builder
	n := len(code)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, n, n, n, n)
	for y, row := range code {
		for x, dark := range row {
			if dark {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}
