package ingest

import (
	"time"

	"wardwatch/ward"
)

// damageApart is how far two damaged stretches of one cause must be apart to
// be told as two: a stream of key frames would make one of each picture.
const damageApart = 2 * time.Second

// damage accounts for pictures lost before u, and until the next key frame.
// Its row is stored as soon as it begins, open, so that no crash leaves a
// recording that looks whole: EndDamage closes it then.
func (r *Recorder) damage(u Unit) {
	if r.file == nil {
		r.lost = ""
		return
	}
	at := r.clock.date(u.Arrived)
	if r.hurt.Cause != "" && r.lost == "" && at.Sub(r.hurt.To) >= damageApart {
		r.tellDamage()
	}
	if u.Lost != "" && r.lost == "" {
		r.lost, r.lostAt = u.Lost, r.clock.date(r.prev)
		r.hurtFrom(r.lost, r.lostAt)
	}
	if u.Key {
		r.mend(at)
	}
}

// hurtFrom begins a damaged stretch, or goes on with the one before.
func (r *Recorder) hurtFrom(cause ward.Cause, from time.Time) {
	if r.hurt.Cause == cause && from.Sub(r.hurt.To) < damageApart {
		return
	}
	r.tellDamage()
	r.hurt = r.coverage.damagedFrom(cause, from)
}

// mend ends the damage at at. It is told when the next one is far enough, or
// the segment ends.
func (r *Recorder) mend(at time.Time) {
	if r.lost == "" {
		return
	}
	r.hurt.To, r.lost = at, ""
}

// tellDamage stores the end of the damage that is over.
func (r *Recorder) tellDamage() {
	if r.hurt.Cause != "" {
		r.coverage.damagedUntil(r.hurt)
	}
	r.hurt = ward.Gap{}
}
