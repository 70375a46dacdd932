package ingest

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"wardwatch/ward"
)

// tapOf is a tap and the session and reader it writes to.
func tapOf(t testing.TB, f format.Format) (*tap, *session, *Reader) {
	t.Helper()
	kind := description.MediaTypeVideo
	m := &description.Media{Type: kind, Formats: []format.Format{f}}
	p, err := newTap(m, f)
	if err != nil {
		t.Fatal(err)
	}
	p.track.ID = 1
	s := &session{told: opening{stats: &counters{}}, first: make(chan struct{})}
	s.Stream = NewStream(ward.Source{Kind: ward.FromCamera, ID: "cam"}, "h1", []Track{p.track})
	t.Cleanup(s.Stream.Close)
	return p, s, s.Stream.Subscribe(64, false)
}

func formats() []format.Format {
	return []format.Format{
		&format.H264{PayloadTyp: 96, PacketizationMode: 1}, &format.H265{PayloadTyp: 96}, &format.MJPEG{},
		&format.MPEG4Audio{
			PayloadTyp: 96, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3,
			Config: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelCount: 1},
		},
		&format.Opus{PayloadTyp: 96, ChannelCount: 2}, &format.G711{PayloadTyp: 8, SampleRate: 8000, ChannelCount: 1},
	}
}

// FuzzTap: whatever packets of whatever codec come, units come out whose
// decode times never fall, of no more bytes than came in.
func FuzzTap(f *testing.F) {
	f.Add(uint8(0), []byte("\x05\x81\x67\x42\x00\x1f\x01\x09\x83\x65\x88\x84\x00\x10\x11\x12\x13\x14\x05\xc3\x41\x9a\x24\x6c\x41"))
	f.Add(uint8(1), []byte("\x06\x81\x26\x01\xaf\x06\xb8\x10"))
	f.Add(uint8(2), []byte("\x14\x81\x00\x00\x00\x00\x01\x32\x28\x1e\xff\xd8\x11\x22\x33\x44\x55\x66\x77\x88\x99"))
	f.Add(uint8(2), []byte("\x08\x81\x00\x00\x00\x00\x01\xff\x28\x1e\x08\x01\x00\x00\x00\x00\x01\x32\x28\x1e"))
	f.Add(uint8(3), []byte("\x08\x81\x00\x10\x00\x20\x01\x02\x03\x04"))
	f.Add(uint8(4), []byte("\x03\x81\xfc\xff\xfe"))
	f.Add(uint8(5), []byte("\x08\x81\xd5\xd5\xd5\xd5\xd5\xd5\xd5\xd5"))
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		all := formats()
		p, s, r := tapOf(t, all[int(which)%len(all)])
		h := p.handler(s)
		at, dts, begun := time.Unix(1e9, 0), int64(0), false
		for seq := uint16(0); len(b) >= 2 && seq < 2000; seq++ {
			n, how := min(int(b[0]), len(b)-2), b[1]
			packet := make([]byte, 12, 12+n)
			packet[0], packet[1] = 2<<6, p.format.PayloadType()|how<<7
			binary.BigEndian.PutUint16(packet[2:], seq+uint16(how>>1&1))
			binary.BigEndian.PutUint32(packet[4:], uint32(how>>2&15)*uint32(seq)*900)
			binary.BigEndian.PutUint32(packet[8:], uint32(how>>6&1))
			after := at
			at = at.Add(time.Duration(how) * time.Millisecond)
			h.RTP(append(packet, b[2:2+n]...), at, after)
			h.RTCP(b[2:2+n], at)
			b = b[2+n:]
			for u, ok, _ := r.pop(); ok; u, ok, _ = r.pop() {
				if begun && u.DTS < dts {
					t.Fatalf("DTS %d after %d", u.DTS, dts)
				}
				dts, begun = u.DTS, true
			}
		}
	})
}
