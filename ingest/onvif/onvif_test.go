package onvif_test

import (
	"context"
	"crypto/md5" //nolint:gosec // HTTP Digest's
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest/onvif"
)

// camera is a device service. Its clock is a year behind, and it believes
// only digests that were made within five seconds of it.
type camera struct {
	t        *testing.T
	password string
	http     bool   // it asks for HTTP Digest in place of WS-UsernameToken
	answer   string // in place of what it is
	asked    []string
}

const soap = `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><SOAP-ENV:Body>`

func (c *camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != onvif.Path || strings.Contains(string(b), c.password) {
		c.t.Errorf("asked at %s: %s, %v", r.URL.Path, b, err)
	}
	c.asked = append(c.asked, string(b))
	now := time.Now().UTC().AddDate(-1, 0, 0)
	say := func(s string) { _, _ = io.WriteString(w, soap+s+`</SOAP-ENV:Body></SOAP-ENV:Envelope>`) }
	switch {
	case strings.Contains(string(b), "GetSystemDateAndTime"):
		say(now.Format(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>15</tt:Hour><tt:Minute>4</tt:Minute><tt:Second>5</tt:Second></tt:Time><tt:Date><tt:Year>2006</tt:Year><tt:Month>1</tt:Month><tt:Day>2</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`))
	case c.http && !c.digested(r):
		w.Header().Set("WWW-Authenticate", `Digest realm="camera", nonce="n1", qop="auth"`)
		w.WriteHeader(http.StatusUnauthorized)
	case !c.http && !c.token(b, now):
		w.WriteHeader(http.StatusBadRequest)
		say(`<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>ter:NotAuthorized</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code></SOAP-ENV:Fault>`)
	case c.answer != "":
		_, _ = io.WriteString(w, c.answer)
	default:
		say(`<tds:GetDeviceInformationResponse><tds:Manufacturer>示例 &amp; Co</tds:Manufacturer><tds:Model> X-200 </tds:Model><tds:FirmwareVersion>1.4.2</tds:FirmwareVersion><tds:SerialNumber>SN-1</tds:SerialNumber><tds:HardwareId>8</tds:HardwareId></tds:GetDeviceInformationResponse>`)
	}
}

func (c *camera) token(b []byte, now time.Time) bool {
	var e struct {
		Token struct {
			Username, Password, Nonce, Created string
		} `xml:"Header>Security>UsernameToken"`
	}
	if err := xml.Unmarshal(b, &e); err != nil || e.Token.Username != `inspector <1>` {
		return false
	}
	nonce, err := base64.StdEncoding.DecodeString(e.Token.Nonce)
	created, err2 := time.Parse(time.RFC3339, e.Token.Created)
	sum := sha1.Sum([]byte(string(nonce) + e.Token.Created + c.password)) //nolint:gosec // as the profile says
	return err == nil && err2 == nil && now.Sub(created).Abs() < 5*time.Second && e.Token.Password == base64.StdEncoding.EncodeToString(sum[:])
}

func (c *camera) digested(r *http.Request) bool {
	field := func(name string) string {
		m := regexp.MustCompile(`[ ,]` + name + `="?([^",]*)`).FindStringSubmatch(r.Header.Get("Authorization"))
		if m == nil {
			return ""
		}
		return m[1]
	}
	of := func(s string) string {
		sum := md5.Sum([]byte(s)) //nolint:gosec // HTTP Digest's
		return hex.EncodeToString(sum[:])
	}
	want := of(of("inspector <1>:camera:"+c.password) + ":n1:" + field("nc") + ":" + field("cnonce") + ":auth:" + of("POST:"+onvif.Path))
	return field("response") == want
}

func ask(t *testing.T, c *camera, password string) (onvif.Information, error) {
	t.Helper()
	c.t = t
	s := httptest.NewServer(c)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return onvif.Client{Dial: (&net.Dialer{}).DialContext, User: "inspector <1>", Password: password}.Device(ctx, s.Listener.Addr().String())
}

func TestDevice(t *testing.T) {
	for name, c := range map[string]*camera{"WS-UsernameToken": {password: "p&ss-w0rd"}, "HTTP Digest": {password: "p&ss-w0rd", http: true}} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, c, "p&ss-w0rd")
			if want := (onvif.Information{Manufacturer: "示例 & Co", Model: "X-200", Firmware: "1.4.2", Serial: "SN-1"}); err != nil || got != want {
				t.Errorf("got %+v, %v", got, err)
			}
			if _, err := ask(t, c, "another"); !errors.Is(err, onvif.ErrAuth) {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
}

func TestDeviceThatIsNone(t *testing.T) {
	for name, answer := range map[string]string{
		"a web page":            "<html><body>login</body></html>",
		"nothing of it":         soap + `</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
		"cut off":               soap + `<tds:GetDeviceInformationResponse><tds:Model>X`,
		"an entity":             `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + soap + `<tds:GetDeviceInformationResponse><tds:Model>&a;</tds:Model></tds:GetDeviceInformationResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>`,
		"larger than the bound": soap + `<tds:GetDeviceInformationResponse><tds:Model>` + strings.Repeat("x", 1<<20) + `</tds:Model></tds:GetDeviceInformationResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ask(t, &camera{password: "p&ss-w0rd", answer: answer}, "p&ss-w0rd"); !errors.Is(err, onvif.ErrAnswer) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	t.Run("it sends elsewhere", func(t *testing.T) {
		elsewhere := 0
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
		defer other.Close()
		s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
		defer s.Close()
		_, err := onvif.Client{Dial: (&net.Dialer{}).DialContext, User: "u", Password: "p"}.Device(t.Context(), s.Listener.Addr().String())
		if !errors.Is(err, onvif.ErrAnswer) || elsewhere != 0 {
			t.Errorf("%v, and the other place was asked %d times", err, elsewhere)
		}
	})
}
