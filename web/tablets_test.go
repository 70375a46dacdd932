package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

const kiosk = "/api/v1/tablet/"

// TestTabletMayOnlyWhatIsItsOwn asks every route with a tablet's secret.
func TestTabletMayOnlyWhatIsItsOwn(t *testing.T) {
	w := newWorld(t)
	page := fstest.MapFS{"index.html": {Data: []byte("x")}, "tablet.html": {Data: []byte("x")}, "share.html": {Data: []byte("x")}}
	w.web.Console, w.web.Bedside = page, page
	w.televise()
	w.searchable()
	w.serve()
	_, w.tabletSecret = w.tablet()
	names, err := w.web.Routes()
	must(t, err)
	for _, name := range names {
		if !strings.Contains(name, " /api/") {
			continue
		}
		open := slices.Contains([]string{"POST /api/v1/sign-in", "POST /api/v1/bedside/open", "POST /api/v1/shared/open"}, name)
		got := w.ask(name, "tablet", requests[name])
		if own := strings.Contains(name, " "+kiosk); own && got != "200" && got != "204" || !own && !open && got != "401" {
			t.Errorf("%s as a tablet: %s", name, got)
		}
	}
}

func (w *world) shownBy(secret string) <-chan web.Kiosk {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.http.URL+kiosk+"events", nil)
	must(w.t, err)
	req.AddCookie(&http.Cookie{Name: "wardwatch-tablet", Value: secret})
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // closed by the reader below
	must(w.t, err)
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("the stream answers %d", res.StatusCode)
	}
	out := make(chan web.Kiosk)
	go func(ctx context.Context) {
		defer close(out)
		defer res.Body.Close()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			data, ok := strings.CutPrefix(s.Text(), "data: ")
			var k web.Kiosk
			if !ok || json.Unmarshal([]byte(data), &k) != nil {
				continue
			}
			select {
			case out <- k:
			case <-ctx.Done():
				return
			}
		}
	}(w.t.Context())
	return out
}

// until reads what a tablet shows until ok, for a minute at most.
func (w *world) until(shown <-chan web.Kiosk, what string, ok func(web.Kiosk) bool) web.Kiosk {
	w.t.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case k, open := <-shown:
			if !open {
				w.t.Fatalf("the stream ended before: %s", what)
			}
			if ok(k) {
				return k
			}
		case <-limit:
			w.t.Fatalf("waited a minute for: %s", what)
		}
	}
}

