package analytics

import (
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// impossibleTravel: the same card, or the same face, was at another
// institution farther away than anybody can travel in the time between. The
// later of the two fires. slack is taken off for clocks that are not right.
func impossibleTravel(s ward.Settlement, win Window, r Rule) Finding {
	within := r.minutes("within")
	here := func(u Use) bool { return u.Institution == s.InstitutionID }
	cards := slices.DeleteFunc(earlier(s, win.OfCard, within), here)
	f, unplaced := travelled(s, cards, win, r)
	if f.Outcome == Fired {
		f.ZH, f.EN = "同一张医保卡"+f.ZH, "The same card"+f.EN
		return f
	}
	if face := win.person; face != nil {
		same := slices.DeleteFunc(earlier(s, win.OfFace, within), func(u Use) bool { return here(u) || !u.Person.is(face, r.cosine("match")) })
		f, alsoUnplaced := travelled(s, same, win, r)
		if f.Outcome == Fired {
			f.ZH, f.EN, f.Face, f.Camera = "同一张人脸"+f.ZH, "The same face"+f.EN, face.Template, face.CameraID
			f.Sightings = append(f.Sightings, face.ID)
			slices.Sort(f.Sightings)
			return f
		}
		unplaced = unplaced || alsoUnplaced
	}
	switch {
	case unplaced:
		return blind("no_location")
	case win.person != nil && !win.Searched:
		return later()
	}
	return fine()
}

// travelled looks for a use from which nobody can have come to s in time;
// unplaced says that one could not be told, its place or that of s being unknown.
func travelled(s ward.Settlement, uses []Use, win Window, r Rule) (f Finding, unplaced bool) {
	for _, u := range slices.Backward(uses) { // the nearest in time tells most
		if win.Location == nil || u.Location == nil {
			unplaced = true
		} else if f, far := tooFar(s, u, win, r); far {
			return f, false
		}
	}
	return f, unplaced
}

// tooFar is the finding that nobody can have come from u to s in time; its
// texts want their subject.
func tooFar(s ward.Settlement, u Use, win Window, r Rule) (Finding, bool) {
	km, gone := win.Location.Km(*u.Location), s.At.Sub(u.At)
	if km < r.Params["min_distance"] {
		return Finding{}, false
	}
	needs := time.Duration(km / r.Params["speed"] * float64(time.Hour))
	if needs <= gone+r.minutes("slack") {
		return Finding{}, false
	}
	f := Finding{
		Outcome: Fired, Related: []ward.SettlementID{u.Settlement}, Camera: firstCamera(win.Cameras),
		ZH: fmt.Sprintf("在 %.0f 分钟内出现在相距 %.1f 公里的两家机构，按每小时 %.0f 公里至少需要 %.0f 分钟。", gone.Minutes(), km, r.Params["speed"], needs.Minutes()),
		EN: fmt.Sprintf(" was at two institutions %.1f km apart within %.0f minutes; at %.0f km/h that takes %.0f minutes.", km, gone.Minutes(), r.Params["speed"], needs.Minutes()),
	}
	if u.Person.Sighting != "" {
		f.Sightings = []ward.SightingID{u.Person.Sighting}
	}
	return f, true
}

// drugNotCollected: drugs were billed, and nobody came to any pharmacy
// counter of the institution in the time after, while all of them were
// watched. When the sale was at a pharmacy counter, that one alone counts.
func drugNotCollected(s ward.Settlement, win Window, r Rule) Finding {
	if s.Kind != ward.DrugSale {
		return none("not_drugs")
	}
	counters := win.Pharmacies
	if win.Place.Kind == ward.Pharmacy {
		return none("at_pharmacy") // the first rule sees whether anybody was there
	}
	if len(counters) == 0 {
		return none("no_pharmacy")
	}
	within := r.minutes("within")
	w := around(s.At, 0, within)
	if win.Now.Before(w.to) {
		return later()
	}
	f := Finding{Outcome: Fired, Camera: firstCamera(win.Cameras)}
	for _, c := range counters {
		if somebody(c.Sightings, w) {
			return fine()
		}
	}
	for _, c := range counters {
		if len(c.Cameras) == 0 {
			return blind("no_camera")
		}
		watched, ok := allWatched(c.Cameras, c.Sightings, w, r.Params["watched_share"])
		if !ok {
			return blind("not_watched")
		}
		f.Sightings = append(f.Sightings, watched...)
		f.Camera = firstCamera(c.Cameras)
	}
	slices.Sort(f.Sightings)
	n := int(within.Minutes())
	f.ZH = fmt.Sprintf("购药结算后 %d 分钟内，该机构 %d 个药房窗口的摄像头都正常，没有人来取药。", n, len(counters))
	f.EN = fmt.Sprintf("In the %d minutes after the sale the cameras of all %d pharmacy counters worked and nobody came.", n, len(counters))
	return f
}

// settledBlind: the swipe fell into a period in which every camera of the
// place saw nothing, from before it until after it, and which was not reported
// in advance for all of them. A camera that simply was not analysed proves nothing.
func settledBlind(s ward.Settlement, win Window, r Rule) Finding {
	if len(win.Cameras) == 0 {
		return none("no_camera")
	}
	w := around(s.At, r.seconds("around"), r.seconds("around"))
	seen := around(s.At, coreBefore, coreAfter)
	var from time.Time
	reported := 0
	for _, cam := range win.Cameras {
		if len(watchedBy(cam, win.Sightings, seen, 0)) > 0 {
			return fine()
		}
		i := slices.IndexFunc(win.Blind, func(b BlindPeriod) bool {
			return b.Camera == cam && !b.From.After(s.At) && (b.To.IsZero() || !b.To.Before(s.At))
		})
		if i < 0 {
			return blind("not_watched")
		}
		b := win.Blind[i]
		if b.To.IsZero() && win.Now.Before(w.to) {
			return later()
		}
		end := b.To
		if end.IsZero() {
			end = win.Now
		}
		switch {
		case b.Reported:
			reported++
		case end.Sub(b.From) < r.seconds("around"):
			return fine() // a hiccup
		}
		if from.IsZero() || b.From.After(from) {
			from = b.From
		}
	}
	if reported == len(win.Cameras) {
		return none("reported")
	}
	blindFor := int(s.At.Sub(from).Seconds())
	f := Finding{
		Outcome: Fired, Camera: firstCamera(win.Cameras),
		ZH: fmt.Sprintf("刷卡时窗口的 %d 个摄像头都看不到现场，已持续 %d 秒，且未事先报备。", len(win.Cameras), blindFor),
		EN: fmt.Sprintf("At the swipe all %d cameras of the counter had been blind for %d s, and nobody had reported it.", len(win.Cameras), blindFor),
	}
	if reported > 0 {
		f.ZH = fmt.Sprintf("刷卡时窗口的 %d 个摄像头都看不到现场，已持续 %d 秒，其中仅 %d 个事先报备。", len(win.Cameras), blindFor, reported)
		f.EN = fmt.Sprintf("At the swipe all %d cameras of the counter had been blind for %d s, and only %d of them had been reported in advance.", len(win.Cameras), blindFor, reported)
	}
	return f
}

// noPhysician: a treatment was billed at a place where nobody was in the
// zone of the staff in the time before, while its cameras watched.
func noPhysician(s ward.Settlement, win Window, r Rule) Finding {
	if s.Kind != ward.TreatmentFee {
		return none("not_treatment")
	}
	if win.Place.Kind != ward.Treatment {
		return none("not_treatment_place")
	}
	before := r.minutes("before")
	w := around(s.At, before, coreAfter)
	if slices.ContainsFunc(win.Sightings, func(v ward.Sighting) bool { return v.Kind == ward.StaffSeen && w.touches(v) }) {
		return fine()
	}
	switch {
	case len(win.Cameras) == 0:
		return blind("no_camera")
	case len(win.StaffCameras) == 0:
		return blind("no_zone")
	}
	watched, ok := allWatched(win.StaffCameras, win.Sightings, w, r.Params["watched_share"])
	if !ok {
		return blind("not_watched")
	}
	n := int(before.Minutes())
	return Finding{
		Outcome: Fired, Sightings: watched, Camera: firstCamera(win.StaffCameras),
		ZH: fmt.Sprintf("治疗结算前 %d 分钟，摄像头正常，工作人员区域没有人。", n),
		EN: fmt.Sprintf("In the %d minutes before the treatment was billed the camera worked and nobody was in the staff's zone.", n),
	}
}
