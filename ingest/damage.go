package ingest

import (
	"time"

	"wardwatch/ward"
)

// damageApart is how far two damaged stretches of one cause must be apart to
// be told as two: a stream of key frames would make one of each picture.
const damageApart = 2 * time.Second

// damage accounts for pictures lost before u, and until the next key frame.
func (r *Recorder) damage(u Unit) {
	if r.file == nil {
		r.lost = ""
		return
	}
	at := r.clock.date(u.Arrived)
	if r.hurt.Cause != "" && at.Sub(r.hurt.To) >= damageApart {
		r.tellDamage()
	}
	if u.Lost != "" && r.lost == "" {
		r.lost, r.lostAt = u.Lost, r.clock.date(r.prev)
	}
	if u.Key {
		r.mend(at)
	}
}

// mend ends the damage at at. It is told when the next one is far enough, or
// the segment ends.
func (r *Recorder) mend(at time.Time) {
	if r.lost == "" {
		return
	}
	if r.hurt.Cause != r.lost || r.lostAt.Sub(r.hurt.To) >= damageApart {
		r.tellDamage()
		r.hurt = ward.Gap{Cause: r.lost, From: r.lostAt}
	}
	r.hurt.To, r.lost = at, ""
}

// tellDamage stores the damage that is over.
func (r *Recorder) tellDamage() {
	if r.hurt.Cause != "" {
		r.coverage.damaged(r.hurt.Cause, r.hurt.From, r.hurt.To)
	}
	r.hurt = ward.Gap{}
}
