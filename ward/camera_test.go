package ward_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

func goodCamera() ward.Camera {
	return ward.Camera{ID: "cam-1", Name: "一号窗口", URL: "rtsp://10.1.2.3/Streaming/Channels/101", User: "admin", Password: "p@ss/word"}.WithDefaults()
}

func TestCameraFaults(t *testing.T) {
	if f := goodCamera().Faults(); len(f) > 0 {
		t.Fatalf("a good camera has faults: %+v", f)
	}
	tests := map[string]func(*ward.Camera){
		"camera.id":                     func(c *ward.Camera) { c.ID = "Kamera 1" },
		"camera.name":                   func(c *ward.Camera) { c.Name = " \u3000" },
		"camera.url":                    func(c *ward.Camera) { c.URL = "http://10.0.0.1/" },
		"camera.url_credentials":        func(c *ward.Camera) { c.URL = "rtsp://admin:12/34@10.0.0.1/1" },
		"camera.sub_url":                func(c *ward.Camera) { c.SubURL = "rtsp://10.0.0.1:0/1" },
		"camera.sub_url_credentials":    func(c *ward.Camera) { c.SubURL = "rtsp://a:b@10.0.0.1/1" },
		"camera.sub_url_same":           func(c *ward.Camera) { c.SubURL = c.URL },
		"camera.replay_url":             func(c *ward.Camera) { c.ReplayURL = "http://10.0.0.1/{from}" },
		"camera.replay_url_marks":       func(c *ward.Camera) { c.ReplayURL = "rtsp://10.0.0.1/{start}" },
		"camera.replay_url_credentials": func(c *ward.Camera) { c.ReplayURL = "rtsp://a:b@10.0.0.1/{from}" },
		"camera.user":                   func(c *ward.Camera) { c.User = "a:b" },
		"camera.password":               func(c *ward.Camera) { c.Password = ward.Secret(strings.Repeat("密", 129)) },
		"camera.transport":              func(c *ward.Camera) { c.Transport = "quic" },
		"camera.tls_fingerprint":        func(c *ward.Camera) { c.URL, c.TLSFingerprint = "rtsps://10.0.0.1/1", "abc" },
		"camera.tls_fingerprint_plain":  func(c *ward.Camera) { c.TLSFingerprint = strings.Repeat("a", 64) },
		"camera.record":                 func(c *ward.Camera) { c.Record = "sometimes" },
		"camera.record_from":            func(c *ward.Camera) { c.Record, c.RecordFrom, c.RecordTo = ward.RecordHours, "8:00", "18:30" },
		"camera.record_to":              func(c *ward.Camera) { c.Record, c.RecordFrom, c.RecordTo = ward.RecordHours, "08:00", "24:00" },
		"camera.record_hours":           func(c *ward.Camera) { c.Record, c.RecordFrom, c.RecordTo = ward.RecordHours, "08:00", "08:00" },
		"camera.segment_seconds":        func(c *ward.Camera) { c.SegmentSeconds = 1 },
		"camera.retention_days":         func(c *ward.Camera) { c.RetentionDays = 3651 },
	}
	for code, spoil := range tests {
		c := goodCamera()
		spoil(&c)
		f := c.Faults()
		if len(f) != 1 || f[0].Err.Code != code || f[0].Err.ZH == "" || f[0].Err.EN == "" || f[0].Err.Kind != ward.Invalid {
			t.Errorf("%s: got %+v", code, f)
		}
	}
	for _, url := range []string{"", "rtsp://", "rtsp:///1", "rtsp://10.0.0.1:99999/", "rtsp://10.0.0.1:/", "rtsp://10.0.0.1/a b", "rtsp://10.0.0.1/\n", "rtsp://10.0.0.1/#x", "rtsp:10.0.0.1", "rtsp://h/" + strings.Repeat("x", 1024)} {
		c := goodCamera()
		c.URL = url
		if f := c.Faults(); len(f) != 1 || f[0].Field != "url" {
			t.Errorf("%q: got %+v", url, f)
		}
	}
	c := ward.Camera{ID: "X", URL: "x", Transport: "x", Record: "x", SegmentSeconds: -1, RetentionDays: -1}.WithDefaults()
	var fields []string
	for _, f := range c.Faults() {
		fields = append(fields, f.Field)
	}
	if want := []string{"id", "name", "url", "transport", "record", "segment_seconds", "retention_days"}; !slices.Equal(fields, want) {
		t.Errorf("all faults at once: got %v, want %v", fields, want)
	}
}

