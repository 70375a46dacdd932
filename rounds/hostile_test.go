package rounds_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// hostile is a bedside that speaks WebRTC well and sends what it likes.
type hostile struct {
	visit   ward.Visit
	device  string
	pc      *webrtc.PeerConnection
	video   *webrtc.TrackLocalStaticRTP
	channel *webrtc.DataChannel
	cut     rtp.Packetizer
	frames  [][]byte
	sent    int // pictures

	mu   sync.Mutex // guards bend
	bend func(*rtp.Header)
}

// NewInterceptor implements interceptor.Factory.
func (h *hostile) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &bending{h: h}, nil
}

// bending changes headers after the stack has filled them in.
type bending struct {
	interceptor.NoOp

	h *hostile
}

func (b *bending) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(head *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		b.h.mu.Lock()
		bend := b.h.bend
		b.h.mu.Unlock()
		if bend != nil {
			bend(head)
		}
		return w.Write(head, payload, a)
	})
}

// again sends encrypted media a second time, at once and 200 packets later.
type again struct {
	net.PacketConn

	mu   sync.Mutex // guards kept
	kept [][]byte
}

func (c *again) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) > 0 && b[0] >= 128 && b[0] < 192 { // RTP and RTCP
		c.mu.Lock()
		c.kept = append(c.kept, append([]byte{}, b...))
		if n := len(c.kept); n > 200 {
			_, _ = c.PacketConn.WriteTo(c.kept[n-200], to)
		}
		c.mu.Unlock()
		_, _ = c.PacketConn.WriteTo(b, to)
	}
	return c.PacketConn.WriteTo(b, to)
}

// hostile answers a visit and begins to show a face.
func (r *rig) hostile(change func(*webrtc.SettingEngine)) *hostile {
	r.t.Helper()
	check := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	h := &hostile{visit: r.order(time.Hour).Visit, frames: clip(r.t, "franck", false).Frames, cut: rtp.NewPacketizer(1200, 0, 0, &codecs.H264Payloader{}, rtp.NewRandomSequencer(), 90000)}
	link, err := r.engine.Reissue(r.t.Context(), h.visit.ID)
	check(err)
	h.device, _, _, err = r.engine.Open(r.t.Context(), link.Token)
	check(err)
	check(r.engine.Consent(r.t.Context(), h.device, true))
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	if change != nil {
		change(&settings)
	}
	media := &webrtc.MediaEngine{}
	check(media.RegisterDefaultCodecs())
	bent := &interceptor.Registry{}
	bent.Add(h)
	h.pc, err = webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(bent)).NewPeerConnection(webrtc.Configuration{})
	check(err)
	r.t.Cleanup(func() { _ = h.pc.Close() })
	h.video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}, "camera", "bedside")
	check(err)
	_, err = h.pc.AddTransceiverFromTrack(h.video, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	check(err)
	h.channel, err = h.pc.CreateDataChannel("ward", nil)
	check(err)
	open := make(chan struct{})
	h.channel.OnOpen(func() { close(open) })
	h.channel.OnMessage(func(m webrtc.DataChannelMessage) {
		var c struct{ ID int }
		if json.Unmarshal(m.Data, &c) == nil {
			_ = h.channel.SendText(fmt.Sprintf(`{"receipt":%d}`, c.ID))
		}
	})
	offer, err := h.pc.CreateOffer(nil)
	check(err)
	gathered := webrtc.GatheringCompletePromise(h.pc)
	check(h.pc.SetLocalDescription(offer))
	<-gathered
	answer, err := r.engine.Session(r.t.Context(), h.device, h.pc.LocalDescription().SDP)
	check(err)
	check(h.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	select {
	case <-open:
	case <-time.After(time.Minute):
		r.t.Fatal("no data channel in a minute")
	}
	r.until(h.visit.ID, time.Minute, func(v ward.Visit) bool {
		h.picture()
		return v.State == ward.VisitChecking
	})
	return h
}

// patient makes a busy machine's own pauses no reason to end a visit.
func patient(e *rounds.Engine) { e.Resume = 2 * time.Minute }

// packets are those of the next picture.
func (h *hostile) packets() []*rtp.Packet {
	h.sent++
	return h.cut.Packetize(h.frames[h.sent%len(h.frames)], 3600)
}

func (h *hostile) picture() {
	for _, p := range h.packets() {
		_ = h.video.WriteRTP(p) // the visit may be over
	}
}

// leave hangs up and wants the visit over: cut off with a reason or, when its
// pictures could not be analysed for too long, left to people.
func (h *hostile) leave(r *rig) ward.Visit {
	r.t.Helper()
	if err := r.engine.Leave(r.t.Context(), h.device); err != nil && ward.KindOf(err) != ward.Forbidden { // the visit has ended before
		r.t.Fatal(err)
	}
	v := r.until(h.visit.ID, 2*time.Minute, func(v ward.Visit) bool { return v.State == ward.VisitSealed || v.State == ward.VisitDeciding })
	if v.State == ward.VisitSealed && v.Verdict != ward.Interrupted || v.ReasonEN == "" {
		r.t.Errorf("got %s %q", v.Verdict, v.ReasonEN)
	}
	_ = h.pc.Close()
	return v
}

// Media that nobody's camera sends end a visit at most: the service lives,
// holds no memory for them, and the next visit begins.
func TestHostileMedia(t *testing.T) {
	t.Parallel()
	r := newRig(t, patient)
	r.admit("", 0)
	noise := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return b
	}
	one := func(h *hostile, payload []byte, mark bool) *rtp.Packet {
		p := h.packets()[0]
		p.Payload, p.Marker = payload, mark
		return p
	}
	heads := [][]byte{{}, {0x78}, {0x78, 0xff, 0xff}, {0x78, 0, 5, 0x65}, {0x7c}, {0x7c, 0x85}, {0x7c, 0x05, 1}, {0x7c, 0x45}, {0x7d, 0}, {0x79, 0, 0}, {0x1f}, {0x67}, {0x68, 0xff}, {0x65, 0x88}}
	before := heap()
	for name, attack := range map[string]func(h *hostile){
		"garbage": func(h *hostile) {
			for i := range 3000 {
				_ = h.video.WriteRTP(one(h, noise(i%1200), i%3 == 0))
				if i%10 == 0 {
					raw := rtcp.RawPacket(append([]byte{0x81, byte(200 + i%8), 0, byte(i % 5)}, noise(4*(i%5))...))
					_ = h.pc.WriteRTCP([]rtcp.Packet{&raw})
				}
			}
		},
		"truncated units": func(h *hostile) {
			for i := range 3000 {
				_ = h.video.WriteRTP(one(h, append(append([]byte{}, heads[i%len(heads)]...), noise(i%7)...), i%2 == 0))
			}
		},
		"huge times": func(h *hostile) {
			for i := range 300 {
				for _, p := range h.packets() {
					p.Timestamp += uint32(i) * 0x7fff_0000
					p.SequenceNumber += uint16(i * 30011)
					_ = h.video.WriteRTP(p)
				}
			}
		},
		"other payload types": func(h *hostile) {
			n := 0
			h.mu.Lock()
			h.bend = func(head *rtp.Header) {
				n++
				head.PayloadType, head.Extension, head.ExtensionProfile, head.Extensions = uint8(n%128), false, 0, nil
				head.CSRC = make([]uint32, n%15)
			}
			h.mu.Unlock()
			for range 100 {
				h.picture()
			}
			h.mu.Lock()
			h.bend = nil
			h.mu.Unlock()
		},
		"line rate": func(h *hostile) {
			flood := noise(1200)
			flood[0] = 0x65
			for i := range 40_000 {
				_ = h.video.WriteRTP(one(h, flood, i%50 == 0))
			}
		},
	} {
		t.Log(name)
		h := r.hostile(nil)
		attack(h)
		h.leave(r)
	}
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("%d MB are held", grown>>20)
	}
	r.hostile(nil).leave(r) // the next visit begins
}