func TestTabletIsPairedOnceRingsAndOpens(t *testing.T) {
	w := newWorld(t).serve()
	operator, inspector, nobody := w.as(w.user(ward.Operator, "own")), w.as(w.user(ward.Inspector, "own")), w.anonymous()
	got := into[web.TabletCode](operator.do(http.MethodPost, "/api/v1/tablets", m{"institution_id": own, "ward": "内科", "bed": "3", "name": "三床"}).want(201, ""))
	nobody.do(http.MethodPost, kiosk+"pair", m{"code": "2222-2222"}).want(404, "tablet.code")
	nobody.do(http.MethodPost, kiosk+"report", m{"battery": 80, "charging": false, "network": "wifi", "sound": true}).want(401, "tablet.pair")
	paired := nobody.do(http.MethodPost, kiosk+"pair", m{"code": " " + strings.ToLower(got.Code)}).want(200, "")
	nobody.do(http.MethodPost, kiosk+"pair", m{"code": got.Code}).want(404, "tablet.code")
	cookie := (&http.Response{Header: paired.header}).Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge < 86400 {
		t.Errorf("got the cookie %+v", cookie)
	}
	tablet := nobody.with("Cookie", cookie.Name+"="+cookie.Value)
	tablet.do(http.MethodPost, kiosk+"report", m{"battery": 81, "charging": true, "network": "wifi", "sound": true}).want(200, "")
	row := into[web.Page[web.TabletRow]](operator.do(http.MethodGet, "/api/v1/tablets", nil).want(200, "")).Items[0]
	if row.Battery != 81 || !row.Charging || row.Network != ward.WiFiNetwork || !row.Sound || row.Lost {
		t.Errorf("got %+v", row)
	}
	shown := w.shownBy(cookie.Value)
	w.until(shown, "the first message", func(web.Kiosk) bool { return true })

	operator.do(http.MethodPost, "/api/v1/tablets/"+string(row.ID)+"/ring", nil).want(200, "")
	test := w.until(shown, "the ring test", func(k web.Kiosk) bool { return !k.Test.IsZero() })
	tablet.do(http.MethodPost, kiosk+"rang", m{"asked": test.Test}).want(204, "")
	if v := get(t, w.store.Tablet, row.ID); !v.Rang.After(v.Asked) {
		t.Errorf("asked %v, rang %v", v.Asked, v.Rang)
	}

	v, _ := w.visit()
	path := "/api/v1/visits/" + string(v.ID)
	w.until(shown, "the ring", func(k web.Kiosk) bool { return len(k.Rings) == 1 && k.Rings[0].VisitID == v.ID })
	told := into[web.VisitDetail](inspector.do(http.MethodGet, path, nil).want(200, "")).Told
	if len(told) != 1 || told[0].Way != ward.ByTablet || told[0].Told.IsZero() || !told[0].Delivered.IsZero() {
		t.Fatalf("before the receipt: %+v", told)
	}
	for range 2 {
		tablet.do(http.MethodPost, kiosk+"visits/"+string(v.ID)+"/received", m{"aloud": true}).want(204, "")
	}
	opened := into[web.BedsideOpened](tablet.do(http.MethodPost, kiosk+"visits/"+string(v.ID)+"/open", nil).want(200, ""))
	again := into[web.BedsideOpened](tablet.do(http.MethodPost, kiosk+"visits/"+string(v.ID)+"/open", nil).want(200, "")) // it was restarted
	w.until(shown, "silence", func(k web.Kiosk) bool { return len(k.Rings) == 0 && k.Busy && k.Resume == v.ID })
	nobody.with("Authorization", "Bearer "+opened.Device).do(http.MethodPost, bedside+"consent", m{"agree": true}).want(403, "bedside.device_unknown")
	nobody.with("Authorization", "Bearer "+again.Device).do(http.MethodPost, bedside+"consent", m{"agree": false}).want(204, "")
	detail := into[web.VisitDetail](inspector.do(http.MethodGet, path, nil).want(200, ""))
	var kinds []string
	for _, e := range detail.Events {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"told", "delivered", "opened", "opened", "consent", "sealed"}; !slices.Equal(kinds, want) {
		t.Errorf("got the events %v, want %v", kinds, want)
	}
	if d := detail.Told[0]; d.Delivered.IsZero() || d.Opened.IsZero() || detail.Ordered.IsZero() {
		t.Errorf("got %+v", d)
	}
	inspector.do(http.MethodPost, path+"/told", m{"way": "qr"}).want(204, "") // too late: the events are sealed
	if e := get(t, w.store.VisitEvents, v.ID); len(e) != len(kinds) {
		t.Errorf("%d events after the seal, want %d", len(e), len(kinds))
	}

	operator.do(http.MethodDelete, "/api/v1/tablets/"+string(row.ID), nil).want(204, "")
	tablet.do(http.MethodPost, kiosk+"report", m{"battery": 80, "charging": false, "network": "wifi", "sound": true}).want(403, "tablet.unpaired")
	for range shown { // the stream of a revoked tablet ends
	}
	for _, secret := range []string{cookie.Value, strings.ReplaceAll(got.Code, "-", "")} {
		if strings.Contains(w.log.String(), secret) {
			t.Error("the log holds a tablet's secret")
		}
	}
}

// TestTabletOfAnotherBed opens and acknowledges nothing that is not its own.
func TestTabletOfAnotherBed(t *testing.T) {
	w := newWorld(t).serve()
	w.stay.Bed = "4"
	_, secret := w.tablet()
	w.stay.Bed = "3"
	v, _ := w.visit()
	tablet := w.anonymous().with("Cookie", "wardwatch-tablet="+secret)
	k := into[web.Kiosk](tablet.do(http.MethodPost, kiosk+"report", m{"battery": -1, "charging": false, "network": "unknown", "sound": false}).want(200, ""))
	if len(k.Rings) != 0 {
		t.Errorf("it rings for %+v", k.Rings)
	}
	tablet.do(http.MethodPost, kiosk+"visits/"+string(v.ID)+"/open", nil).want(409, "visit.opened")
	tablet.do(http.MethodPost, kiosk+"visits/"+string(v.ID)+"/received", m{"aloud": true}).want(204, "")
	if e := get(t, w.store.VisitEvents, v.ID); len(e) != 0 {
		t.Errorf("got %+v", e)
	}
}
