package ingest

import (
	"context"
	"sync"
	"time"

	"wardwatch/ward"
)

// How long a probe waits. Its streams are tried at the same time, so that
// probeTotal bounds the whole.
const (
	probeTotal   = 14 * time.Second
	probeName    = 3 * time.Second
	probeConnect = 4 * time.Second
	probeTLS     = 4 * time.Second
	probeHello   = 2 * time.Second
	probeAnswer  = 5 * time.Second // DESCRIBE, SETUP and PLAY together
	probeMedia   = 5 * time.Second // longer than firstUDP
	probeKey     = 8 * time.Second
	probeLook    = 2 * time.Second // at least so long is measured
	probeGOP     = 9 * time.Second // at most so long a second key frame is waited for
)

// ProbeStep is one thing that was tried, and how it went in words.
type ProbeStep struct {
	Stream string `json:"stream" enum:"main,sub"`
	Step   string `json:"step" enum:"name,connect,tls,answer,media,key_frame,measure"`
	OK     bool   `json:"ok"`
	MS     int64  `json:"ms" doc:"How long it took"`
	ZH     string `json:"zh"`
	EN     string `json:"en"`
}

// ProbeVideo is what the pictures were like while the probe looked.
type ProbeVideo struct {
	Codec     ward.Codec `json:"codec"`
	Width     int        `json:"width,omitempty"`
	Height    int        `json:"height,omitempty"`
	FPS       float64    `json:"fps" doc:"As they arrived, not as declared"`
	Kbit      float64    `json:"kbit_s" doc:"Of the pictures, without packet headers"`
	GOP       float64    `json:"gop_s,omitempty" doc:"Between key frames; absent when only one came"`
	Reordered bool       `json:"reordered" doc:"There are B-frames"`
}

// ProbeAudio is the sound that would be recorded.
type ProbeAudio struct {
	Codec ward.Codec `json:"codec"`
}

// ProbeStream is what a stream is like.
type ProbeStream struct {
	OK          bool        `json:"ok"`
	Video       *ProbeVideo `json:"video,omitempty"`
	Audio       *ProbeAudio `json:"audio,omitempty"`
	ClockOffset *float64    `json:"clock_offset_s,omitempty" doc:"The camera's clock minus the server's; absent when the camera did not tell it in time"`
	// TLSFingerprint is of the certificate that was shown, trusted or not.
	TLSFingerprint string `json:"tls_fingerprint,omitempty"`
}

// ProbeReport says whether a camera can be recorded, and what is wrong if not.
type ProbeReport struct {
	ProbeStream

	Steps []ProbeStep  `json:"steps"`
	Sub   *ProbeStream `json:"sub,omitempty"`
}

// Probe tries cam's streams for at most 15 s, as recording would, and says in
// words what is wrong. tell, when not nil, hears of each step as it ends; it
// is not called by two goroutines at once. What it says holds no credentials,
// and nothing of what the other side sent but codecs and figures.
func (f *Fleet) Probe(ctx context.Context, cam ward.Camera, tell func(ProbeStep)) ProbeReport {
	ctx, cancel := context.WithTimeout(ctx, probeTotal)
	defer cancel()
	var mu sync.Mutex // guards tell
	try := func(stream, address string) *trial {
		c := cam
		c.URL = address
		return &trial{fleet: f, cam: c, stream: stream, tell: func(s ProbeStep) {
			if tell != nil {
				mu.Lock()
				defer mu.Unlock()
				tell(s)
			}
		}}
	}
	main := try("main", cam.URL)
	var wg sync.WaitGroup
	wg.Go(func() { main.run(ctx) })
	var sub *trial
	if cam.SubURL != "" {
		sub = try("sub", cam.SubURL)
		wg.Go(func() { sub.run(ctx) })
	}
	wg.Wait()
	r := ProbeReport{ProbeStream: main.found, Steps: main.steps}
	if sub != nil {
		r.Steps, r.Sub = append(r.Steps, sub.steps...), &sub.found
		r.OK = r.OK && sub.found.OK
	}
	return r
}
