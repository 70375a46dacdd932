package rounds

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/storage"
	"wardwatch/ward"
)

// tape is what a session's verdict followed from, besides the nonce: which
// pictures the protocol took, when they came, when commands were displayed
// and when the line was lost, in order. A replay hands the same to the same
// protocol. Some 20 bytes a picture, 8 pictures a second; no measure, no face.
type tape struct {
	began  time.Time
	last   time.Duration // since began, of the entry before
	stream int           // that the newest picture was of
	buf    []byte
	kept   bool // it is stored; what comes later decides nothing
}

const (
	tapeVersion = 1
	tapeMax     = 4 << 20 // bytes; hours
)

// tapeHead says by what the session was judged.
type tapeHead struct {
	Version  int     `json:"v"`
	Began    int64   `json:"began_ns"`
	Model    string  `json:"model"`    // of the face templates; empty: no face was seen
	Enrolled string  `json:"enrolled"` // half a SHA-256 of the enrolment's template; empty: it was not asked for
	Match    float32 `json:"match"`    // ward.FaceThresholds
	NoMatch  float32 `json:"no_match"`
	// Colours says whether the screen's colours were shown; empty: there was no such check yet.
	Colours coloursWhy `json:"colours,omitempty"`
}

// Kinds of entries.
const (
	tapeLooks = 'e' // looks follow that go to one step of the protocol
	tapeLook  = 'l' // a picture
	tapeEnd   = 'x' // of the step's looks
	tapeTold  = 't' // a command
)

// ending is how a step or a command ended.
type ending byte

const (
	endEnough ending = iota // the step had what it wanted, or its time was over; the command was displayed
	endOutage               // the line was lost
	endBlind                // the pictures could not be analysed
	endOver                 // the session ended otherwise
)

func endingOf(err error) ending {
	switch {
	case err == nil:
		return endEnough
	case errors.Is(err, errOutage):
		return endOutage
	case errors.Is(err, errNoEyes):
		return endBlind
	}
	return endOver
}

// at is x as a replay will know it.
func (t *tape) at(x time.Time) time.Time { return t.began.Add(x.Sub(t.began)) }

func (t *tape) put(kind byte, rest ...byte) {
	if !t.kept && len(t.buf) < tapeMax {
		t.buf = append(append(t.buf, kind), rest...)
	}
}

func (t *tape) since(x time.Time) []byte {
	d := x.Sub(t.began)
	b := binary.AppendVarint(nil, int64(d-t.last))
	t.last = d
	return b
}

// look notes a picture that the protocol takes, and says whether it is the first of its stream.
func (t *tape) look(l look) (first bool) {
	first, t.stream = t.stream != l.stream, l.stream
	if t.kept {
		return first
	}
	rest := append([]byte{0}, t.since(l.at)...)
	if first {
		rest[0] = 1
	}
	rest = binary.BigEndian.AppendUint64(rest, l.coded)
	t.put(tapeLook, binary.BigEndian.AppendUint32(rest, l.measured())...)
	return first
}

func (t *tape) end(err error) { t.put(tapeEnd, byte(endingOf(err))) }

// told notes a command and returns when it was displayed.
func (t *tape) told(displayed time.Time, err error) time.Time {
	if err != nil {
		t.put(tapeTold, byte(endingOf(err)))
		return displayed
	}
	t.put(tapeTold, append([]byte{byte(endEnough)}, t.since(displayed)...)...)
	return t.at(displayed)
}

// measured tells pictures apart that measure differently.
func (l look) measured() uint32 {
	h := fnv.New32a()
	b := binary.BigEndian.AppendUint64(nil, l.seen.Print)
	for _, f := range l.seen.Faces {
		for _, v := range append([]float32{f.Yaw, f.Pitch, f.Mouth, f.Eyes, f.EyePx, f.Sharp}, f.Template...) {
			b = binary.BigEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	_, _ = h.Write(b) // never fails
	return h.Sum32()
}

// coded tells what a decoder was given apart, from a key frame to a picture:
// where it is the same, the decoded picture is. Parameter sets and other
// units around pictures do not count; a recording arranges them anew.
type coded struct {
	codec ward.Codec
	sum   [sha256.Size]byte
}

func (c *coded) see(au [][]byte, key bool) uint64 {
	h := sha256.New()
	if !key {
		h.Write(c.sum[:])
	}
	for _, u := range au {
		if c.codec == ward.H264 && (len(u) == 0 || h264.NALUType(u[0]&0x1f) < h264.NALUTypeNonIDR || h264.NALUType(u[0]&0x1f) > h264.NALUTypeIDR) {
			continue
		}
		h.Write(u)
	}
	h.Sum(c.sum[:0])
	return binary.BigEndian.Uint64(c.sum[:])
}

// keepTape stores the tape, once; an event holds its SHA-256, and so does the verdict.
func (s *session) keepTape(ctx context.Context) error {
	if s.tape.kept || len(s.tape.buf) == 0 {
		return nil
	}
	head, err := json.Marshal(tapeHead{
		Version: tapeVersion, Began: s.tape.began.UnixNano(), Model: s.faces.modelID, Enrolled: s.enrolled,
		Match: s.e.Thresholds.Match, NoMatch: s.e.Thresholds.NoMatch,
		Colours: s.colours,
	})
	if err != nil {
		return fmt.Errorf("write the tape of visit %s: %w", s.visit.ID, err)
	}
	body := append(append(head, '\n'), s.tape.buf...)
	err = s.e.Store.KeepTape(ctx, storage.VisitTape{VisitID: s.visit.ID, KeepUntil: time.Now().AddDate(0, 0, s.e.KeptDays), Body: body})
	if err != nil {
		return err
	}
	s.tape.kept, s.tape.buf = true, nil
	sum := sha256.Sum256(body)
	return s.event(ctx, "tape", map[string]any{"sha256": hex.EncodeToString(sum[:])})
}

// enrolledAs tells enrolments apart without telling what they are.
func enrolledAs(t ward.Template) string {
	if len(t) == 0 {
		return ""
	}
	var b []byte
	for _, v := range t {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
