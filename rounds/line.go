package rounds

import (
	"context"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const (
	redialsMax   = 60 // restarts and new connections of one visit
	malformedMax = 10 // messages of the data channel that cannot be read
)

// line is one connection of the bedside. A visit outlives it: the same page
// restarts ICE on it, a page that was loaded again brings another.
type line struct {
	pc      *webrtc.PeerConnection
	offer   offered
	toVideo *webrtc.TrackLocalStaticRTP // inspector → bedside; nil when not wanted
	toAudio *webrtc.TrackLocalStaticRTP
	tracks  chan *webrtc.TrackRemote
	gone    chan struct{} // closed when the connection is
	once    sync.Once
}

// connect makes the first connection and its answer. After an error the
// caller abandons the session.
func (s *session) connect(ctx context.Context, offer string) (answer string, err error) {
	l, answer, err := s.dial(ctx, offer, "")
	s.mu.Lock()
	s.line = l
	s.mu.Unlock()
	return answer, err
}

// dial makes a connection of an offer. mime, when set, is the video codec it
// must begin with. A line that is returned beside an error must be closed.
func (s *session) dial(ctx context.Context, offer, mime string) (l *line, answer string, err error) {
	l = &line{tracks: make(chan *webrtc.TrackRemote, 4), gone: make(chan struct{})}
	if l.offer, err = readOffer(offer); err != nil {
		return nil, "", err
	}
	if !l.offer.video || !l.offer.channel {
		return nil, "", &ward.Error{Kind: ward.Invalid, Code: "session.media", ZH: "会话必须包含摄像头画面和数据通道。", EN: "The session must offer the camera's pictures and a data channel."}
	}
	if l.pc, err = s.e.API.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, "", err
	}
	l.pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
		if st == webrtc.PeerConnectionStateClosed {
			l.once.Do(func() { close(l.gone) })
		}
	})
	l.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		select {
		case l.tracks <- t:
		default: // more tracks than anybody needs
		}
	})
	l.pc.OnDataChannel(func(dc *webrtc.DataChannel) { s.adopt(l, dc) })
	answer, err = answerTo(ctx, l.pc, offer, func() error { return s.forward(l, mime) })
	return l, answer, err
}

// forward adds the inspector's tracks, when the bedside takes them.
func (s *session) forward(l *line, mime string) error {
	video, audio, err := forwards(l.offer.h264)
	if err != nil {
		return err
	}
	if mime == "" {
		mime = video.Codec().MimeType
	}
	if err := prefer(l.pc, mime); err != nil {
		return err
	}
	if l.offer.takesVideo {
		sender, err := l.pc.AddTrack(video)
		if err != nil {
			return err
		}
		l.toVideo = video
		s.spawn(func() { wantsKey(sender, s.askCallers) })
	}
	if l.offer.takesAudio {
		if _, err := l.pc.AddTrack(audio); err != nil {
			return err
		}
		l.toAudio = audio
	}
	return nil
}

// adopt takes a line's data channel called "ward".
func (s *session) adopt(l *line, dc *webrtc.DataChannel) {
	if dc.Label() != channelLabel {
		return
	}
	var second time.Time
	n, bad := 0, 0
	dc.OnMessage(func(m webrtc.DataChannelMessage) { // one at a time
		if now := time.Now(); now.Sub(second) > time.Second {
			second, n = now, 0
		}
		if n++; n > messagesMax {
			s.end(errFlood)
			return
		}
		if len(m.Data) > messageMax || !s.hear(m.Data) {
			if bad++; bad > malformedMax || len(m.Data) > messageMax {
				s.end(errMalformed)
			}
		}
	})
	dc.OnOpen(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.line == l || s.line == nil { // nil: the answer is just being made
			s.dc = dc
			s.changed()
		}
	})
}

// redial takes another offer of a bedside whose visit is being checked: with
// the same certificate it restarts ICE on the line, else it is a new line,
// which takes the old one's place.
func (s *session) redial(ctx context.Context, offer string) (answer string, err error) {
	if !s.redialing.TryLock() {
		return "", notNow()
	}
	defer s.redialing.Unlock()
	o, err := readOffer(offer)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	old, mime := s.line, s.codec.MimeType
	s.redials++
	late := s.closing || s.redials > redialsMax
	s.mu.Unlock()
	if late {
		return "", notNow()
	}
	if o.print != "" && o.print == old.offer.print && old.pc.ConnectionState() != webrtc.PeerConnectionStateClosed {
		return answerTo(ctx, old.pc, offer, func() error { return nil })
	}
	l, answer, err := s.dial(ctx, offer, mime)
	if err == nil && !s.replace(old, l) {
		err = notNow()
	}
	if err != nil {
		if l != nil {
			_ = l.pc.Close()
		}
		return "", err
	}
	_ = old.pc.Close()
	return answer, nil
}

// replace makes l the session's line; false when the session ends.
func (s *session) replace(old, l *line) bool {
	s.mu.Lock()
	s.line, s.dc = l, nil
	s.changed()
	s.mu.Unlock()
	select {
	case s.replaced <- struct{}{}:
	default:
	}
	if s.spawn(func() { s.follow(l) }) {
		return true
	}
	s.mu.Lock()
	s.line = old
	s.mu.Unlock()
	return false
}

// follow reads what comes on a line that took another's place.
func (s *session) follow(l *line) {
	video, audio, err := l.media(l.gone)
	if err != nil {
		return // whoever waits for pictures tells
	}
	s.mu.Lock()
	same := s.line == l && s.codec.MimeType == video.Codec().MimeType
	if same {
		s.videoSSRC = video.SSRC()
	}
	s.mu.Unlock()
	if !same {
		return
	}
	s.read(l, video, audio)
}

// media waits for a line's tracks. A microphone is waited for only shortly:
// pictures never wait for sound.
func (l *line) media(quit <-chan struct{}) (video, audio *webrtc.TrackRemote, err error) {
	wait := time.NewTimer(joinTimeout)
	defer wait.Stop()
	for video == nil || audio == nil && l.offer.audio {
		select {
		case t := <-l.tracks:
			switch {
			case t.Kind() == webrtc.RTPCodecTypeVideo && video == nil:
				video = t
				wait.Reset(audioWait)
			case t.Kind() == webrtc.RTPCodecTypeAudio && audio == nil:
				audio = t
			}
			continue
		case <-wait.C:
		case <-quit:
			return nil, nil, errNoJoin
		}
		if video == nil {
			return nil, nil, errNoJoin
		}
		break
	}
	return video, audio, nil
}
