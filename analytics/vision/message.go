package vision

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"wardwatch/internal/barcode"
	"wardwatch/ward"
)

// Op is what a request asks for.
type Op string

// The requests.
const (
	OpSee   Op = "see"   // decode one access unit of a session, look at the picture
	OpStill Op = "still" // look at one JPEG or PNG
	OpClose Op = "close" // forget a session's decoder
)

// Request goes from the service to a worker; every request has one reply, in order.
type Request struct {
	Op      Op         `json:"op"`
	Session uint64     `json:"session,omitempty"`
	Codec   ward.Codec `json:"codec,omitempty"`
	Key     bool       `json:"key,omitempty"` // a key frame: a new decoder may begin here
	Want    Want       `json:"want,omitempty"`
	Side    int        `json:"side,omitempty"` // longest side of the snapshot in pixels; 0: as large as it may be
	Data    []byte     `json:"-"`              // access unit or image, the payload
}

// Fault says why a request gave no picture.
type Fault string

// The faults.
const (
	FaultNone    Fault = ""
	FaultPicture Fault = "picture" // the bytes do not decode to a picture
	FaultModel   Fault = "model"   // a model is missing or does not run
)

// Protocol numbers the messages of this file and what a worker does at them.
// It rises with every change that an older worker would answer as if nothing
// were: it would show what is to be covered.
const Protocol = 2

// Reply goes from a worker to the service. The first one, without a
// request, says that the models are loaded or what is wrong.
type Reply struct {
	Protocol int       `json:"protocol,omitempty"` // of the first one
	OK       bool      `json:"ok"`                 // a picture came out and Seen describes it
	Fault    Fault     `json:"fault,omitempty"`
	Text     string    `json:"text,omitempty"` // for the log
	Seen     ward.Seen `json:"seen"`
	// Dims are the template lengths of Seen.Faces, in order (0: none). The
	// payload is their float32 values, little endian, then the JPEG.
	Dims []int `json:"dims,omitempty"`
}

const (
	maxFaces = 256
	maxDim   = 1024
	maxText  = 500 // bytes of Reply.Text that are kept
)

// WriteRequest writes one request.
func WriteRequest(w io.Writer, q Request) error { return writeMessage(w, q, q.Data) }

// ReadRequest reads one request; io.EOF means the peer has closed the pipe between two.
func ReadRequest(r io.Reader) (q Request, err error) {
	q.Data, err = readMessage(r, &q)
	return q, err
}

// WriteHello writes a worker's first reply: the models, named model, are loaded.
func WriteHello(w io.Writer, model string) error {
	return WriteReply(w, Reply{Protocol: Protocol, OK: true, Seen: ward.Seen{ModelID: model}})
}

// WriteReply writes one reply; the templates and the JPEG travel as bytes.
func WriteReply(w io.Writer, a Reply) error {
	var p []byte
	a.Dims = nil
	for _, f := range a.Seen.Faces {
		a.Dims = append(a.Dims, len(f.Template))
		for _, v := range f.Template {
			p = binary.LittleEndian.AppendUint32(p, math.Float32bits(v))
		}
	}
	return writeMessage(w, a, append(p, a.Seen.JPEG...))
}

// ReadReply reads one reply and checks it: the sender is the process that
// hostile pictures may have taken over.
func ReadReply(r io.Reader) (Reply, error) {
	var a Reply
	p, err := readMessage(r, &a)
	if err != nil {
		return a, err
	}
	a.Text = a.Text[:min(len(a.Text), maxText)]
	faces := a.Seen.Faces
	if len(a.Dims) != len(faces) || len(faces) > maxFaces || len(a.Seen.People) > maxFaces {
		return a, fmt.Errorf("%w: %d faces, %d people, %d templates", ErrFrame, len(faces), len(a.Seen.People), len(a.Dims))
	}
	if m := a.Seen.Measures; m != nil && (!m.Levels.Whole() || !m.Detail.Whole()) {
		return a, fmt.Errorf("%w: measures", ErrFrame)
	}
	if len(a.Seen.Codes) > barcode.Most || slices.ContainsFunc(a.Seen.Codes, func(c string) bool { return !barcode.Plain(c) }) {
		return a, fmt.Errorf("%w: codes", ErrFrame)
	}
	if slices.ContainsFunc(faces, func(f ward.Face) bool { return f.Light != nil && (!f.Light.Skin.Whole() || !f.Light.Around.Whole()) }) {
		return a, fmt.Errorf("%w: light", ErrFrame)
	}
	for i, n := range a.Dims {
		if n < 0 || n > maxDim || 4*n > len(p) {
			return a, fmt.Errorf("%w: template of %d", ErrFrame, n)
		}
		if n == 0 {
			continue
		}
		t := make(ward.Template, n)
		for k := range t {
			t[k] = math.Float32frombits(binary.LittleEndian.Uint32(p[4*k:]))
			if !(t[k] >= -1.001 && t[k] <= 1.001) { // also refuses NaN
				return a, fmt.Errorf("%w: template value", ErrFrame)
			}
		}
		faces[i].Template, p = t, p[4*n:]
	}
	if len(p) > 0 {
		a.Seen.JPEG = p
	}
	return a, nil
}

