package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

const treatments = "/api/v1/treatments"

// patient is a new insured person who has the face that every photo shows.
func (w *world) patient() ward.InsuredID {
	w.t.Helper()
	p := ward.Insured{ID: ward.InsuredID(fmt.Sprint("i-p", w.next())), Name: "李四", IDNumber: "110101199001010028"}
	must(w.t, w.store.PutInsured(w.t.Context(), p))
	must(w.t, w.store.Enrol(w.t.Context(), p.ID, ward.Template{1}, "model", ""))
	return p.ID
}

// treatment is a session, of the tablet with the secret if there is one, whose
// first call was shown some minutes ago and whose second comes in some minutes.
func (w *world) treatment(secret string) ward.TreatmentSession {
	t, ctx, now := w.t, w.t.Context(), time.Now()
	t.Helper()
	var tablet ward.TabletID
	if secret != "" {
		hash := storage.HashToken(secret)
		d, err := w.store.TabletBySecret(ctx, hash[:])
		must(t, err)
		tablet = d.ID
	}
	policy := ward.TreatmentPolicy{Kind: ward.Dialysis, EveryMinutes: 33, AnswerMinutes: 15, LongestMinutes: 300}
	for {
		v, err := w.store.AddTreatment(ctx, ward.User{ID: "u-t", Role: ward.Terminal}, ward.TreatmentSession{
			ID: ward.NewID[ward.TreatmentID](now), InstitutionID: own, PlaceID: w.place.ID, InsuredID: w.patient(), Kind: ward.Dialysis, Station: "3",
			TabletID: tablet, Policy: policy, At: now.Add(-44 * time.Minute), // calls begin with minute 31 and may be answered for 15
		}, ward.TreatmentFace{Source: ward.IdentityByPhoto, Answer: ward.MatchYes, Score: .7, ModelID: "model"}, nil)
		must(t, err)
		due := ward.TreatmentCalls(v.Nonce, v.At, v.Policy, now)
		if len(due) == 0 { // the next nonce is as good; this session must not be called for meanwhile
			_, _, err = w.store.StepTreatment(ctx, ward.User{}, v.ID, now, nil, func(ward.TreatmentSession, []ward.TreatmentEvent, time.Time) (ward.TreatmentEvent, error) {
				return ward.TreatmentEvent{Kind: ward.TreatmentEnded}, nil
			})
			must(t, err)
			continue
		}
		_, _, err = w.store.StepTreatment(ctx, ward.User{}, v.ID, due[0], nil, func(ward.TreatmentSession, []ward.TreatmentEvent, time.Time) (ward.TreatmentEvent, error) {
			return ward.TreatmentEvent{Kind: ward.TreatmentCalled, Tablet: tablet, Call: 1, Due: due[0]}, nil
		})
		must(t, err)
		return v
	}
}

