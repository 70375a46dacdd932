package ingest

import (
	"strings"

	"wardwatch/ward"
)

// Screen is what a viewer can show.
type Screen struct {
	H264, H265, VP8 bool
	Reordered       bool // pictures that are sent in another order than shown (B-frames)
}

// ScreenOf reads a browser's offer. WebRTC shows no reordered pictures.
func ScreenOf(offer string) Screen {
	return Screen{H264: offers(offer, "H264/90000"), H265: offers(offer, "H265/90000"), VP8: offers(offer, "VP8/90000")}
}

// offers says whether the offer has an rtpmap of the codec.
func offers(offer, codec string) bool {
	for line := range strings.Lines(offer) {
		_, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && strings.HasPrefix(line, "a=rtpmap:") && len(name) >= len(codec) && strings.EqualFold(name[:len(codec)], codec) {
			return true
		}
	}
	return false
}

// Shows says why the viewer cannot show the stream: ward.Invalid "whep.codec"
// or "whep.reordered", or nil.
func (v Screen) Shows(s *Stream) error {
	video, _ := s.Video()
	var can bool
	switch video.Codec {
	case ward.H264:
		can = v.H264
	case ward.H265:
		can = v.H265
	case ward.VP8:
		can = v.VP8
	case ward.MJPEG, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
	}
	switch {
	case !can:
		return &ward.Error{
			Kind: ward.Invalid, Code: "whep.codec",
			ZH: "此浏览器不支持该视频编码，也没有可用的子码流或转码；请为摄像头填写 H.264 子码流地址，或启用转码。",
			EN: "This browser does not support the video codec, and there is no substream or transcode; give the camera an H.264 substream, or allow transcodes.",
		}
	case s.reordered() && !v.Reordered:
		return &ward.Error{
			Kind: ward.Invalid, Code: "whep.reordered",
			ZH: "此码流含 B 帧，WebRTC 无法播放；将改用 LL-HLS，延迟略高。关闭摄像头的 B 帧可恢复低延迟。",
			EN: "This stream has B-frames, which WebRTC cannot show; LL-HLS can, with more delay. Turn B-frames off in the camera for the least delay.",
		}
	}
	return nil
}

// order finds out whether pictures come in another order than they are shown.
// It goes by presentation times that fall: decode times are guesses after a
// loss. The zero value is ready.
type order struct {
	pts     int64
	seen    int  // pictures of this group
	fell    bool // in this group
	mixed   bool // in this group or the last whole one
	started bool
}

// see takes the next picture.
func (o *order) see(u Unit) {
	if u.Key {
		if o.seen > 2 {
			o.mixed = o.fell
		}
		o.seen, o.fell = 0, false
	}
	if o.started && u.PTS < o.pts {
		o.fell, o.mixed = true, true
	}
	o.started, o.pts = true, u.PTS
	o.seen++
}

// reordered says whether the stream's pictures are sent in another order than shown.
func (s *Stream) reordered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order.mixed
}
