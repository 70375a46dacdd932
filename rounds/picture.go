package rounds

import (
	"errors"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"

	"wardwatch/ward"
)

const (
	// reorder is how many packets a late one is waited for. The builder holds
	// no more than these, and no picture consists of more.
	reorder = 256
	// lateMax is how long, in the camera's time, a missing packet is waited for:
	// it is asked for so long. On a thin line reorder packets take many seconds.
	lateMax    = time.Second
	maxPicture = 4 << 20 // bytes of one coded picture; a larger one counts as lost
)

// picture is one coded picture of a bedside.
type picture struct {
	au   [][]byte
	ts   uint32 // RTP time
	lost bool   // something before it is missing
}

// pictures makes whole pictures of a bedside's packets, in bounded memory
// whatever comes.
type pictures struct {
	build *samplebuilder.SampleBuilder
	parts *padded
	nalus *nalus // nil for VP8
	lost  bool
}

func newPictures(c ward.Codec) *pictures {
	p := &pictures{}
	if c == ward.VP8 { // its depacketizer keeps nothing but the last packet
		p.parts = &padded{Depacketizer: &codecs.VP8Packet{}}
	} else {
		p.nalus = &nalus{}
		p.parts = &padded{Depacketizer: p.nalus}
	}
	p.build = samplebuilder.New(reorder, p.parts, 90000, samplebuilder.WithMaxTimeDelay(lateMax))
	return p
}

// push takes a packet; next must then be called until it has no more.
func (p *pictures) push(packet *rtp.Packet) { p.build.Push(packet) }

// next returns a picture that is complete.
func (p *pictures) next() (picture, bool) {
	for {
		sample := p.build.Pop()
		// The builder drops such pictures without counting them.
		if p.nalus != nil && p.nalus.broken {
			p.nalus.broken, p.lost = false, true
		}
		if p.parts.broken {
			p.parts.broken, p.lost = false, true
		}
		if sample == nil {
			return picture{}, false
		}
		p.lost = p.lost || sample.PrevDroppedPackets > 0
		if len(sample.Data) == 0 { // nothing but padding
			continue
		}
		if len(sample.Data) > maxPicture {
			p.lost = true
			continue
		}
		au := [][]byte{sample.Data}
		if p.nalus != nil {
			var units h264.AnnexB
			if err := units.Unmarshal(sample.Data); err != nil {
				p.lost = true
				continue
			}
			au = units
		}
		pic := picture{au: au, ts: sample.PacketTimestamp, lost: p.lost}
		p.lost = false
		return pic, true
	}
}

// padded lets packets pass that hold nothing but padding: browsers send them,
// numbered like the others, to try how much a line carries. pion's builder
// takes one for a piece of a picture that has lost its beginning.
type padded struct {
	rtp.Depacketizer

	bare   bool // nothing but padding has come of the picture yet
	broken bool // a picture was given up since this was reset
}

// IsPartitionHead implements rtp.Depacketizer. The builder asks it of the
// first packet of a picture, and takes the picture apart next.
func (p *padded) IsPartitionHead(payload []byte) bool {
	p.bare = len(payload) == 0
	return p.bare || p.Depacketizer.IsPartitionHead(payload)
}

// Unmarshal implements rtp.Depacketizer. Nothing comes of what follows
// padding and is not the beginning of a picture.
func (p *padded) Unmarshal(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return nil, nil
	}
	if p.bare && !p.Depacketizer.IsPartitionHead(payload) {
		p.broken = true
		return nil, nil
	}
	p.bare = false
	b, err := p.Depacketizer.Unmarshal(payload)
	p.broken = p.broken || err != nil
	return b, err
}

// nalus is pion's H.264 depacketizer with an end: that one gathers the
// fragments of a NAL unit (RFC 6184, 5.8) until the last one comes, be it never.
type nalus struct {
	codecs.H264Packet

	open   int  // bytes of fragments that are gathered
	broken bool // a unit was given up since this was reset
}

const (
	fragmentUnit = 28 // FU-A
	firstPart    = 0x80
	lastPart     = 0x40
)

var errLarge = errors.New("NAL unit larger than 4 MB")

// Unmarshal implements rtp.Depacketizer. errLarge when a unit's fragments
// together are larger than maxPicture.
func (n *nalus) Unmarshal(payload []byte) ([]byte, error) {
	fragment := len(payload) > 1 && payload[0]&0x1f == fragmentUnit
	if n.open > 0 && (!fragment || payload[1]&firstPart != 0) {
		n.drop() // another unit begins: the one before has no end
	}
	if fragment {
		if n.open += len(payload); n.open > maxPicture {
			n.drop()
			return nil, errLarge
		}
		if payload[1]&lastPart != 0 {
			n.open = 0
		}
	}
	return n.H264Packet.Unmarshal(payload)
}

func (n *nalus) drop() {
	n.H264Packet, n.open, n.broken = codecs.H264Packet{}, 0, true
}