// Encrypted packets that are sent again are no media: each picture is
// recorded once at most, and the visit goes on.
func TestReplayedPacketsAreNoMedia(t *testing.T) {
	t.Parallel()
	r := newRig(t, patient)
	r.admit("", 0)
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := webrtc.NewICEUDPMux(nil, &again{PacketConn: udp})
	t.Cleanup(func() { _ = mux.Close(); _ = udp.Close() })
	h := r.hostile(func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		<-tick.C
		h.picture()
	}
	if v, err := r.store.Visit(t.Context(), h.visit.ID); err != nil || v.State != ward.VisitChecking {
		t.Errorf("the visit is %s, %v", v.State, err)
	}
	v := h.leave(r)
	if n := r.pictures(v); n == 0 || n > h.sent {
		t.Errorf("%d pictures recorded of %d", n, h.sent)
	}
}

// What is no message of a bedside ends its visit, with the reason; the next one begins.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t, patient)
	r.admit("", 0)
	for name, c := range map[string]struct {
		send   func(h *hostile)
		reason string // of the verdict
	}{
		"a large one": {func(h *hostile) { _ = h.channel.Send(make([]byte, 5<<10)) }, "cannot be read"},
		"a huge one":  {func(h *hostile) { _ = h.channel.SendText(strings.Repeat("[", 60<<10)) }, "cannot be read"},
		"garbage":     {func(h *hostile) { repeat(15, func() { _ = h.channel.Send([]byte{0xff, 0, 0xfe}) }) }, "cannot be read"},
		"a thousand":  {func(h *hostile) { repeat(1000, func() { _ = h.channel.SendText(`{"receipt":7}`) }) }, "too many messages"},
		"odd but read": {func(h *hostile) {
			for _, text := range []string{`{"receipt":-1}`, `{"receipt":9007199254740993}`, `{}`, `{"state":"dancing"}`, `{"receipt":1,"receipt":2}`, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)} {
				_ = h.channel.SendText(text)
			}
			if err := r.engine.Leave(t.Context(), h.device); err != nil {
				t.Error(err)
			}
		}, "ended the call"},
	} {
		h := r.hostile(nil)
		_, _ = h.pc.CreateDataChannel("ward", nil) // a second one is no way around
		c.send(h)
		if v := r.sealed(h.visit.ID, time.Minute); v.Verdict != ward.Interrupted || !strings.Contains(v.ReasonEN, c.reason) {
			t.Errorf("%s: %s %q", name, v.Verdict, v.ReasonEN)
		}
		_ = h.pc.Close()
	}
	r.hostile(nil).leave(r)
}

