package simcam

import (
	"encoding/binary"
	"net/url"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtp"
)

const (
	// cardTime is how a replay's stretch is told (RFC 2326 3.7).
	cardTime   = "20060102T150405Z"
	clockRange = "clock="
	// replayProfile marks the RTP header extension that tells a replayed
	// picture's moment (ONVIF Streaming Specification 6.3).
	replayProfile = 0xabac
)

// stretch is what is asked for of a card, by the camera's clock; zero: nothing.
type stretch struct{ from, to time.Time }

func (x stretch) none() bool { return x.from.IsZero() || x.to.IsZero() }

// asked reads the query of an address.
func asked(query string) stretch {
	v, err := url.ParseQuery(strings.TrimSuffix(query, "/"))
	if err != nil {
		return stretch{}
	}
	return between(v.Get("starttime"), v.Get("endtime"))
}

func between(from, to string) stretch {
	var x stretch
	x.from, _ = time.Parse(cardTime, from) // zero when it is none
	x.to, _ = time.Parse(cardTime, strings.TrimSuffix(to, "/"))
	return x
}

// wanted is what a PLAY request asks for of the camera's card.
func (c *conn) wanted(req *base.Request, f *setting) stretch {
	switch f.Card {
	case "onvif":
		value, ok := strings.CutPrefix(strings.Join(req.Header["Range"], ""), clockRange)
		if !ok {
			return stretch{}
		}
		from, to, _ := strings.Cut(value, "-")
		return between(from, to)
	case "plain":
		return c.card
	}
	return stretch{}
}

// played answers PLAY.
func (c *conn) played(req *base.Request, o *outlet, f *setting) *base.Response {
	clock := strings.HasPrefix(strings.Join(req.Header["Range"], ""), clockRange)
	if clock && f.Card != "onvif" {
		return &base.Response{StatusCode: base.StatusInvalidRange}
	}
	res := c.session.response()
	if p := c.replayed(req, o, f); p != nil && clock {
		first := p.reels()[0]
		res.Header["Range"] = base.HeaderValue{clockRange + cameraTime(p.conn.s.Began(), first.due, f).UTC().Format("20060102T150405.000Z") + "-"}
	}
	return res
}

// replayed is the replay that a PLAY request asks for; nil: none.
func (c *conn) replayed(req *base.Request, o *outlet, f *setting) *replay {
	x := c.wanted(req, f)
	if x.none() || len(o.tracks) == 0 {
		return nil
	}
	return &replay{conn: c, outlet: o, session: c.session, stretch: x, faults: f}
}

// replay plays a stretch of what a camera showed to one session, in real time.
type replay struct {
	stretch

	conn    *conn
	outlet  *outlet
	session *session
	faults  *setting
}

// elapsed is the media time at a moment of the camera's clock.
func (p *replay) elapsed(at time.Time) int64 {
	return int64(at.Add(-p.faults.ClockOffset).Sub(p.conn.s.Began()) * tsClock / time.Second)
}

// reels are the camera's tracks at the beginning of the stretch: pictures
// from the key frame before on.
func (p *replay) reels() []*reel {
	from := p.elapsed(p.from)
	var all []*reel
	for _, t := range p.outlet.tracks {
		k := &t.films[0]
		r := &reel{track: t}
		if len(k.samples) == 0 {
			continue
		}
		loops := from / k.length
		within := from - loops*k.length
		for i, x := range k.samples {
			if due := x.dts - k.samples[0].dts; due <= within && (x.key || !k.video) {
				r.at, r.due = i, loops*k.length+due
			}
		}
		all = append(all, r)
	}
	return all
}

// run plays all tracks in their common order until the stretch, or the
// connection, is over.
func (p *replay) run() {
	all := p.reels()
	encoders := map[*reel]encoder{} // the film's belong to those who play what happens now
	for _, r := range all {
		_, encode, err := r.film().clipTrack.media(uint8(96 + r.track.index)) //nolint:gosec // a few tracks
		if err != nil {
			p.conn.close()
			return
		}
		encoders[r] = encode
	}
	began, first := time.Now(), all[0].due
	for {
		r := all[0]
		for _, x := range all[1:] {
			if x.due < r.due {
				r = x
			}
		}
		if r.due >= p.elapsed(p.to) {
			p.conn.send(nil) // hangs up once everything is written
			return
		}
		if !p.conn.wait(time.Until(began.Add(ticks(r.due - first)))) {
			return
		}
		k := r.film()
		x := k.samples[r.at]
		packets, err := encoders[r](x.au)
		if out := (*p.session.senders.Load())[r.track.index]; err == nil && out != nil {
			due := r.due + x.pts - x.dts
			if p.faults.Card == "onvif" {
				out.taken = cameraTime(p.conn.s.Began(), due, p.faults)
			}
			out.send(picture{packets, k, r.due, due}, p.faults, p.conn.s.Began())
		}
		r.next(p.faults)
	}
}

// stamp adds the moment of its picture to a packet.
func stamp(p *rtp.Packet, taken time.Time) {
	b := make([]byte, 12)
	binary.BigEndian.PutUint64(b, ntp(taken))
	p.Extension, p.ExtensionProfile = true, replayProfile
	_ = p.SetExtension(0, b) // it is a multiple of 4 bytes
}
