package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

const (
	duties     = "/api/v1/duties"
	physicians = "/api/v1/physicians"
)

// physician is one who practises at own and has the face that every photo shows.
func (w *world) physician() ward.PhysicianID {
	w.t.Helper()
	p := ward.Physician{ID: ward.PhysicianID(fmt.Sprint("ph-", w.next())), Name: "华某", Institutions: []ward.InstitutionID{own}}
	must(w.t, w.store.PutPhysicians(w.t.Context(), []ward.Physician{p}))
	must(w.t, w.store.EnrolPhysician(w.t.Context(), p.ID, ward.Template{1}, "model"))
	return p.ID
}

func (w *world) duty() ward.Duty {
	w.t.Helper()
	d, err := w.store.AddDuty(w.t.Context(), ward.User{ID: "u-t", Role: ward.Terminal}, ward.Duty{
		ID: ward.NewID[ward.DutyID](time.Now()), InstitutionID: own, PlaceID: w.place.ID, PhysicianID: w.physician(), Source: ward.IdentityByPhoto, Answer: ward.MatchYes,
		Position: ward.DutyInside, Outcome: ward.DutyVerified, Thresholds: ward.DefaultFaceThresholds,
	}, time.Hour, nil)
	must(w.t, err)
	return d
}

// dutyFence is where own's physicians have to be from now on.
func (w *world) dutyFence() {
	w.t.Helper()
	old, err := w.store.DutyPolicyFor(w.t.Context(), own)
	must(w.t, err)
	version := old.Version
	if old.InstitutionID != own {
		version = 0
	}
	_, err = w.store.SetDutyPolicy(w.t.Context(), ward.DutyPolicy{
		Version: version, InstitutionID: own, WindowMinutes: 240, Reason: "试行",
		Fence: &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200},
	})
	must(w.t, err)
}

