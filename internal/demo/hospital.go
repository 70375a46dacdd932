// Package demo plays the simulated hospital against a running Wardwatch
// through the public API: it sets the hospital up, runs its cameras, sends
// its bills, answers at its bedsides, and, unattended, does an inspector's
// work and compares everything that came out with the truth of the scenario.
// It must not reach into the product behind the API.
package demo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// Hospital is a scenario at play.
type Hospital struct {
	Scenario *scenario.Scenario
	Sources  string // folder of the demo clips
	Work     string // folder for what is composed from them
	Admin    *Client
	Trust    *x509.CertPool // of the server's certificate; nil: the system's
	See      simbed.See     // the vision worker, to find the poses in a bedside's clip
	Listen   string         // RTSP address of the cameras; empty: any port on loopback
	Progress io.Writer

	billing    *Client
	cameras    *simcam.Server
	admissions map[string]ward.AdmissionID // by bed
	films      map[string][2]*simbed.Clip  // plain and mirrored, by clip
}

// Prepare composes the cameras' clips and the bedsides' films, which takes
// a minute the first time, and binds the cameras' port.
func (h *Hospital) Prepare(ctx context.Context) error {
	files, err := h.Scenario.Compose(ctx, h.Sources, filepath.Join(h.Work, "clips"), h.Progress)
	if err != nil {
		return err
	}
	if h.Listen == "" {
		h.Listen = "127.0.0.1:0"
	}
	h.cameras = &simcam.Server{Addr: h.Listen}
	for _, p := range h.Scenario.Cameras() {
		c, err := simulated(p.Camera, files[p.Camera.ID])
		if err != nil {
			return err
		}
		h.cameras.Cameras = append(h.cameras.Cameras, c)
	}
	return h.cameras.Start()
}

// simulated is a scenario's camera with its films read.
func simulated(c scenario.Camera, files scenario.Films) (simcam.Camera, error) {
	tone := c.Audio
	if tone == ward.AAC || tone == ward.Opus {
		tone = ward.NoCodec // it is in the file
	}
	s := simcam.Camera{Path: string(c.ID), User: c.User, Password: c.Password, Faults: c.Faults, Episodes: c.Episodes}
	var err error
	if s.Clip, err = simcam.ReadClip(files.First, tone); err != nil || files.Second == "" {
		return s, err
	}
	s.Second, err = simcam.ReadClip(files.Second, tone)
	return s, err
}

// Films prepares the bedsides' clips; the vision workers must run.
func (h *Hospital) Films(ctx context.Context) error {
	h.films = map[string][2]*simbed.Clip{}
	for _, b := range h.Scenario.Beds {
		if _, done := h.films[b.Clip]; done || b.Clip == "" {
			continue
		}
		h.say("measuring the poses in %s…", b.Clip)
		var pair [2]*simbed.Clip
		for i, flip := range []bool{false, true} {
			var err error
			if pair[i], err = simbed.Open(ctx, filepath.Join(h.Sources, b.Clip), filepath.Join(h.Work, "bedside"), flip, h.See); err != nil {
				return err
			}
		}
		h.films[b.Clip] = pair
	}
	return nil
}

// SetUp makes the institutions, places, people, admissions and the billing
// system's account. Cameras are added by Begin.
func (h *Hospital) SetUp(ctx context.Context) error {
	for _, in := range h.Scenario.Institutions {
		if err := h.post(ctx, "/institutions", ward.Institution{ID: in.ID, Name: in.Name}, nil); err != nil {
			return err
		}
		for _, p := range in.Places {
			if err := h.post(ctx, "/places", ward.Place{ID: p.ID, InstitutionID: in.ID, Name: p.Name, Kind: p.Kind}, nil); err != nil {
				return err
			}
		}
	}
	for _, p := range h.Scenario.People {
		if err := h.enrol(ctx, p); err != nil {
			return err
		}
	}
	h.admissions = map[string]ward.AdmissionID{}
	for _, b := range h.Scenario.Beds {
		in := map[string]any{
			"institution_id": b.Institution, "insured_id": b.Patient, "ward": b.Ward, "bed": b.Bed, "physician": b.Physician,
			"from": time.Now().Add(-72 * time.Hour).UTC(),
		}
		var a ward.Admission
		if err := h.post(ctx, "/admissions", in, &a); err != nil {
			return err
		}
		h.admissions[b.Bed] = a.ID
	}
	return h.account(ctx)
}

