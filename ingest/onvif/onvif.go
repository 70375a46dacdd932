// Package onvif asks a camera what it is (ONVIF Core Specification, Device
// Management: GetDeviceInformation). Whatever a camera answers is foreign.
package onvif

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the digest of WS-UsernameToken is SHA-1
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/icholy/digest"
)

// Errors of Device.
var (
	ErrAuth   = errors.New("the camera refuses the user or the password")
	ErrAnswer = errors.New("the answer is not one of ONVIF")
)

// Path is where a camera's device service is, by the specification.
const Path = "/onvif/device_service"

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Client asks cameras. The password is sent as a digest only.
type Client struct {
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	User     string // empty: asked without
	Password string
}

// Information is what a camera says of itself, without blanks around it.
type Information struct {
	Manufacturer, Model, Firmware, Serial string
}

type envelope struct {
	Body struct {
		Time struct {
			UTC struct {
				Time struct{ Hour, Minute, Second int } `xml:"Time"`
				Date struct{ Year, Month, Day int }     `xml:"Date"`
			} `xml:"SystemDateAndTime>UTCDateTime"`
		} `xml:"GetSystemDateAndTimeResponse"`
		Device *struct {
			Manufacturer    string
			Model           string
			FirmwareVersion string
			SerialNumber    string
		} `xml:"GetDeviceInformationResponse"`
		Fault *struct {
			Codes []string `xml:"Code>Subcode>Value"`
		}
	}
}

// Device asks the device at address, which is "host:port", over plain HTTP.
// Errors: ErrAuth, ErrAnswer, and those of the network.
func (c Client) Device(ctx context.Context, address string) (Information, error) {
	plain := &http.Transport{DialContext: c.Dial, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer}
	h := &http.Client{Transport: plain, CheckRedirect: func(*http.Request, []*http.Request) error { return ErrAnswer }}
	now := time.Now()
	if said, _, err := ask(ctx, h, address, "", `<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>`); err == nil {
		now = said.moment(now) // a digest counts only near the camera's own time
	} else if !errors.Is(err, ErrAnswer) {
		return Information{}, err
	}
	header := ""
	if c.User != "" {
		header = c.token(now)
		h.Transport = &digest.Transport{Username: c.User, Password: c.Password, Transport: plain}
	}
	said, status, err := ask(ctx, h, address, header, `<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/>`)
	if status == http.StatusUnauthorized || status == http.StatusForbidden || err == nil && said.refused() {
		return Information{}, ErrAuth
	}
	if err != nil {
		return Information{}, err
	}
	d := said.Body.Device
	if d == nil {
		return Information{}, fmt.Errorf("%w: HTTP status %d", ErrAnswer, status)
	}
	return Information{strings.TrimSpace(d.Manufacturer), strings.TrimSpace(d.Model), strings.TrimSpace(d.FirmwareVersion), strings.TrimSpace(d.SerialNumber)}, nil
}

func ask(ctx context.Context, h *http.Client, address, header, body string) (envelope, int, error) {
	message := `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>` + header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+Path, strings.NewReader(message))
	if err != nil {
		return envelope{}, 0, fmt.Errorf("ask for ONVIF: %w", err)
	}
	r.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	a, err := h.Do(r)
	if err != nil {
		return envelope{}, 0, fmt.Errorf("ask for ONVIF: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if err = errors.Join(err, a.Body.Close()); err != nil {
		return envelope{}, a.StatusCode, fmt.Errorf("ask for ONVIF: %w", err)
	}
	said, err := parse(b)
	return said, a.StatusCode, err
}

// parse reads a SOAP envelope. Nothing outside of it is ever fetched, and
// entities are not known.
func parse(b []byte) (envelope, error) {
	var said struct {
		XMLName xml.Name
		envelope
	}
	if err := xml.NewDecoder(bytes.NewReader(b)).Decode(&said); err != nil || said.XMLName.Local != "Envelope" {
		return envelope{}, ErrAnswer
	}
	return said.envelope, nil
}

// moment is the camera's time; now when it did not tell one.
func (e envelope) moment(now time.Time) time.Time {
	d, t := e.Body.Time.UTC.Date, e.Body.Time.UTC.Time
	if d.Year < 1970 || d.Year > 9999 {
		return now
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, t.Hour, t.Minute, t.Second, 0, time.UTC)
}

// refused says whether a fault is about who asks.
func (e envelope) refused() bool {
	if e.Body.Fault == nil {
		return false
	}
	for _, code := range e.Body.Fault.Codes {
		if strings.HasSuffix(code, "NotAuthorized") || strings.HasSuffix(code, "FailedAuthentication") {
			return true
		}
	}
	return false
}

// token is a UsernameToken (OASIS WSS UsernameToken Profile 1.0 §3.1): the
// digest is Base64(SHA-1(nonce + created + password)).
func (c Client) token(now time.Time) string {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	created := now.UTC().Format(time.RFC3339)
	sum := sha1.Sum([]byte(string(nonce[:]) + created + c.Password)) //nolint:gosec // as above
	const wss = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	var user bytes.Buffer
	_ = xml.EscapeText(&user, []byte(c.User)) // a buffer takes everything
	return `<Security s:mustUnderstand="1" xmlns="` + wss + `wssecurity-secext-1.0.xsd"><UsernameToken><Username>` + user.String() +
		`</Username><Password Type="` + wss + `username-token-profile-1.0#PasswordDigest">` + base64.StdEncoding.EncodeToString(sum[:]) +
		`</Password><Nonce EncodingType="` + wss + `soap-message-security-1.0#Base64Binary">` + base64.StdEncoding.EncodeToString(nonce[:]) +
		`</Nonce><Created xmlns="` + wss + `wssecurity-utility-1.0.xsd">` + created + `</Created></UsernameToken></Security>`
}
