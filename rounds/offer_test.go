package rounds_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pion/sdp/v3"

	"wardwatch/ward"
)

// FuzzOffer gives the service offers as a device that may begin a visit does:
// each is answered, or refused with words, in seconds, and costs nothing else.
func FuzzOffer(f *testing.F) {
	r := newRig(f, nil)
	r.admit("", 0)
	device := r.devices(1)[0]
	good := goodOffer(f)
	f.Add(good)
	for _, change := range [][2]string{
		{"a=mid:0", "a=mid:"},
		{"a=mid:1", "a=mid:0"},
		{"BUNDLE 0 1", "BUNDLE 1 0 7"},
		{"sha-256", "md5"},
		{"a=setup:actpass", "a=setup:holdconn"},
		{"a=ice-ufrag:", "a=ice-ufrag:é"},
		{"UDP/TLS/RTP/SAVPF", "RTP/AVP"},
		{"m=video 9", "m=video 99999"},
		{"90000", "0"},
		{"a=sendrecv", "a=sendonly"},
		{"a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90000/-1"},
		{"apt=96", "apt=97"},
		{"webrtc-datachannel", "x"},
		{"IN IP4 0.0.0.0", "IN IP6 ::ffff:0:0"},
		{"a=rtcp-fb", "a=simulcast:send a;b\r\na=rid:a send\r\na=rid:b send\r\na=rtcp-fb"},
		{"a=rtcp-mux", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=rtcp-mux"},
		{"a=sctp-port:5000", "a=sctp-port:-1"},
		{"\r\n", "\n"},
		{"\r\n", "\r\n\r\n"},
		{"v=0", "v=1"},
		{"a=ssrc", "a=ssrc-group:FID 1 1\r\na=ssrc"},
	} {
		f.Add(strings.Replace(good, change[0], change[1], 1))
		f.Add(strings.ReplaceAll(good, change[0], change[1]))
	}
	f.Add(good[:len(good)/2])
	f.Add("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, offer string) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		answer, err := r.engine.Session(ctx, device, offer)
		if p, ok := errors.AsType[*ward.Error](err); err != nil && (!ok || p.Kind != ward.Invalid || p.ZH == "" || p.EN == "") {
			t.Fatalf("got %v", err)
		}
		if err != nil {
			return
		}
		var d sdp.SessionDescription
		if err := d.UnmarshalString(answer); err != nil {
			t.Fatalf("answered with %q: %v", answer, err)
		}
		for _, m := range d.MediaDescriptions {
			if c, ok := m.Attribute("candidate"); ok && strings.Contains(c, "192.0.2.") {
				t.Errorf("an address of the offer's in the answer: %q", c)
			}
		}
	})
}
