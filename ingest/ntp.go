package ingest

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// senderClock is what a camera's last sender report said of its clock. The
// RTSP client's own PacketNTP is of no use: it takes the fraction of an NTP
// time, which counts 2^-32 s (RFC 3550, 4), for nanoseconds.
type senderClock struct {
	last atomic.Pointer[rtcp.SenderReport] // written by the goroutine that reads RTCP
}

// report keeps a sender report.
func (c *senderClock) report(p rtcp.Packet) {
	if r, ok := p.(*rtcp.SenderReport); ok {
		c.last.Store(r)
	}
}

// at is what the camera's clock showed when it took the picture in p. It is
// false before the first report of the packet's sender.
func (c *senderClock) at(p *rtp.Packet, clockRate int) (time.Time, bool) {
	r := c.last.Load()
	if r == nil || r.SSRC != p.SSRC || clockRate <= 0 {
		return time.Time{}, false
	}
	seconds, fraction := ntpEpoch.Unix()+int64(r.NTPTime>>32), int64(r.NTPTime&0xffffffff) //nolint:gosec // 32 bits each
	since := int64(int32(p.Timestamp - r.RTPTime))                                         //nolint:gosec // RTP time wraps
	return time.Unix(seconds, fraction*1e9>>32).Add(time.Duration(since) * time.Second / time.Duration(clockRate)), true
}
