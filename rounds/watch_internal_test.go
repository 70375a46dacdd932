package rounds

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// slowEye takes its time over every picture.
type slowEye struct{ takes time.Duration }

func (e slowEye) See(context.Context, []byte, bool, bool) (ward.Seen, bool, error) {
	time.Sleep(e.takes)
	return ward.Seen{}, true, nil
}
func (slowEye) Close() {}

// What is looked at is never older than lagMax, however slow the eye and
// whichever pictures are key frames: a bedside is not blamed for pictures
// that the server has not looked at yet.
func TestASlowEyeKeepsUp(t *testing.T) {
	for name, keyEvery := range map[string]int{"all key frames": 1, "a key frame every second": 10, "every ten seconds": 100} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const frame = 100 * time.Millisecond
				stream := ingest.NewStream(ward.Source{}, "", []ingest.Track{{ID: videoTrack, Codec: ward.VP8, ClockRate: 90000}})
				s := &session{e: &Engine{NewEye: func(ward.Codec) Eye { return slowEye{3 * frame} }}, looks: make(chan look, 1000), ended: make(chan struct{})}
				recorded := make(chan struct{})
				close(recorded)
				ctx, cancel := context.WithCancel(t.Context())
				watched := make(chan struct{})
				go func() { s.watch(ctx, stream, 1, recorded); close(watched) }()
				synctest.Wait()
				var oldest, longest time.Duration
				last := time.Now()
				for n := range 600 {
					now := time.Now()
					pts := int64(n) * 9000
					stream.Write(ingest.Unit{Track: videoTrack, PTS: pts, DTS: pts, Arrived: now, AU: [][]byte{{0}}, Key: n%keyEvery == 0})
					time.Sleep(frame)
					synctest.Wait()
					longest = max(longest, time.Since(last))
					for len(s.looks) > 0 {
						oldest = max(oldest, time.Since((<-s.looks).at))
						last = time.Now()
					}
				}
				cancel()
				<-watched
				if oldest > lagMax+5*frame || longest > lagMax+time.Duration(keyEvery)*frame+5*frame {
					t.Errorf("a picture was %v old when it had been looked at, and none was for %v", oldest, longest)
				}
			})
		})
	}
}