// MaxMasks bounds the rectangles that are covered in one picture.
const MaxMasks = 256

// CodeRequest is one access unit on its way to a transcoding worker; every
// request has one reply, in order.
type CodeRequest struct {
	Codec ward.Codec `json:"codec"`
	PTS   int64      `json:"pts"`             // 1/90000 s
	Key   bool       `json:"key,omitempty"`   // a decoder may begin here
	Show  bool       `json:"show,omitempty"`  // code what comes out; else only decode, to keep up
	Fresh bool       `json:"fresh,omitempty"` // code the next picture as a key frame
	// Masks cover parts of the picture that this unit holds. With Masked only a
	// picture whose PTS was given with its unit is shown at all.
	Masked bool       `json:"masked,omitempty"`
	Masks  []ward.Box `json:"masks,omitempty"` // at most MaxMasks
	Flush  bool       `json:"flush,omitempty"` // without Data: code what the decoder holds back; the next unit is a key frame
	Data   []byte     `json:"-"`               // Annex B; MJPEG and VP8: the frame
}

// Coded is one picture as an H.264 access unit (Annex B) with its parameter
// sets at every key frame.
type Coded struct {
	PTS  int64  `json:"pts"` // 1/90000 s, rising
	Key  bool   `json:"key,omitempty"`
	Data []byte `json:"-"`
}

// CodeReply is what came out.
type CodeReply struct {
	Fault Fault   `json:"fault,omitempty"`
	Text  string  `json:"text,omitempty"` // for the log
	Coded []Coded `json:"coded,omitempty"`
	Sizes []int   `json:"sizes,omitempty"` // of Coded.Data, which the payload joins
}

// maxCoded is how many pictures one access unit may set free: a decoder
// holds at most 16 back.
const maxCoded = 17

// WriteCodeRequest writes one request.
func WriteCodeRequest(w io.Writer, q CodeRequest) error { return writeMessage(w, q, q.Data) }

// ReadCodeRequest reads one request; io.EOF means the peer has closed the pipe between two.
func ReadCodeRequest(r io.Reader) (q CodeRequest, err error) {
	q.Data, err = readMessage(r, &q)
	return q, err
}

// WriteCodeReply writes one reply.
func WriteCodeReply(w io.Writer, a CodeReply) error {
	var p []byte
	a.Sizes = nil
	for _, c := range a.Coded {
		a.Sizes = append(a.Sizes, len(c.Data))
		p = append(p, c.Data...)
	}
	return writeMessage(w, a, p)
}

// ReadCodeReply reads one reply and checks it, as ReadReply does.
func ReadCodeReply(r io.Reader) (CodeReply, error) {
	var a CodeReply
	p, err := readMessage(r, &a)
	if err != nil {
		return a, err
	}
	a.Text = a.Text[:min(len(a.Text), maxText)]
	if len(a.Coded) > maxCoded || len(a.Sizes) != len(a.Coded) {
		return a, fmt.Errorf("%w: %d pictures, %d sizes", ErrFrame, len(a.Coded), len(a.Sizes))
	}
	for i, n := range a.Sizes {
		if n <= 0 || n > len(p) {
			return a, fmt.Errorf("%w: picture of %d bytes", ErrFrame, n)
		}
		a.Coded[i].Data, p = p[:n:n], p[n:]
	}
	if len(p) > 0 {
		return a, fmt.Errorf("%w: %d bytes too many", ErrFrame, len(p))
	}
	return a, nil
}