// From a table of physicians to the answer that the settlement system gets:
// only face and position together are a yes.
func TestShiftsDecideWhatIsBilled(t *testing.T) {
	w := newWorld(t).serve()
	admin, terminal := w.as(w.user(ward.Administrator, "all")), w.token(w.user(ward.Terminal, "own"))
	billing, inspector := w.token(w.user(ward.Operator, "own")), w.as(w.user(ward.Inspector, "own"))

	sheet := func(text string) web.PhysicianImport {
		return into[web.PhysicianImport](admin.with("Content-Type", "text/csv").do(http.MethodPost, physicians+"/import", []byte(text)).want(200, ""))
	}
	bad := sheet("编号,姓名,机构\nph-a,甲,h-own\nph-a,乙,h-own\n110101199001010011,丙,h-own\nph-d,丁,h-none\n")
	if bad.Stored || len(bad.Faults) != 3 || bad.Faults[0].Line != 3 || bad.Faults[1].Line != 4 || bad.Faults[2].Line != 5 {
		t.Errorf("the bad table: %+v", bad)
	}
	if good := sheet("编号,姓名,机构\nph-a,甲医师,Hospital h-own\nph-b,乙医师,h-own;h-other\n"); !good.Stored || good.Rows != 2 {
		t.Errorf("the good table: %+v", good)
	}
	for _, p := range into[web.Page[ward.Physician]](inspector.do(http.MethodGet, physicians, nil).want(200, "")).Items {
		if len(p.Institutions) != 1 || p.Institutions[0] != own {
			t.Errorf("an inspector of one institution sees where else %s practises: %v", p.ID, p.Institutions)
		}
	}

	bill := func(id, at string) web.Billing {
		t.Helper()
		q := "?institution_id=" + string(own)
		if at != "" {
			q += "&at=" + url.QueryEscape(at)
		}
		return into[web.Billing](billing.do(http.MethodGet, physicians+"/"+id+"/duty"+q, nil).want(200, ""))
	}
	begin := func(key string, change m) web.DutyAnswer {
		t.Helper()
		ask := m{"physician_id": "ph-a", "place_id": w.place.ID, "photo": []byte("x")}
		maps.Copy(ask, change)
		r := terminal.with("Idempotency-Key", key).do(http.MethodPost, duties, ask).want(201, "")
		if strings.Contains(string(r.body), "score") {
			t.Errorf("the terminal is told %s", r.body)
		}
		return into[web.DutyAnswer](r)
	}
	for id, want := range map[string]ward.DutyReason{"ph-nobody": ward.DutyNotHere, "ph-a": ward.DutyNone} {
		if got := bill(id, ""); got.Billable != ward.BillNo || got.Reason != want || got.DetailZH == "" || got.DetailEN == "" {
			t.Errorf("%s: got %+v", id, got)
		}
	}
	if got := begin("k1", nil); got.Outcome != ward.DutyUnsure || got.Reason != ward.IdentityNotEnrolled {
		t.Errorf("not enrolled: %+v", got)
	}
	admin.with("Content-Type", "image/jpeg").do(http.MethodPut, physicians+"/ph-a/photo", []byte("\xff\xd8")).want(200, "")
	if got := begin("k2", nil); got.Outcome != ward.DutyUnplaced || got.Position != ward.DutyUnchecked {
		t.Errorf("without a fence: %+v", got)
	}
	if got := bill("ph-a", ""); got.Billable != ward.CannotSay || got.Reason != ward.DutyPlaceless {
		t.Errorf("without a fence: %+v", got)
	}
	fence := m{"datum": "wgs84", "center": m{"lat": 31.2, "lon": 121.4}, "radius_m": 200}
	policy := m{"version": 0, "institution_id": own, "window_minutes": 60, "fence": fence, "reason": "试行"}
	admin.do(http.MethodPut, "/api/v1/duty-policies", policy).want(200, "")
	admin.do(http.MethodPut, "/api/v1/duty-policies", policy).want(409, "duty_policy.changed")
	if got := begin("k3", m{"position": m{"lat": 31.3, "lon": 121.4, "accuracy_m": 20}}); got.Outcome != ward.DutyRefused || got.Position != ward.DutyOutside || got.Until != got.At {
		t.Errorf("10 km away: %+v", got)
	}
	on := begin("k4", m{"position": m{"lat": 31.2, "lon": 121.4005, "accuracy_m": 20}})
	if on.Outcome != ward.DutyVerified || on.Until.Sub(on.At) != time.Hour {
		t.Errorf("inside: %+v", on)
	}
	if again := begin("k4", m{"position": m{"lat": 31.2, "lon": 121.4005, "accuracy_m": 20}}); again != on {
		t.Errorf("again: %+v, want %+v", again, on)
	}
	if got := bill("ph-a", ""); got.Billable != ward.BillYes || got.Reason != ward.DutyProven || got.DutyID != on.ID {
		t.Errorf("on duty: %+v", got)
	}
	if got := bill("ph-a", on.At.Add(-time.Hour).Format(time.RFC3339Nano)); got.Billable != ward.BillNo || got.Reason != ward.DutyNone {
		t.Errorf("an hour before: %+v", got)
	}
	if got := bill("ph-a", on.At.Add(30*time.Minute).Format(time.RFC3339Nano)); got.Billable != ward.CannotSay || got.Reason != ward.DutyFuture {
		t.Errorf("in half an hour: %+v", got)
	}
	billing.do(http.MethodGet, physicians+"/ph-a/duty?institution_id="+string(other), nil).want(404, "not_found")

	now := into[web.Page[web.ListedDuty]](inspector.do(http.MethodGet, duties+"?now=true", nil).want(200, "")).Items
	if len(now) != 1 || now[0].ID != on.ID || now[0].Name != "甲医师" {
		t.Errorf("on duty now: %+v", now)
	}
	if all := into[web.Page[web.ListedDuty]](inspector.do(http.MethodGet, duties, nil).want(200, "")).Items; len(all) != 4 {
		t.Errorf("%d starts are kept, want 4", len(all))
	}
	// The position is in no row, log or answer.
	if strings.Contains(w.log.String(), "121.4") {
		t.Error("the log has a position")
	}
	if sealed, err := w.store.LatestSealed(t.Context(), "duty", string(on.ID)); err != nil || strings.Contains(string(sealed.Body), "121.4") || strings.Contains(string(sealed.Body), "ph-a") {
		t.Errorf("sealed %s %v", sealed.Body, err)
	}
	terminal.with("Idempotency-Key", "k9").do(http.MethodPost, duties, m{"physician_id": "ph-nobody", "place_id": w.place.ID, "photo": []byte("x")}).want(422, "physician.unknown")
}

// A physician's own face ends the window, or an administrator with a reason; a terminal without the face does not.
func TestShiftsEndEarly(t *testing.T) {
	w := newWorld(t).serve()
	terminal, admin := w.token(w.user(ward.Terminal, "own")), w.as(w.user(ward.Administrator, "own"))
	d := w.duty()
	path := duties + "/" + string(d.ID)
	terminal.do(http.MethodPost, path+"/end", m{"reason": "回家"}).want(403, "duty.end_face")
	admin.do(http.MethodPost, path+"/end", m{"reason": " "}).want(422, "duty.reason")
	ended := into[web.DutyEnded](terminal.do(http.MethodPost, path+"/end", m{"photo": []byte("x")}).want(200, ""))
	terminal.do(http.MethodPost, path+"/end", m{"photo": []byte("x")}).want(409, "duty.over")
	got := into[web.DutyDetail](admin.do(http.MethodGet, path, nil).want(200, ""))
	if got.End == nil || !got.End.At.Equal(ended.At) || !got.Ended.Equal(ended.At) || got.End.Reason != "" || got.End.Score == 0 {
		t.Errorf("shown %+v", got)
	}
	other := w.duty()
	admin.do(http.MethodPost, duties+"/"+string(other.ID)+"/end", m{"reason": "会诊"}).want(200, "")
	if got := into[web.DutyDetail](admin.do(http.MethodGet, duties+"/"+string(other.ID), nil).want(200, "")); got.End == nil || got.End.Reason != "会诊" {
		t.Errorf("shown %+v", got)
	}
}