func TestCameraDefaults(t *testing.T) {
	c := ward.Camera{URL: "rtsps://10.0.0.1/1", TLSFingerprint: "AB:CD ef", RecordFrom: "08:00"}.WithDefaults()
	if c.TLSFingerprint != "abcdef" || c.RecordFrom != "" || c.Record != ward.RecordAlways || c.Transport != ward.TransportAuto || c.SegmentSeconds != 60 || c.RetentionDays != 90 {
		t.Errorf("%+v", c)
	}
}

// TestPasswordStays: a stored password goes nowhere but where it went.
func TestPasswordStays(t *testing.T) {
	was := ward.Camera{URL: "rtsp://10.1.2.3/1", SubURL: "rtsps://10.1.2.3/2", TLSFingerprint: "aa"}
	for name, x := range map[string]struct {
		to    ward.Camera
		stays bool
	}{
		"another path":        {ward.Camera{URL: "rtsp://10.1.2.3/9"}, true},
		"the port in words":   {ward.Camera{URL: "RTSP://10.1.2.3:554/1"}, true},
		"streams exchanged":   {ward.Camera{URL: "rtsps://10.1.2.3/2", SubURL: "rtsp://10.1.2.3/1", TLSFingerprint: "aa"}, true},
		"another host":        {ward.Camera{URL: "rtsp://10.6.6.6/1"}, false},
		"another sub host":    {ward.Camera{URL: "rtsp://10.1.2.3/1", SubURL: "rtsp://evil.example/2"}, false},
		"another recorder":    {ward.Camera{URL: "rtsp://10.1.2.3/1", ReplayURL: "rtsp://evil.example/{from}"}, false},
		"its own storage":     {ward.Camera{URL: "rtsp://10.1.2.3/1", ReplayURL: "rtsp://10.1.2.3/tracks/1?a={from}"}, true},
		"another port":        {ward.Camera{URL: "rtsp://10.1.2.3:8554/1"}, false},
		"encryption given up": {ward.Camera{URL: "rtsp://10.1.2.3:322/2"}, false},
		"another certificate": {ward.Camera{URL: "rtsps://10.1.2.3/2", TLSFingerprint: "bb"}, false},
		"any certificate":     {ward.Camera{URL: "rtsps://10.1.2.3/2"}, false},
	} {
		if got := was.MayInherit(x.to); got != x.stays {
			t.Errorf("%s: got %v, want %v", name, got, x.stays)
		}
	}
}

func TestSplitCredentials(t *testing.T) {
	for raw, want := range map[string][4]string{
		"rtsp://admin:geheim@10.1.2.3:554/1?x=1": {"rtsp://10.1.2.3:554/1?x=1", "admin", "geheim", "found"},
		"rtsp://admin:a%40b%2Fc@10.1.2.3/1":      {"rtsp://10.1.2.3/1", "admin", "a@b/c", "found"},
		"rtsp://admin:p@ss@10.1.2.3/1":           {"rtsp://10.1.2.3/1", "admin", "p@ss", "found"},
		"rtsp://admin:100%@10.1.2.3/1":           {"rtsp://10.1.2.3/1", "admin", "100%", "found"},
		"rtsp://admin@10.1.2.3":                  {"rtsp://10.1.2.3", "admin", "", "found"},
		"rtsp://10.1.2.3/1":                      {"rtsp://10.1.2.3/1", "", "", ""},
		"rtsp://10.1.2.3/a@b":                    {"rtsp://10.1.2.3/a@b", "", "", ""},
		"rtsp://admin:12/34@10.1.2.3/1":          {"rtsp://admin:12/34@10.1.2.3/1", "", "", ""}, // Faults refuses it
		"":                                       {"", "", "", ""},
	} {
		address, user, password, found := ward.SplitCredentials(raw)
		if address != want[0] || user != want[1] || password != want[2] || found != (want[3] != "") {
			t.Errorf("%s: got %q %q %q %v", raw, address, user, password, found)
		}
	}
}

func TestReplayAt(t *testing.T) {
	from, to := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 16, 30, 1, 0, time.UTC)
	for given, want := range map[string]string{
		"rtsp://h/Streaming/tracks/101?starttime={from}&endtime={to}":               "rtsp://h/Streaming/tracks/101?starttime=20261122T020000Z&endtime=20261122T163001Z",
		"rtsp://h/cam/playback?channel=1&starttime={from_local}&endtime={to_local}": "rtsp://h/cam/playback?channel=1&starttime=2026_11_22_10_00_00&endtime=2026_11_23_00_30_01",
		"rtsp://h/onvif": "rtsp://h/onvif",
	} {
		got, marked := ward.Camera{ReplayURL: given}.ReplayAt(from, to)
		if got != want || marked != (given != want) {
			t.Errorf("%s: got %s %v", given, got, marked)
		}
	}
}
