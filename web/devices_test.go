package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/ward"
	"wardwatch/web"
)

// bedsideRoutes are all that a bedside's device may ask, with good requests.
func bedsideRoutes(t *testing.T, w *world) []string {
	t.Helper()
	names, err := w.web.Routes()
	must(t, err)
	names = slices.DeleteFunc(names, func(n string) bool {
		return !strings.Contains(n, " "+bedside) || n == "POST "+bedside+"open"
	})
	if len(names) < 6 {
		t.Fatalf("only %q", names)
	}
	return names
}

// A device's secret opens its own visit while that lasts, and nothing else
// opens one: not the link's token, not what belongs to a tablet, a terminal or
// a person, not the secret of a visit that is over.
func TestOnlyItsOwnSecretOpensAVisit(t *testing.T) {
	w := newWorld(t).serve()
	ctx := t.Context()
	fresh, token := w.visit()
	mine, used := w.visit()
	device, _, _, err := w.rounds.Open(ctx, used)
	must(t, err)
	sealed := w.device()
	must(t, w.rounds.Consent(ctx, sealed, false))
	_, tablet := w.tablet()
	terminal := strings.TrimPrefix(w.token(w.user(ward.Terminal, "own")).header.Get("Authorization"), "Bearer ")
	session := w.session(w.user(ward.Inspector, "all")).Value
	before := get(t, w.store.VisitEvents, mine.ID)
	for name, secret := range map[string]string{
		"the token of a link that is not used": token, "the token of a link that is used": used, "a visit that is over": sealed,
		"a tablet": tablet, "a terminal": terminal, "an inspector": session, "the visit's number": string(mine.ID), "a guess": "AAAAAAAAAAAAAAAAAAAAAA", "much": strings.Repeat("x", 4000),
	} {
		for _, route := range bedsideRoutes(t, w) {
			method, path, _ := strings.Cut(route, " ")
			q := requests[route](w)
			got := w.anonymous().with("Authorization", "Bearer "+secret).with("Cookie", "wardwatch-tablet="+secret).with("Content-Type", q.contentType()).do(method, path, q.body())
			var p web.Problem
			must(t, json.Unmarshal(got.body, &p))
			if got.status != http.StatusForbidden || p.Code != "bedside.device_unknown" {
				t.Errorf("%s by %s: %d %s", route, name, got.status, p.Code)
			}
			if text := string(got.body); strings.Contains(text, "张") || strings.Contains(text, string(mine.ID)) || strings.Contains(text, w.stay.Bed+"床") {
				t.Errorf("%s by %s tells %q", route, name, text)
			}
		}
	}
	if after := get(t, w.store.VisitEvents, mine.ID); len(after) != len(before) {
		t.Errorf("the visit went on: %+v", after)
	}
	if v := get(t, w.store.Visit, fresh.ID); v.State != ward.VisitOrdered {
		t.Errorf("the visit of the unused link is %s", v.State)
	}
	must(t, w.rounds.Consent(ctx, device, true)) // its own goes on
}

// Fifty devices follow one link at once, and another fifty guess: one opens
// it, whoever guesses is slowed down, and no answer tells a guess from a name.
func TestOneOfFiftyDevicesOpensALink(t *testing.T) {
	w := newWorld(t).serve()
	_, token := w.visit()
	var all sync.WaitGroup
	codes := make([]int, 50)
	for i := range codes {
		all.Go(func() { codes[i] = w.anonymous().do(http.MethodPost, bedside+"open", m{"token": token}).status })
	}
	all.Wait()
	count := map[int]int{}
	for _, c := range codes {
		count[c]++
	}
	if count[200] != 1 || count[410] != 49 {
		t.Errorf("got %v", count)
	}
	limited := false
	for range 200 {
		limited = limited || w.anonymous().do(http.MethodPost, bedside+"open", m{"token": "AAAAAAAAAAAAAAAAAAAAAA"}).status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("200 guesses from one address are not limited")
	}
}

// A device that asks without end is slowed down, and no other is.
func TestADeviceThatFloodsIsLimited(t *testing.T) {
	w := newWorld(t).serve()
	loud, quiet := w.anonymous().with("Authorization", "Bearer "+w.device()), w.anonymous().with("Authorization", "Bearer "+w.device())
	limited := 0
	for range 2 * web.DevicesPerMinute {
		if loud.do(http.MethodPost, bedside+"away", nil).status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < web.DevicesPerMinute/2 {
		t.Errorf("%d of %d are refused", limited, 2*web.DevicesPerMinute)
	}
	quiet.do(http.MethodPost, bedside+"away", nil).want(204, "")
}
