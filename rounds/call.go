package rounds

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"wardwatch/ward"
)

const maxCalls = 4 // viewers of one bedside

// call is an inspector's connection to a bedside.
type call struct {
	id    string
	user  ward.UserID
	pc    *webrtc.PeerConnection
	video *webrtc.TrackLocalStaticRTP // bedside → inspector
	audio *webrtc.TrackLocalStaticRTP

	// Guarded by session.mu.
	talks     bool        // its microphone and camera go to the bedside
	videoSSRC webrtc.SSRC // of its camera
}

// Call connects an inspector to the bedside of a running visit: pictures
// and sound both ways. The first caller is heard and seen at the bedside;
// others watch. A second call of one user replaces the first.
func (e *Engine) Call(ctx context.Context, id ward.VisitID, by ward.User, offer string) (answer, callID string, err error) {
	v, err := e.Store.Visit(ctx, id)
	if err != nil {
		return "", "", err
	}
	if !by.May(ward.MayRound, v.InstitutionID) {
		return "", "", &ward.Error{Kind: ward.Forbidden, Code: "visit.forbidden", ZH: "您无权加入该查访。", EN: "You may not join this visit."}
	}
	s, live := e.session(id)
	if live {
		_, live = e.Stream(id)
	}
	if !live {
		return "", "", &ward.Error{Kind: ward.Conflict, Code: "visit.not_live", ZH: "床旁尚未接通。", EN: "The bedside is not connected."}
	}
	c := &call{id: string(ward.NewID[ward.VisitID](time.Now())), user: by.ID}
	if answer, err = s.callIn(ctx, c, offer); err != nil {
		return "", "", err
	}
	if err := s.event(ctx, "call", map[string]any{"call": c.id, "user": c.user}); err != nil {
		s.hangUp(c.id)
		return "", "", err
	}
	return answer, c.id, nil
}

// EndCall hangs up; an unknown call is no error. Only its own user may.
func (e *Engine) EndCall(_ context.Context, callID string, by ward.UserID) error {
	e.prepare()
	e.mu.Lock()
	live := slices.Collect(maps.Values(e.sessions))
	e.mu.Unlock()
	for _, s := range live {
		s.mu.Lock()
		c, ok := s.calls[callID]
		s.mu.Unlock()
		if !ok {
			continue
		}
		if c.user != by {
			return &ward.Error{Kind: ward.NotFound, Code: "call.unknown", ZH: "没有这个通话。", EN: "No such call."}
		}
		s.hangUp(callID)
	}
	return nil
}

// callIn makes c's connection and its answer.
func (s *session) callIn(ctx context.Context, c *call, offer string) (answer string, err error) {
	o, err := readOffer(offer)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	codec := s.codec
	s.mu.Unlock()
	if c.video, c.audio, err = forwardsOf(codec); err != nil {
		return "", err
	}
	if c.pc, err = s.e.API.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return "", err
	}
	c.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.spawn(func() { s.speak(c, t) }) })
	c.pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
		switch st {
		case webrtc.PeerConnectionStateConnected:
			s.askKey()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			s.hangUp(c.id)
		case webrtc.PeerConnectionStateUnknown, webrtc.PeerConnectionStateNew, webrtc.PeerConnectionStateConnecting, webrtc.PeerConnectionStateDisconnected:
		}
	})
	answer, err = answerTo(ctx, c.pc, offer, func() error { return s.show(c, o) })
	if err == nil {
		err = s.admit(c)
	}
	if err != nil {
		return "", errors.Join(err, c.pc.Close())
	}
	return answer, nil
}

// show adds the bedside's tracks to the call. The inspector's camera is to
// use the codec that the bedside can show.
func (s *session) show(c *call, o offered) error {
	if err := prefer(c.pc, c.video.Codec().MimeType); err != nil {
		return err
	}
	if o.takesVideo {
		sender, err := c.pc.AddTrack(c.video)
		if err != nil {
			return err
		}
		s.spawn(func() { wantsKey(sender, s.askKey) })
	}
	if o.takesAudio {
		if _, err := c.pc.AddTrack(c.audio); err != nil {
			return err
		}
	}
	return nil
}

