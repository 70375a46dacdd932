package rounds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// Whereabouts is what a bedside page says of where it is, and the address it says so from.
type Whereabouts struct {
	State ward.PositionState // empty: nothing is said of the position
	Fix   ward.Fix           // of PositionGiven
	Addr  netip.Addr
}

// reportsMost is how often one visit's page may say where it is; the last one counts.
const reportsMost = 6

// placeEvent is the body of the event "where". A position is judged when it
// comes and then forgotten: only the side of the fence and a distance band stay.
type placeEvent struct {
	Site     int                `json:"site"` // version of the settings
	State    ward.PositionState `json:"state,omitempty"`
	Position ward.Whereabouts   `json:"position,omitempty"`
	Band     int                `json:"band_m,omitempty"` // beyond the fence; 0: farther than the bands
	Network  ward.Outcome       `json:"network,omitempty"`
}

// Where judges what the page at the bedside says of where it is. It is taken
// between the consent and the session, and the answer says nothing.
func (e *Engine) Where(ctx context.Context, device string, w Whereabouts) error {
	v, err := e.Store.VisitByDevice(ctx, hashOf(device))
	if err != nil {
		return err
	}
	site, err := siteOf(ctx, e.Store, v)
	if err != nil || !site.Asks() {
		return err
	}
	body := map[string]any{"site": site.Version}
	if len(site.Networks) > 0 {
		body["network"] = site.Network(w.Addr)
	}
	if site.Fence != nil && w.State != "" {
		body["state"] = w.State
		if w.State == ward.PositionGiven {
			side, beyond := site.Fence.Judge(w.Fix)
			body["position"] = side
			if side == ward.Outside || side == ward.Shifted {
				body["band_m"] = ward.Band(beyond)
			}
		}
	}
	return e.Store.Sited(ctx, v.ID, reportsMost, body)
}

// checkWhere does the checks of place that the institution's settings ask for.
// Its result has all of them even when the session ends before they are done.
func (s *session) checkWhere(ctx context.Context) ([]ward.Check, error) {
	site, err := siteOf(ctx, s.e.Store, s.visit)
	if err != nil || site.Version == 0 {
		return nil, err
	}
	events, err := s.e.Store.VisitEvents(ctx, s.visit.ID)
	if err != nil {
		return nil, err
	}
	if err = s.event(ctx, "place", map[string]any{"site": site.Version}); err != nil {
		return nil, err
	}
	judges, err := codeJudges(ctx, s.e.Store, site, s.visit)
	if err != nil {
		return nil, err
	}
	checks := judgeReport(site, lastReport(events))
	for _, j := range judges {
		if err == nil {
			p := showWardCode()
			if j.check().Kind == ward.CheckBed {
				p = showBedCode()
			}
			err = s.showCode(ctx, p, j)
		}
		c := j.check()
		if err == nil {
			err = s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
		}
		checks = append(checks, c)
	}
	for i := range checks {
		checks[i].VisitID, checks[i].At = s.visit.ID, time.Now()
	}
	return checks, err
}

// codeJudges are those that a site's settings want, in the order of asking.
func codeJudges(ctx context.Context, store *storage.Store, site ward.Site, v ward.Visit) (out []codeJudge, err error) {
	if site.WardCode {
		key, err := store.WardKey(ctx, site, v.Ward)
		if err != nil {
			return nil, err
		}
		out = append(out, &wardCodes{key: key})
	}
	if site.BedCode {
		out = append(out, &bedCodes{whose: func(ctx context.Context, number string) (bool, bool, error) {
			return store.NumberOf(ctx, v.InstitutionID, v.AdmissionID, number)
		}})
	}
	return out, nil
}

// lastReport joins the events "where": what was told last counts.
func lastReport(events []ward.VisitEvent) placeEvent {
	var last placeEvent
	for _, e := range events {
		var r placeEvent
		if e.Kind != "where" || json.Unmarshal([]byte(e.Body), &r) != nil { // we wrote it; a damaged one reads as none
			continue
		}
		if r.State == "" {
			r.State, r.Position, r.Band = last.State, last.Position, last.Band
		}
		last = r
	}
	return last
}

// judgeReport are the checks that need no camera.
func judgeReport(site ward.Site, r placeEvent) []ward.Check {
	var out []ward.Check
	if site.Fence != nil {
		c := ward.Check{Kind: ward.CheckPosition}
		c.Outcome, c.DetailZH, c.DetailEN = positionSays(r)
		out = append(out, c)
	}
	if len(site.Networks) > 0 {
		c := ward.Check{Kind: ward.CheckNetwork, Outcome: r.Network}
		switch r.Network {
		case ward.Pass:
			c.DetailZH, c.DetailEN = "床旁设备来自机构网络。", "The bedside comes from the institution's network."
		case ward.Fail:
			c.DetailZH, c.DetailEN = "床旁设备不在机构网络内（使用手机流量时也会如此）。", "The bedside is not in the institution's network (so is a phone on mobile data)."
		case ward.Unsure, ward.NotDone, "":
			c.Outcome = ward.NotDone
			c.DetailZH, c.DetailEN = "无法得知床旁设备的网络地址（可能前置了代理）。", "The bedside's address is not known (a proxy may hide it)."
		}
		out = append(out, c)
	}
	return out
}

func positionSays(r placeEvent) (o ward.Outcome, zh, en string) {
	switch r.State {
	case ward.PositionRefused:
		return ward.NotDone, "床旁未同意提供位置（这是其权利，不作不利推定）。", "The bedside did not agree to tell its position, as it may."
	case ward.PositionUnavailable:
		return ward.NotDone, "设备无法定位。", "The device could not tell its position."
	case ward.PositionGiven:
	default:
		return ward.NotDone, "未收到位置。", "No position was reported."
	}
	zh, en = bandSays(r.Band)
	switch r.Position {
	case ward.Inside:
		return ward.Pass, "设备报告的位置在围栏内（浏览器定位可以伪造，仅供参考）。", "The position that the device told is inside the fence (a browser's position can be forged)."
	case ward.Outside:
		return ward.Fail, "设备报告的位置在围栏外，相距" + zh + "。", "The position that the device told is outside the fence, " + en + " away."
	case ward.Shifted:
		return ward.Unsure, "设备报告的位置在围栏外，相距" + zh + "；若设备给出的是 GCJ-02 偏移坐标，则在围栏内。", "The position is outside the fence, " + en + " away; if the device told shifted coordinates (GCJ-02) it is inside."
	case ward.Vague:
		return ward.Unsure, "定位精度不足，无法判断是否在围栏内。", "The position is too vague to tell on which side of the fence it is."
	case ward.BadFix:
	}
	return ward.NotDone, "设备报告的位置无效。", "The position that the device told is none."
}

func bandSays(band int) (zh, en string) {
	if band == 0 {
		return "10 千米以上", "more than 10 km"
	}
	if band >= 1000 {
		return fmt.Sprintf("不足 %d 千米", band/1000), fmt.Sprintf("less than %d km", band/1000)
	}
	return fmt.Sprintf("不足 %d 米", band), fmt.Sprintf("less than %d m", band)
}
