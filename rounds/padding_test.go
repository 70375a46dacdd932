package rounds_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pion/rtp"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// padded is n pictures of three packets each, the picture's number in each,
// and after and within some of them a packet of nothing but padding.
func padded(c ward.Codec, n int) (packets []*rtp.Packet) {
	add := func(picture int, payload []byte, marker bool) {
		p := &rtp.Packet{Payload: payload}
		p.SequenceNumber, p.Timestamp, p.Marker = uint16(65_000+len(packets)), uint32(picture)*3000, marker
		packets = append(packets, p)
	}
	for i := range n {
		part := func(first, last byte) []byte {
			if c == ward.VP8 {
				return []byte{first >> 3, byte(i), byte(i >> 8)}
			}
			return []byte{0x7c, first | last | 1, byte(i), byte(i >> 8)}
		}
		add(i, part(0x80, 0), false)
		if i%5 == 2 {
			add(i, nil, false)
		}
		add(i, part(0, 0), false)
		add(i, part(0, 0x40), true)
		for range []int{0, 3, 0, 1, 0}[i%5] {
			add(i, nil, false)
		}
	}
	return packets
}

// numbers are the numbers of whole pictures, as padded made them.
func numbers(t *testing.T, c ward.Codec, pictures [][][]byte) (all []int) {
	t.Helper()
	for _, au := range pictures {
		b, want := au[0], 7 // a header and three parts
		if c == ward.VP8 {
			want = 6
		}
		if len(au) != 1 || len(b) != want {
			t.Fatalf("not a whole picture: %x", au)
		}
		all = append(all, int(b[len(b)-2])|int(b[len(b)-1])<<8)
	}
	return all
}

func pushAll(p rounds.Pictures, packets []*rtp.Packet) (all [][][]byte, lost int) {
	for _, packet := range packets {
		got, l := p.Push(packet)
		all = append(all, got...)
		if l {
			lost++
		}
	}
	return all, lost
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// Packets of nothing but padding are none that a picture lacks, wherever they stand.
func TestPaddingIsNoLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []ward.Codec{ward.H264, ward.VP8} {
		all, lost := pushAll(rounds.NewPictures(c), padded(c, 301))
		if got := numbers(t, c, all); lost != 0 || !slices.Equal(got, upTo(300)) { // the last one waits for what follows
			t.Errorf("%s: %d pictures, %d times lost", c, len(got), lost)
		}
	}
}

// Padding does not stand for the beginning of a picture that is lost for good.
func TestPaddingDoesNotBeginAPicture(t *testing.T) {
	t.Parallel()
	for _, c := range []ward.Codec{ward.H264, ward.VP8} {
		packets := padded(c, 61)
		i := slices.IndexFunc(packets, func(p *rtp.Packet) bool { return p.Timestamp == 12*3000 }) // its second packet is padding
		all, lost := pushAll(rounds.NewPictures(c), slices.Delete(packets, i, i+1))
		got := numbers(t, c, all)
		if want := slices.Delete(upTo(60), 12, 13); lost != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: lost %d times: %v", c, lost, got)
		}
	}
}

// TestWhatIsLostComesAgain: a third of the packets is lost and comes again
// within 40 packets, as asked for, a fifth of that only at the second time.
// No picture is lost for good, and all come in their order.
func TestWhatIsLostComesAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []ward.Codec{ward.H264, ward.VP8} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprint(c, seed), func(t *testing.T) {
				t.Parallel()
				draw := rand.New(rand.NewPCG(seed, 1))
				sent := padded(c, 600)
				due := map[int][]*rtp.Packet{}
				var came []*rtp.Packet
				for i := 0; i < len(sent) || len(due) > 0; i++ {
					came = append(came, due[i]...)
					delete(due, i)
					if i >= len(sent) {
						continue
					}
					if i < 3 || draw.IntN(3) > 0 { // the first ones say where the film begins
						came = append(came, sent[i])
						continue
					}
					again := i + 1 + draw.IntN(20)
					if draw.IntN(5) == 0 {
						again += 1 + draw.IntN(20)
					}
					due[again] = append(due[again], sent[i])
				}
				all, lost := pushAll(rounds.NewPictures(c), came)
				got := numbers(t, c, all)
				if lost != 0 || len(got) < 590 || !slices.Equal(got, upTo(len(got))) {
					t.Errorf("%d pictures, %d times lost", len(got), lost)
				}
			})
		}
	}
}
