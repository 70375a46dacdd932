package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
	"wardwatch/web"
)

// share is a link that opens with the code 12345678.
func (w *world) share() (ward.Share, string) {
	w.t.Helper()
	token, hash := storage.NewToken()
	v, err := w.store.AddShare(w.t.Context(), ward.Share{CaseID: w.openCase().ID, Party: ward.Party{Name: "王", Office: "法院"}, Reason: "调取", Expires: time.Now().Add(24 * time.Hour)},
		hash[:], web.ShareCodeHash(token, "12345678"), w.user(ward.Inspector, "own"))
	must(w.t, err)
	return v, token
}

func TestHandOver(t *testing.T) {
	w := newWorld(t).serve()
	inspector := w.as(w.user(ward.Inspector, "own"))
	c := w.openCase()
	made := into[web.ShareMade](inspector.do(http.MethodPost, "/api/v1/cases/"+string(c.ID)+"/shares",
		m{"party": m{"name": "王法官", "office": "某区人民法院", "number": "A-77"}, "reason": "调取证据", "hours": 48}).want(201, ""))
	if len(made.Code) != 8 || strings.Contains(string(inspector.do(http.MethodGet, "/api/v1/cases/"+string(c.ID)+"/shares", nil).want(200, "").body), made.Token) {
		t.Errorf("got code %q, or the list shows the link", made.Code)
	}
	outside := w.anonymous()
	outside.do(http.MethodGet, "/api/v1/shared", nil).want(401, "share.unopened")
	outside.do(http.MethodPost, "/api/v1/shared/open", m{"token": made.Token + "x", "code": made.Code}).want(404, "share.unknown")
	outside.do(http.MethodPost, "/api/v1/shared/open", m{"token": made.Token, "code": "0000"}).want(403, "share.code")
	opened := outside.do(http.MethodPost, "/api/v1/shared/open", m{"token": made.Token, "code": made.Code}).want(200, "")
	cookie, err := http.ParseSetCookie(opened.header.Get("Set-Cookie"))
	must(t, err)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("got %v", cookie)
	}
	outside.do(http.MethodPost, "/api/v1/shared/open", m{"token": made.Token, "code": made.Code}).want(409, "share.device")
	device := outside.with("Cookie", cookie.Name+"="+cookie.Value)
	device.do(http.MethodPost, "/api/v1/shared/receipt", m{"seq": 1, "name": "王法官"}).want(404, "share.delivery")
	zip := device.do(http.MethodGet, "/api/v1/shared/package.zip", nil).want(200, "").body
	fingerprint := ledger.Fingerprint(w.store.PublicKey())
	report, err := verify.Package(bytes.NewReader(zip), int64(len(zip)), verify.Trust{Fingerprint: fingerprint})
	must(t, err)
	if !report.Compared || report.By != string(made.Share.Actor().ID) || len(report.Failures) > 1 { // the world's alert has a picture that its case has not
		t.Errorf("got %+v", report)
	}
	sum := sha256.Sum256(zip)
	var got web.Shared
	waitFor(t, func() bool {
		got = into[web.Shared](device.do(http.MethodGet, "/api/v1/shared", nil).want(200, ""))
		return len(got.Deliveries) == 1
	})
	if d := got.Deliveries[0]; got.Number != c.Number || got.Fingerprint != fingerprint || d.SHA256 != hex.EncodeToString(sum[:]) || d.Bytes != int64(len(zip)) || !d.Confirmed.IsZero() {
		t.Errorf("got %+v", got)
	}
	device.do(http.MethodPost, "/api/v1/shared/receipt", m{"seq": 1, "name": "王法官"}).want(200, "")
	all := into[web.Page[ward.Share]](inspector.do(http.MethodGet, "/api/v1/cases/"+string(c.ID)+"/shares", nil).want(200, "")).Items
	if len(all) != 1 || all[0].Deliveries[0].By != "王法官" {
		t.Errorf("got %+v", all)
	}
	var did []ward.Action
	for _, e := range get(t, w.store.Custody, c.ID) {
		if e.Role == ward.Recipient {
			did = append(did, e.Action)
		}
	}
	did = slices.DeleteFunc(did, func(a ward.Action) bool { return a == ward.ActionAdd })
	if want := []ward.Action{ward.ActionOpened, ward.ActionExport, ward.ActionHandOver, ward.ActionReceipt}; !slices.Equal(did, want) {
		t.Errorf("custody of the outside %v, want %v", did, want)
	}
	for _, secret := range []string{"王法官", made.Token, made.Code, cookie.Value} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	inspector.do(http.MethodPost, "/api/v1/shares/"+string(made.Share.ID)+"/revocation", m{"reason": "已完成"}).want(200, "")
	device.do(http.MethodGet, "/api/v1/shared/package.zip", nil).want(403, "share.over")
}

// Somebody who goes away in the middle got nothing.
func TestHalfAPackageIsNoDelivery(t *testing.T) {
	w := newWorld(t).serve()
	v, token := w.share()
	opened := w.anonymous().do(http.MethodPost, "/api/v1/shared/open", m{"token": token, "code": "12345678"}).want(200, "")
	cookie, err := http.ParseSetCookie(opened.header.Get("Set-Cookie"))
	must(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/shared/package.zip", nil)
	req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	out := &breaking{ResponseWriter: httptest.NewRecorder(), left: 2000}
	w.http.Config.Handler.ServeHTTP(out, req)
	if out.left >= 0 {
		t.Fatal("the whole package fitted")
	}
	if got := get(t, w.store.Share, v.ID); len(got.Deliveries) != 0 {
		t.Errorf("got %+v", got.Deliveries)
	}
}

// breaking is a line that breaks after some bytes.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return b.ResponseWriter.Write(p)
}
