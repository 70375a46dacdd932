package ingest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

// What is lost is sent again under its own number. So the window in which
// numbers may come late must be wider than what is asked for, or what comes
// again is thrown away as a replay, asked for again, and leaves no room for
// new pictures: after an outage for as long as it lasts.
const (
	missedMax    = 128 // packets back from the newest that are asked for: half a second of sharp pictures
	askedMax     = 10  // times, once in 100 ms
	replayWindow = 1024
)

// WebRTCConfig says how browsers reach this process.
type WebRTCConfig struct {
	// UDPPort carries the media of all connections; 0 gives each its own port.
	UDPPort int
	// PublicIPs are announced instead of the machine's own addresses (NAT).
	PublicIPs []string
	// Loopback also announces 127.0.0.1: for tests and a demo on one machine.
	Loopback bool
}

// Media lists the addresses at which browsers are told to reach UDPPort. For
// those of PublicIPs, behind tells where on this machine that really is.
func (c WebRTCConfig) Media() (media []netip.AddrPort, behind map[netip.AddrPort]netip.AddrPort, err error) {
	port := uint16(c.UDPPort) //nolint:gosec // a port
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	var own, loops []netip.AddrPort
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		ip := p.Addr().Unmap()
		switch {
		case err != nil || ip.IsLinkLocalUnicast():
		case !ip.IsLoopback():
			own = append(own, netip.AddrPortFrom(ip, port))
		case c.Loopback:
			loops = append(loops, netip.AddrPortFrom(ip, port))
		}
	}
	own = append(own, loops...)
	if len(c.PublicIPs) == 0 {
		return own, nil, nil
	}
	behind = map[netip.AddrPort]netip.AddrPort{}
	for _, text := range c.PublicIPs {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, nil, fmt.Errorf("public address: %w", err)
		}
		at := netip.AddrPortFrom(ip.Unmap(), port)
		media = append(media, at)
		same := func(o netip.AddrPort) bool { return o.Addr().Is4() == at.Addr().Is4() }
		if i := slices.IndexFunc(own, same); i >= 0 && !slices.Contains(own, at) {
			behind[at] = own[i]
		}
	}
	return media, behind, nil
}

// NewWebRTC returns the API that viewers and ward rounds share, and what
// closes its port. A taken port or a bad address is a ward.Error.
func NewWebRTC(c WebRTCConfig) (*webrtc.API, func() error, error) {
	m, err := codecsOf()
	if err != nil {
		return nil, nil, err
	}
	// Retransmission, reports and transport-wide feedback, as by default, but no
	// statistics of every packet, which nobody reads.
	chain := &interceptor.Registry{}
	err = errors.Join(
		webrtc.ConfigureNackWithOptions(m, chain, []nack.GeneratorOption{nack.GeneratorSize(missedMax), nack.GeneratorMaxNacksPerPacket(askedMax)}),
		webrtc.ConfigureRTCPReports(chain),
		webrtc.ConfigureSimulcastExtensionHeaders(m),
		webrtc.ConfigureTWCCSender(m, chain),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("set up WebRTC: %w", err)
	}
	s := webrtc.SettingEngine{}
	s.SetSRTPReplayProtectionWindow(replayWindow)
	s.SetIncludeLoopbackCandidate(c.Loopback)
	for _, ip := range c.PublicIPs {
		if net.ParseIP(ip) == nil {
			return nil, nil, &ward.Error{Kind: ward.Invalid, Code: "webrtc.public_ip", ZH: "webrtc 的公网地址不是 IP 地址。", EN: "A public address of webrtc is not an IP address."}
		}
	}
	if len(c.PublicIPs) > 0 {
		err := s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{External: c.PublicIPs, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace})
		if err != nil {
			return nil, nil, fmt.Errorf("set up WebRTC: %w", err)
		}
	}
	closer := func() error { return nil }
	if c.UDPPort != 0 {
		var opts []ice.UDPMuxFromPortOption
		if c.Loopback {
			opts = append(opts, ice.UDPMuxFromPortWithLoopback())
		}
		mux, err := ice.NewMultiUDPMuxFromPort(c.UDPPort, opts...)
		if err != nil {
			return nil, nil, &ward.Error{
				Kind: ward.Unavailable, Code: "webrtc.port", Err: err,
				ZH: "无法使用 webrtc 的 UDP 端口，请检查是否被占用。", EN: "The UDP port of webrtc cannot be used; check whether another program has it.",
			}
		}
		s.SetICEUDPMux(mux)
		closer = mux.Close
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(s)), closer, nil
}

// codecsOf registers what we send and accept, in order of preference.
func codecsOf() (*webrtc.MediaEngine, error) {
	feedback := []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	h264 := func(profile string) string {
		return "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile
	}
	m := &webrtc.MediaEngine{}
	for _, c := range []struct {
		kind        webrtc.RTPCodecType
		mime, fmtp  string
		clock       uint32
		channels    uint16
		payloadType webrtc.PayloadType
	}{
		{webrtc.RTPCodecTypeVideo, webrtc.MimeTypeH264, h264("42e01f"), 90000, 0, 102},
		{webrtc.RTPCodecTypeVideo, webrtc.MimeTypeH264, h264("4d001f"), 90000, 0, 104},
		{webrtc.RTPCodecTypeVideo, webrtc.MimeTypeH264, h264("64001f"), 90000, 0, 106},
		{webrtc.RTPCodecTypeVideo, webrtc.MimeTypeVP8, "", 90000, 0, 96},
		{webrtc.RTPCodecTypeVideo, webrtc.MimeTypeH265, "", 90000, 0, 116},
		{webrtc.RTPCodecTypeAudio, webrtc.MimeTypeOpus, "minptime=10;useinbandfec=1", 48000, 2, 111},
		{webrtc.RTPCodecTypeAudio, webrtc.MimeTypePCMU, "", 8000, 0, 0},
		{webrtc.RTPCodecTypeAudio, webrtc.MimeTypePCMA, "", 8000, 0, 8},
	} {
		p := webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: c.mime, ClockRate: c.clock, Channels: c.channels, SDPFmtpLine: c.fmtp},
			PayloadType:        c.payloadType,
		}
		if c.kind == webrtc.RTPCodecTypeVideo {
			p.RTCPFeedback = feedback
		}
		if err := m.RegisterCodec(p, c.kind); err != nil {
			return nil, fmt.Errorf("set up WebRTC codec %s: %w", c.mime, err)
		}
	}
	return m, nil
}