func (h *Hospital) enrol(ctx context.Context, p scenario.Insured) error {
	if err := h.post(ctx, "/insured", map[string]any{"id": p.ID, "name": p.Name, "id_number": p.IDNumber}, nil); err != nil {
		return err
	}
	if p.Photo == nil {
		return nil
	}
	photo, err := scenario.Still(ctx, filepath.Join(h.Sources, p.Photo.Clip), p.Photo.At)
	if err != nil {
		return err
	}
	return h.Admin.Do(ctx, http.MethodPut, "/api/v1/insured/"+string(p.ID)+"/photo", photo, nil)
}

// account makes the billing system's user, scoped to every institution, and its API token.
func (h *Hospital) account(ctx context.Context) error {
	var made struct {
		User ward.User `json:"user"`
	}
	err := h.post(ctx, "/users", map[string]any{"login": "billing", "name": "结算系统", "role": ward.Operator, "all_institutions": true}, &made)
	if err != nil {
		return err
	}
	var token struct {
		Token string `json:"token"`
	}
	if err := h.post(ctx, "/users/"+string(made.User.ID)+"/tokens", map[string]any{"days": 30}, &token); err != nil {
		return err
	}
	if h.billing, err = NewClient(h.Admin.Base, h.Trust); err != nil {
		return err
	}
	h.billing.Token = token.Token
	return nil
}

// CameraURL is where a camera is, without credentials.
func (h *Hospital) CameraURL(id ward.CameraID) string { return h.cameras.URL(string(id)) }

// Fingerprint is of the certificate with which the cameras speak RTSPS.
func (h *Hospital) Fingerprint() string { return h.cameras.Fingerprint() }

// Run sends the cameras' media until ctx ends.
func (h *Hospital) Run(ctx context.Context) error { return h.cameras.Run(ctx) }

// Begin adds the cameras, waits until all of them are live, and returns the
// moment of clip time 0. Run must run.
func (h *Hospital) Begin(ctx context.Context) (time.Time, error) {
	for _, p := range h.Scenario.Cameras() {
		in := map[string]any{
			"id": p.Camera.ID, "place_id": p.ID, "name": p.Camera.Name, "url": h.cameras.URL(string(p.Camera.ID)),
			"user": p.Camera.User, "password": p.Camera.Password, "transport": p.Camera.Transport, "enabled": true, "segment_seconds": 20, "retention_days": 90,
		}
		if err := h.post(ctx, "/cameras", in, nil); err != nil {
			return time.Time{}, err
		}
	}
	h.say("waiting for the cameras…")
	return h.cameras.Began(), h.until(ctx, 30*time.Second, "every camera is live", func(ctx context.Context) (bool, error) {
		var page struct {
			Items []struct {
				Live struct {
					State string `json:"state"`
				} `json:"live"`
			} `json:"items"`
		}
		err := h.get(ctx, "/cameras", &page)
		for _, c := range page.Items {
			if c.Live.State != "live" {
				return false, err
			}
		}
		return len(page.Items) == len(h.Scenario.Cameras()), err
	})
}

// Bill sends every settlement of the scenario shortly after its moment, or,
// when honest is set, only the honest ones. series makes the numbers unique.
func (h *Hospital) Bill(ctx context.Context, began time.Time, series string, honest bool) error {
	for _, x := range h.Scenario.Settlements {
		if honest && x.Truth != scenario.Honest {
			continue
		}
		at := began.Add(scenario.Seconds(x.At))
		select {
		case <-time.After(time.Until(at.Add(300 * time.Millisecond))):
		case <-ctx.Done():
			return nil
		}
		no := number(series, x)
		in := map[string]any{
			"institution_id": h.Scenario.InstitutionOf(x.Place), "place_id": x.Place, "external_no": no, "insured_id": x.Card,
			"kind": x.Kind, "at": at.UTC(), "amount_fen": x.Fen,
		}
		if err := h.billing.Do(ctx, http.MethodPost, "/api/v1/settlements", in, nil, "Idempotency-Key", no); err != nil && ctx.Err() == nil {
			return fmt.Errorf("settlement %s: %w", no, err)
		}
	}
	return nil
}

func number(series string, x scenario.Settlement) string {
	return fmt.Sprintf("%s-%03d", series, x.Number)
}

func (h *Hospital) post(ctx context.Context, path string, in, out any) error {
	return h.Admin.Do(ctx, http.MethodPost, "/api/v1"+path, in, out)
}

func (h *Hospital) get(ctx context.Context, path string, out any) error {
	return h.Admin.Do(ctx, http.MethodGet, "/api/v1"+path, nil, out)
}

func (h *Hospital) say(format string, args ...any) {
	_, _ = fmt.Fprintf(h.Progress, "demo: "+format+"\n", args...)
}

// until polls done, twice a second, for at most limit.
func (h *Hospital) until(ctx context.Context, limit time.Duration, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %v: %s", limit, what))
	defer cancel()
	for {
		ok, err := done(ctx)
		if ok {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
