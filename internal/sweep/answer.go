package sweep

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

const (
	linkLives = 8 * time.Minute // of the ten that a link lives; then a nurse asks for another
	grace     = time.Minute     // after its deadline, for a visit that is being checked
	lookEvery = time.Second
)

// answer lets the bedside of one bed come at its moment, when there is room.
func (s *sweep) answer(ctx context.Context, x *bed, start time.Time, room chan struct{}) error {
	select {
	case <-time.After(time.Until(start.Add(x.comes))):
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-room }()
	if time.Since(x.ordered) > linkLives {
		var fresh struct {
			Link string `json:"link"`
		}
		if err := s.post(ctx, s.inspector, "/visits/"+string(x.visit)+"/link", nil, &fresh); err != nil {
			return err
		}
		x.link = fresh.Link
	}
	s.count(1)
	defer s.count(-1)
	ctx, stop := context.WithDeadline(ctx, x.deadline.Add(grace))
	defer stop()
	x.began = time.Now()
	r, err := simbed.Run(ctx, s.presents(x))
	x.left, x.waited = time.Now(), r.Waited
	return err
}

// presents is what the camera of a bed shows.
func (s *sweep) presents(x *bed) simbed.Options {
	o := simbed.Options{
		Server: s.Base, Link: x.link, Behaviour: simbed.Genuine, Seed: s.Seed<<32 + uint64(x.number) + 1,
		React: 500 * time.Millisecond, Spread: 700 * time.Millisecond, HTTP: s.from(x.institution),
	}
	man := x.man
	if x.kind == Impostor {
		o.Behaviour, man = simbed.Impostor, 1-man
	}
	o.Clip, o.Mirrored = s.Men[man].Film[0], s.Men[man].Film[1]
	return o
}

// from is a browser in an institution. The links that an address may try in
// a minute are bounded, so towards this machine each institution has its own.
func (s *sweep) from(institution int) *http.Client {
	d := net.Dialer{}
	if u, err := url.Parse(s.Base); err == nil && u.Hostname() == "127.0.0.1" {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 1, byte(institution/250), byte(institution%250+1))}
	}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
}

func (s *sweep) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running += n
	s.most = max(s.most, s.running)
}

// await looks until a visit has its verdict, or waits for people, or is beyond its deadline.
func (s *sweep) await(ctx context.Context, x *bed) {
	for ctx.Err() == nil && time.Now().Before(x.deadline.Add(grace)) {
		var got struct {
			Visit ward.Visit `json:"visit"`
		}
		err := s.inspector.Do(ctx, http.MethodGet, "/api/v1/visits/"+string(x.visit), nil, &got)
		switch v := got.Visit; {
		case err != nil: // asked again
		case v.State == ward.VisitDeciding:
			x.decided, x.verdict, x.reason = time.Now(), ward.Undecided, v.ReasonEN
			return
		case v.State == ward.VisitSealed:
			x.decided, x.verdict, x.reason = time.Now(), v.Verdict, v.ReasonEN
			return
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
		}
	}
}
