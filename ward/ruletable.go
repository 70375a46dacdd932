package ward

import "time"

// How far a rule can be set to look back among the settlements of one place,
// and among those of one card or face.
const (
	placeReachMinutes = 120
	cardReachDays     = 90

	PlaceReach = placeReachMinutes * time.Minute
	CardReach  = cardReachDays * 24 * time.Hour
)

// Rules returns what is built in about every rule, in the order in which
// they are shown. analytics/DESIGN.md says why the figures are what they are.
func Rules() []RuleInfo {
	sec := func(name string, most, v float64) RuleParam { return RuleParam{name, InSeconds, 0, most, v} }
	count := func(name string, least, most, v float64) RuleParam { return RuleParam{name, InCount, least, most, v} }
	days := func(v float64) RuleParam { return RuleParam{"within_days", InDays, 1, cardReachDays, v} }
	clock := func(name string, v float64) RuleParam { return RuleParam{name, InDayMinute, 0, 24 * 60, v} }
	match := RuleParam{"match", InCosine, .3, 1, float64(DefaultFaceThresholds.Match)}
	noMatch := RuleParam{"no_match", InCosine, 0, .9, float64(DefaultFaceThresholds.NoMatch)}
	// Half an hour at a busy counter are 60 others: at .56, 8 % of East Asian customers would be taken for one of them, at .60 none was.
	amongDozens := RuleParam{"match", InCosine, .3, 1, .60}
	// One among millions must be far more alike than one of two.
	among := RuleParam{"match", InCosine, .6, 1, .70}
	pictures := count("min_pictures", 1, 20, 2)
	rival := RuleParam{"rival", InShare, .1, 1, .5}
	return []RuleInfo{
		{NobodyAtCounter, 3, RuleLive, []RuleParam{
			sec("before", 30, 5), sec("after", 5, 3), {"watched_share", InShare, .5, 1, .8}, sec("max_hole", 10, 3), sec("max_spacing", 10, 3),
		}},
		{MoreCardsThanFolk, 2, RuleShadow, []RuleParam{{"within", InSeconds, 5, 300, 40}, count("min_cards", 2, 50, 3), {"turnover", InSeconds, 5, 120, 15}, match}},
		{OneFaceManyCards, 2, RuleLive, []RuleParam{
			count("cards", 2, 50, 3), {"within", InMinutes, 1, placeReachMinutes, 30}, rival, pictures, amongDozens, noMatch,
		}},
		{CardsHoarded, 3, RuleShadow, []RuleParam{count("cards", 2, 100, 5), days(30), among}},
		{OneCardManyFaces, 2, RuleShadow, []RuleParam{count("faces", 2, 50, 3), days(30), noMatch}},
		{FaceMismatch, 3, RuleLive, []RuleParam{sec("before", 30, 10), sec("after", 5, 5), rival, pictures, match, noMatch}},
		{ImpossibleTravel, 3, RuleLive, []RuleParam{
			{"speed", InKmh, 20, 1000, 120}, {"min_distance", InKm, .5, 500, 5}, {"slack", InMinutes, 0, 60, 10}, {"within", InMinutes, 10, 24 * 60, 360}, among,
		}},
		{BatchSwiping, 2, RuleLive, []RuleParam{count("cards", 2, 100, 5), {"within", InSeconds, 5, 3600, 60}}},
		{OutOfHours, 1, RuleLive, []RuleParam{
			clock("charge_open", 0), clock("charge_close", 24*60), clock("pharmacy_open", 0), clock("pharmacy_close", 24*60),
			clock("treatment_open", 0), clock("treatment_close", 24*60), clock("other_open", 0), clock("other_close", 24*60),
		}},
		{DrugNotCollected, 2, RuleShadow, []RuleParam{{"within", InMinutes, 1, 240, 30}, {"watched_share", InShare, .5, 1, .95}}},
		{KnownCollector, 2, RuleShadow, []RuleParam{count("cards", 2, 100, 4), days(7), among}},
		{SettledBlind, 1, RuleLive, []RuleParam{{"around", InSeconds, 10, 600, 60}}},
		{BlindUnreported, 2, RuleLive, []RuleParam{{"least", InSeconds, 10, 3600, 60}}},
		{NoPhysician, 2, RuleShadow, []RuleParam{{"before", InMinutes, 1, 240, 30}, {"watched_share", InShare, .5, 1, .95}}},
		{Loitering, 1, RuleShadow, []RuleParam{{"stay", InMinutes, 1, 240, 10}}},
	}
}
