package simcam

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	// reportEvery is how often sender reports come: RFC 3550 says 5 s.
	reportEvery = 5 * time.Second
	// wrongEvery is how often absurd time stamps get more absurd.
	wrongEvery = 3 * time.Second
	// jumpAhead and jumpBack are by how much.
	jumpAhead = 10 * time.Minute
	jumpBack  = 2 * time.Second
	// ntpEpoch is 1970 in seconds of NTP, which begins in 1900.
	ntpEpoch = 2208988800
)

// sender is one track of one session. After its making it belongs to the
// goroutine that plays the track.
type sender struct {
	session  *session
	udp      bool
	to       [2]netip.AddrPort
	channels [2]int

	ssrc     uint32
	seq      uint16
	shift    uint32    // added to the RTP time since the SSRC last changed
	turns    int64     // how often the SSRC changed
	packets  uint32    // of this SSRC
	bytes    uint32    // likewise
	reported time.Time // when the last report was sent
	held     []byte    // a packet that waits for the next one
	lost     bool      // a packet of this sample
	taken    time.Time // when what is replayed was taken, if the packets tell it
}

// picture is a sample as RTP packets; due and pts are 90 kHz since the server began.
type picture struct {
	packets  []*rtp.Packet
	film     *film
	due, pts int64
}

// send sends a picture or a piece of sound; all says that none of its packets were lost.
func (k *sender) send(p picture, f *setting, began time.Time) (all bool) {
	if k.udp && f.Transport == "udp_lost" {
		return false
	}
	if f.NewSSRC > 0 {
		if turns := int64(time.Since(f.since) / f.NewSSRC); turns != k.turns {
			k.turns, k.ssrc, k.seq, k.shift = turns, rand.Uint32(), uint16(rand.Uint32()), rand.Uint32() //nolint:gosec // any will do
			k.packets, k.bytes, k.reported = 0, 0, time.Time{}
		}
	}
	rtpTime := k.rtpTime(p, f)
	k.lost = false
	var out [][]byte
	for _, original := range p.packets {
		out = append(out, k.packet(original, p.film, rtpTime, f)...)
	}
	if len(out) > 0 {
		k.transmit(0, out)
	}
	if now := time.Now(); !f.NoRTCP && now.Sub(k.reported) >= reportEvery {
		k.reported = now
		k.report(rtpTime, cameraTime(began, p.pts, f))
	}
	return !k.lost
}

func (k *sender) transmit(channel int, packets [][]byte) {
	if k.udp {
		k.sendUDP(channel, packets)
		return
	}
	k.sendTCP(channel, packets)
}

// packet is what becomes of one RTP packet: nothing, itself, or more.
func (k *sender) packet(original *rtp.Packet, of *film, rtpTime uint32, f *setting) [][]byte {
	p := rtp.Packet{Header: original.Header, Payload: original.Payload} // the encoder's and the clip's are shared
	p.SSRC, p.SequenceNumber = k.ssrc, k.seq
	p.Timestamp = rtpTime + original.Timestamp // what the encoder adds inside a sample
	k.seq++
	if f.NewPayloadType > 0 && time.Since(f.since)/f.NewPayloadType%2 == 1 {
		p.PayloadType += otherType
	}
	if f.Garbage == "payload" || !of.video && f.Audio == "garbage" {
		p.Payload = noise(len(p.Payload))
	}
	if !k.taken.IsZero() {
		stamp(&p, k.taken)
	}
	b, err := p.Marshal()
	if err != nil {
		return nil
	}
	if f.Garbage == "packets" {
		b = noise(len(b))
	}
	k.packets++
	k.bytes += uint32(len(p.Payload)) //nolint:gosec // wraps, as RFC 3550 says
	if chance(f.Loss) {
		k.lost = true
		return nil
	}
	out := [][]byte{b}
	if chance(f.Duplicate) {
		out = append(out, b)
	}
	switch {
	case k.held != nil:
		out = append(out, k.held)
		k.held = nil
	case chance(f.Reorder):
		k.held, out = b, out[1:]
	}
	return out
}

func chance(percent float64) bool { return percent > 0 && rand.Float64()*100 < percent }

// rtpTime is the RTP time of a picture with the faults of the camera's clock.
func (k *sender) rtpTime(p picture, f *setting) uint32 {
	at := p.pts
	steps := int64(time.Since(f.since) / wrongEvery)
	switch f.RTPTime {
	case "constant":
		at = 0
	case "jumping":
		at += steps * int64(jumpAhead/time.Second) * tsClock
	case "backwards":
		at -= steps * int64(jumpBack/time.Second) * tsClock
	}
	rate := float64(p.film.clock)
	if p.film.video && f.RTPRate > 0 {
		rate = f.RTPRate
	}
	if rate == float64(p.film.clock) && f.ClockDrift == 0 {
		return k.shift + uint32(at*p.film.clock/tsClock) //nolint:gosec // RTP time wraps
	}
	return k.shift + uint32(int64(float64(at)*rate*(1+f.ClockDrift)/tsClock)) //nolint:gosec // RTP time wraps
}

// cameraTime is what the camera's clock showed at a time of its media.
func cameraTime(began time.Time, pts int64, f *setting) time.Time {
	elapsed := ticks(pts)
	return began.Add(elapsed + time.Duration(float64(elapsed)*f.ClockDrift) + f.ClockOffset)
}

// report sends a sender report (RFC 3550, 6.4.1).
func (k *sender) report(rtpTime uint32, at time.Time) {
	b, err := (&rtcp.SenderReport{SSRC: k.ssrc, NTPTime: ntp(at), RTPTime: rtpTime, PacketCount: k.packets, OctetCount: k.bytes}).Marshal()
	if err == nil {
		k.transmit(1, [][]byte{b})
	}
}

// ntp is a time in units of 2^-32 s since 1900.
func ntp(t time.Time) uint64 {
	seconds, nanos := uint64(t.Unix()+ntpEpoch), uint64(t.Nanosecond()) //nolint:gosec // after 1970
	return seconds<<32 | nanos<<32/1e9
}