func repeat(n int, f func()) {
	for range n {
		f()
	}
}

// Five hundred bedsides begin at once: as many as there is room for may, the
// others are told why, and the visit that runs goes on.
func TestMoreVisitsThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	const wanted, room = 500, 21
	r := newRig(t, func(e *rounds.Engine) { patient(e); e.AtOnce = room })
	r.admit("", 0)
	devices, offer := r.devices(wanted), goodOffer(t)
	running := r.hostile(nil)
	over := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		for tick := time.NewTicker(40 * time.Millisecond); ; running.picture() {
			select {
			case <-tick.C:
			case <-over:
				tick.Stop()
				return
			}
		}
	})
	defer shown.Wait()
	defer close(over)
	var all sync.WaitGroup
	var mu sync.Mutex
	begun, busy := 0, 0
	work := make(chan string)
	for range 50 {
		all.Go(func() {
			for d := range work {
				_, err := r.engine.Session(t.Context(), d, offer)
				mu.Lock()
				switch {
				case err == nil:
					begun++
				case errors.Is(err, &ward.Error{Code: "bedside.wait"}):
					busy++
				default:
					t.Errorf("got %v", err)
				}
				mu.Unlock()
			}
		})
	}
	for _, d := range devices {
		work <- d
	}
	close(work)
	all.Wait()
	// Who brings no media gives the room back after some seconds.
	if busy == 0 || begun < room-1 || begun+busy != wanted {
		t.Errorf("%d begun, %d told that there is no room", begun, busy)
	}
	if v, err := r.store.Visit(t.Context(), running.visit.ID); err != nil || v.State != ward.VisitChecking {
		t.Errorf("the one that ran is %s, %v", v.State, err)
	}
	running.leave(r)
}

// devices are those of new visits that were agreed to.
func (r *rig) devices(n int) []string { return r.devicesFor(n, time.Hour) }

// devicesFor are devices whose round lasts so long.
func (r *rig) devicesFor(n int, long time.Duration) []string {
	r.t.Helper()
	ctx, now := r.t.Context(), time.Now()
	round := ward.Round{ID: ward.NewID[ward.RoundID](now), InstitutionID: r.inst, OrderedBy: inspector.ID, Reason: "抽查", Ordered: now, Deadline: now.Add(long)}
	var visits []ward.Visit
	var tokens [][]byte
	var out []string
	for range n {
		v := ward.Visit{ID: ward.NewID[ward.VisitID](now), RoundID: round.ID, InstitutionID: r.inst, AdmissionID: r.stay, InsuredID: "p1", Ward: "内一", Bed: "12", LinkExpires: round.Deadline}
		token := storage.HashToken("token of " + string(v.ID))
		visits, tokens, out = append(visits, v), append(tokens, token[:]), append(out, "device of "+string(v.ID))
	}
	if _, err := r.store.OrderRound(ctx, round, visits, tokens); err != nil {
		r.t.Fatal(err)
	}
	for i, v := range visits {
		device := storage.HashToken(out[i])
		if _, err := r.store.OpenVisit(ctx, tokens[i], device[:], now); err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.store.Consent(ctx, v.ID, now); err != nil {
			r.t.Fatal(err)
		}
	}
	return out
}

// goodOffer is a browser's, as far as the service can tell.
func goodOffer(t testing.TB) string {
	t.Helper()
	pc, err := api(t).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err = pc.CreateDataChannel("ward", nil); err == nil {
		_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo)
	}
	if err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return offer.SDP
}

// pictures counts what was recorded of a visit.
func (r *rig) pictures(v ward.Visit) (n int) {
	r.t.Helper()
	l := &ingest.Library{Store: r.store, Objects: r.obj, Spool: r.spool, Log: slog.New(slog.DiscardHandler)}
	err := l.Pictures(r.t.Context(), v.InstitutionID, ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}, v.Opened, time.Now().Add(time.Minute), func(ingest.RecordedPicture) error {
		n++
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}
