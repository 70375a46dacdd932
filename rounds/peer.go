package rounds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	maxSDP        = 64 << 10        // bytes; Chromium's offer is about 6 kB
	gatherTimeout = 5 * time.Second // host candidates come at once
	channelLabel  = "ward"
)

// Left alone, Chromium begins at 320x180 and takes many seconds to grow;
// faces need 1280x720 from the first second (kbit/s). There is no least
// bitrate: what a line does not carry would only be lost.
const startBitrate = "x-google-start-bitrate=1200;x-google-max-bitrate=4000"

// offered is what an SDP offer wants, as far as it matters here.
type offered struct {
	video, audio  bool // media that the other side sends
	takesVideo    bool // media that the other side receives
	takesAudio    bool
	h264          bool
	channel       bool
	videoSections int
	print         string // the browser's certificate
}

// readOffer checks an offer before any of it reaches the WebRTC stack.
func readOffer(offer string) (o offered, err error) {
	bad := func(cause error) error {
		return &ward.Error{Kind: ward.Invalid, Code: "session.sdp", ZH: "会话描述（SDP）无法识别，请刷新页面重试。", EN: "The session description (SDP) cannot be read; reload the page.", Err: cause}
	}
	if len(offer) > maxSDP {
		return o, &ward.Error{Kind: ward.Invalid, Code: "session.sdp_size", ZH: "会话描述（SDP）过大。", EN: "The session description (SDP) is larger than 64 kB."}
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(offer); err != nil {
		return o, bad(err)
	}
	if len(d.MediaDescriptions) == 0 || len(d.MediaDescriptions) > 8 {
		return o, bad(fmt.Errorf("%d media sections", len(d.MediaDescriptions)))
	}
	o.print, _ = d.Attribute("fingerprint")
	for _, m := range d.MediaDescriptions {
		if f, ok := m.Attribute("fingerprint"); ok && o.print == "" {
			o.print = f
		}
		sends, takes := true, true
		for _, a := range m.Attributes {
			switch a.Key {
			case "sendonly":
				takes = false
			case "recvonly":
				sends = false
			case "inactive":
				sends, takes = false, false
			case "rtpmap":
				o.h264 = o.h264 || strings.Contains(strings.ToUpper(a.Value), " H264/")
			}
		}
		switch m.MediaName.Media {
		case "video":
			o.videoSections++
			o.video, o.takesVideo = o.video || sends, o.takesVideo || takes
		case "audio":
			o.audio, o.takesAudio = o.audio || sends, o.takesAudio || takes
		case "application":
			o.channel = true
		}
	}
	return o, nil
}

// answerTo applies the offer without its candidates (the browser reaches us;
// nobody makes this machine send to an address of their choice), lets prepare add tracks, and returns the
// answer with its candidates.
func answerTo(ctx context.Context, pc *webrtc.PeerConnection, offer string, prepare func() error) (string, error) {
	unusable := func(err error) error {
		return &ward.Error{Kind: ward.Invalid, Code: "session.offer", ZH: "无法按此会话描述建立连接，请换用新版浏览器。", EN: "No connection can be made with this session description; use a current browser.", Err: err}
	}
	offer, err := ingest.Admit(offer)
	if err != nil {
		return "", unusable(err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", unusable(err)
	}
	if err := prepare(); err != nil {
		return "", unusable(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", unusable(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", unusable(err)
	}
	wait := time.NewTimer(gatherTimeout)
	defer wait.Stop()
	select {
	case <-gathered:
	case <-wait.C: // with what was found so far
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return withStartBitrate(pc.LocalDescription().SDP), nil
}

// withStartBitrate adds startBitrate to every video codec of an answer.
func withStartBitrate(answer string) string {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		return answer
	}
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Media != "video" {
			continue
		}
		var codecs []string // payload types of pictures, not of retransmission
		has := map[string]int{}
		for i, a := range m.Attributes {
			pt, rest, _ := strings.Cut(a.Value, " ")
			switch {
			case a.Key == "rtpmap" && (strings.HasPrefix(rest, "H264/") || strings.HasPrefix(rest, "VP8/")):
				codecs = append(codecs, pt)
			case a.Key == "fmtp":
				has[pt] = i
			}
		}
		for _, pt := range codecs {
			if i, ok := has[pt]; ok {
				m.Attributes[i].Value += ";" + startBitrate
			} else {
				m.Attributes = append(m.Attributes, sdp.NewAttribute("fmtp", pt+" "+startBitrate))
			}
		}
	}
	b, err := d.Marshal()
	if err != nil {
		return answer
	}
	return string(b)
}

// forwards returns the tracks on which other people's media go to a peer.
func forwards(h264 bool) (video, audio *webrtc.TrackLocalStaticRTP, err error) {
	c := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	if h264 {
		c.MimeType, c.SDPFmtpLine = webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	}
	return forwardsOf(c)
}

func forwardsOf(c webrtc.RTPCodecCapability) (video, audio *webrtc.TrackLocalStaticRTP, err error) {
	if video, err = webrtc.NewTrackLocalStaticRTP(c, "video", "ward"); err != nil {
		return nil, nil, err
	}
	audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "ward")
	return video, audio, err
}

// prefer makes the answer name the video codec mime first: browsers send
// what is named first.
func prefer(pc *webrtc.PeerConnection, mime string) error {
	for _, t := range pc.GetTransceivers() {
		if t.Kind() != webrtc.RTPCodecTypeVideo || t.Receiver() == nil {
			continue
		}
		all := t.Receiver().GetParameters().Codecs
		first := slices.DeleteFunc(slices.Clone(all), func(c webrtc.RTPCodecParameters) bool { return !strings.EqualFold(c.MimeType, mime) })
		rest := slices.DeleteFunc(slices.Clone(all), func(c webrtc.RTPCodecParameters) bool { return strings.EqualFold(c.MimeType, mime) })
		if err := t.SetCodecPreferences(append(first, rest...)); err != nil {
			return err
		}
	}
	return nil
}

// wantsKey reads a sender's RTCP until its connection closes and calls
// ask for every request of a key frame.
func wantsKey(s *webrtc.RTPSender, ask func()) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				ask()
			}
		}
	}
}
