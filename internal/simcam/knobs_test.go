package simcam_test

import (
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"wardwatch/internal/simcam"
)

func TestKnobsAreReadStrictly(t *testing.T) {
	f, err := simcam.ParseFaults("loss=2.5, stall=true,session_timeout=8s,auth=basic,redirect=rtsp://10.0.0.1/x")
	want := simcam.Faults{Loss: 2.5, Stall: true, SessionTimeout: 8 * time.Second, Auth: "basic", Redirect: "rtsp://10.0.0.1/x"}
	if err != nil || f != want {
		t.Errorf("got %+v, %v", f, err)
	}
	for text, hint := range map[string]string{
		"los=5": `did you mean "loss"?`, "sesion_timeout=8s": `"session_timeout"`, "loss": "no knob with a value",
		"auth=kerberos": "digest,sha256,basic,wrong_realm", "loss=120": "0 to 100", "get_parameter=400": "405, 454 or 501",
		"answer=maybe": "close or never", "flap_up=3s": "flap_down", "redirect=http://x/": "rtsp://", "stall=perhaps": "perhaps",
		"session_timeout=8": "session_timeout", "write_rate=-1": "negative",
	} {
		if _, err := simcam.ParseFaults(text); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: got %v, want …%s…", text, err, hint)
		}
	}
	if err := yaml.Unmarshal([]byte("[loss]"), &f); err == nil {
		t.Error("a list of knobs: no error")
	}
	for _, k := range simcam.Knobs() {
		if k.Name == "" || k.Help == "" {
			t.Errorf("knob %+v is not explained", k)
		}
	}
}
