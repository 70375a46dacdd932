package ward_test

import (
	"strings"
	"testing"

	"wardwatch/ward"
)

func TestDeviceOf(t *testing.T) {
	for agent, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                                         "Chrome 140 Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                                           "Edge 140 Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                                                  "Firefox 128 Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":                                 "Safari 17 iPhone",
		"Mozilla/5.0 (Linux; Android 11; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/86.0.4240.99 XWEB/3 Mobile Safari/537.36 MicroMessenger/8.0.2(0x)": "WeChat 8 Android",
		"curl/8.5.0":                        "curl/8.5.0",
		"x\r\nSet-Cookie:\x00y z":           "xSet-Cookie:y",
		strings.Repeat("é", 4000):           "",
		"Chrome/" + strings.Repeat("9", 99): "Chrome 99999",
	} {
		if got := ward.DeviceOf(agent); got != want {
			t.Errorf("%q: %q, not %q", agent[:min(len(agent), 60)], got, want)
		}
	}
}

func TestScopeOf(t *testing.T) {
	many := ward.User{}
	for range 200 {
		many.Institutions = append(many.Institutions, "hospital-1")
	}
	for _, c := range []struct {
		u    ward.User
		want string
	}{
		{ward.User{AllInstitutions: true}, "*"},
		{ward.User{Institutions: []ward.InstitutionID{"h1", "h2"}}, "h1,h2"},
		{ward.User{}, ""},
	} {
		if got := ward.ScopeOf(c.u); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
	if got := ward.ScopeOf(many); len(got) > 500 || !strings.HasSuffix(got, ",…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
