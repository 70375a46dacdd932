package vision

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

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

// Reply goes from a worker to the service. The first one, without a
// request, says that the models are loaded or what is wrong.
type Reply struct {
	OK    bool      `json:"ok"` // a picture came out and Seen describes it
	Fault Fault     `json:"fault,omitempty"`
	Text  string    `json:"text,omitempty"` // for the log
	Seen  ward.Seen `json:"seen"`
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
func WriteRequest(w io.Writer, q Request) error {
	h, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return writeFrame(w, h, q.Data)
}

// ReadRequest reads one request; io.EOF means the peer has closed the pipe between two.
func ReadRequest(r io.Reader) (Request, error) {
	var q Request
	h, p, err := readFrame(r)
	if err != nil {
		return q, err
	}
	if err := json.Unmarshal(h, &q); err != nil {
		return q, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	q.Data = p
	return q, nil
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
	p = append(p, a.Seen.JPEG...)
	h, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	return writeFrame(w, h, p)
}

// ReadReply reads one reply and checks it: the sender is the process that
// hostile pictures may have taken over.
func ReadReply(r io.Reader) (Reply, error) {
	var a Reply
	h, p, err := readFrame(r)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(h, &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	if len(a.Text) > maxText {
		a.Text = a.Text[:maxText]
	}
	faces := a.Seen.Faces
	if len(a.Dims) != len(faces) || len(faces) > maxFaces || len(a.Seen.People) > maxFaces {
		return a, fmt.Errorf("%w: %d faces, %d people, %d templates", ErrFrame, len(faces), len(a.Seen.People), len(a.Dims))
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
