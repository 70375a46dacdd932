package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShippedExampleHasEveryKey(t *testing.T) {
	c, err := loadConfig("../../deploy/wardwatch.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.WebRTC.UDPPort != 8189 || c.Data != "/var/lib/wardwatch" || c.Spool.Reserve != 256e6 || c.Upload.Workers != 3 {
		t.Errorf("got %+v", c)
	}
	text, err := os.ReadFile("../../deploy/wardwatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflectConfig, "") {
		last := key[strings.LastIndex(key, ".")+1:]
		if !strings.Contains(string(text), last+":") {
			t.Errorf("deploy/wardwatch.yaml does not document %s", key)
		}
	}
}

func TestConfigRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown key": {"lisen: 127.0.0.1:1\n", `did you mean "listen"`},
		"nested":      {"objects:\n  kinds: s3\n", `did you mean "objects.kind"`},
		"bad value":   {"objects:\n  kind: tape\n", "must be"},
		"s3 without":  {"objects:\n  kind: s3\n", "give endpoint"},
		"not YAML":    {"listen: [\n", "not valid YAML"},
		"wrong type":  {"vision:\n  workers: many\n", "wrong type"},
		"secret":      {"objects:\n  secret_key: [hunter2]\n", "wrong type: objects.secret_key"},
		"no size":     {"spool:\n  limit: lots\n", "wrong type: spool.limit"},
		"no reserve":  {"spool:\n  reserve: 1kB\n", "16MB or more"},
		"network":     {"cameras:\n  networks: [10.0.0.1]\n", "cameras.networks must be networks"},
		"relay":       {"webrtc:\n  turn:\n    tcp: :0\n", "give that port"},
		"relay TLS":   {"webrtc:\n  udp_port: 1\n  turn:\n    tls: :0\n", "needs certificate"},
		"authority":   {"rounds:\n  authority:\n    name: 某市医疗保障局\n    address: 某路 1 号\n    telephone: '12393'\n", "rounds.authority.complaints must be whom to complain to"},
		"only a law":  {"rounds:\n  authority:\n    legal_zh: 依据\n    legal_en: Under\n", "rounds.authority.name must be"},
		"half a law":  {"rounds:\n  authority: {name: a, address: b, telephone: c, complaints: d, legal_zh: 依据}\n", "legal_zh and legal_en together"},
		"too many":    {"vision:\n  workers: 1000\n", "0 to 64"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.yaml")
			if err := os.WriteFile(path, []byte(tc.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(path, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want …%s…", err, tc.want)
			}
		})
	}
	if _, err := loadConfig("no-such.yaml", nil); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing file: got %v", err)
	}
}

func TestUnknownVariablesAreRefused(t *testing.T) {
	_, err := loadConfig("", []string{"WARDWATCH_OBJECT_KIND=s3"})
	if err == nil || !strings.Contains(err.Error(), "did you mean WARDWATCH_OBJECTS_KIND?") {
		t.Errorf("got %v", err)
	}
	_, err = loadConfig("", []string{"WARDWATCH_METRICS_TOKENS=hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	known := []string{"WARDWATCH_CONFIG=x", "WARDWATCH_MODELS=x", "WARDWATCH_VISION=x", "WARDWATCH_TEST_FULL=1", "WARDWATCH_PORT_80_TCP=x", "XWARDWATCH_A=1"}
	if _, err = loadConfig("", known); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentOverrides(t *testing.T) {
	c, err := loadConfig("", []string{"WARDWATCH_OBJECTS_SECRET_KEY=s", "WARDWATCH_LISTEN=0.0.0.0:9", "WARDWATCH_WEBRTC_PUBLIC_IPS=1.2.3.4,5.6.7.8", "HOME=/"})
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Objects.SecretKey) != "s" || c.Listen != "0.0.0.0:9" || len(c.WebRTC.PublicIPs) != 2 {
		t.Errorf("got %+v", c)
	}
}
