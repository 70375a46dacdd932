package simcam

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"
	"github.com/pion/rtp"

	"wardwatch/ward"
)

const (
	toneHz      = 440
	g711Rate    = 8000
	g711Samples = 160 // 20 ms a packet, as cameras send
)

// G726 is a codec of old cameras that the product does not record.
const G726 ward.Codec = "g726"

// hum is a G.726 track: every four bits are a valid code of its 32 kbit/s
// variant, so a row of them is some sound.
func hum(length time.Duration) clipTrack {
	t := clipTrack{clock: g711Rate}
	code := bytes.Repeat([]byte{0x17, 0x71, 0xe8, 0x8e}, g711Samples/2/4)
	for at := 0; at < int(length.Seconds()*g711Rate); at += g711Samples {
		ticks := int64(at) * tsClock / g711Rate
		t.samples = append(t.samples, sample{ticks, ticks, true, [][]byte{code}})
	}
	t.media = func(pt uint8) (*description.Media, encoder, error) {
		var n uint16
		encode := func(au [][]byte) ([]*rtp.Packet, error) {
			n++
			return []*rtp.Packet{{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: n}, Payload: au[0]}}, nil
		}
		return sound(&format.G726{PayloadTyp: pt, BitRate: 32}), encode, nil
	}
	return t
}

// toneTrack is a G.711 track of the given length.
func toneTrack(codec ward.Codec, length time.Duration) (clipTrack, error) {
	if codec == G726 {
		return hum(length), nil
	}
	if codec != ward.PCMU && codec != ward.PCMA {
		return clipTrack{}, fmt.Errorf("tone %s: only pcmu, pcma and g726", codec)
	}
	t := clipTrack{clock: g711Rate}
	for at := 0; at < int(length.Seconds()*g711Rate); at += g711Samples {
		pcm := make([]byte, 0, 2*g711Samples) // 16-bit big endian
		for i := range g711Samples {
			v := int16(4000 * math.Sin(2*math.Pi*toneHz*float64(at+i)/g711Rate))
			pcm = append(pcm, byte(v>>8), byte(v))
		}
		var coded []byte
		var err error
		if codec == ward.PCMU {
			coded, err = g711.Mulaw(pcm).Marshal()
		} else {
			coded, err = g711.Alaw(pcm).Marshal()
		}
		if err != nil {
			return clipTrack{}, fmt.Errorf("code tone: %w", err)
		}
		ticks := int64(at) * tsClock / g711Rate
		t.samples = append(t.samples, sample{ticks, ticks, true, [][]byte{coded}})
	}
	t.media = func(uint8) (*description.Media, encoder, error) {
		pt := uint8(0)
		if codec == ward.PCMA {
			pt = 8
		}
		f := &format.G711{PayloadTyp: pt, MULaw: codec == ward.PCMU, SampleRate: g711Rate, ChannelCount: 1}
		e, err := f.CreateEncoder()
		if err != nil {
			return nil, nil, err
		}
		encode := func(au [][]byte) ([]*rtp.Packet, error) { return e.Encode(au[0]) }
		return sound(f), encode, nil
	}
	return t, nil
}
