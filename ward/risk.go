package ward

import (
	"fmt"
	"time"
)

// RiskVersion names the weights below. Whoever changes one counts it up: an
// ordered round has sealed which version ranked its beds.
const RiskVersion = 1

// How far back the facts of a risk reach.
const (
	RiskAlertsBack = 180 * 24 * time.Hour // alerts of the insured
	RiskPlaceBack  = 30 * 24 * time.Hour  // alerts of the institution
)

// RiskFacts is what is known of one stay.
type RiskFacts struct {
	Confirmed   int           // alerts of the insured that were confirmed
	Open        int           // alerts of the insured that wait for a decision
	Stay        time.Duration // since admission
	Unseen      int           // bills of the insured during the stay, at a place that was watched, where nobody was seen
	Unwatched   int           // such bills where nothing was watched
	PlaceAlerts int           // confirmed and open alerts of the institution
	PlaceBills  int           // settlements of the institution in the same time
}

// RiskPartKind names a part of a risk.
type RiskPartKind string

// The parts of a risk.
const (
	RiskAlerts RiskPartKind = "alerts"      // of the insured
	RiskStay   RiskPartKind = "stay"        // length of stay
	RiskUnseen RiskPartKind = "unseen"      // bills without sightings
	RiskPlace  RiskPartKind = "institution" // alerts of the institution
)

// RiskPart is how many points of Most a part gave, and why.
type RiskPart struct {
	Kind   RiskPartKind `json:"kind"`
	Points int          `json:"points"`
	Most   int          `json:"most"`
	ZH     string       `json:"zh"`
	EN     string       `json:"en"`
}

// Risk ranks a stay for a visit: 0 (nothing known) to 100. It accuses nobody:
// it only says where to look first.
type Risk struct {
	Version int        `json:"version"`
	Score   int        `json:"score"`
	Parts   []RiskPart `json:"parts"`
}

// The weights, in points.
const (
	riskConfirmed   = 20 // each confirmed alert
	riskOpen        = 10 // each open alert
	riskMostAlerts  = 40
	riskStayFree    = 14 // days without points; then one a day
	riskMostStay    = 20
	riskUnseen      = 5 // each bill where nobody was seen
	riskUnwatched   = 1 // each bill that nothing watched
	riskMostUnseen  = 25
	riskPerThousand = 1 // each alert per 1,000 bills of the institution
	riskMostPlace   = 15
)

// RiskOf is the risk by the facts alone. The table:
//
//	part         points                                             at most
//	alerts       20 a confirmed, 10 an open alert of the insured     40
//	unseen       5 a bill where nobody was seen, 1 an unwatched one  25
//	stay         1 a day beyond the 14th                             20
//	institution  1 an alert per 1,000 of its bills, rounded down     15
//
// A part without a reason gives no points and is listed all the same.
func RiskOf(f RiskFacts) Risk {
	days := max(0, int(f.Stay/(24*time.Hour)))
	rate := 0
	if f.PlaceBills > 0 {
		rate = max(0, f.PlaceAlerts) * 1000 / f.PlaceBills
	}
	part := func(kind RiskPartKind, points, most int, zh, en string) RiskPart {
		return RiskPart{kind, min(max(0, points), most), most, zh, en}
	}
	r := Risk{Version: RiskVersion, Parts: []RiskPart{
		part(RiskAlerts, riskConfirmed*f.Confirmed+riskOpen*f.Open, riskMostAlerts,
			fmt.Sprintf("本人疑点：已确认 %d 条，待处理 %d 条（近 180 天）", f.Confirmed, f.Open),
			fmt.Sprintf("Own alerts: %d confirmed, %d open (180 days)", f.Confirmed, f.Open)),
		part(RiskUnseen, riskUnseen*f.Unseen+riskUnwatched*f.Unwatched, riskMostUnseen,
			fmt.Sprintf("住院期间结算：有监控而未见人 %d 笔，无监控 %d 笔", f.Unseen, f.Unwatched),
			fmt.Sprintf("Bills during the stay: %d watched with nobody seen, %d not watched", f.Unseen, f.Unwatched)),
		part(RiskStay, days-riskStayFree, riskMostStay,
			fmt.Sprintf("已住院 %d 天（超过 14 天计分）", days), fmt.Sprintf("In hospital for %d days (counts beyond 14)", days)),
		part(RiskPlace, riskPerThousand*rate, riskMostPlace,
			fmt.Sprintf("机构疑点：每千笔结算 %d 条（近 30 天）", rate), fmt.Sprintf("Institution: %d alerts per 1,000 bills (30 days)", rate)),
	}}
	for _, p := range r.Parts {
		r.Score += p.Points
	}
	return r
}
