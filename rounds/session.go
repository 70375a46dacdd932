package rounds

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	joinTimeout  = 20 * time.Second // from the answer to the first picture
	silence      = 10 * time.Second // without a picture the connection counts as cut
	recordFinish = 5 * time.Second  // for the recorder to commit the last segment
	messagesMax  = 20               // on the data channel in a second
	messageMax   = 1 << 10          // bytes
	keyEvery     = 500 * time.Millisecond
	lookQueue    = 8 // looks that wait for the protocol; the oldest gives way
)

// Why a session ended before its checks did.
var (
	errCut       = errors.New("connection cut")
	errSilent    = errors.New("no picture for 10 s")
	errLeft      = errors.New("the bedside left")
	errFlood     = errors.New("too many messages on the data channel")
	errNoReceipt = errors.New("commands are not acknowledged")
	errNoEyes    = errors.New("pictures cannot be analysed")
	errNoJoin    = errors.New("no media came")
	errDecided   = errors.New("decided by a human")
)

// session is one bedside's connection. run's goroutine owns the protocol;
// callbacks of the WebRTC stack reach it through channels and end.
type session struct {
	e      *Engine
	visit  ward.Visit
	offer  offered
	policy ward.CheckPolicy // its version is sealed with the verdict

	pc       *webrtc.PeerConnection
	toVideo  *webrtc.TrackLocalStaticRTP // inspector → bedside; nil when not wanted
	toAudio  *webrtc.TrackLocalStaticRTP
	tracks   chan *webrtc.TrackRemote
	channel  chan *webrtc.DataChannel
	receipts chan int
	looks    chan look
	seen     chan struct{} // has room for one: a picture came
	ended    chan struct{}
	endOnce  sync.Once
	cause    error // set before ended is closed
	over     chan struct{}

	// Owned by run's goroutine.
	dc       *webrtc.DataChannel
	command  int
	faces    faces
	trace    trace
	traced   bool         // it is stored
	lots     *lots        // of the visit's nonce
	done     []ward.Check // by kind of challenge
	revealed bool
	began    bool // media came, the visit is being checked
	// dropRecording ends a recorder that does not finish by itself.
	dropRecording context.CancelFunc

	wg sync.WaitGroup // media goroutines; joined before run returns

	mu        sync.Mutex // guards the rest
	closing   bool       // no more goroutines may start
	stream    *ingest.Stream
	videoSSRC webrtc.SSRC
	codec     webrtc.RTPCodecCapability // of the bedside's pictures
	keyAsked  time.Time
	calls     map[string]*call
}

func newSession(e *Engine, v ward.Visit, policy ward.CheckPolicy) *session {
	return &session{
		e: e, visit: v, policy: policy, tracks: make(chan *webrtc.TrackRemote, 4), channel: make(chan *webrtc.DataChannel, 1),
		receipts: make(chan int, messagesMax), looks: make(chan look, lookQueue), seen: make(chan struct{}, 1),
		ended: make(chan struct{}), over: make(chan struct{}), calls: map[string]*call{},
	}
}

// end makes the session stop with cause; only the first cause counts.
func (s *session) end(cause error) {
	s.endOnce.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// spawn runs f in a goroutine that run joins; false when it is too late.
func (s *session) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.wg.Go(f)
	return true
}

// connect makes the peer connection and its answer. After an error the
// caller abandons the session.
func (s *session) connect(ctx context.Context, offer string) (answer string, err error) {
	if s.offer, err = readOffer(offer); err != nil {
		return "", err
	}
	if !s.offer.video || !s.offer.channel {
		return "", &ward.Error{Kind: ward.Invalid, Code: "session.media", ZH: "会话必须包含摄像头画面和数据通道。", EN: "The session must offer the camera's pictures and a data channel."}
	}
	if s.pc, err = s.e.API.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return "", err
	}
	s.pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
		if st == webrtc.PeerConnectionStateFailed || st == webrtc.PeerConnectionStateClosed {
			s.end(errCut)
		}
	})
	s.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		select {
		case s.tracks <- t:
		default: // more tracks than anybody needs
		}
	})
	s.pc.OnDataChannel(s.adopt)
	answer, err = answerTo(ctx, s.pc, offer, s.forward)
	return answer, err
}

