package ward

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Rule names a rule of the correlator.
type Rule string

// The rules.
const (
	NobodyAtCounter   Rule = "nobody_at_counter"    // 空刷
	MoreCardsThanFolk Rule = "more_cards_than_folk" // 人卡比
	OneFaceManyCards  Rule = "one_face_many_cards"  // 一人多卡
	CardsHoarded      Rule = "cards_hoarded"        // 存押卡
	OneCardManyFaces  Rule = "one_card_many_faces"  // 一卡多人
	FaceMismatch      Rule = "face_mismatch"        // 冒名
	ImpossibleTravel  Rule = "impossible_travel"    // 异地同时刷卡
	BatchSwiping      Rule = "batch_swiping"        // 串刷
	OutOfHours        Rule = "out_of_hours"         // 非营业时间刷卡
	DrugNotCollected  Rule = "drug_not_collected"   // 无人取药
	KnownCollector    Rule = "known_collector"      // 代取药
	SettledBlind      Rule = "settled_blind"        // 盲区结算
	NoPhysician       Rule = "no_physician"         // 治疗无医师
	Loitering         Rule = "loitering"            // 窗口滞留
	BlindUnreported   Rule = "blind_unreported"     // 未报备停机
)

// OfBlind says whether the rule is about a blind period.
func (r Rule) OfBlind() bool { return r == BlindUnreported }

// OfPerson says whether the rule's alerts are about the insured person, so
// that those of one person belong together wherever they are; the others' are
// about what happens at a place.
func (r Rule) OfPerson() bool {
	return r == OneCardManyFaces || r == FaceMismatch || r == ImpossibleTravel
}

// OfStay says whether the rule is about somebody's stay: it makes sightings,
// and no alerts, so that it is never live. The others are about a settlement.
func (r Rule) OfStay() bool { return r == Loitering }

// RuleMode says what becomes of a rule's alerts.
type RuleMode string

// The modes of a rule.
const (
	RuleLive   RuleMode = "live"   // shown to inspectors
	RuleShadow RuleMode = "shadow" // recorded, not shown: to see how good the rule is
	RuleOff    RuleMode = "off"    // not asked
)

// ParamUnit says how a figure of a rule is written.
type ParamUnit string

// The units of figures.
const (
	InSeconds   ParamUnit = "seconds"
	InMinutes   ParamUnit = "minutes"
	InDays      ParamUnit = "days"
	InShare     ParamUnit = "share"      // 0 to 1
	InCosine    ParamUnit = "cosine"     // of two faces
	InCount     ParamUnit = "count"      // whole
	InKm        ParamUnit = "km"         // kilometres
	InKmh       ParamUnit = "km_per_h"   // kilometres an hour
	InDayMinute ParamUnit = "day_minute" // minutes since midnight in Asia/Shanghai, whole
)