// A dialysis of two hours as a terminal, the billing system and an inspector
// see it: nobody learns of a call before it comes, and only what the patient
// was seen at is covered.
func TestTreatmentIsCountedAndBilled(t *testing.T) {
	w := newWorld(t)
	var clock atomic.Int64                  // after start
	start := time.Now().Add(-8 * time.Hour) // so that no token ends before the session does
	w.web.Now = func() time.Time { return start.Add(time.Duration(clock.Load())) }
	w.serve()
	terminal, billing := w.token(w.user(ward.Terminal, "own")), w.token(w.user(ward.Operator, "own"))
	review := func() web.TreatmentDetail {
		t.Helper()
		inspector := w.token(w.user(ward.Inspector, "own"))
		all := into[web.Page[web.ListedTreatment]](inspector.do(http.MethodGet, treatments, nil).want(200, "")).Items
		return into[web.TreatmentDetail](inspector.do(http.MethodGet, treatments+"/"+string(all[0].ID), nil).want(200, ""))
	}
	ask := m{"insured_id": w.patient(), "place_id": w.place.ID, "kind": "dialysis", "station": "3", "photo": []byte("x")}
	terminal.do(http.MethodPost, treatments, ask).want(422, "idempotency.missing")
	begun := terminal.with("Idempotency-Key", "k1").do(http.MethodPost, treatments, ask).want(201, "")
	v := into[web.TreatmentBegin](begun)
	if v.Answer != ward.MatchYes || len(v.Commitment) != 64 || strings.Contains(string(begun.body), "score") {
		t.Fatalf("begun: %s", begun.body)
	}
	terminal.with("Idempotency-Key", "k2").do(http.MethodPost, treatments, ask).want(409, "treatment.elsewhere")
	path := treatments + "/" + string(v.ID)
	session := get(t, w.store.Treatment, v.ID)
	due := ward.TreatmentCalls(session.Nonce, session.At, session.Policy, session.At.Add(session.Policy.Longest()))
	call := func() web.CallNow {
		return into[web.CallNow](terminal.do(http.MethodPost, path+"/calls", nil).want(200, ""))
	}
	for i, at := range due[:3] {
		clock.Store(int64(at.Add(-time.Second).Sub(start)))
		if c := call(); i == 0 && c.Call != 0 {
			t.Errorf("before the first call: %+v", c)
		}
		if d := review(); strings.Contains(fmt.Sprintf("%+v", d.Events), "Nonce:0") || len(d.Calls) != i {
			t.Errorf("before call %d: %+v", i+1, d.Calls)
		}
		clock.Store(int64(at.Add(time.Second).Sub(start)))
		if c := call(); c.Call != i+1 || c.Late {
			t.Errorf("call %d: %+v", i+1, c)
		}
		terminal.do(http.MethodPost, path+"/answers", m{"call": i + 1}).want(422, "identity.subject")
		a := terminal.do(http.MethodPost, path+"/answers", m{"call": i + 1, "photo": []byte("x")}).want(200, "")
		if into[web.TreatmentAnswer](a).Answer != ward.MatchYes || strings.Contains(string(a.body), "score") {
			t.Errorf("answered: %s", a.body)
		}
		terminal.do(http.MethodPost, path+"/answers", m{"call": i + 1, "photo": []byte("x")}).want(409, "treatment.call")
	}
	if c := into[web.TreatmentCoverage](billing.do(http.MethodPost, path+"/bills", m{"external_no": "no-1", "minutes": 10}).want(200, "")); c.Covered != ward.CannotSay || c.Reason != ward.TreatmentRunning {
		t.Errorf("billed while it runs: %+v", c)
	}
	clock.Store(int64(due[2].Add(5 * time.Minute).Sub(start)))
	if e := into[web.TreatmentEnd](terminal.do(http.MethodPost, path+"/end", m{"photo": []byte("x")}).want(200, "")); e.Answer != ward.MatchYes {
		t.Errorf("ended: %+v", e)
	}
	took := ward.MinutesOf(due[2].Add(5 * time.Minute).Sub(session.At))
	for minutes, want := range map[int]ward.Billable{took: ward.BillYes, took + 1: ward.BillNo} {
		c := into[web.TreatmentCoverage](billing.do(http.MethodGet, path+fmt.Sprint("/coverage?minutes=", minutes), nil).want(200, ""))
		if c.Covered != want || c.DetailZH == "" || c.DetailEN == "" {
			t.Errorf("%d minutes: %+v", minutes, c)
		}
	}
	if c := into[web.TreatmentCoverage](billing.do(http.MethodPost, path+"/bills", m{"external_no": "no-1", "minutes": took}).want(200, "")); c.Covered != ward.BillYes {
		t.Errorf("billed: %+v", c)
	}
	if c := into[web.TreatmentCoverage](billing.do(http.MethodPost, path+"/bills", m{"external_no": "no-2", "minutes": 60}).want(200, "")); c.Covered != ward.BillNo || c.Reason != ward.TreatmentShort {
		t.Errorf("billed twice: %+v", c)
	}
	d := review()
	last := d.Events[len(d.Events)-1].Bill
	if d.Count.Covered != ward.BillNo || d.Count.Present != took || last == nil || last.Billed != took+60 || len(d.Spans) == 0 {
		t.Errorf("shown: %+v", d)
	}
	if sealed, err := w.store.Sealed(t.Context(), d.Events[0].Leaf); err != nil || strings.Contains(string(sealed.Body), string(session.InsuredID)) {
		t.Errorf("sealed %s %v", sealed.Body, err)
	}
}

// A ward tablet rings for the calls of its own sessions, and answers them.
func TestTabletAnswersCalls(t *testing.T) {
	w := newWorld(t).serve()
	_, secret := w.tablet()
	v := w.treatment(secret)
	tablet := w.anonymous().with("Cookie", "wardwatch-tablet="+secret)
	k := w.until(w.shownBy(secret), "the call", func(k web.Kiosk) bool { return len(k.Calls) == 1 })
	if c := k.Calls[0]; c.TreatmentID != v.ID || c.Call != 1 || c.Station != "3" {
		t.Errorf("shown %+v", c)
	}
	path := kiosk + "treatments/" + string(v.ID) + "/answers"
	tablet.do(http.MethodPost, kiosk+"treatments/"+string(w.treatment("").ID)+"/answers", m{"call": 1, "photo": []byte("x")}).want(404, "not_found")
	a := into[web.TreatmentAnswer](tablet.do(http.MethodPost, path, m{"call": 1, "photo": []byte("x")}).want(200, ""))
	if a.Answer != ward.MatchYes {
		t.Errorf("answered %+v", a)
	}
	w.until(w.shownBy(secret), "no call any more", func(k web.Kiosk) bool { return len(k.Calls) == 0 })
	events := get(t, func(ctx context.Context, id ward.TreatmentID) ([]ward.TreatmentEvent, error) {
		all, err := w.store.TreatmentEvents(ctx, []ward.TreatmentID{id})
		return all[id], err
	}, v.ID)
	if e := events[len(events)-1]; e.Kind != ward.TreatmentSeen || e.Tablet != v.TabletID || e.By != "" {
		t.Errorf("sealed %+v", e)
	}
}
