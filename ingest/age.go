package ingest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// AgeChannel is the label of the data channel, opened by the browser, on
	// which it is told how old pictures were when they were sent:
	// {"rtp":123,"lag_ms":40}. The age on the screen is that, plus the time since the
	// picture came in; it needs no common clock.
	AgeChannel = "age"
	ageEvery   = 500 * time.Millisecond
	// ageBuffer is how many bytes may wait for a slow browser.
	ageBuffer = 4 << 10
)

// teller tells a browser how old the pictures are.
type teller struct {
	channel *atomic.Pointer[webrtc.DataChannel]
	last    time.Time
}

// tell says that the picture with this RTP time, which arrived then, has
// just been sent. It does not block.
func (t *teller) tell(at uint32, arrived time.Time) {
	c := t.channel.Load()
	if now := time.Now(); c != nil && now.Sub(t.last) >= ageEvery && c.BufferedAmount() < ageBuffer {
		t.last = now
		_ = c.SendText(fmt.Sprintf(`{"rtp":%d,"lag_ms":%d}`, at, now.Sub(arrived).Milliseconds())) // it may have closed
	}
}
