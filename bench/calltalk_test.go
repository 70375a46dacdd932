package bench_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	talkSettles = 1500 * time.Millisecond // after everything has come once
	talkCounted = 6 * time.Second
	talkLate    = time.Second // what has not come by then is lost
)

// stamp goes before a number in what is coded, so that whoever packs the
// packets anew forwards it, too. It has no zero byte (Annex B).
const stamp = "wardwatch-bench!"

// lane is what one end sends of one medium: when it left, and when the other
// end had it whole.
type lane struct {
	mu   sync.Mutex // guards the rest
	sent []time.Time
	came map[int]time.Time
}

// mark is the next number with its stamp; it leaves now.
func (l *lane) mark() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, time.Now())
	return fmt.Appendf(nil, "%s%08x", stamp, len(l.sent)-1)
}

func (l *lane) take(n int) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.came == nil {
		l.came = map[int]time.Time{}
	}
	if _, again := l.came[n]; !again {
		l.came[n] = now
	}
}

func (l *lane) flows() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.came) > 0
}

// delays of what left between two moments, and how many of it never came.
func (l *lane) delays(from, to time.Time) (all []time.Duration, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, left := range l.sent {
		if left.Before(from) || !left.Before(to) {
			continue
		}
		if at, ok := l.came[n]; ok {
			all = append(all, at.Sub(left))
		} else {
			lost++
		}
	}
	return all, lost
}

// marked is the number after the stamp in b.
func marked(b []byte) (n int, ok bool) {
	_, after, ok := bytes.Cut(b, []byte(stamp))
	if !ok || len(after) < 8 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(after[:8]), 16, 31)
	return int(v), err == nil
}

// end is one side of a talk.
type end struct {
	b              *testing.B
	video, audio   *webrtc.TrackLocalStaticSample
	picture, voice lane // what it sends
	asked          chan struct{}
	ended          chan struct{}
	all            sync.WaitGroup
}

func newEnd(b *testing.B) *end {
	b.Helper()
	e := &end{b: b, asked: make(chan struct{}, 1), ended: make(chan struct{})}
	var err error
	e.video, err = webrtc.NewTrackLocalStaticSample(benchH264, "camera", "talk")
	must(b, err)
	e.audio, err = webrtc.NewTrackLocalStaticSample(benchOpus, "microphone", "talk")
	must(b, err)
	return e
}

// sendsOn adds the end's tracks to a connection.
func (e *end) sendsOn(pc *webrtc.PeerConnection, how webrtc.RTPTransceiverDirection) {
	e.b.Helper()
	for _, t := range []webrtc.TrackLocal{e.video, e.audio} {
		x, err := pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: how})
		must(e.b, err)
		asked := e.asked
		if t == webrtc.TrackLocal(e.audio) {
			asked = make(chan struct{}, 1)
		}
		e.all.Go(func() { tellKeyRequests(x.Sender(), asked) })
	}
}

// begin plays the film and speaks, in step with the clock, until the talk ends.
func (e *end) begin(film [][]byte) {
	e.all.Go(func() {
		picture := 0
		began := time.Now()
		for tick := 0; ; tick++ {
			select {
			case <-e.ended:
				return
			case <-time.After(time.Until(began.Add(time.Duration(tick) * soundEvery))):
			}
			voice := make([]byte, 80) // 32 kbit/s
			voice[0] = 0xf8           // one CELT frame of 20 ms
			copy(voice[1:], e.voice.mark())
			if e.audio.WriteSample(media.Sample{Data: voice, Duration: soundEvery}) != nil {
				return
			}
			if tick%int(pictureEvery/soundEvery) != 0 {
				continue
			}
			select {
			case <-e.asked:
				picture = 0
			default:
			}
			if e.video.WriteSample(media.Sample{Data: withMark(film[picture], e.picture.mark()), Duration: pictureEvery}) != nil {
				return
			}
			picture = (picture + 1) % len(film)
		}
	})
}

// withMark puts a mark before the first slice, as user data that no decoder
// heeds (H.264, D.1.7: SEI of type 5).
func withMark(au, mark []byte) []byte {
	at := len(au)
	for _, kind := range []byte{0x65, 0x61, 0x41, 0x01} {
		if i := bytes.Index(au, []byte{0, 0, 1, kind}); i >= 0 {
			at = min(at, i)
		}
	}
	sei := slices.Concat([]byte{0, 0, 1, 6, 5, byte(len(mark))}, mark, []byte{0x80})
	return slices.Concat(au[:at], sei, au[at:])
}

// hears notes what comes from the other end on a connection.
func (e *end) hears(other *end, pc *webrtc.PeerConnection) {
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			takePictures(t, &other.picture)
			return
		}
		for {
			p, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			if n, ok := marked(p.Payload); ok {
				other.voice.take(n)
			}
		}
	})
}

// takePictures takes those that come whole and in order.
func takePictures(t *webrtc.TrackRemote, l *lane) {
	var packet codecs.H264Packet
	n, begun, next := 0, false, uint16(0)
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if len(p.Payload) == 0 { // padding
			next = p.SequenceNumber + 1
			continue
		}
		nalus, err := packet.Unmarshal(p.Payload)
		begun = begun && err == nil && p.SequenceNumber == next
		if m, ok := marked(nalus); ok {
			n, begun = m, true
		}
		next = p.SequenceNumber + 1
		if begun && p.Marker {
			l.take(n)
			begun = false
		}
	}
}

// stop ends what the end sends; its connections are closed already.
func (e *end) stop() {
	close(e.ended)
	e.all.Wait()
}

// talk is a bedside and an inspector who hear and see each other by a server.
type talk struct {
	bed, inspector *end
	hangUp         func()
}

// counts are the delays of the four lanes.
type counts struct {
	name string
	of   [4]heard
}

type heard struct {
	delays []time.Duration
	lost   int
}

var laneNames = [4]string{"voice to the inspector", "voice to the bedside", "picture to the inspector", "picture to the bedside"}

// measure counts a while of a talk that has just begun, and hangs up.
func (c *counts) measure(b *testing.B, t talk) {
	b.Helper()
	lanes := [4]*lane{&t.bed.voice, &t.inspector.voice, &t.bed.picture, &t.inspector.picture}
	for end := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		quiet := slices.IndexFunc(lanes[:], func(l *lane) bool { return !l.flows() })
		if quiet < 0 {
			break
		}
		if time.Now().After(end) {
			b.Fatalf("%s: no %s in 20 s", c.name, laneNames[quiet])
		}
	}
	<-time.After(talkSettles)
	from := time.Now()
	<-time.After(talkCounted)
	to := time.Now()
	<-time.After(talkLate)
	t.hangUp()
	t.bed.stop()
	t.inspector.stop()
	for i, l := range lanes {
		all, lost := l.delays(from, to)
		if len(all) == 0 || lost > len(all)/10 {
			b.Fatalf("%s: %d of %d lost of %s", c.name, lost, lost+len(all), laneNames[i])
		}
		c.of[i].delays, c.of[i].lost = append(c.of[i].delays, all...), c.of[i].lost+lost
	}
}
