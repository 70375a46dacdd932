package bench_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const (
	linksOpened = 24
	linkLimit   = 1500 * time.Millisecond
	watchLater  = 1500 * time.Millisecond // what the console waits for before it calls again, web/console/visit/Call.tsx
)

// BenchmarkLinkToPicture opens bedside links of the whole service while an
// inspector watches: from the request that uses the link up to the last packet
// of the first key frame at the inspector, on loopback. Nobody takes time to
// read and agree, or to allow the camera.
func BenchmarkLinkToPicture(b *testing.B) {
	h := openHouse(b, 1)
	film := bedFilm(b, "fps=25,scale=1280:720")
	changes := h.changes()
	for b.Loop() {
		var all, live []time.Duration
		for range linksOpened {
			v, link := h.order(h.bed(nil))
			began := time.Now()
			bed := h.openLink(link, film)
			w := h.watch(v.ID, changes)
			select {
			case t := <-w.whole:
				all = append(all, t.Sub(began))
				live = append(live, t.Sub(w.called))
			case <-time.After(20 * time.Second):
				b.Fatal("no picture in 20 s")
			}
			must(b, w.pc.Close())
			bed.post(h, "leave", nil)
			bed.stop()
		}
		slices.Sort(all)
		slices.Sort(live)
		b.Logf("of that from the inspector's call on: p50 %s, p95 %s", at(live, .5).Round(time.Millisecond), at(live, .95).Round(time.Millisecond))
		beside(b, "picture", all, linkLimit)
	}
}

// watcher is an inspector's page that shows a bedside.
type watcher struct {
	pc     *webrtc.PeerConnection
	called time.Time
	whole  chan time.Time // when the first key frame is
}

// live waits until the visit is being checked, as its page does.
func (h *house) live(id ward.VisitID, changes <-chan string) {
	h.b.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case changed := <-changes:
			if changed == string(id) && h.visit(id).Visit.State == ward.VisitChecking {
				return
			}
		case <-late:
			h.b.Fatal("the visit is not live within 20 s")
		}
	}
}

// watch calls as soon as it can.
func (h *house) watch(id ward.VisitID, changes <-chan string) *watcher {
	h.b.Helper()
	h.live(id, changes)
	for {
		if w, ok := h.watchNow(id); ok {
			return w
		}
		<-time.After(watchLater)
	}
}

// watchNow calls; false when the bedside is not connected yet.
func (h *house) watchNow(id ward.VisitID) (w *watcher, ok bool) {
	h.b.Helper()
	w = &watcher{called: time.Now(), whole: make(chan time.Time, 1)}
	h.post("/visits/"+string(id)+"/ice", nil, nil)
	w.pc = benchPC(h.b)
	w.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { w.see(t) })
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := w.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(h.b, err)
	}
	status, _, answer := h.call(http.MethodPost, "/visits/"+string(id)+"/call", offerOf(h.b, w.pc))
	if status == http.StatusConflict && bytes.Contains(answer, []byte("visit.not_live")) {
		must(h.b, w.pc.Close())
		return nil, false
	}
	if status != http.StatusCreated {
		h.b.Fatalf("call: %d %s", status, answer)
	}
	answered(h.b, w.pc, string(answer))
	return w, true
}

// see tells when a key frame has come whole, from its parameter sets on.
func (w *watcher) see(t *webrtc.TrackRemote) {
	var packet codecs.H264Packet
	begun, next := false, uint16(0)
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if t.Kind() != webrtc.RTPCodecTypeVideo {
			continue
		}
		nalus, err := packet.Unmarshal(p.Payload)
		begun = begun && err == nil && p.SequenceNumber == next
		begun = begun || bytes.Contains(nalus, []byte{0, 0, 0, 1, 0x67})
		next = p.SequenceNumber + 1
		if begun && p.Marker {
			select {
			case w.whole <- time.Now():
			default:
			}
		}
	}
}