// RuleParam is one figure of a rule: its name, range and built-in value.
type RuleParam struct {
	Name    string    `json:"name"`
	Unit    ParamUnit `json:"unit"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	Default float64   `json:"default"`
}

// whole says whether the figure may have no fraction.
func (p RuleParam) whole() bool { return p.Unit == InCount || p.Unit == InDayMinute }

// RuleInfo is what is built in about a rule. A rule begins in shadow when no
// precision of it was measured.
type RuleInfo struct {
	Rule     Rule        `json:"rule"`
	Severity Severity    `json:"severity"`
	Mode     RuleMode    `json:"mode"`
	Params   []RuleParam `json:"params"`
}

// BuiltInVersion is the version of the built-in figures; rows count on from it.
const BuiltInVersion = 1

// RuleSetting is one version of how a rule is set, for one institution or
// for all (empty). The newest for the institution counts, else the newest for
// all, else what is built in.
type RuleSetting struct {
	Rule          Rule               `json:"rule"`
	InstitutionID InstitutionID      `json:"institution_id"` // empty: all
	Version       int                `json:"version"`        // counts over all institutions
	Mode          RuleMode           `json:"mode"`
	Params        map[string]float64 `json:"params"`
	By            UserID             `json:"by"` // empty: built in
	At            time.Time          `json:"at,omitzero"`
	// Inherit: the institution is again judged as all are; Mode and Params are then ignored.
	Inherit bool `json:"inherit"`
}

// BuiltIn is the setting that counts when nobody has set anything.
func (r RuleInfo) BuiltIn() RuleSetting {
	s := RuleSetting{Rule: r.Rule, Version: BuiltInVersion, Mode: r.Mode, Params: make(map[string]float64, len(r.Params))}
	for _, p := range r.Params {
		s.Params[p.Name] = p.Default
	}
	return s
}

// For returns what counts for an institution: the newest of the settings for
// it, else the newest for all, else what is built in. Their order does not
// matter, nor do those of other rules.
func (r RuleInfo) For(inst InstitutionID, settings []RuleSetting) RuleSetting {
	var own, all *RuleSetting
	for i, s := range settings {
		switch {
		case s.Rule != r.Rule:
		case s.InstitutionID == inst && inst != "" && (own == nil || s.Version > own.Version):
			own = &settings[i]
		case s.InstitutionID == "" && (all == nil || s.Version > all.Version):
			all = &settings[i]
		}
	}
	if own != nil && !own.Inherit {
		all = own
	}
	out := r.BuiltIn()
	if all != nil {
		built := out.Params
		out = *all
		out.Params = maps.Clone(built) // for figures that are younger than the row
		maps.Copy(out.Params, all.Params)
	}
	return out
}

// RuleOf returns what is built in about a rule.
func RuleOf(rule Rule) (RuleInfo, bool) {
	all := Rules()
	i := slices.IndexFunc(all, func(r RuleInfo) bool { return r.Rule == rule })
	if i < 0 {
		return RuleInfo{}, false
	}
	return all[i], true
}

// Check completes a setting with built-in figures for those that are missing
// and says what is wrong with the rest.
func (s *RuleSetting) Check() error {
	info, ok := RuleOf(s.Rule)
	if !ok {
		return &Error{Kind: Invalid, Code: "rule.unknown", ZH: "没有这条规则。", EN: "There is no such rule."}
	}
	if s.Inherit {
		if s.InstitutionID == "" {
			return &Error{Kind: Invalid, Code: "rule.inherit", ZH: "只有单个机构的设置可以恢复为通用设置。", EN: "Only an institution's setting can be given up for the common one."}
		}
		b := info.BuiltIn()
		s.Mode, s.Params = b.Mode, b.Params
		return nil
	}
	switch s.Mode {
	case RuleLive, RuleShadow, RuleOff:
		if s.Mode == RuleLive && s.Rule.OfStay() {
			return &Error{Kind: Invalid, Code: "rule.no_alerts", ZH: "该规则只在时间轴上标记，不产生疑点：运行方式应为 shadow 或 off。", EN: "This rule marks the timeline and raises no alerts: its mode must be shadow or off."}
		}
	default:
		return &Error{Kind: Invalid, Code: "rule.mode", ZH: "运行方式应为 live、shadow 或 off。", EN: "The mode must be live, shadow or off."}
	}
	full := info.BuiltIn().Params
	for name, v := range s.Params {
		i := slices.IndexFunc(info.Params, func(p RuleParam) bool { return p.Name == name })
		if i < 0 {
			return &Error{Kind: Invalid, Code: "rule.param_unknown", ZH: "该规则没有参数 " + name + "。", EN: "The rule has no figure " + name + "."}
		}
		p := info.Params[i]
		if !(v >= p.Min && v <= p.Max) || p.whole() && v != float64(int64(v)) { // also refuses NaN
			return &Error{
				Kind: Invalid, Code: "rule.param_range", ZH: fmt.Sprintf("参数 %s 应在 %g 到 %g 之间%s。", name, p.Min, p.Max, map[bool]string{true: "，且为整数"}[p.whole()]),
				EN: fmt.Sprintf("%s must be %g to %g%s.", name, p.Min, p.Max, map[bool]string{true: " and whole"}[p.whole()]),
			}
		}
		full[name] = v
	}
	if s.Params = full; full["match"] != 0 && full["match"] < full["no_match"] {
		return &Error{Kind: Invalid, Code: "rule.thresholds", ZH: "match 不能小于 no_match。", EN: "match must not be below no_match."}
	}
	return nil
}