// admit registers c; an earlier call of the same user ends.
func (s *session) admit(c *call) error {
	s.mu.Lock()
	var old []*call
	taken := false
	for _, o := range s.calls {
		if o.user == c.user {
			old = append(old, o)
			delete(s.calls, o.id)
		} else {
			taken = taken || o.talks
		}
	}
	full := s.closing || len(s.calls) >= maxCalls
	if !full {
		c.talks = !taken
		s.calls[c.id] = c
	}
	s.mu.Unlock()
	for _, o := range old {
		_ = o.pc.Close()
	}
	if full {
		return &ward.Error{Kind: ward.Conflict, Code: "call.full", ZH: "该床旁的通话人数已满或查访已结束。", EN: "The bedside has no room for another call, or the visit is over."}
	}
	return nil
}

// hangUp ends a call. It may be called from c's own callbacks.
func (s *session) hangUp(id string) {
	s.mu.Lock()
	c, ok := s.calls[id]
	delete(s.calls, id)
	s.mu.Unlock()
	if ok {
		_ = c.pc.Close()
	}
}

func (s *session) inCall() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls) > 0
}

// relay sends one of the bedside's packets to every call, before anything
// else is done with it, and without keeping the session's other media waiting.
// A call that is not connected yet, or no longer, loses it.
func (s *session) relay(p *rtp.Packet, video bool) {
	var to [maxCalls]*webrtc.TrackLocalStaticRTP
	n := 0
	s.mu.Lock()
	j := &s.audio
	if video {
		j = &s.video
	}
	q := &rtp.Packet{Header: j.next(p.Header, time.Now()), Payload: p.Payload}
	for _, c := range s.calls {
		to[n] = c.audio
		if video {
			to[n] = c.video
		}
		n++
	}
	s.mu.Unlock()
	for _, t := range to[:n] {
		_ = t.WriteRTP(q)
	}
}

// joint numbers the packets of one medium on: another line of the bedside
// counts from elsewhere, which a browser would take for late packets.
type joint struct {
	rate int
	ssrc uint32
	seq  uint16 // added to those of ssrc
	ts   uint32
	last rtp.Header // sent last
	at   time.Time  // when that was
}

func (j *joint) next(h rtp.Header, now time.Time) rtp.Header {
	if h.SSRC != j.ssrc {
		if !j.at.IsZero() {
			gap := uint32(int64(now.Sub(j.at)) * int64(j.rate) / int64(time.Second)) //nolint:gosec // wraps as RTP time does
			j.seq, j.ts = j.last.SequenceNumber+1-h.SequenceNumber, j.last.Timestamp+gap-h.Timestamp
		}
		j.ssrc = h.SSRC
	}
	h.SequenceNumber += j.seq
	h.Timestamp += j.ts
	if j.at.IsZero() || int16(h.SequenceNumber-j.last.SequenceNumber) > 0 { //nolint:gosec // serial number arithmetic
		j.last, j.at = h, now
	}
	return h
}

// speak sends the inspector's microphone or camera to the bedside until the
// call ends.
func (s *session) speak(c *call, t *webrtc.TrackRemote) {
	video := t.Kind() == webrtc.RTPCodecTypeVideo
	if video {
		s.mu.Lock()
		c.videoSSRC = t.SSRC()
		s.mu.Unlock()
		s.askCallers()
	}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		s.mu.Lock()
		talks, to := c.talks, s.line.toAudio
		if video {
			to = s.line.toVideo
		}
		s.mu.Unlock()
		if to != nil && talks && strings.EqualFold(t.Codec().MimeType, to.Codec().MimeType) {
			_ = to.WriteRTP(p)
		}
	}
}

// askCallers asks the inspector's camera for a key frame.
func (s *session) askCallers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c.talks && c.videoSSRC != 0 {
			_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(c.videoSSRC)}})
		}
	}
}
