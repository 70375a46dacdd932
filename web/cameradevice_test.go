package web_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"wardwatch/ingest"
	"wardwatch/ingest/onvif"
	"wardwatch/ward"
	"wardwatch/web"
)

// TestCameraSaysWhatItIs asks a camera by ONVIF, and writes down what a label says.
func TestCameraSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	w.web.Fleet = &ingest.Fleet{Store: w.store, Spool: w.spool, Guard: &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	w.serve()
	answer := `<Fault><Code><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>`
	device := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != onvif.Path || bytes.Contains(asked, []byte("secret-password")) {
			t.Errorf("asked at %s: %s", r.URL.Path, asked)
		}
		_, _ = io.WriteString(rw, `<Envelope><Body>`+answer+`</Body></Envelope>`)
	}))
	defer device.Close()
	_, text, err := net.SplitHostPort(device.Listener.Addr().String())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	cam := w.newCamera()
	cam.URL = "rtsp://127.0.0.1:554/1"
	must(t, w.store.UpdateCamera(t.Context(), cam))
	path := "/api/v1/cameras/" + string(cam.ID) + "/devices"
	c := w.as(w.user(ward.Operator, "own"))
	if got := into[web.CameraDevices](c.do(http.MethodGet, path, nil).want(200, "")); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("nobody said anything: %+v", got)
	}
	c.do(http.MethodPost, path+"/ask", m{"port": port}).want(409, "device.auth")
	answer = `<html>`
	c.do(http.MethodPost, path+"/ask", m{"port": port}).want(409, "device.answer")
	answer = `<GetDeviceInformationResponse><Manufacturer>示例</Manufacturer><Model>X-200</Model><FirmwareVersion>1.4</FirmwareVersion><SerialNumber>SN-1</SerialNumber></GetDeviceInformationResponse>`
	got := into[ward.CameraDevice](c.do(http.MethodPost, path+"/ask", m{"port": port}).want(200, ""))
	if got.Model != "X-200" || got.Serial != "SN-1" || got.Source != ward.DeviceByCamera || got.Version != 1 {
		t.Errorf("got %+v", got)
	}
	answer = `<GetDeviceInformationResponse><Model>` + strings.Repeat("x", 500) + `</Model></GetDeviceInformationResponse>`
	c.do(http.MethodPost, path+"/ask", m{"port": port}).want(422, "device.text")
	c.do(http.MethodPost, path, m{}).want(422, "device.empty")
	c.do(http.MethodPost, path, m{"model": "X-200", "serial": "SN-2"}).want(200, "")
	all := into[web.CameraDevices](c.do(http.MethodGet, path, nil).want(200, "")).Items
	if len(all) != 2 || all[1].Source != ward.DeviceByHand || all[1].Serial != "SN-2" {
		t.Errorf("got %+v", all)
	}
	device.Close()
	c.do(http.MethodPost, path+"/ask", m{"port": port}).want(409, "device.unreachable")
	cam.URL = "rtsp://127.0.0.2:554/1" // outside of the cameras' networks
	must(t, w.store.UpdateCamera(t.Context(), cam))
	if r := c.do(http.MethodPost, path+"/ask", m{"port": port}).want(409, "device.unreachable"); !strings.Contains(string(r.body), "cameras.networks") {
		t.Errorf("%s", r.body)
	}
	if strings.Contains(w.log.String(), "secret-password") {
		t.Error("the password is in the log")
	}
}
