package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"text/tabwriter"

	"wardwatch/analytics/vision"
	"wardwatch/internal/demo"
	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

type simCommand struct {
	Cameras simCameras `cmd:"" help:"Serve a scenario's cameras over RTSP."`
	Knobs   simKnobs   `cmd:"" help:"List the faults that a simulated camera can have."`
	Bedside simBedside `cmd:"" help:"Answer a bedside link with a clip as the camera."`
	Sweep   simSweep   `cmd:"" help:"Sweep many beds of many institutions over WebRTC, and compare the verdicts with the truth."`
}

type simCameras struct {
	Scenario string `required:"" type:"existingfile" help:"The scenario file."`
	Listen   string `default:"127.0.0.1:8554" help:"RTSP address."`
	Dir      string `default:".demo" type:"path" help:"Folder for the composed clips."`

	Fault map[string]string `placeholder:"CAMERA=KNOBS" sep:"none" mapsep:"none" help:"Faults in place of the scenario's, such as counter-1=loss=5,stall=true."`
}

// Run serves until Ctrl-C.
func (s simCameras) Run(e *terminal) error {
	sc, err := scenario.Load(s.Scenario)
	if err != nil {
		return err
	}
	if err := sc.SetFaults(s.Fault); err != nil {
		return &ward.Error{Kind: ward.Invalid, Code: "config", ZH: "--fault 无效。可用 wardwatch sim knobs 列出全部旋钮。", EN: "--fault makes no sense. wardwatch sim knobs lists all knobs.", Err: err}
	}
	h := &demo.Hospital{Scenario: sc, Sources: filepath.Join(vision.FindModels(), "clips"), Work: s.Dir, Listen: s.Listen, Progress: e.errs}
	if err := h.Prepare(e.ctx); err != nil {
		return err
	}
	for _, p := range sc.Cameras() {
		_, _ = fmt.Fprintf(e.out, "%s  user %s password %s\n", h.CameraURL(p.Camera.ID), p.Camera.User, p.Camera.Password)
	}
	_, _ = fmt.Fprintf(e.out, "also as rtsps://, with the certificate %s\n", h.Fingerprint())
	return h.Run(e.ctx)
}

type simKnobs struct{}

// Run prints a line for each knob.
func (simKnobs) Run(e *terminal) error {
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, k := range simcam.Knobs() {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, k.Kind, k.Help)
	}
	return w.Flush()
}

type simBedside struct {
	Link      string `arg:"" help:"The bedside link."`
	Behaviour string `default:"genuine" enum:"genuine,impostor,loop,frozen,refuse,cut" help:"How it answers: genuine, impostor, loop, frozen, refuse or cut."`
	Clip      string `type:"existingfile" placeholder:"FILE" help:"A film of one face (default: the demo's patient)."`
	Dir       string `default:".demo" type:"path" help:"Folder for the prepared film."`
}

// Run answers one link and says what the bedside saw.
func (s simBedside) Run(e *terminal) error {
	if s.Clip == "" {
		s.Clip = filepath.Join(vision.FindModels(), "clips", "franck.mp4")
	}
	server, err := serverOf(s.Link)
	if err != nil {
		return err
	}
	o := simbed.Options{Server: server, Link: s.Link, Behaviour: simbed.Behaviour(s.Behaviour), Log: e.log}
	if o.Behaviour == simbed.Refuse { // needs no film
		if _, err := simbed.Run(e.ctx, o); err != nil {
			return err
		}
		_, err := fmt.Fprintln(e.out, "refused")
		return err
	}
	return withPool(e, 1, func(ctx context.Context, p *vision.Pool) error {
		films := filepath.Join(s.Dir, "bedside")
		if o.Clip, err = simbed.Open(ctx, s.Clip, films, false, poses(p)); err != nil {
			return err
		}
		if o.Mirrored, err = simbed.Open(ctx, s.Clip, films, true, poses(p)); err != nil {
			return err
		}
		r, err := simbed.Run(ctx, o)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.out, "prompts: %v\nthanked: %v\n", r.Commands, r.Thanked)
		return err
	})
}

// serverOf is the base URL of a bedside link.
func serverOf(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Fragment == "" {
		return "", &ward.Error{Kind: ward.Invalid, Code: "bedside.link", ZH: "这不是床旁链接，应形如 http://主机/bedside#令牌。", EN: "This is not a bedside link; it looks like http://host/bedside#token."}
	}
	return u.Scheme + "://" + u.Host, nil
}
