package ingest

import (
	"math"
	"time"

	"wardwatch/ward"
)

// mediaClock says when the pictures and the sound of a recording came: their
// media time from the arrival of the first picture on, stretched so that it
// fills the time until the recording's end. A camera's clock that is wrong or
// drifts, and pictures that came in bursts, are evened out. Playing, frame
// steps, thumbnails and clips all count by it, so that they mean the same
// picture by the same moment.
type mediaClock struct {
	start time.Time
	ratio float64 // seconds that passed for each second of media
}

// clockOf returns the clock of a segment. One without a row is not over and
// counts as its camera does.
func clockOf(g ward.Segment) mediaClock {
	c := mediaClock{start: g.Start, ratio: 1}
	if d := g.End.Sub(g.Start); g.ID != "" && d > 0 && g.Media > 0 {
		c.ratio = float64(d) / float64(g.Media)
	}
	return c
}

// scaled is the media time t, in ticks, after stretching.
func (c mediaClock) scaled(t int64) int64 { return int64(math.Round(float64(t) * c.ratio)) }

// after is a media time after stretching.
func (c mediaClock) after(d time.Duration) time.Duration { return time.Duration(c.scaled(int64(d))) }

// wall is the moment of a media time in ticks of the track.
func (c mediaClock) wall(t indexedTrack, ticks int64) time.Time {
	return c.start.Add(time.Duration(math.Round(float64(ticks) * c.ratio * float64(time.Second) / float64(t.timescale))))
}

// ticks is a media time on the time line that begins in 1970, which all
// recordings share when they are played.
func (c mediaClock) ticks(scale uint32, media int64) int64 {
	s := int64(scale)
	return c.start.Unix()*s + int64(c.start.Nanosecond())*s/int64(time.Second) + c.scaled(media)
}
