package ingest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// chromeOffer is what Chromium 156 offers for one picture, shortened to one
// codec each, with a candidate that must not be used.
const chromeOffer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 103 104\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2113937151 192.0.2.7 9 typ host\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
	"a=rtpmap:103 H264/90000\r\na=rtcp-fb:103 nack\r\na=rtcp-fb:103 nack pli\r\na=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n" +
	"a=rtpmap:104 rtx/90000\r\na=fmtp:104 apt=103\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:1\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"

func TestOffersAreBounded(t *testing.T) {
	t.Parallel()
	whep, s := &ingest.WHEP{API: newAPI(t, 0)}, newStream()
	s.Write(picture(0, true))
	for name, offer := range map[string]string{
		"large":           chromeOffer + strings.Repeat("a=x\r\n", ingest.MaxOffer/5),
		"medias":          chromeOffer + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 103\r\na=mid:9\r\na=rtpmap:103 H264/90000\r\n", 8),
		"medias by CR":    chromeOffer + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 103\r", 8) + "a=mid:9\r\n",
		"candidate by CR": strings.Replace(chromeOffer, "SAVPF 103 104\r\n", "SAVPF 103 104\ra=candidate:1 1 udp 1 192.0.2.7 80 typ host\r\n", 1),
		"nonsense":        "a=rtpmap:1 H264/90000\r\nv=0\r\n",
		"no media":        chromeOffer[:strings.Index(chromeOffer, "m=")] + "a=rtpmap:1 H264/90000\r\n",
	} {
		if _, v, err := whep.View(t.Context(), s, offer); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "whep.offer"}) || v != nil {
			t.Errorf("%s: got %v, want whep.offer", name, err)
		}
	}
	answer, v, err := whep.View(t.Context(), s, chromeOffer)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(answer, "a=candidate:") || !strings.Contains(answer, "H264/90000") {
		t.Errorf("the answer is\n%s", answer)
	}
	v.Close()
	v.Wait()
	if n := s.Readers(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}

// TestNoCandidateIsAdmitted: whatever an offer looks like, the WebRTC library
// finds no address in it to send to.
func TestNoCandidateIsAdmitted(t *testing.T) {
	t.Parallel()
	line := "a=candidate:1 1 udp 1 192.0.2.7 80 typ host\r\n"
	for name, offer := range map[string]string{
		"media":   chromeOffer,
		"session": strings.Replace(chromeOffer, "t=0 0\r\n", "t=0 0\r\n"+line+"a=end-of-candidates\r\n", 1),
		"LF":      strings.ReplaceAll(chromeOffer+line, "\r\n", "\n"),
		"blank":   strings.Replace(chromeOffer, "a=mid:0", "\n\n"+line+"a=mid:0", 1),
	} {
		got, err := ingest.Admit(offer)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(got, "candidate") || strings.Contains(got, "192.0.2.7") || strings.Count(got, "m=") != 2 || !strings.Contains(got, "a=sctp-port:5000") {
			t.Errorf("%s: admitted as\n%s", name, got)
		}
	}
}

func FuzzOffer(f *testing.F) {
	whep, s := &ingest.WHEP{API: newAPI(f, 0)}, newStream()
	s.Write(picture(0, true))
	f.Add(chromeOffer)
	f.Add(strings.Replace(chromeOffer, "a=group:BUNDLE 0 1\r\n", "", 1))
	f.Add("v=0\r\n" + chromeOffer)
	f.Fuzz(func(t *testing.T, offer string) {
		began := time.Now()
		_, v, err := whep.View(t.Context(), s, offer)
		if err != nil && ward.KindOf(err) != ward.Invalid {
			t.Errorf("an offer is answered with %v", err)
		}
		if v != nil {
			v.Close()
			v.Wait()
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("an offer took %s", took)
		}
	})
}
