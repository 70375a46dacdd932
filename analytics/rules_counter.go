package analytics

import (
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// nobodyAtCounter 空刷: every camera of the place was watching, and nobody
// was seen by any. One that was not watching might have seen somebody.
func nobodyAtCounter(s ward.Settlement, win Window, r Rule) Finding {
	before, after := r.seconds("before"), r.seconds("after")
	near := around(s.At, before, after)
	if somebody(win.Sightings, near) {
		return fine()
	}
	if len(win.Cameras) == 0 {
		return blind("no_camera")
	}
	f := Finding{Outcome: Fired, Camera: firstCamera(win.Cameras)}
	whole := around(s.At, before+watchMoreBefore, after+watchMoreAfter)
	for _, cam := range win.Cameras {
		watched := watchedBy(cam, win.Sightings, whole, r.seconds("max_spacing"))
		share, _ := covered(watched, whole)
		if _, hole := covered(watched, near); share < r.Params["watched_share"] || hole > r.seconds("max_hole") {
			return blind("not_watched")
		}
		f.Sightings = append(f.Sightings, sightingIDs(watched)...)
	}
	slices.Sort(f.Sightings)
	f.ZH = fmt.Sprintf("刷卡前 %d 秒到后 %d 秒，摄像头正常，窗口前没有人。", int(before.Seconds()), int(after.Seconds()))
	f.EN = fmt.Sprintf("From %d s before to %d s after the swipe the camera worked and nobody was at the counter.", int(before.Seconds()), int(after.Seconds()))
	return f
}

// The cameras must also have worked a little before and after the stretch in
// which nobody may be seen.
const watchMoreBefore, watchMoreAfter = 3 * time.Second, time.Second

// moreCardsThanFolk 人卡比: more different cards in a short time than there
// can have been people at the counter, see folk. The settlement that brings
// the cards over that number fires, and each later one.
func moreCardsThanFolk(s ward.Settlement, win Window, r Rule) Finding {
	within := r.seconds("within")
	uses := earlier(s, win.AtPlace, within)
	cards := distinctCards(s, uses)
	if len(cards) < r.count("min_cards") {
		return fine()
	}
	if len(win.Cameras) == 0 {
		return blind("no_camera")
	}
	first := uses[0].At
	w := span{first.Add(-coreBefore), s.At.Add(coreAfter)}
	watched, ok := allWatched(win.Cameras, win.Sightings, w, .8)
	if !ok {
		return blind("not_watched")
	}
	if !somebody(win.Sightings, around(s.At, coreBefore, coreAfter)) {
		return none("nobody") // the first rule's matter
	}
	most, seen := folk(win, w, span{first, s.At}, r)
	if len(cards) <= most {
		return fine()
	}
	f := Finding{Outcome: Fired, Sightings: append(watched, seen...), Related: settlementIDs(uses), Camera: firstCamera(win.Cameras)}
	slices.Sort(f.Sightings)
	f.Sightings = slices.Compact(f.Sightings)
	seconds := int(s.At.Sub(first).Seconds())
	f.ZH = fmt.Sprintf("%d 秒内刷了 %d 张不同的医保卡，窗口前最多只能有过 %d 个不同的人。", seconds, len(cards), most)
	f.EN = fmt.Sprintf("%d different cards within %d s; at most %d different people can have been at the counter.", len(cards), seconds, most)
	return f
}

// batchSwiping 串刷: many different cards at one counter within a short
// time. The settlement with the last card needed fires, and each later one.
func batchSwiping(s ward.Settlement, win Window, r Rule) Finding {
	uses := earlier(s, win.AtPlace, r.seconds("within"))
	cards := distinctCards(s, uses)
	if len(cards) < r.count("cards") {
		return fine()
	}
	seconds := int(s.At.Sub(uses[0].At).Seconds())
	return Finding{
		Outcome: Fired, Related: settlementIDs(uses), Camera: firstCamera(win.Cameras),
		ZH: fmt.Sprintf("该窗口 %d 秒内连续刷了 %d 张不同的医保卡（设定为 %d 秒内 %d 张）。", seconds, len(cards), int(r.seconds("within").Seconds()), r.count("cards")),
		EN: fmt.Sprintf("%d different cards were swiped at this counter within %d s (set: %d within %d s).", len(cards), seconds, r.count("cards"), int(r.seconds("within").Seconds())),
	}
}

// distinctCards are the cards of s and the uses.
func distinctCards(s ward.Settlement, uses []Use) map[ward.InsuredID]bool {
	cards := map[ward.InsuredID]bool{s.InsuredID: true}
	for _, u := range uses {
		cards[u.Insured] = true
	}
	return cards
}

// china is the time zone of opening hours: Asia/Shanghai has had no other
// offset since 1991, and needs no zone file like this.
const china = 8 * time.Hour

// outOfHours: the swipe was while the place is closed. Hours that go over
// midnight close before they open; equal ones, and the whole day, never close.
func outOfHours(s ward.Settlement, win Window, r Rule) Finding {
	kind := "other"
	switch win.Place.Kind {
	case ward.Charge, ward.Pharmacy, ward.Treatment:
		kind = string(win.Place.Kind)
	case ward.Corridor, ward.Ward:
	}
	open, shut := r.count(kind+"_open"), r.count(kind+"_close")
	if open == shut || open == 0 && shut == 24*60 {
		return none("no_hours")
	}
	local := s.At.UTC().Add(china)
	now := local.Hour()*60 + local.Minute()
	if open < shut && now >= open && now < shut || open > shut && (now >= open || now < shut) {
		return fine()
	}
	return Finding{
		Outcome: Fired, Camera: firstCamera(win.Cameras),
		ZH: fmt.Sprintf("刷卡时间 %s 不在营业时间 %s 至 %s 之内（北京时间）。", hhmm(now), hhmm(open), hhmm(shut)),
		EN: fmt.Sprintf("The swipe at %s was outside the hours %s to %s (Beijing time).", hhmm(now), hhmm(open), hhmm(shut)),
	}
}

func hhmm(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
