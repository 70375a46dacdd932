// Package simbed is a bedside for tests and the demo: it joins a round the
// way a browser does (the HTTP API, WebRTC, the data channel) with a clip as
// its camera. It knows nothing of the server's insides.
package simbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Behaviour is how the bedside answers.
type Behaviour string

// The behaviours. Genuine and Impostor both obey every prompt; they differ
// in whose clip is played.
const (
	Genuine  Behaviour = "genuine"
	Impostor Behaviour = "impostor"
	Loop     Behaviour = "loop"    // the clip just plays on, whatever is asked
	Frozen   Behaviour = "frozen"  // one picture, again and again
	Refuse   Behaviour = "refuse"  // declines the notice
	Cut      Behaviour = "cut"     // obeys, and the connection dies at the second challenge
	Reload   Behaviour = "reload"  // obeys, and loads its page again at the second challenge
	Reloads  Behaviour = "reloads" // loads its page again at each command
	Flood    Behaviour = "flood"   // sends messages without end
	Wrong    Behaviour = "wrong"   // answers every challenge with another one, drawn
	Switch   Behaviour = "switch"  // somebody else takes over at a challenge
	Cued     Behaviour = "cued"    // plays a tape on, and jumps to its next answer at each command
)

// Options say who answers where.
type Options struct {
	Server    string // base URL, https://host:port
	Link      string // the bedside link, or its token
	Behaviour Behaviour
	Clip      *Clip         // what the camera shows; not needed to refuse
	Mirrored  *Clip         // the same clip mirrored, for turns that the clip lacks; may be nil
	Other     [2]*Clip      // who takes over (Switch), and mirrored
	SwitchAt  int           // challenge, from 1, at which that happens; 0 means the first
	Tape      *[][]byte     // if not nil, every picture that was sent
	Cues      []int         // frames of Clip at which the answer to each command begins (Cued)
	React     time.Duration // from a prompt to the reaction; 0 means 700 ms
	Spread    time.Duration // what is drawn on top of it, at most
	Start     int           // frame that Loop begins with
	// Seed draws where in a stretch a Camera begins, how long it takes to
	// react, wrong reactions and lost packets; 0: stretches from their begin.
	Seed    uint64
	Network Network // how weak; only towards a server on this machine
	// Hold is the text of the code that is held before the camera when a
	// command asks for one, and whether it is bars; "": none. nil: never any.
	Hold      func(command string) (text string, bars bool)
	Glow      Glow         // how the screen shines on the face
	Write     string       // a line of text that it writes, once; "": none
	RelayOnly bool         // media go by the server's relay (TURN) only
	HTTP      *http.Client // nil means http.DefaultClient
	Log       *slog.Logger // nil: silent
}

// Problem is the server's answer that it will not do something (RFC 9457).
type Problem struct { //nolint:errname // the RFC's own name
	Status   int    `json:"status"`
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	DetailZH string `json:"detail_zh"`
	Code     string `json:"code"`

	RetryAfter time.Duration `json:"-"` // the header; 0: none
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// Result is what the bedside saw of the visit: no verdict, as a patient sees none.
type Result struct {
	Notice   map[string]any // as shown before the consent
	Commands []string       // in order
	Thanked  bool           // the visit came to its end
	Waited   time.Duration  // because the server said so (503 with Retry-After)
	Restarts int            // of ICE, that the server answered
	Heard    int            // packets of the inspector's microphone
	Saw      int            // packets of the inspector's camera
	Lines    []Line         // of text, as often as they came
}

// Run opens the link, answers the notice and, unless it refuses, stays
// until the server says done, or ends the connection. A server that refuses
// gives a *Problem.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.React <= 0 {
		o.React = 700 * time.Millisecond
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	token := o.Link
	if _, after, ok := strings.Cut(o.Link, "#"); ok {
		token = after
	}
	var opened struct {
		Device string         `json:"device"`
		Notice map[string]any `json:"notice"`
	}
	var r Result
	err := waiting(ctx, &r.Waited, func() error { return o.post(ctx, "open", "", map[string]any{"token": token}, &opened) })
	if err != nil {
		return r, fmt.Errorf("open the link: %w", err)
	}
	r.Notice = opened.Notice
	if err := o.post(ctx, "consent", opened.Device, map[string]any{"agree": o.Behaviour != Refuse}, nil); err != nil {
		return r, fmt.Errorf("answer the notice: %w", err)
	}
	if o.Behaviour == Refuse {
		return r, nil
	}
	err = o.join(ctx, opened.Device, &r)
	return r, err
}

// waiting asks again for as long as the server says that one has to wait.
func waiting(ctx context.Context, waited *time.Duration, ask func() error) error {
	for {
		err := ask()
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Status != http.StatusServiceUnavailable || p.RetryAfter == 0 {
			return err
		}
		began := time.Now()
		select {
		case <-time.After(p.RetryAfter):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
		*waited += time.Since(began)
	}
}

// post sends JSON and reads JSON.
func (o Options) post(ctx context.Context, path, device string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := o.send(ctx, path, device, "application/json", b)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func (o Options) send(ctx context.Context, path, device, kind string, body []byte) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.Server, "/")+"/api/v1/bedside/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	if device != "" {
		req.Header.Set("Authorization", "Bearer "+device)
	}
	resp, err := o.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20)); err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		p := &Problem{}
		if json.Unmarshal(answer, p) != nil || p.Status == 0 {
			p.Status, p.Detail = resp.StatusCode, string(answer)
		}
		if seconds, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil {
			p.RetryAfter = time.Duration(seconds) * time.Second
		}
		return nil, p
	}
	return answer, nil
}
