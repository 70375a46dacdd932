package analytics

import (
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// faceMismatch 冒名: the insured is enrolled, and every comparable face
// around the swipe is somebody else's. One face that matches or may match
// clears it, whoever else is there and wherever but among the staff: people
// come in company. To fire, such a face must have been at the counter at the swipe itself with min_pictures pictures, so
// that neither the customer before nor a blurred glimpse accuses anyone; and
// nobody as near may have hidden his face, since the card may be his.
func faceMismatch(s ward.Settlement, win Window, r Rule) Finding {
	if len(win.Insured.Template) == 0 {
		return none("not_enrolled")
	}
	core := around(s.At, coreBefore, coreAfter)
	var accused *ward.Sighting
	f := Finding{Outcome: Fired}
	faces := facesIn(win.Sightings, around(s.At, r.seconds("before"), r.seconds("after")))
	compared := 0
	for i, v := range faces {
		if v.ModelID != win.Insured.ModelID {
			continue
		}
		compared++
		if r.faces().Judge(v.Template.Cosine(win.Insured.Template)) != ward.MatchNo {
			return fine()
		}
		if core.touches(v) && v.Zone.AtCounter() && v.Count >= r.count("min_pictures") {
			f.Sightings = append(f.Sightings, v.ID)
			if accused == nil || area(v) > area(*accused) {
				accused = &faces[i]
			}
		}
	}
	switch {
	case len(faces) > 0 && compared == 0:
		return none("other_model")
	case accused == nil && !somebody(win.Sightings, core):
		return none("nobody") // the first rule's matter
	case accused == nil:
		return blind("no_usable_face")
	case hiddenBeside(*accused, win.Sightings, core, r):
		return blind("no_usable_face")
	}
	f.Face, f.Camera = accused.Template, accused.CameraID
	f.ZH = fmt.Sprintf("刷卡时窗口前的人脸与参保人登记照片不符（比对了 %d 张画面）。", accused.Count)
	f.EN = fmt.Sprintf("The face at the counter at the swipe is not the insured person's (compared in %d pictures).", accused.Count)
	return f
}

// personAt returns the nearest (largest) comparable face at the swipe, or the
// finding that nobody can be named: not when another person's face is nearly
// as large, comparable or not, since then it is unclear whose card it was.
func personAt(s ward.Settlement, win Window, r Rule) (*ward.Sighting, Finding) {
	core := around(s.At, coreBefore, coreAfter)
	faces := slices.DeleteFunc(facesIn(win.Sightings, core), func(v ward.Sighting) bool { return !v.Zone.AtCounter() })
	var best *ward.Sighting
	for i, v := range faces {
		if v.Count >= r.count("min_pictures") && (best == nil || area(v) > area(*best)) {
			best = &faces[i]
		}
	}
	if best == nil {
		_, watched := allWatched(win.Cameras, win.Sightings, core, .5)
		switch {
		case len(win.Cameras) == 0:
			return nil, blind("no_camera")
		case somebody(win.Sightings, core):
			return nil, blind("no_usable_face")
		case !watched:
			return nil, blind("not_watched")
		}
		return nil, none("nobody")
	}
	for _, v := range faces {
		if !samePerson(v, *best, r) && area(v) >= float32(r.Params["rival"])*area(*best) {
			return nil, blind("several_faces")
		}
	}
	if hiddenBeside(*best, win.Sightings, core, r) {
		return nil, blind("several_faces")
	}
	return best, Finding{}
}

// hiddenBeside says whether somebody else was at the counter in w, nearly as
// near as the one with the face v, whose own face was not comparable in
// enough pictures: under a mask, behind sunglasses, turned away.
func hiddenBeside(v ward.Sighting, vs []ward.Sighting, w span, r Rule) bool {
	return slices.ContainsFunc(vs, func(o ward.Sighting) bool {
		return o.Kind == ward.FaceSeen && o.Zone.AtCounter() && w.touches(o) && o.Count < r.count("min_pictures") &&
			o.Score >= ward.ScoreMin && area(o) >= float32(r.Params["rival"])*area(v) && !samePerson(o, v, r)
	})
}

// samePerson says whether two faces are or may be of one person; a face that
// cannot be compared is of another.
func samePerson(a, b ward.Sighting, r Rule) bool {
	return len(a.Template) > 0 && len(b.Template) > 0 && a.ModelID == b.ModelID &&
		r.faces().Judge(a.Template.Cosine(b.Template)) != ward.MatchNo
}

// oneFaceManyCards 一人多卡: the person at this settlement was also the person
// at settlements here with other cards, and this is the cards-th different card
// or a later one. A person's own card counts as one of the cards, enrolled or
// not: somebody who pays for himself and for two others has used three. A card
// that the same face has used before in the window does not fire again.
func oneFaceManyCards(s ward.Settlement, win Window, r Rule) Finding {
	face := win.person
	if face == nil {
		return win.unnamed
	}
	same := linked(face, earlier(s, win.AtPlace, r.minutes("within")), r.cosine("match"))
	n := int(r.minutes("within").Minutes())
	return manyCards(s, win.person, same, r.count("cards"),
		fmt.Sprintf("同一个人在 %d 分钟内用了 %%d 张不同的医保卡。", n), fmt.Sprintf("The same person used %%d different cards within %d minutes.", n))
}

// linked returns those of the uses whose person is certainly that of the face,
// or certainly that of another of them: somebody who comes back may look like
// the second time and not like the first. The order of the uses is kept.
func linked(face *ward.Sighting, uses []Use, match float32) []Use {
	in := make([]bool, len(uses))
	for reached := []Person{{face.ID, face.ModelID, face.Template}}; len(reached) > 0; {
		p := reached[0]
		reached = reached[1:]
		for i, u := range uses {
			if !in[i] && u.Person.ModelID == p.ModelID && u.Person.Template.Cosine(p.Template) >= match {
				in[i], reached = true, append(reached, u.Person)
			}
		}
	}
	var out []Use
	for i, u := range uses {
		if in[i] {
			out = append(out, u)
		}
	}
	return out
}

// cardsHoarded 存押卡: one face has used many cards across days and
// institutions. What counts is the cosine with the very faces of those
// settlements, at a threshold for one among millions.
func cardsHoarded(s ward.Settlement, win Window, r Rule) Finding {
	same, why, ok := sameFace(s, win, r, r.days("within_days"))
	if !ok {
		return why
	}
	places := map[ward.InstitutionID]bool{s.InstitutionID: true}
	for _, u := range same {
		places[u.Institution] = true
	}
	n := r.count("within_days")
	return manyCards(s, win.person, same, r.count("cards"),
		fmt.Sprintf("同一张人脸在 %d 天内、%d 家机构用了 %%d 张不同的医保卡。", n, len(places)), fmt.Sprintf("The same face used %%d different cards within %d days at %d institutions.", n, len(places)))
}

// knownCollector: at a pharmacy counter, one face has collected for many cards
// at the pharmacies of this institution within days.
func knownCollector(s ward.Settlement, win Window, r Rule) Finding {
	if s.Kind != ward.DrugSale {
		return none("not_drugs")
	}
	if win.Place.Kind != ward.Pharmacy {
		return none("not_pharmacy")
	}
	same, why, ok := sameFace(s, win, r, r.days("within_days"))
	if !ok {
		return why
	}
	same = slices.DeleteFunc(same, func(u Use) bool { return u.Institution != s.InstitutionID || u.PlaceKind != ward.Pharmacy })
	n := r.count("within_days")
	return manyCards(s, win.person, same, r.count("cards"),
		fmt.Sprintf("同一个人 %d 天内在该机构药房窗口用 %%d 张不同的医保卡取药。", n), fmt.Sprintf("The same person collected drugs with %%d different cards at this institution's pharmacy within %d days.", n))
}

// sameFace returns the settlements found with the face of s, or ok = false
// and the finding why not.
func sameFace(s ward.Settlement, win Window, r Rule, within time.Duration) (same []Use, why Finding, ok bool) {
	switch {
	case win.person == nil:
		return nil, win.unnamed, false
	case !win.Searched:
		return nil, later(), false
	}
	same = slices.DeleteFunc(earlier(s, win.OfFace, within), func(u Use) bool { return !u.Person.is(win.person, r.cosine("match")) })
	return same, Finding{}, true
}

// is says whether p is certainly the person of the face v.
func (p Person) is(v *ward.Sighting, match float32) bool {
	return p.ModelID == v.ModelID && p.Template.Cosine(v.Template) >= match
}

// manyCards fires when s brings the n-th different card, or a later one that
// the face has not used before; texts have %d for the number of cards.
func manyCards(s ward.Settlement, face *ward.Sighting, same []Use, n int, zh, en string) Finding {
	f := Finding{Outcome: Fired, Sightings: []ward.SightingID{face.ID}, Face: face.Template, Camera: face.CameraID, Related: settlementIDs(same)}
	for _, u := range same {
		if u.Insured == s.InsuredID {
			return fine() // used before: the alert is on its first use
		}
		f.Sightings = append(f.Sightings, u.Person.Sighting)
	}
	cards := len(distinctCards(s, same))
	if cards < n {
		return fine()
	}
	slices.Sort(f.Sightings)
	f.Sightings = slices.Compact(f.Sightings)
	f.ZH, f.EN = fmt.Sprintf(zh, cards), fmt.Sprintf(en, cards)
	return f
}

// oneCardManyFaces 一卡多人: the card was used by several people who are
// certainly not the same, within days, anywhere. The settlement with the last
// of them fires.
func oneCardManyFaces(s ward.Settlement, win Window, r Rule) Finding {
	face := win.person
	if face == nil {
		return win.unnamed
	}
	people := []Use{{Settlement: s.ID, Person: Person{face.ID, face.ModelID, face.Template}}}
	for _, u := range earlier(s, win.OfCard, r.days("within_days")) {
		other := len(u.Person.Template) > 0 && !slices.ContainsFunc(people, func(p Use) bool {
			return p.Person.ModelID != u.Person.ModelID || p.Person.Template.Cosine(u.Person.Template) >= r.cosine("no_match")
		})
		if other {
			people = append(people, u)
		}
	}
	if len(people) < r.count("faces") {
		return fine()
	}
	f := Finding{Outcome: Fired, Face: face.Template, Camera: face.CameraID, Related: settlementIDs(people[1:])}
	for _, p := range people {
		f.Sightings = append(f.Sightings, p.Person.Sighting)
	}
	slices.Sort(f.Sightings)
	n := r.count("within_days")
	f.ZH = fmt.Sprintf("这张医保卡 %d 天内由 %d 个不同的人使用。", n, len(people))
	f.EN = fmt.Sprintf("This card was used by %d different people within %d days.", len(people), n)
	return f
}
