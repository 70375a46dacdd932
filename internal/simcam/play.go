package simcam

import (
	"context"
	"math/rand/v2"
	"time"
)

// burst is how many UDP packets leave without a pause.
const burst = 8

// play loops one track in real time until ctx ends.
func (s *Server) play(ctx context.Context, o *outlet, t *liveTrack, began time.Time) {
	if len(t.films[0].samples) == 0 {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	r := &reel{track: t}
	for {
		timer.Reset(time.Until(began.Add(ticks(r.due))))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		f := o.faults.Load()
		x := r.film().samples[r.at]
		if r.at == 0 || x.key {
			r.change(f)
			x = r.film().samples[r.at]
		}
		if k := r.film(); x.key && k.video && !f.Frozen {
			r.still = x
		} else if k.video && f.Frozen && r.still.key {
			x.au, x.key, x.pts = r.still.au, true, x.dts
		}
		s.send(o, r, x, f)
		r.next(f)
	}
}

// reel is where a track is in its clip.
type reel struct {
	track *liveTrack
	which int   // film
	at    int   // sample
	due   int64 // when the sample is sent, 90 kHz since the server began

	still sample // the last key frame; what a frozen camera shows

	sinceKey int // pictures sent after the last key frame
	gop      int // pictures in the last GOP
}

func (r *reel) film() *film { return &r.track.films[r.which] }

// change shows the other film when its turn has come.
func (r *reel) change(f *setting) {
	which := 0
	switch {
	case len(r.track.films) < 2:
	case f.Second:
		which = 1
	case f.NewSPS > 0:
		which = int(time.Since(f.since)/f.NewSPS) % 2
	}
	if which != r.which {
		r.which, r.at = which, 0
	}
}

// next goes to the next sample, and back to the first after the last.
func (r *reel) next(f *setting) {
	all := r.film().samples
	if all[r.at].key {
		r.gop, r.sinceKey = r.sinceKey+1, 0
	} else {
		r.sinceKey++
	}
	step := r.film().length - all[r.at].dts + all[0].dts
	if r.at+1 < len(all) {
		step = all[r.at+1].dts - all[r.at].dts
	}
	if r.film().video && f.RealFPS > 0 {
		step = int64(tsClock / f.RealFPS)
	}
	r.due += step
	r.at = (r.at + 1) % len(all)
}

// send codes one sample and gives it to every session.
func (s *Server) send(o *outlet, r *reel, x sample, f *setting) {
	k := r.film()
	sessions := *o.sessions.Load()
	whole := !f.spoils() && (len(sessions) > 0 || !f.deaf())
	if k.video {
		defer func() { o.holes.picture(time.Now(), x.key, whole) }()
	}
	if f.Stall || !f.on() || f.NoKey && k.video && x.key && !k.intra || !k.video && f.Audio == "silent" {
		whole = false
		return
	}
	if len(sessions) == 0 {
		return
	}
	packets, err := k.encode(x.au)
	if err != nil {
		whole = false
		s.Log.Error("encode rtp", "path", o.cam.Path, "error", err)
		return
	}
	for _, v := range sessions {
		if v.playing.Load() == 0 {
			continue
		}
		if p := (*v.senders.Load())[r.track.index]; p != nil {
			cut := f.CutMidGOP > 0 && k.video && !x.key && v.age() > f.CutMidGOP && r.sinceKey >= r.gop/2
			if cut {
				packets = packets[:(len(packets)+1)/2]
			}
			all := p.send(picture{packets, k, r.due, r.due + x.pts - x.dts}, f, s.Began())
			whole = whole && all && !cut
			if cut {
				v.conn.send(nil)
			}
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func ticks(n int64) time.Duration { return time.Duration(n) * time.Second / tsClock }
