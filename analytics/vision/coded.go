package vision

import (
	"encoding/json"
	"fmt"
	"io"

	"wardwatch/ward"
)

// CodeRequest is one access unit on its way to a transcoding worker; every
// request has one reply, in order.
type CodeRequest struct {
	Codec ward.Codec `json:"codec"`
	PTS   int64      `json:"pts"`             // 1/90000 s
	Key   bool       `json:"key,omitempty"`   // a decoder may begin here
	Show  bool       `json:"show,omitempty"`  // code what comes out; else only decode, to keep up
	Fresh bool       `json:"fresh,omitempty"` // code the next picture as a key frame
	Data  []byte     `json:"-"`               // Annex B; MJPEG and VP8: the frame
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
func WriteCodeRequest(w io.Writer, q CodeRequest) error {
	h, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return writeFrame(w, h, q.Data)
}

// ReadCodeRequest reads one request; io.EOF means the peer has closed the pipe between two.
func ReadCodeRequest(r io.Reader) (CodeRequest, error) {
	var q CodeRequest
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

// WriteCodeReply writes one reply.
func WriteCodeReply(w io.Writer, a CodeReply) error {
	var p []byte
	a.Sizes = nil
	for _, c := range a.Coded {
		a.Sizes = append(a.Sizes, len(c.Data))
		p = append(p, c.Data...)
	}
	h, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	return writeFrame(w, h, p)
}

// ReadCodeReply reads one reply and checks it: the sender is the process that
// hostile pictures may have taken over.
func ReadCodeReply(r io.Reader) (CodeReply, error) {
	var a CodeReply
	h, p, err := readFrame(r)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(h, &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrFrame, err)
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
