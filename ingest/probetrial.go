package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

// trial is the probe of one stream. One goroutine uses it.
type trial struct {
	fleet  *Fleet
	cam    ward.Camera
	stream string
	tell   func(ProbeStep)

	began time.Time // of the step
	steps []ProbeStep
	found ProbeStream
}

// say ends a step.
func (t *trial) say(step string, ok bool, w words) {
	s := ProbeStep{Stream: t.stream, Step: step, OK: ok, MS: time.Since(t.began).Milliseconds(), ZH: w.zh, EN: w.en}
	t.began = time.Now()
	t.steps = append(t.steps, s)
	t.tell(s)
}

// run tries one thing after the other until one fails.
func (t *trial) run(ctx context.Context) {
	t.began = time.Now()
	u, err := url.Parse(t.cam.URL)
	if err != nil || u.Hostname() == "" {
		t.say("name", false, wordsNoAddress)
		return
	}
	if !t.reach(ctx, u) {
		return
	}
	s, got := t.answer(ctx)
	if s == nil {
		return
	}
	defer s.Close()
	t.found.OK = t.look(ctx, s, got)
}

// reach looks the name up, connects and, for rtsps, shakes hands, on a
// connection of its own: so each is told apart from what RTSP says.
func (t *trial) reach(ctx context.Context, u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"rtsp": "554", "rtsps": "322"}[u.Scheme]
	}
	if !t.lookUp(ctx, host) {
		return false
	}
	leave, err := t.fleet.doors().device(rtsp.HostPort((*base.URL)(u)), useAsked)
	if err != nil {
		t.say("connect", false, wordsRefused(err, t.cam))
		return false
	}
	defer leave()
	d := net.Dialer{Control: t.fleet.Guard.Control, Timeout: probeConnect}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		t.say("connect", false, wordsUnreached(err, port))
		return false
	}
	defer func() { _ = conn.Close() }() // nothing was written that matters
	t.say("connect", true, words{"已连上端口 " + port + "。", "Connected to port " + port + "."})
	if u.Scheme == "rtsps" {
		ctx, cancel := context.WithTimeout(ctx, probeTLS)
		defer cancel()
		secure := tls.Client(conn, trust(host, t.cam.TLSFingerprint, func(shown string) { t.found.TLSFingerprint = shown }))
		if err := secure.HandshakeContext(ctx); err != nil {
			t.say("tls", false, wordsUntrusted(err))
			return false
		}
		t.say("tls", true, words{"加密连接已建立，证书可信。", "The connection is encrypted and the certificate trusted."})
		conn = secure
	}
	if t.speaksOther(conn) {
		t.say("answer", false, wordsNotRTSP)
		return false
	}
	return true
}

// speaksOther says whether something other than RTSP answers: the client
// would wait for an answer behind it. Who keeps silent is left to the client.
func (t *trial) speaksOther(conn net.Conn) bool {
	if err := conn.SetDeadline(time.Now().Add(probeHello)); err != nil {
		return false
	}
	if _, err := io.WriteString(conn, "OPTIONS "+t.cam.URL+" RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: wardwatch\r\n\r\n"); err != nil {
		return false
	}
	want := "RTSP/"
	got := make([]byte, len(want))
	n, _ := io.ReadFull(conn, got) // what came counts
	return string(got[:n]) != want[:n]
}

// lookUp finds the host's addresses. One at which no camera may be ends the
// probe with the same words whether or not anything is there.
func (t *trial) lookUp(ctx context.Context, host string) bool {
	var all []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		all = append(all, a)
	} else {
		ctx, cancel := context.WithTimeout(ctx, probeName)
		defer cancel()
		if all, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			t.say("name", false, words{fmt.Sprintf("找不到主机名 %s：请检查拼写，或服务器的 DNS 设置。", host), fmt.Sprintf("The name %s was not found: check its spelling, or the server's DNS.", host)})
			return false
		}
	}
	for _, a := range all {
		if t.fleet.Guard.Check(a) != nil {
			t.say("connect", false, wordsGuarded)
			return false
		}
	}
	if len(all) > 0 && all[0].String() != host {
		t.say("name", true, words{fmt.Sprintf("主机名 %s 是 %s。", host, all[0].Unmap()), fmt.Sprintf("%s is %s.", host, all[0].Unmap())})
	}
	return true
}

// answer asks for the stream, up to PLAY.
func (t *trial) answer(ctx context.Context) (s *session, got *traffic) {
	got = &traffic{}
	ctx, cancel := context.WithTimeout(ctx, probeAnswer)
	defer cancel()
	s, err := t.fleet.open(ctx, t.cam, opening{failed: true, stats: &got.stats, event: got.event})
	if err != nil {
		t.say("answer", false, wordsRefused(err, t.cam))
		return nil, nil
	}
	return s, got
}