// forward adds the inspector's tracks, when the bedside takes them.
func (s *session) forward() error {
	video, audio, err := forwards(s.offer.h264)
	if err != nil {
		return err
	}
	if err := prefer(s.pc, video.Codec().MimeType); err != nil {
		return err
	}
	if s.offer.takesVideo {
		sender, err := s.pc.AddTrack(video)
		if err != nil {
			return err
		}
		s.toVideo = video
		s.spawn(func() { wantsKey(sender, s.askCallers) })
	}
	if s.offer.takesAudio {
		if _, err := s.pc.AddTrack(audio); err != nil {
			return err
		}
		s.toAudio = audio
	}
	return nil
}

// adopt takes the first data channel called "ward".
func (s *session) adopt(dc *webrtc.DataChannel) {
	if dc.Label() != channelLabel {
		return
	}
	var second time.Time
	n := 0
	dc.OnMessage(func(m webrtc.DataChannelMessage) { // one at a time
		if now := time.Now(); now.Sub(second) > time.Second {
			second, n = now, 0
		}
		if n++; n > messagesMax || len(m.Data) > messageMax {
			s.end(errFlood)
			return
		}
		if id, ok := receiptOf(m.Data); ok {
			select {
			case s.receipts <- id:
			default:
			}
		}
	})
	dc.OnOpen(func() {
		select {
		case s.channel <- dc:
		default:
		}
	})
}

// askKey asks the bedside for a key frame, at most once in keyEvery.
func (s *session) askKey() {
	s.mu.Lock()
	ssrc, now := s.videoSSRC, time.Now()
	ask := ssrc != 0 && now.Sub(s.keyAsked) >= keyEvery
	if ask {
		s.keyAsked = now
	}
	s.mu.Unlock()
	if ask {
		_ = s.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}}) // a closed connection ends the session anyhow
	}
}

// abandon closes a session that was never run and waits for its goroutines.
func (s *session) abandon() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	if s.pc != nil { // nil when the offer was refused
		_ = s.pc.Close()
	}
	s.wg.Wait()
	s.e.release(s)
	close(s.over)
}

// run is the whole life of the session.
func (s *session) run(ctx context.Context) {
	defer close(s.over)
	defer s.e.release(s)
	lasting := context.WithoutCancel(ctx) // what must be stored is stored though ctx has ended
	ctx, cancel := context.WithCancelCause(ctx)
	s.spawn(func() {
		select {
		case <-s.ended:
			cancel(s.cause)
		case <-ctx.Done():
		}
	})
	recorded := make(chan error, 1)
	checks, err := s.conduct(ctx, recorded)
	if !s.began {
		recorded <- nil
		s.e.Log.InfoContext(ctx, "bedside session without media", "visit", s.visit.ID, "cause", context.Cause(ctx), "error", err)
	} else if c := context.Cause(ctx); c != nil {
		err = c
	}
	s.stop(lasting, checks, err, recorded)
	cancel(nil)
	s.wg.Wait()
}

// stop closes the media, waits for the recording and stores the outcome.
func (s *session) stop(ctx context.Context, checks []ward.Check, cause error, recorded <-chan error) {
	ctx, cancel := context.WithTimeout(ctx, sealTimeout)
	defer cancel()
	s.mu.Lock()
	s.closing = true
	stream, calls := s.stream, s.calls
	s.calls = map[string]*call{}
	s.mu.Unlock()
	for _, c := range calls {
		_ = c.pc.Close()
	}
	_ = s.pc.Close()
	if stream != nil {
		stream.Close()
	}
	wait := time.NewTimer(recordFinish)
	defer wait.Stop()
	select {
	case err := <-recorded:
		if err != nil {
			s.e.Log.ErrorContext(ctx, "recording of a bedside", "visit", s.visit.ID, "error", err)
		}
	case <-wait.C:
		s.e.Log.ErrorContext(ctx, "recording of a bedside is not finished", "visit", s.visit.ID)
	}
	if s.dropRecording != nil {
		s.dropRecording()
	}
	if !s.began || errors.Is(cause, errDecided) {
		return
	}
	if err := s.conclude(ctx, checks, cause); err != nil {
		s.e.Log.ErrorContext(ctx, "conclude a visit", "visit", s.visit.ID, "error", err)
	}
}