// traffic is what came, and whether the session went over to TCP for it.
type traffic struct {
	stats    counters
	mu       sync.Mutex // guards switched
	switched bool
}

func (o *traffic) event(kind ward.RecordingEventKind, _ time.Duration, _ string) {
	if kind == ward.OverTCP {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.switched = true
	}
}

func (o *traffic) is() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.switched
}

// garbage says whether one packet of the video in twenty makes no sense.
func (o *traffic) garbage(sounds uint64) bool {
	packets := o.stats.packets.Load()
	return packets > sounds && o.stats.garbage.Load()*20 > packets-sounds
}

// look waits for media, a key frame and enough to measure.
func (t *trial) look(total context.Context, s *session, got *traffic) bool {
	video, _ := s.Stream.Video()
	audio := ward.NoCodec
	for _, x := range s.Stream.Tracks() {
		if !x.Video() {
			audio = x.Codec
			t.found.Audio = &ProbeAudio{x.Codec}
		}
	}
	t.say("answer", true, wordsOffered(video.Codec, audio))
	ctx, cancel := context.WithCancelCause(total)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(s.Wait(ctx))
	}()
	defer func() {
		cancel(nil)
		<-ended
	}()
	r := s.Stream.Subscribe(1024, false)
	defer r.Close()
	m, playing := &measured{video: video.ID}, time.Now()
	if err := m.until(ctx, r, probeMedia, func() bool { return m.frames > 0 }); err != nil {
		if w, wrong := t.noMedia(total, err, got, m.others); wrong {
			t.say("media", false, w)
			return false
		}
	}
	w := words{"收到画面数据。", "Pictures are coming."}
	if got.is() {
		w = words{"UDP 收不到数据，TCP 可以：已改用 TCP。建议把传输方式设为 TCP。", "Nothing came over UDP; TCP works and was used. Better set the transport to TCP."}
	}
	t.say("media", true, w)
	if err := m.until(ctx, r, probeKey, func() bool { return len(m.keys) > 0 }); err != nil {
		w := wordsNoKey(err, time.Since(playing))
		if got.garbage(m.others) {
			w = wordsGarbage
		}
		t.say("key_frame", false, w)
		return false
	}
	t.say("key_frame", true, words{"收到关键帧。", "A key frame came."})
	err := m.until(ctx, r, probeGOP, m.enough)
	if got.garbage(m.others) { // some noise looks like pictures
		t.say("measure", false, wordsGarbage)
		return false
	}
	video, _ = s.Stream.Video()
	t.found.Video = m.result(video)
	if clock, offset := s.Stream.Clock(); clock == ward.CameraClock {
		v := offset.Round(time.Millisecond).Seconds()
		t.found.ClockOffset = &v
	}
	if err != nil && !waitedLong(err) {
		t.say("measure", false, wordsBroken)
		return false
	}
	t.say("measure", true, wordsMeasured(t.found))
	return true
}

// waitedLong says whether a step ended because time was up.
func waitedLong(err error) bool {
	return errors.Is(err, errPatience) || errors.Is(err, context.DeadlineExceeded)
}

// noMedia says why no picture came; wrong is false when good packets came
// that only lack a key frame. When only UDP was allowed, TCP is tried.
func (t *trial) noMedia(ctx context.Context, err error, got *traffic, sounds uint64) (w words, wrong bool) {
	waited := time.Since(t.began).Seconds()
	switch {
	case !waitedLong(err) && causeOf(err) != ward.CauseStalled:
		return wordsBroken, true
	case got.garbage(sounds):
		return wordsGarbage, true
	case got.stats.packets.Load() > sounds:
		return words{}, false
	case t.cam.Transport == ward.TransportUDP && t.tcpWorks(ctx):
		return words{
			fmt.Sprintf("UDP 在 %.0f 秒内没有数据，但 TCP 可以：请把传输方式改为 TCP 或自动。", waited),
			fmt.Sprintf("Nothing came over UDP in %.0f s, but TCP works: set the transport to TCP or auto.", waited),
		}, true
	}
	return words{
		fmt.Sprintf("连接正常，但 %.0f 秒内没有收到任何画面数据：请检查摄像头是否在编码，或防火墙是否拦截。", waited),
		fmt.Sprintf("Connected, but no pictures came in %.0f s: check whether the camera is encoding, or a firewall is in the way.", waited),
	}, true
}

func (t *trial) tcpWorks(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeAnswer)
	defer cancel()
	cam := t.cam
	cam.Transport = ward.TransportTCP
	s, err := t.fleet.open(ctx, cam, opening{failed: true})
	if err != nil {
		return false
	}
	defer s.Close()
	r := s.Stream.Subscribe(64, false)
	defer r.Close()
	_, err = r.Next(ctx)
	return err == nil
}
